package experiment

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/stats"
)

// Results are what came of an experiment so far, by all looks and by one.
type Results struct {
	Experiment string                  `json:"experiment"`
	Name       string                  `json:"name"`
	Kind       Kind                    `json:"kind"`
	State      lectern.ExperimentState `json:"state"`
	At         time.Time               `json:"at"`
	Day        int                     `json:"day"`     // of the experiment, from 1
	Planned    int                     `json:"planned"` // days
	Verdict    stats.Verdict           `json:"verdict"`
	Today      stats.Verdict           `json:"today"`              // by today's look alone
	Warnings   []string                `json:"warnings,omitempty"` // why the numbers may mislead
	Split      *stats.SplitResult      `json:"split,omitempty"`
	Arms       []ArmPeople             `json:"arms"`
	Crossed    int                     `json:"crossed"` // people who met two arms: they count for none
	Size       *Sizing                 `json:"size,omitempty"`
	NoSize     string                  `json:"no_size,omitempty"` // why there is no size
	Metrics    []MetricResult          `json:"metrics,omitempty"` // the primary one first, then the guardrails
	Guardrails []stats.GuardResult     `json:"guardrails,omitempty"`
	Segments   []SegmentResult         `json:"segments,omitempty"` // of the primary metric
	Differ     []float64               `json:"segments_differ,omitempty"`
	Novelty    []stats.NoveltyResult   `json:"novelty,omitempty"` // of the primary metric
	Exposures  []ExposureDay           `json:"exposures"`
	Duel       *Duel                   `json:"interleaving,omitempty"`
	Notes      []string                `json:"notes,omitempty"`
}

// ArmPeople is how many people are in an arm.
type ArmPeople struct {
	Name    string  `json:"name"`
	Share   float64 `json:"share"`   // planned
	People  int     `json:"people"`  // who count
	Crossed int     `json:"crossed"` // whose first arm it was, and who met another one
}

// The roles of a metric in an experiment.
const (
	RolePrimary   = "primary"
	RoleGuardrail = "guardrail"
	RoleOther     = "other" // to be looked at, not to decide by
)

// MetricResult is one metric over the arms.
type MetricResult struct {
	Metric        string `json:"metric"`
	About         string `json:"about"`
	Role          string `json:"role"`
	LowerIsBetter bool   `json:"lower_is_better"`
	stats.Result
	// Corrected are the p-values of a metric that is only looked at, beside Comparisons:
	// corrected for looking at all of those.
	Corrected []stats.Corrected `json:"corrected,omitempty"`
}

// SegmentResult is the primary metric among one kind of people.
type SegmentResult struct {
	Segment lectern.Segment `json:"segment"`
	stats.Row
}

// ExposureDay is how many people met their arm for the first time on a day.
type ExposureDay struct {
	Date   string `json:"date"`
	People []int  `json:"people"` // beside the arms
}

// Duel is what came of an interleaving; above 0 is for the first arm.
type Duel struct {
	stats.DuelResult
	Votes stats.Duel `json:"votes"`
	Lists int        `json:"lists"` // that were acted on
	Tied  int        `json:"tied"`  // of those, lists that prefer neither
}

// Results judges an experiment as it is now, with what all looks before have shown. Errors: CodeNotFound; CodeRefused for a
// draft.
func (s *Service) Results(ctx context.Context, id string) (Results, error) {
	all, _, err := s.all(ctx)
	if err != nil {
		return Results{}, err
	}
	x, err := find(all, id)
	if err != nil {
		return Results{}, err
	}
	if x.Plan == nil {
		return Results{}, refused(x, "has no results: it was not started")
	}
	return s.results(ctx, x, false)
}

