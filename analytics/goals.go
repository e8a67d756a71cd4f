package analytics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// SettingsGoals names the document of the platform's goals.
const SettingsGoals = "goals"

// Goal is where the platform started from and where it wants to be; nil is not said.
type Goal struct {
	Baseline *float64 `json:"baseline"`
	Target   *float64 `json:"target"`
}

// Goals are the three goals of the platform.
type Goals struct {
	WeeklyHours    Goal `json:"weekly_hours"`    // hours per learner and week
	CompletionRate Goal `json:"completion_rate"` // share of enrolments completed in time
	Satisfaction   Goal `json:"satisfaction"`    // in [0, 1]
}

// GoalsVersion is a version of the goals; version 0 is before any were set.
type GoalsVersion struct {
	Version int64 `json:"version"`
	Goals   Goals `json:"goals"`
}

// ETag names the version in HTTP.
func (v GoalsVersion) ETag() string { return `"g` + strconv.FormatInt(v.Version, 10) + `"` }

// Validate returns a CodeInvalid error that names every value out of range.
func (g Goals) Validate() error {
	var bad []lectern.FieldError
	check := func(name string, v *float64, most float64) {
		if v != nil && (*v < 0 || *v > most) {
			bad = append(bad, lectern.NewFieldError(name, *v, "is out of range", fmt.Sprintf("0 to %v, or null", most)))
		}
	}
	check("weekly_hours.baseline", g.WeeklyHours.Baseline, 168)
	check("weekly_hours.target", g.WeeklyHours.Target, 168)
	check("completion_rate.baseline", g.CompletionRate.Baseline, 1)
	check("completion_rate.target", g.CompletionRate.Target, 1)
	check("satisfaction.baseline", g.Satisfaction.Baseline, 1)
	check("satisfaction.target", g.Satisfaction.Target, 1)
	way := func(name string, g Goal) {
		if g.Baseline != nil && g.Target != nil && *g.Baseline == *g.Target {
			bad = append(bad, lectern.NewFieldError(name, *g.Target, "equals the baseline, so that there is no way to go", "another value than the baseline, or null"))
		}
	}
	way("weekly_hours.target", g.WeeklyHours)
	way("completion_rate.target", g.CompletionRate)
	way("satisfaction.target", g.Satisfaction)
	if len(bad) > 0 {
		return lectern.Invalid("the goals are not usable", bad...)
	}
	return nil
}

// GoalKeeper keeps the goals and says how far they are reached.
type GoalKeeper struct {
	Settings lectern.SettingsStore
	Reader   *Reader
}

// Get returns the goals that hold.
func (k GoalKeeper) Get(ctx context.Context) (GoalsVersion, error) {
	v, _, err := k.Settings.ActiveSettings(ctx, SettingsGoals)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return GoalsVersion{}, nil
	}
	if err != nil {
		return GoalsVersion{}, err
	}
	out := GoalsVersion{Version: v.Version}
	if err := json.Unmarshal(v.Body, &out.Goals); err != nil {
		return out, fmt.Errorf("read the goals: %w", err)
	}
	return out, nil
}

// Put sets the goals. match is the ETag that they were made from; "*" and "" are
// whichever hold. Errors: CodeInvalid, CodePrecondition.
func (k GoalKeeper) Put(ctx context.Context, body []byte, match, author, comment string) (GoalsVersion, error) {
	var g Goals
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&g); err != nil {
		return GoalsVersion{}, lectern.Invalid("these are no goals: "+strings.TrimPrefix(err.Error(), "json: "),
			lectern.NewFieldError("body", "", "cannot be read", "weekly_hours, completion_rate and satisfaction, each with baseline and target"))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return GoalsVersion{}, lectern.Invalid("there is something behind the goals")
	}
	if err := g.Validate(); err != nil {
		return GoalsVersion{}, err
	}
	held, err := k.Get(ctx)
	if err != nil {
		return GoalsVersion{}, err
	}
	if match != "" && match != "*" && match != held.ETag() {
		return GoalsVersion{}, &lectern.Error{Code: lectern.CodePrecondition, Message: "the goals have been changed since",
			Fields: []lectern.FieldError{lectern.NewFieldError("If-Match", match, "is not the version in use", held.ETag())}}
	}
	v, err := k.Settings.PutSettings(ctx, lectern.SettingsVersion{
		Kind: SettingsGoals, Body: mustJSON(g), Author: author, Comment: comment, Base: held.Version,
	})
	return GoalsVersion{Version: v.Version, Goals: g}, err
}

// GoalReport is how far one goal is reached.
type GoalReport struct {
	Name     string   `json:"name"` // of the goal
	Metric   string   `json:"metric"`
	Title    string   `json:"title"`
	Unit     string   `json:"unit"`
	Baseline *float64 `json:"baseline"`
	Target   *float64 `json:"target"`
	// Current is of the latest four weeks that are complete and judged; Reached is the
	// part of the way from baseline to target, below 0 where it went back.
	Current *float64 `json:"current"`
	Reached *float64 `json:"reached"`
	Weeks   []Week   `json:"weeks"`
}

