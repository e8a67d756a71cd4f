package experiment

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/stats"
)

// The groups that the holdout makes.
const (
	HeldOut = "held_out" // on whom nothing is tried out: control
	Others  = "others"   // everybody else
)

// HoldoutRequest asks what trying is worth. The zero value asks about the last 28 days,
// or since the holdout is what it is.
type HoldoutRequest struct {
	From, To   string   // dates, both included; "" is Days before To, and today
	Days       int      // in place of From; 0 is DefaultDays
	Metrics    []string // the first one decides; none is enrols, and all others to look at
	BeforeDays *int     // days before the holdout began that narrow the intervals; nil is DefaultBeforeDays
}

// HoldoutResults set those held out against everybody else.
type HoldoutResults struct {
	From       string                `json:"from"`
	To         string                `json:"to"`
	At         time.Time             `json:"at"`
	Share      float64               `json:"share"`           // held out
	Since      string                `json:"since,omitempty"` // date since which it is so, where that is known
	Shares     []HeldShare           `json:"shares"`          // as servers noted them, oldest first
	Verdict    stats.Verdict         `json:"verdict"`         // by this look
	Warnings   []string              `json:"warnings,omitempty"`
	Split      *stats.SplitResult    `json:"split,omitempty"`
	Groups     []HoldoutGroup        `json:"groups"`
	BeforeDays int                   `json:"before_days"` // that narrow the intervals; 0 is none
	Metrics    []MetricResult        `json:"metrics"`     // the one that decides first
	Segments   []SegmentResult       `json:"segments,omitempty"`
	Differ     []float64             `json:"segments_differ,omitempty"`
	Novelty    []stats.NoveltyResult `json:"novelty,omitempty"`
	Exposures  []ExposureDay         `json:"exposures"` // first lists by day
	Notes      []string              `json:"notes,omitempty"`
}

// HoldoutGroup is those held out, or everybody else.
type HoldoutGroup struct {
	Name      string  `json:"name"`
	Share     float64 `json:"share"`     // planned
	People    int     `json:"people"`    // who count
	Protected int     `json:"protected"` // who do not: nothing may be tried out on them, held out or not
	Tried     int     `json:"tried"`     // of People, those whose first list explored or was part of an experiment
	Mixed     int     `json:"mixed"`     // of People, those in the other group by an anonymous id of theirs
}

// maxHoldoutDays bounds what one request looks at.
const maxHoldoutDays = 400

// Holdout sets people who are held out against everybody else: what experiments and
// exploration are worth together. Both are found by one rule, their first list within
// the days asked about, and stay in their group whatever was tried on them. Errors:
// CodeInvalid; CodeRefused where nobody is held out.
func (s *Service) Holdout(ctx context.Context, q HoldoutRequest) (HoldoutResults, error) {
	held, _, err := s.heldShares(ctx)
	if err != nil {
		return HoldoutResults{}, err
	}
	a, err := s.asked(&q, held.Shares)
	if err != nil {
		return HoldoutResults{}, err
	}
	if a.share == 0 {
		return HoldoutResults{}, &lectern.Error{Code: lectern.CodeRefused,
			Message: fmt.Sprintf("nobody is held out on %s, so there is nobody to set everybody else against", date(a.to)),
			Fields:  []lectern.FieldError{lectern.NewFieldError("experiments.holdout", a.share, "holds nobody out", "a share above 0 in the configuration, some weeks before the question")}}
	}
	out := HoldoutResults{
		From: date(a.from), To: date(a.to), At: lectern.Timestamp(s.o.Clock()), Share: a.share, Shares: held.Shares, BeforeDays: a.before,
		Groups: []HoldoutGroup{{Name: HeldOut, Share: a.share}, {Name: Others, Share: 1 - a.share}}, Exposures: []ExposureDay{},
	}
	if out.Shares == nil {
		out.Shares = []HeldShare{}
	}
	if a.since > 0 {
		out.Since = date(a.since)
	}
	c := a.count(s)
	assigner := NewAssigner(a.share)
	err = s.o.Log.ListedPeople(ctx, s.begins(a.from), s.begins(a.to+1), min(a.from, a.until)-a.before, a.to, func(p lectern.ListedPerson) error {
		return out.add(c, assigner, &p)
	})
	if err != nil {
		return HoldoutResults{}, fmt.Errorf("read whom lists were made for: %w", err)
	}
	a.judge(c, &out)
	if kept := s.o.ListsKept; kept > 0 && s.begins(a.from).Before(s.o.Clock().Add(-kept)) {
		out.Warnings = append(out.Warnings, fmt.Sprintf("Lists that nobody acted on are kept for %.0f days: of the days before, only people who acted are found, and acting is what is compared. Ask from a later day on.",
			kept.Hours()/24))
	}
	return out, nil
}