// results judges an experiment; daily says that this is the look of the day.
func (s *Service) results(ctx context.Context, x *stored, daily bool) (Results, error) {
	out := Results{
		Experiment: x.ID, Name: x.Name, Kind: x.kind(), State: x.State, At: lectern.Timestamp(s.o.Clock()), Planned: x.days(),
		Day: s.dayOf(x), Size: x.Plan.Size, Exposures: []ExposureDay{},
	}
	out.NoSize = noSize(x)
	c := newCount(s, x, s.o.Day(s.end(x)))
	if err := s.o.Log.PersonDays(ctx, x.ID, x.beforeDays(), c.add); err != nil {
		return Results{}, fmt.Errorf("read what people in an experiment did: %w", err)
	}
	c.people(&out)
	var look func(sh *stats.Shown, day int) stats.Verdict
	var err error
	if x.kind() == KindInterleaving {
		if out.Today, err = s.judgeDuel(ctx, x, &out); err != nil {
			return Results{}, err
		}
		look = func(sh *stats.Shown, day int) stats.Verdict { return sh.Reach(out.Today, day) }
	} else {
		findings := c.judge(&out)
		out.Today = stats.Decide(&findings)
		look = func(sh *stats.Shown, day int) stats.Verdict { return sh.Add(&findings, day) }
	}
	if out.Verdict, err = s.keep(ctx, x, daily, look); err != nil {
		return Results{}, err
	}
	if x.kind() != KindInterleaving {
		c.note(&out)
	}
	return out, nil
}

// noveltyDays is how long novelty is looked at.
const noveltyDays = stats.DefaultNoveltyDays

// count gathers what people in an experiment did.
type count struct {
	x       *stored
	day     func(time.Time) int
	last    int // day that counts
	before  int
	until   int // before which are the days that may narrow the intervals; math.MaxInt: before exposure
	arms    []string
	metrics []Metric
	samples [][]stats.Sample                   // by metric, then arm
	groups  map[lectern.Segment][]stats.Sample // of the primary metric, by arm
	novelty *stats.Novelty
	met     map[int][]int // first exposures by day, then arm
	counted []int
	crossed []int
}

func newCount(s *Service, x *stored, last int) *count {
	c := &count{
		x: x, day: s.o.Day, last: last, before: x.beforeDays(), until: math.MaxInt, groups: make(map[lectern.Segment][]stats.Sample), met: make(map[int][]int),
	}
	for i := range x.Arms {
		c.arms = append(c.arms, x.Arms[i].Name)
	}
	if x.kind() == KindInterleaving {
		c.arms = []string{Interleaved}
	} else {
		c.measure(ordered(&x.Definition))
	}
	n := len(c.arms)
	c.counted, c.crossed = make([]int, n), make([]int, n)
	c.novelty = stats.NewNovelty(n, noveltyDays)
	return c
}

// measure says what is measured; the first metric decides.
func (c *count) measure(metrics []Metric) {
	c.metrics, c.samples = metrics, make([][]stats.Sample, len(metrics))
	for i := range c.samples {
		c.samples[i] = make([]stats.Sample, len(c.arms))
	}
}

// ordered are all metrics, the primary one first, then the guardrails.
func ordered(d *Definition) []Metric {
	rank := func(m Metric) int {
		if m.Name == d.Primary.Metric {
			return 0
		}
		if i := slices.IndexFunc(d.Guardrails, func(g Guard) bool { return g.Metric == m.Name }); i >= 0 {
			return 1 + i
		}
		return 1 + maxGuards
	}
	out := Metrics()
	slices.SortStableFunc(out, func(a, b Metric) int { return rank(a) - rank(b) })
	return out
}