// Week is one week of a goal, from Monday on.
type Week struct {
	From        string   `json:"from"`
	To          string   `json:"to"`
	Complete    bool     `json:"complete"` // it is over, and all that counts is known
	Value       *float64 `json:"value"`
	Denominator *float64 `json:"denominator,omitempty"`
}

// GoalsReport is how far the goals are reached.
type GoalsReport struct {
	GoalsVersion
	TimeZone string       `json:"time_zone"`
	Today    string       `json:"today"`
	Reports  []GoalReport `json:"reports"`
}

const currentWeeks = 4

// Report says how the goals went in so many weeks up to now.
func (k GoalKeeper) Report(ctx context.Context, weeks int) (*GoalsReport, error) {
	if weeks < 1 || weeks > 104 {
		return nil, lectern.Invalid("too many or too few weeks", lectern.NewFieldError("weeks", weeks, "is out of range", "1 to 104"))
	}
	held, err := k.Get(ctx)
	if err != nil {
		return nil, err
	}
	def, err := k.Reader.definition(ctx)
	if err != nil {
		return nil, err
	}
	today := def.Day(k.Reader.clock())
	monday := today - (today+3)%7
	sp := span{from: monday - 7*(weeks-1), to: today, today: today, def: def}
	// Enrolments are judged late: their weeks begin that much earlier.
	sp.from -= (def.CompletionDays + 6) / 7 * 7
	out := &GoalsReport{GoalsVersion: held, TimeZone: def.TimeZone, Today: Date(today)}
	for _, g := range []struct {
		name, metric string
		goal         Goal
	}{
		{"weekly_hours", "hours_per_learner_week", held.Goals.WeeklyHours},
		{"completion_rate", "completion_rate", held.Goals.CompletionRate},
		{"satisfaction", "satisfaction", held.Goals.Satisfaction},
	} {
		found, err := lookUp([]string{g.metric})
		if err != nil {
			return nil, err
		}
		r := GoalReport{
			Name: g.name, Metric: g.metric, Title: found[0].Title, Unit: found[0].Unit,
			Baseline: g.goal.Baseline, Target: g.goal.Target,
		}
		values, err := k.Reader.weekly(ctx, sp, &found[0])
		if err != nil {
			return nil, err
		}
		r.Weeks = trend(sp, &found[0], values)
		if len(r.Weeks) > weeks && g.name != "completion_rate" {
			r.Weeks = r.Weeks[len(r.Weeks)-weeks:]
		}
		r.Current = current(r.Weeks)
		if r.Current != nil && r.Baseline != nil && r.Target != nil && *r.Target != *r.Baseline {
			r.Reached = number((*r.Current - *r.Baseline) / (*r.Target - *r.Baseline))
		}
		out.Reports = append(out.Reports, r)
	}
	return out, nil
}

// weekly computes a metric for each week of a span, by the week's first day.
func (r *Reader) weekly(ctx context.Context, sp span, m *Metric) (func(int) Value, error) {
	if m.special == ofLearners {
		found, err := r.store.LearnerSpans(ctx, sp.from, sp.to, 7)
		if err != nil {
			return nil, fmt.Errorf("read days of learners: %w", err)
		}
		by := map[int]Value{}
		for _, s := range found {
			if s.Learners > 0 {
				by[s.Day] = Value{Value: number(s.Hours / s.Learners), Denominator: number(s.Learners)}
			}
		}
		return func(day int) Value { return by[day] }, nil
	}
	q := Request{By: []lectern.MetricDimension{lectern.ByDay}}
	days, err := r.sums(ctx, q, sp.from, sp.to)
	if err != nil {
		return nil, err
	}
	return func(day int) Value {
		var s lectern.MetricSums
		for d := day; d < day+7; d++ {
			if g := days[groupKey{Day: d}]; g != nil {
				addSums(&s, &g.all)
			}
		}
		return quotient(m, &s)
	}, nil
}

func trend(sp span, m *Metric, values func(int) Value) []Week {
	wait := 0
	if m.cohort != nil {
		wait = m.cohort(sp.def)
	}
	var out []Week
	for day := sp.from; day <= sp.to; day += 7 {
		w := Week{From: Date(day), To: Date(day + 6), Complete: day+6+wait < sp.today}
		if v := values(day); w.Complete || m.cohort == nil {
			w.Value, w.Denominator = v.Value, v.Denominator
		}
		out = append(out, w)
	}
	return out
}

// current is the mean of the latest complete weeks, each by how much is behind it.
func current(weeks []Week) *float64 {
	total, weight, n := 0.0, 0.0, 0
	for i := len(weeks) - 1; i >= 0 && n < currentWeeks; i-- {
		w := weeks[i]
		if !w.Complete {
			continue
		}
		n++
		if w.Value != nil && w.Denominator != nil {
			total += *w.Value * *w.Denominator
			weight += *w.Denominator
		}
	}
	if weight == 0 {
		return nil
	}
	return number(total / weight)
}
