package recs

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// The measures of plots, in user units.
const (
	plotWidth   = 520
	plotLabels  = 120 // left of bars
	plotFigures = 60  // right of bars
	barStep     = 26
)

// canvas collects the elements of an SVG image.
type canvas struct{ b strings.Builder }

func (c *canvas) text(x, y float64, anchor, class, s string) {
	fmt.Fprintf(&c.b, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`, x, y, anchor, class, html.EscapeString(s))
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&c.b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`, x1, y1, x2, y2, class)
}

func (c *canvas) svg(height float64, label string) template.HTML {
	// Every text is escaped above; numbers are our own.
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %.0f" role="img" aria-label="%s">%s</svg>`, //nolint:gosec
		plotWidth, height, html.EscapeString(label), c.b.String()))
}

// nice returns a round number at or above the largest value of an axis.
func nice(v float64) float64 {
	if !(v > 0) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8, 10} {
		if m*unit >= v {
			return m * unit
		}
	}
	return 10 * unit
}

// bars draws a bar for each model, with its interval.
func (r *Report) bars(metric Metric) template.HTML {
	top := 0.0
	for _, m := range r.Models {
		top = max(top, m.Values[metric], m.Intervals[metric][1])
	}
	top = nice(top)
	var c canvas
	scale := (plotWidth - plotLabels - plotFigures) / top
	height := float64(len(r.Models)*barStep + 24)
	for i := range 5 {
		v := top * float64(i) / 4
		x := plotLabels + v*scale
		c.line(x, 4, x, height-20, "grid")
		c.text(x, height-6, "middle", "tick", fmt.Sprintf("%.3g", v))
	}
	for i, m := range r.Models {
		y := float64(i*barStep + 6)
		v := m.Values[metric]
		class := "bar"
		switch {
		case m.Name == r.Selected:
			class = "bar best"
		case m.Floor:
			class = "bar floor"
		}
		c.text(plotLabels-8, y+13, "end", "name", m.Name)
		fmt.Fprintf(&c.b, `<rect x="%d" y="%.1f" width="%.1f" height="16" class="%s"><title>%s %.4f</title></rect>`,
			plotLabels, y, max(v*scale, 0.5), class, html.EscapeString(m.Name), v)
		end := plotLabels + v*scale
		if in, ok := m.Intervals[metric]; ok {
			low, high := plotLabels+in[0]*scale, plotLabels+in[1]*scale
			c.line(low, y+8, high, y+8, "whisker")
			c.line(low, y+4, low, y+12, "whisker")
			c.line(high, y+4, high, y+12, "whisker")
			end = max(end, high)
		}
		c.text(end+6, y+13, "start", "figure", fmt.Sprintf("%.4f", v))
	}
	return c.svg(height, metric.At(r.K)+" of each model")
}

// byHistory draws recall over the length of the history, a line for each model; ""
// when there are fewer than two lengths.
func (r *Report) byHistory() template.HTML {
	var names []string
	for _, s := range r.Models[0].Slices {
		if s.By == "history" {
			names = append(names, fmt.Sprintf("%s (%s)", s.Name, thousands(s.Cases)))
		}
	}
	if len(names) < 2 {
		return ""
	}
	top := 0.0
	for _, m := range r.Models {
		for _, s := range m.Slices[:len(names)] {
			top = max(top, s.Recall)
		}
	}
	top = nice(top)
	const left, right, bottom, height = 44.0, plotWidth - 110.0, 230.0, 260.0
	var c canvas
	for i := range 5 {
		v := top * float64(i) / 4
		y := bottom - (bottom-10)*v/top
		c.line(left, y, right, y, "grid")
		c.text(left-6, y+4, "end", "tick", fmt.Sprintf("%.3g", v))
	}
	x := func(i int) float64 { return left + 24 + (right-left-48)*float64(i)/float64(len(names)-1) }
	for i, name := range names {
		c.text(x(i), bottom+18, "middle", "tick", name)
	}
	for n, m := range r.Models {
		var points []string
		for i, s := range m.Slices[:len(names)] {
			y := bottom - (bottom-10)*s.Recall/top
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(i), y))
			fmt.Fprintf(&c.b, `<circle cx="%.1f" cy="%.1f" r="3" class="dot c%d"><title>%s, %s: %.4f</title></circle>`,
				x(i), y, n%palette, html.EscapeString(m.Name), html.EscapeString(s.Name), s.Recall)
		}
		fmt.Fprintf(&c.b, `<polyline points="%s" class="curve c%d"/>`, strings.Join(points, " "), n%palette)
		y := 20 + float64(n)*18
		c.line(right+8, y-4, right+24, y-4, fmt.Sprintf("curve c%d", n%palette))
		c.text(right+28, y, "start", "name", m.Name)
	}
	return c.svg(max(height, 30+18*float64(len(r.Models))), "recall by length of history")
}

// palette is how many colours the page has for lines.
const palette = 8

// scatter draws novelty against nDCG.
func (r *Report) scatter() template.HTML {
	left, right, bottom := 44.0, plotWidth-20.0, 240.0
	low, high, top := math.Inf(1), math.Inf(-1), 0.0
	for _, m := range r.Models {
		if v, ok := m.Values[Novelty]; ok {
			low, high, top = min(low, v), max(high, v), max(top, m.Values[NDCG])
		}
	}
	if low > high {
		return ""
	}
	low, high, top = math.Floor(low), math.Ceil(high), nice(top)
	if low == high {
		high++
	}
	var c canvas
	for i := range 5 {
		share := float64(i) / 4
		y := bottom - (bottom-14)*share
		c.line(left, y, right, y, "grid")
		c.text(left-6, y+4, "end", "tick", fmt.Sprintf("%.3g", top*share))
		c.text(left+(right-left)*share, bottom+18, "middle", "tick", fmt.Sprintf("%.3g", low+(high-low)*share))
	}
	c.text((left+right)/2, bottom+36, "middle", "tick", "bits of self-information")
	var spots []spot
	for n, m := range r.Models {
		v, ok := m.Values[Novelty]
		if !ok {
			continue
		}
		s := spot{m.Name, left + (right-left)*(v-low)/(high-low), bottom - (bottom-14)*m.Values[NDCG]/top}
		spots = append(spots, s)
		fmt.Fprintf(&c.b, `<circle cx="%.1f" cy="%.1f" r="5" class="dot c%d"><title>%s: %.3g, %.4f</title></circle>`,
			s.x, s.y, n%palette, html.EscapeString(m.Name), v, m.Values[NDCG])
	}
	for i, l := range placed(spots, left, right, bottom) {
		at, end := spots[i], l.x-2
		if l.anchor == "end" {
			end = l.x + 2
		}
		if math.Abs(l.y-labelDrop-at.y) > labelStep/2 { // away from its dot
			c.line(at.x, at.y, end, l.y-labelDrop, "leader")
		}
		c.text(l.x, l.y, l.anchor, "name", at.name)
	}
	return c.svg(bottom+44, "novelty and nDCG of each model")
}
