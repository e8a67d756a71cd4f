package recs

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
)

//go:embed report.html
var page string

// WriteHTML writes the report as one page that needs nothing else: plots are inline
// SVG.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"at":     func(m Metric) string { return m.At(r.K) },
		"head":   func(m Metric) template.HTML { return breakable(m.At(r.K)) },
		"number": func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) },
		"signed": func(v float64) string { return fmt.Sprintf("%+.4f", v) },
		"count":  thousands,
		"figure": figure,
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, r.view())
}

// breakable lets a name be broken where it has an underscore or an at sign, so that
// columns are as narrow as their figures.
func breakable(name string) template.HTML {
	return template.HTML(strings.NewReplacer("_", "_<wbr>", "@", "<wbr>@").Replace(template.HTMLEscapeString(name))) //nolint:gosec // escaped
}

// view is what the page shows.
type view struct {
	*Report
	Title    string
	Inputs   []string // where the data comes from
	Facts    []string
	Columns  []Metric
	Rows     []row
	Headline Metric
	Plots    []plot
	Slices   []SliceScore // of the selected model
	Of       string       // its name
}

type row struct {
	Name     string
	Selected bool
	Floor    bool
	Cells    []cell
	Own      *Interval
	VsFloor  *Difference
	VsBest   *Difference
	Settings string
	Checked  string // validation figures
	Fit      string
	Micros   string
}

type cell struct{ Text, Low, High string }

type plot struct {
	Title, Note string
	SVG         template.HTML
}

func (r *Report) view() view {
	v := view{Report: r, Title: "Evaluation of recommendations", Facts: r.facts(), Columns: r.columns(), Headline: r.headline()}
	for _, key := range sortedKeys(r.Files) {
		v.Inputs = append(v.Inputs, key+": "+r.Files[key])
	}
	for _, m := range r.Models {
		v.Rows = append(v.Rows, r.row(m, v.Columns))
	}
	if i := r.index(r.Selected); i >= 0 {
		v.Slices, v.Of = r.Models[i].Slices, r.Selected
	}
	if len(r.Models) > 0 {
		v.Plots = r.plots()
	}
	return v
}

func (r *Report) row(m ModelScore, columns []Metric) row {
	out := row{
		Name: m.Name, Selected: m.Name == r.Selected, Floor: m.Floor,
		Fit: fmt.Sprintf("%.2f", m.FitSeconds), Micros: fmt.Sprintf("%.0f", m.ListMicros),
	}
	for _, metric := range columns {
		c := cell{Text: "–"}
		if v, ok := m.Values[metric]; ok {
			c.Text = fmt.Sprintf("%.4f", v)
		}
		if in, ok := m.Intervals[metric]; ok {
			c.Low, c.High = fmt.Sprintf("%.4f", in[0]), fmt.Sprintf("%.4f", in[1])
		}
		out.Cells = append(out.Cells, c)
	}
	metric := r.headline()
	if in, ok := m.Intervals[metric]; ok {
		out.Own = &in
	}
	if d, ok := m.VsFloor[metric]; ok {
		out.VsFloor = &d
	}
	if d, ok := m.VsSelected[metric]; ok {
		out.VsBest = &d
	}
	var settings, checked []string
	for _, p := range sortedKeys(m.Params) {
		settings = append(settings, p+" = "+strconv.FormatFloat(m.Params[p], 'g', 4, 64))
	}
	for _, name := range sortedKeys(m.Validation) {
		checked = append(checked, fmt.Sprintf("%s %.4f", name, m.Validation[name]))
	}
	out.Settings, out.Checked = strings.Join(settings, ", "), strings.Join(checked, ", ")
	return out
}

// plots draws what a table cannot show at a glance.
func (r *Report) plots() []plot {
	var out []plot
	metrics := []Metric{Recall, HitRate, NDCG}
	if h := r.headline(); h != Recall && h != HitRate && h != NDCG {
		metrics = append(metrics, h)
	}
	for _, m := range metrics {
		out = append(out, plot{Title: m.At(r.K), Note: "with 95 % intervals", SVG: r.bars(m)})
	}
	if svg := r.byHistory(); svg != "" {
		out = append(out, plot{Title: Recall.At(r.K) + " by length of history", Note: "courses that the learner had taken before", SVG: svg})
	}
	return append(out, plot{Title: "novelty and " + NDCG.At(r.K), Note: "further right is less known, higher is more often right", SVG: r.scatter()})
}