// holdoutDays is what a request asks about, as days.
type holdoutDays struct {
	holding
	from, to int
	until    int // before which are the days that narrow the intervals
	before   int // so many; 0 is none
	wanted   int // so many were asked for
	metrics  []Metric
}

// asked reads a request. Errors: CodeInvalid.
func (s *Service) asked(q *HoldoutRequest, shares []HeldShare) (holdoutDays, error) {
	var f faults
	today := s.o.Day(s.o.Clock())
	a := holdoutDays{to: dayIn(&f, "to", q.To, today), metrics: metricsAsked(&f, q.Metrics)}
	if q.Days != 0 && q.From != "" {
		f.add("days", q.Days, "is given beside from", "one of the two")
	}
	if q.Days < 0 || q.Days > maxHoldoutDays {
		f.add("days", q.Days, "is not allowed", fmt.Sprintf("1 to %d", maxHoldoutDays))
	}
	days := q.Days
	if days == 0 {
		days = DefaultDays
	}
	a.from = dayIn(&f, "from", q.From, a.to-days+1)
	switch {
	case a.to > today:
		f.add("to", q.To, "is not over yet", "at most "+date(today))
	case a.from > a.to:
		f.add("from", date(a.from), "is after to", "at most "+date(a.to))
	case a.to-a.from >= maxHoldoutDays:
		f.add("from", date(a.from), "is too long before to", fmt.Sprintf("at most %d days", maxHoldoutDays))
	}
	before := DefaultBeforeDays
	if q.BeforeDays != nil {
		before = *q.BeforeDays
	}
	if before < 0 || before > maxBefore {
		f.add("before_days", before, "is not allowed", fmt.Sprintf("0 to %d, 0 for none", maxBefore))
	}
	if err := f.named("the request is not acceptable"); err != nil {
		return a, err
	}
	a.holding = s.holdingOf(shares, a.from, a.to)
	if n := len(a.changed); n > 0 && q.From == "" && q.Days == 0 && a.changed[n-1] < a.to { // since it is what it is
		a.from, a.changed = a.changed[n-1]+1, nil
	}
	a.until, a.before, a.wanted = a.from, min(before, a.holding.before), before
	if a.since > 0 {
		a.until = a.since
	}
	return a, nil
}

// dayIn reads a date.
func dayIn(f *faults, field, text string, otherwise int) int {
	if text == "" {
		return otherwise
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		f.add(field, text, "is not a date", "a day such as 2026-03-01")
		return otherwise
	}
	return int(t.Unix() / 86400)
}

// metricsAsked are the metrics of some names.
func metricsAsked(f *faults, names []string) []Metric {
	if len(names) == 0 {
		return ordered(&Definition{Primary: Goal{Metric: "enrols"}})
	}
	var out []Metric
	for i, name := range names {
		m, ok := metricOf(name)
		switch {
		case !ok:
			f.all = append(f.all, unknownMetric("metrics", name))
		case slices.Contains(names[:i], name):
			f.add("metrics", name, "is named twice", "each metric once")
		default:
			out = append(out, m)
		}
	}
	return out
}

// begins is when a day begins.
func (s *Service) begins(day int) time.Time {
	const around = 30 * 3600 // no zone is further from UTC
	noon := time.Unix(int64(day)*86400, 0).UTC()
	n := sort.Search(2*around, func(i int) bool { return s.o.Day(noon.Add(time.Duration(i-around)*time.Second)) >= day })
	return noon.Add(time.Duration(n-around) * time.Second)
}

// count counts as of an experiment whose arms are those held out and all others.
func (a *holdoutDays) count(s *Service) *count {
	x := &stored{body: body{Plan: &Plan{}, Definition: Definition{
		Arms:       []Arm{{Name: HeldOut, Weight: a.share}, {Name: Others, Weight: 1 - a.share}},
		Primary:    Goal{Metric: a.metrics[0].Name},
		BeforeDays: &a.before,
	}}}
	c := newCount(s, x, a.to)
	c.until = a.until
	c.measure(a.metrics)
	return c
}

