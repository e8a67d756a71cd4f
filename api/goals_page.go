package api

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/analytics"
)

//go:embed pages/goals.html
var goalsHTML string

// maxGoalsForm bounds what the page of goals sends: a key.
const maxGoalsForm = 4 << 10

// goalsView is what the page shows.
type goalsView struct {
	Report *goalsReportView
	Error  string
}

type goalsReportView struct {
	Today, TimeZone string
	Version         int64
	Goals           []goalView
	Drawn           bool // something of them
}

type goalView struct {
	Title, Current, Baseline, Target, Reached string
	Waits                                     string // why there is no figure
	Width                                     int
	BaseSet, AimSet                           bool
	Line, HasBase, HasAim                     bool
	Base, Aim                                 float64
	Lines                                     []string
	Dots                                      []goalDot
	First, Last, Low, Top                     string
	Weeks                                     []goalWeek
}

type goalDot struct {
	X, Y  float64
	Open  bool
	Label string
}

type goalWeek struct{ From, Text string }

// goalsPage asks for an admin key.
func (s *Server) goalsPage(in *request) error { return writeGoals(in, goalsView{}) }

// showGoals answers the page's form: the key is read from the body, held against those
// there are, and kept nowhere.
func (s *Server) showGoals(in *request) error {
	r := in.Request()
	r.Body = http.MaxBytesReader(in.Response(), r.Body, maxGoalsForm)
	if err := r.ParseForm(); err != nil {
		return writeGoals(in, goalsView{Error: "The form could not be read."})
	}
	key, err := s.auth.key(in.ctx(), strings.TrimSpace(r.PostForm.Get("key")))
	if err != nil {
		if lectern.ErrorCode(err) != lectern.CodeUnauthenticated {
			return err
		}
		return writeGoals(in, goalsView{Error: "This is no key of this server."})
	}
	if !accessAdmin.allows(key.Scope, false) {
		return writeGoals(in, goalsView{Error: fmt.Sprintf("This needs an admin key, not a %s key.", key.Scope)})
	}
	keeper, err := s.goals()
	if err != nil {
		return writeGoals(in, goalsView{Error: "Goals are not available here."})
	}
	report, err := keeper.Report(in.ctx(), defaultGoalWeeks)
	if err != nil {
		return err
	}
	return writeGoals(in, goalsView{Report: viewOf(report)})
}

// writeGoals writes the page, also where it says what is wrong: it is for people.
func writeGoals(in *request, v goalsView) error {
	page, err := template.New("goals").Parse(goalsHTML)
	if err != nil {
		return fmt.Errorf("read the page of goals: %w", err)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return errors.Join(errors.New("write the page of goals"), err)
	}
	h := in.Response().Header()
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	return in.Blob(http.StatusOK, "text/html; charset=utf-8", b.Bytes())
}

func viewOf(r *analytics.GoalsReport) *goalsReportView {
	out := &goalsReportView{Today: r.Today, TimeZone: r.TimeZone, Version: r.Version}
	for i := range r.Reports {
		g := goalOf(&r.Reports[i])
		out.Goals, out.Drawn = append(out.Goals, g), out.Drawn || g.Line
	}
	return out
}

func goalOf(g *analytics.GoalReport) goalView {
	v := goalView{
		Title: g.Title, Current: figure(g.Current, g.Unit), Baseline: "not set", Target: "not set",
		BaseSet: g.Baseline != nil, AimSet: g.Target != nil,
	}
	if v.BaseSet {
		v.Baseline = figure(g.Baseline, g.Unit)
	}
	if v.AimSet {
		v.Target = figure(g.Target, g.Unit)
	}
	if g.Reached != nil && *g.Reached >= 1 {
		v.Reached, v.Width = "The target is reached", 100
	} else if g.Reached != nil && *g.Reached <= -0.005 {
		v.Reached = fmt.Sprintf("Gone back behind the baseline by %.0f %% of the way to the target", -100**g.Reached)
	} else if g.Reached != nil {
		v.Reached = fmt.Sprintf("%.0f %% of the way from baseline to target", 100**g.Reached)
		v.Width = int(math.Round(100 * min(1, max(0, *g.Reached))))
	}
	for i := len(g.Weeks) - 1; i >= 0; i-- {
		w := g.Weeks[i]
		text := figure(w.Value, g.Unit)
		switch {
		case !w.Complete && w.Value == nil:
			text = "not yet judged"
		case !w.Complete:
			text += " so far"
		}
		v.Weeks = append(v.Weeks, goalWeek{w.From, text})
	}
	v.draw(g)
	switch {
	case g.Current == nil && v.Line:
		v.Waits = "Of the latest weeks that are over and judged, none has a figure."
	case g.Current == nil:
		v.Waits = "Nothing has been counted yet."
	}
	return v
}

func figure(x *float64, unit string) string {
	switch {
	case x == nil:
		return "–"
	case unit == analytics.UnitShare:
		return fmt.Sprintf("%.1f %%", 100**x)
	}
	return fmt.Sprintf("%.2f h", *x)
}

// draw lays the weeks out in a picture of 320 by 100, from a little below the least
// value to a little above the greatest, goals included. A week without a value parts the line.
func (v *goalView) draw(g *analytics.GoalReport) {
	const width, height, margin = 320.0, 104.0, 12.0
	low, top := math.Inf(1), math.Inf(-1)
	reach := func(x *float64) {
		if x != nil {
			low, top = min(low, *x), max(top, *x)
		}
	}
	for _, w := range g.Weeks {
		reach(w.Value)
		v.Line = v.Line || w.Value != nil
	}
	if !v.Line {
		return
	}
	reach(g.Baseline)
	reach(g.Target)
	room := max(0.15*(top-low), 0.02*math.Abs(top), 0.001)
	low, top = max(0, low-room), top+room
	v.Low, v.Top = figure(&low, g.Unit), figure(&top, g.Unit)
	y := func(x float64) float64 { return round1(height - margin - (height-2*margin)*(x-low)/(top-low)) }
	if g.Baseline != nil {
		v.HasBase, v.Base = true, y(*g.Baseline)
	}
	if g.Target != nil {
		v.HasAim, v.Aim = true, y(*g.Target)
	}
	step := (width - 2*margin) / max(1, float64(len(g.Weeks)-1))
	var line []string
	end := func() {
		if len(line) > 1 {
			v.Lines = append(v.Lines, strings.Join(line, " "))
		}
		line = nil
	}
	for i, w := range g.Weeks {
		if w.Value == nil {
			end()
			continue
		}
		dot := goalDot{X: round1(margin + step*float64(i)), Y: y(*w.Value), Open: !w.Complete, Label: w.From + ": " + figure(w.Value, g.Unit)}
		v.Dots = append(v.Dots, dot)
		line = append(line, fmt.Sprintf("%.1f,%.1f", dot.X, dot.Y))
	}
	end()
	v.First, v.Last = g.Weeks[0].From, g.Weeks[len(g.Weeks)-1].From
}

func round1(x float64) float64 { return math.Round(10*x) / 10 }
