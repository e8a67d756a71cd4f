package analytics

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// keyNames are the columns of a report's dimensions.
func (r *Report) keyNames() []string {
	var out []string
	for _, d := range r.By {
		if d == "arm" {
			out = append(out, "experiment")
		}
		out = append(out, d)
	}
	return out
}

// flat is one value of a report in a line of its own.
type flat struct {
	Keys   map[string]any `json:"keys"`
	Metric string         `json:"metric"`
	Unit   string         `json:"unit"`
	Value
}

func (r *Report) flatten(f func(flat) error) error {
	for _, row := range r.Rows {
		for _, m := range r.Metrics {
			if err := f(flat{row.Keys, m.Name, m.Unit, row.Values[m.Name]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteNDJSON writes a report with one value a line.
func (r *Report) WriteNDJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return r.flatten(func(v flat) error { return enc.Encode(v) })
}

// WriteCSV writes a report with one value a line; what is unknown is empty.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	keys := r.keyNames()
	head := slices.Concat(keys, []string{"metric", "unit", "value", "numerator", "denominator", "low", "high", "waiting",
		"previous", "absolute", "relative", "change_low", "change_high"})
	if err := out.Write(head); err != nil {
		return err
	}
	err := r.flatten(func(v flat) error {
		line := make([]string, 0, len(head))
		for _, k := range keys {
			line = append(line, plain(fmt.Sprint(v.Keys[k])))
		}
		line = append(line, v.Metric, v.Unit)
		c := v.Compared
		if c == nil {
			c = &Change{}
		}
		for _, x := range []*float64{v.Value.Value, v.Numerator, v.Denominator, v.Low, v.High, v.Waiting, c.Previous, c.Absolute, c.Relative, c.Low, c.High} {
			text := ""
			if x != nil {
				text = strconv.FormatFloat(*x, 'g', -1, 64)
			}
			line = append(line, text)
		}
		return out.Write(line)
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

// plain keeps a spreadsheet from reading a name as a formula.
func plain(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '@') {
		return "'" + s
	}
	return s
}