// add counts one person.
func (c *count) add(p lectern.PersonDays) error {
	arm := slices.Index(c.arms, p.Exposure.Arm)
	first := c.day(p.Exposure.At)
	if arm < 0 || first > c.last {
		return nil
	}
	if c.met[first] == nil {
		c.met[first] = make([]int, len(c.arms))
	}
	c.met[first][arm]++
	if p.Exposure.Crossed {
		c.crossed[arm]++
		return nil
	}
	c.counted[arm]++
	if len(c.metrics) == 0 {
		return nil
	}
	u := c.unit(&p, first)
	followed := float64(c.last - first + 1)
	for i := range c.metrics {
		c.samples[i][arm].Add(c.metrics[i].unit(&u.before, &u.since, float64(c.before), followed))
	}
	group := p.Exposure.Segment
	if c.groups[group] == nil {
		c.groups[group] = make([]stats.Sample, len(c.arms))
	}
	c.groups[group][arm].Add(c.metrics[0].unit(&u.before, &u.since, float64(c.before), followed))
	c.follow(arm, first, &u)
	return nil
}

// unit is what a person did before and since their exposure.
type unit struct {
	before, since lectern.Tally
	days          []lectern.DayTally // since
}

// unit lays out what a person did, up to the last day that counts.
func (c *count) unit(p *lectern.PersonDays, first int) unit {
	var u unit
	until := min(first, c.until)
	for i := range p.Days {
		switch d := &p.Days[i]; {
		case d.Day >= first && d.Day <= c.last:
			u.days = append(u.days, *d)
			add(&u.since, &d.Tally)
		case d.Day < until && d.Day >= until-c.before:
			add(&u.before, &d.Tally)
		}
	}
	return u
}

// add sums tallies up.
func add(to, t *lectern.Tally) {
	from := t.Parts()
	for i, p := range to.Parts() {
		*p += *from[i]
	}
}

// follow adds the days since exposure to what is known of novelty.
func (c *count) follow(arm, first int, u *unit) {
	n := min(c.last-first+1, noveltyDays)
	value, per := make([]float64, n), make([]float64, n)
	var none lectern.Tally
	for i := range n {
		value[i], per[i] = c.metrics[0].of(&none, 1)
	}
	for i := range u.days {
		if at := u.days[i].Day - first; at < n {
			value[at], per[at] = c.metrics[0].of(&u.days[i].Tally, 1)
		}
	}
	c.novelty.Add(arm, value, per)
}

// people says who was exposed.
func (c *count) people(out *Results) {
	shares := c.x.shares()
	if c.x.kind() == KindInterleaving {
		shares = []float64{1}
	}
	for i, name := range c.arms {
		out.Arms = append(out.Arms, ArmPeople{Name: name, Share: shares[i], People: c.counted[i], Crossed: c.crossed[i]})
		out.Crossed += c.crossed[i]
	}
	days := make([]int, 0, len(c.met))
	for day := range c.met {
		days = append(days, day)
	}
	slices.Sort(days)
	for _, day := range days {
		out.Exposures = append(out.Exposures, ExposureDay{Date: date(day), People: c.met[day]})
	}
}

// judge compares the arms and returns what the verdict is made from.
func (c *count) judge(out *Results) stats.Findings {
	d := &c.x.Definition
	units := stats.Split{Shares: d.shares()}
	for i := range c.arms {
		units.Units = append(units.Units, float64(c.counted[i]+c.crossed[i]))
	}
	split := stats.CheckSplit(0, units)
	out.Split = &split
	opts := func(m *Metric) stats.Options {
		return c.x.Plan.options(stats.Options{Alpha: d.Alpha, Adjust: c.before > 0}, d, m.Name)
	}
	for i := range c.metrics {
		m := &c.metrics[i]
		r := MetricResult{Metric: m.Name, About: m.About, Role: RoleOther, LowerIsBetter: m.LowerIsBetter}
		switch {
		case i == 0:
			r.Role, r.LowerIsBetter = RolePrimary, lowerIsBetter(d, m)
		case i <= len(d.Guardrails):
			r.Role = RoleGuardrail
		}
		r.Result = stats.Analyse(c.samples[i], opts(m))
		out.Metrics = append(out.Metrics, r)
	}
	correct(out.Metrics[1+len(d.Guardrails):])
	for i, g := range d.Guardrails {
		m := &c.metrics[1+i]
		guard := stats.Guard{Metric: g.Metric, Margin: g.Margin, LowerIsBetter: m.LowerIsBetter}
		out.Guardrails = append(out.Guardrails, stats.Guardrail(c.samples[1+i], guard, len(d.Guardrails), opts(m))...)
	}
	c.bySegment(out, opts(&c.metrics[0]))
	out.Novelty = c.novelty.Judge(cmp.Or(d.Alpha, stats.DefaultAlpha))
	findings := stats.Findings{
		Arms: c.arms, Metric: d.Primary.Metric, LowerIsBetter: lowerIsBetter(d, &c.metrics[0]), Margin: d.Primary.MinimumEffect,
		Split: split, Primary: out.Metrics[0].Result, Guards: out.Guardrails, Alpha: d.Alpha, Day: out.Day, AA: d.AA,
	}
	if c.x.Plan.Size != nil {
		findings.Planned = c.x.Plan.Size.Always
	}
	return findings
}