// add counts one person.
func (out *HoldoutResults) add(c *count, a *Assigner, p *lectern.ListedPerson) error {
	group := func(ref lectern.LearnerRef) int {
		if a.held(person(ref)) {
			return 0
		}
		return 1
	}
	at := group(p.Learner)
	g := &out.Groups[at]
	if p.Protected {
		g.Protected++
		return nil
	}
	g.People++
	if p.Tried {
		g.Tried++
	}
	if slices.ContainsFunc(p.Visitors, func(id string) bool { return group(lectern.LearnerRef{AnonymousID: id}) != at }) {
		g.Mixed++
	}
	p.Exposure.Arm = g.Name
	return c.add(p.PersonDays)
}

// judge compares the groups, and says what a reader should know.
func (a *holdoutDays) judge(c *count, out *HoldoutResults) {
	var r Results
	c.people(&r)
	findings := c.judge(&r)
	out.Verdict, out.Split, out.Metrics, out.Segments, out.Differ = stats.Decide(&findings), r.Split, r.Metrics, r.Segments, r.Differ
	if r.Exposures != nil {
		out.Exposures = r.Exposures
	}
	if a.since > 0 && a.from == a.since+1 { // else the days since the first list are not those since the holdout
		out.Novelty = r.Novelty
	}
	a.warn(out)
	a.note(out)
}

// warn says why the numbers mislead, where they do.
func (a *holdoutDays) warn(out *HoldoutResults) {
	if n := len(a.changed); n > 0 {
		why := fmt.Sprintf("The holdout changed on %s, within the days asked about: who was held out, and for how long, is not the same before and after.", dates(a.changed))
		if last := a.changed[n-1]; last < a.to {
			why += fmt.Sprintf(" Ask from %s on.", date(last+1))
		} else {
			why += " Ask from the day after on, once there is one."
		}
		out.Warnings = append(out.Warnings, why)
		out.Verdict = stats.Verdict{State: stats.StateBlocked, Reason: why}
	}
	if n := out.Groups[0].Tried; n > 0 {
		why := fmt.Sprintf("Something was tried out on %d of the %d people held out in the first list of these days: for a part of the time they were not held out, or servers have different configurations. Differences are too small.",
			n, out.Groups[0].People)
		out.Warnings = append(out.Warnings, why)
	}
	if out.Split.Broken {
		out.Warnings = append(out.Warnings, "One group has fewer people with a list than its share. Where people of one group come back more often that is an effect, and numbers by person are not comparable: ask from when the holdout began. If it is so from then on, too, something loses people.")
	}
}

// note says how the numbers came about.
func (a *holdoutDays) note(out *HoldoutResults) {
	add := func(format string, args ...any) { out.Notes = append(out.Notes, fmt.Sprintf(format, args...)) }
	held, others := &out.Groups[0], &out.Groups[1]
	if others.People > 0 {
		add("of the others, %.1f %% had something tried on them in their first list of these days: what is found is the effect of the whole trying there was, on everybody", 100*float64(others.Tried)/float64(others.People))
	}
	if n := held.Protected + others.Protected; n > 0 {
		add("%d people are left out, held out or not: nothing may be tried on minors and those who allow no personal lists or no exploration", n)
	}
	if n := held.Mixed + others.Mixed; n > 0 {
		add("%d people are in the other group by an anonymous id from before they signed in; they count where their learner id puts them, which makes differences smaller, never larger", n)
	}
	if a.before == 0 && a.wanted > 0 {
		add("no interval is narrowed by what people did before: that takes days that were noted as ones without a holdout, before it began")
	}
	if a.since == 0 {
		add("since when the holdout is what it is was not noted; a change before that would not be seen")
	}
	add("intervals that hold at every look do so for looks from the same first day on")
}

func dates(days []int) string {
	text := ""
	for i, day := range days {
		if i > 0 {
			text += ", "
		}
		text += date(day)
	}
	return text
}

// CSV is the table of metrics by group, as that of Results.
func (out *HoldoutResults) CSV() ([]byte, error) {
	r := Results{Experiment: holdoutPath, State: lectern.ExperimentRunning, Verdict: out.Verdict, Metrics: out.Metrics}
	for _, g := range out.Groups {
		r.Arms = append(r.Arms, ArmPeople{Name: g.Name, Share: g.Share, People: g.People})
	}
	return r.CSV()
}
