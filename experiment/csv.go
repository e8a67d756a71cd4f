package experiment

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"

	"github.com/lectern-dev/lectern/experiment/stats"
)

// CSV is the table of metrics by arm: one line for each metric and arm, with the
// difference to control where it is not control.
func (r *Results) CSV() ([]byte, error) {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	lines := [][]string{{
		"experiment", "state", "verdict", "metric", "role", "arm", "people", "value", "adjusted", "relative",
		"always_low", "always_high", "fixed_low", "fixed_high", "p", "always_p",
	}}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		for arm, level := range m.Levels {
			line := []string{
				r.Experiment, string(r.State), string(r.Verdict.State), m.Metric, m.Role, r.Arms[arm].Name,
				number(level.Units), "", "",
			}
			if !level.Empty() {
				line[7], line[8] = number(level.Value), number(level.Adjusted)
			}
			line = append(line, differences(m.Comparisons, arm)...)
			lines = append(lines, line)
		}
	}
	if err := out.WriteAll(lines); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// differences are the columns that control has not.
func differences(all []stats.Comparison, arm int) []string {
	for i := range all {
		if c := &all[i]; c.Arm == arm {
			relative := ""
			if !c.Relative.Unknown {
				relative = number(c.Relative.Value)
			}
			return []string{
				relative, number(c.Relative.Always.Low), number(c.Relative.Always.High),
				number(c.Relative.Fixed.Low), number(c.Relative.Fixed.High), number(c.P), number(c.AlwaysP),
			}
		}
	}
	return make([]string, 7)
}

// number writes a number, nothing where it is none.
func number(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 10, 64)
}