// correct corrects metrics that were only looked at for looking at all of them.
func correct(others []MetricResult) {
	results := make([]stats.Result, len(others))
	for i := range others {
		results[i] = others[i].Result
	}
	for i, corrected := range stats.Correct(results) {
		others[i].Corrected = corrected
	}
}

// lowerIsBetter is the direction of the primary metric.
func lowerIsBetter(d *Definition, m *Metric) bool {
	switch d.Primary.Direction {
	case Increase:
		return false
	case Decrease:
		return true
	}
	return m.LowerIsBetter
}

// bySegment compares the arms among each kind of people.
func (c *count) bySegment(out *Results, opts stats.Options) {
	var names []lectern.Segment
	var groups [][]stats.Sample
	for _, name := range append(lectern.Segments(), "") {
		if g := c.groups[name]; g != nil {
			names, groups = append(names, name), append(groups, g)
		}
	}
	rows := stats.Table(groups, opts)
	for i := range rows {
		out.Segments = append(out.Segments, SegmentResult{Segment: names[i], Row: rows[i]})
	}
	if len(rows) > 1 {
		for t := range len(c.arms) - 1 {
			out.Differ = append(out.Differ, stats.Differ(rows, t))
		}
	}
}

// note says what a reader should know.
func (c *count) note(out *Results) {
	total := 0
	for _, a := range out.Arms {
		total += a.People
	}
	if out.Crossed > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d people met two arms, by signing in or on several devices, and count for none", out.Crossed))
	}
	if share := float64(out.Crossed) / max(1, float64(total+out.Crossed)); share > manyCrossed {
		out.Notes = append(out.Notes, "more than 5 % of the people crossed: consider an audience without visitors")
	}
	if w := c.unevenCrossing(); w != "" {
		out.Warnings = append(out.Warnings, w)
	}
	if c.x.AA && out.Verdict.State == stats.StateWinner {
		out.Notes = append(out.Notes, "the arms are the same: a difference is a false alarm, or a fault of the experiment")
	}
}

// manyCrossed is the share of an arm's people who crossed from which on it is said.
const manyCrossed = 0.05

// unevenCrossing warns where leaving out who crossed is no longer harmless: of arms with
// unequal shares the small one loses more of its people, and those with several devices.
func (c *count) unevenCrossing() string {
	shares := c.x.shares()
	if c.x.kind() == KindInterleaving || slices.Max(shares)-slices.Min(shares) < 1e-9 {
		return ""
	}
	worst, most := -1, manyCrossed
	for i := range c.arms {
		if s := float64(c.crossed[i]) / max(1, float64(c.crossed[i]+c.counted[i])); s > most {
			worst, most = i, s
		}
	}
	if worst < 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %% of the people of %s met another arm and are left out. With unequal shares that takes more people with several devices "+
		"out of the smaller arms than out of the larger ones, so differences are biased: compare with equal shares, or leave visitors out of the audience",
		100*most, c.arms[worst])
}
