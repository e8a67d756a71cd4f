package analytics

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

const (
	maxDimensions = 2
	maxDays       = 800 // of one answer
	normal95      = 1.959963984540054
)

// Reader answers with metrics. It is safe for concurrent use.
type Reader struct {
	store  ReadStore
	config Config
	clock  lectern.Clock
}

// ReadStore is what a Reader needs of the store.
type ReadStore interface {
	lectern.MetricReader
	MetricProgress(ctx context.Context, run lectern.MetricRun) (lectern.MetricProgress, error)
}

// NewReader returns a Reader. Errors: CodeInvalid.
func NewReader(store ReadStore, c Config, clock lectern.Clock) (*Reader, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Reader{store: store, config: c, clock: clock}, nil
}

// Request asks for metrics. The zero value asks for the default metrics of the last 28
// days.
type Request struct {
	From, To string   // dates, both included; "" is 27 days before To, and today
	Metrics  []string // none is DefaultMetrics
	By       []lectern.MetricDimension

	Surface    *lectern.Surface // nil is all
	Row        *lectern.Row
	Segment    *lectern.Segment
	Position   *int   // 0-based
	Experiment string // only its arms
	Arm        string
	Compare    bool // with as many days before
}

// Report is the answer.
type Report struct {
	From           string   `json:"from"`
	To             string   `json:"to"`
	TimeZone       string   `json:"time_zone"`
	WantedTimeZone string   `json:"wanted_time_zone,omitempty"` // where the settings have changed and nothing has been recomputed
	Views          bool     `json:"views"`                      // the platform sends view events in this time
	CountedBy      Counted  `json:"counted_by"`
	By             []string `json:"by"`
	Metrics        []Metric `json:"metrics"`
	Rows           []Row    `json:"rows"`
	PreviousFrom   string   `json:"previous_from,omitempty"`
	PreviousTo     string   `json:"previous_to,omitempty"`
	Notes          []string `json:"notes,omitempty"`
}

// Row is one combination of the dimensions with its values.
type Row struct {
	Keys   map[string]any   `json:"keys"`
	Values map[string]Value `json:"values"`
}

// Value is a metric's. Nil parts are unknown: a quotient of nothing, or what cannot be
// told apart so.
type Value struct {
	Value       *float64 `json:"value"`
	Numerator   *float64 `json:"numerator,omitempty"`
	Denominator *float64 `json:"denominator,omitempty"`
	Low         *float64 `json:"low,omitempty"` // of the 95 % interval
	High        *float64 `json:"high,omitempty"`
	Waiting     *float64 `json:"waiting,omitempty"` // enrolments too recent to be judged: not in the value
	Compared    *Change  `json:"compared,omitempty"`
}

// Change is against the period before.
type Change struct {
	Previous *float64 `json:"previous"`
	Absolute *float64 `json:"absolute"`
	Relative *float64 `json:"relative"`
	Low      *float64 `json:"low,omitempty"` // of the 95 % interval of the absolute change
	High     *float64 `json:"high,omitempty"`
}

// span is a request as days.
type span struct {
	from, to int
	today    int
	def      Definition
}

// Report answers a request. Errors: CodeInvalid.
func (r *Reader) Report(ctx context.Context, q Request) (*Report, error) {
	sp, err := r.span(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(q.Metrics) == 0 {
		q.Metrics = DefaultMetrics()
	}
	wanted, err := lookUp(q.Metrics)
	if err != nil {
		return nil, err
	}
	if err := checkDimensions(q.By); err != nil {
		return nil, err
	}
	out := &Report{
		From: Date(sp.from), To: Date(sp.to), TimeZone: sp.def.TimeZone, CountedBy: sp.def.counted(), Metrics: wanted, Rows: []Row{},
		By: make([]string, len(q.By)),
	}
	for i, d := range q.By {
		out.By[i] = string(d)
	}
	if sp.def.TimeZone != r.config.TimeZone {
		out.WantedTimeZone = r.config.TimeZone
		out.Notes = append(out.Notes, "the time zone has changed: lectern metrics rebuild counts by the new one")
	}
	out.Notes = append(out.Notes, spendNotes(q, wanted)...)
	now, err := r.table(ctx, sp, q, wanted)
	if err != nil {
		return nil, err
	}
	out.Views = now.views
	if !now.views {
		out.Notes = append(out.Notes, "no view events in this time: only items at or above what was acted on count as seen, so that rates by impression are too high")
	}
	if q.Compare {
		n := sp.to - sp.from + 1
		before := sp
		before.from, before.to = sp.from-n, sp.from-1
		past, err := r.table(ctx, before, q, wanted)
		if err != nil {
			return nil, err
		}
		out.PreviousFrom, out.PreviousTo = Date(before.from), Date(before.to)
		now.compare(past, n, wanted)
	}
	out.Rows = now.rows(q.By)
	return out, nil
}

// spendNotes say how to read what exploring cost.
func spendNotes(q Request, wanted []Metric) []string {
	if !slices.ContainsFunc(wanted, func(m Metric) bool { return m.special == ofSpend || m.special == ofRegret }) {
		return nil
	}
	if slices.Contains(q.By, lectern.ByExplored) {
		return []string{"exploration_spend and regret set all ways of choosing against each other: they are not told apart by explored"}
	}
	return []string{fmt.Sprintf("exploration_spend and regret are estimates from so many explored clicks (numerator) and impressions (denominator); "+
		"their 95 %% intervals draw days anew and need %d days: without one, or around 0, read them as noise", spendDays)}
}

func (r *Reader) definition(ctx context.Context) (Definition, error) {
	p, err := r.store.MetricProgress(ctx, lectern.MetricsInUse)
	if err != nil {
		return Definition{}, fmt.Errorf("read how far metrics have come: %w", err)
	}
	if p.Definition == "" {
		return r.config.Definition()
	}
	return parseDefinition(p.Definition)
}

func (r *Reader) span(ctx context.Context, q Request) (sp span, err error) {
	if sp.def, err = r.definition(ctx); err != nil {
		return sp, err
	}
	sp.today = sp.def.Day(r.clock())
	sp.to = sp.today
	parse := func(field, text string) (int, error) {
		day, err := ParseDay(text)
		if err != nil {
			return 0, lectern.Invalid("this is no date", lectern.NewFieldError(field, text, "is no date", "a date such as 2026-01-31"))
		}
		return day, nil
	}
	if q.To != "" {
		if sp.to, err = parse("to", q.To); err != nil {
			return sp, err
		}
	}
	sp.from = sp.to - 27
	if q.From != "" {
		if sp.from, err = parse("from", q.From); err != nil {
			return sp, err
		}
	}
	switch {
	case sp.from > sp.to:
		return sp, lectern.Invalid("the first day comes after the last", lectern.NewFieldError("from", Date(sp.from), "is after to", "at most "+Date(sp.to)))
	case sp.to-sp.from >= maxDays:
		return sp, lectern.Invalid("too many days", lectern.NewFieldError("from", Date(sp.from), "is too long before to", fmt.Sprintf("at most %d days", maxDays)))
	}
	return sp, nil
}

// groupKey is one combination of the dimensions: a cell without sums.
type groupKey = lectern.MetricCell

// table is what a request was answered with for one period.
type table struct {
	groups []groupKey
	values map[groupKey]map[string]Value
	views  bool
}

func (t *table) set(k groupKey, metric string, v Value) {
	m := t.values[k]
	if m == nil {
		m = map[string]Value{}
		t.values[k] = m
		t.groups = append(t.groups, k)
	}
	m[metric] = v
}

// query selects what a request is about.
func (q *Request) query(from, to int, extra ...lectern.MetricDimension) lectern.MetricQuery {
	m := lectern.MetricQuery{
		From: from, To: to, By: q.dimensions(), Experiment: q.Experiment, Arm: q.Arm,
		Surface: q.Surface, Row: q.Row, Segment: q.Segment, Position: q.Position,
		Arms: q.Experiment != "" || q.Arm != "" || slices.Contains(q.By, lectern.ByArm),
	}
	for _, d := range extra {
		if !slices.Contains(m.By, d) {
			m.By = append(m.By, d)
		}
	}
	return m
}

// dimensions are those of a request as the store knows them: an arm is one of an
// experiment.
func (q *Request) dimensions() []lectern.MetricDimension {
	var out []lectern.MetricDimension
	for _, d := range q.By {
		if d == lectern.ByArm {
			out = append(out, lectern.ByExperiment)
		}
		out = append(out, d)
	}
	return out
}

// group returns a cell's combination of the request's dimensions.
func (q *Request) group(c *lectern.MetricCell) groupKey {
	var k groupKey
	for _, d := range q.dimensions() {
		switch d {
		case lectern.ByDay:
			k.Day = c.Day
		case lectern.BySurface:
			k.Surface = c.Surface
		case lectern.ByRow:
			k.Row = c.Row
		case lectern.ByExperiment:
			k.Experiment = c.Experiment
		case lectern.ByArm:
			k.Arm = c.Arm
		case lectern.BySegment:
			k.Segment = c.Segment
		case lectern.ByPosition:
			k.Position = c.Position
		case lectern.ByExplored:
			k.Explored = c.Explored
		}
	}
	return k
}

func (q *Request) filtered() bool {
	return q.Surface != nil || q.Row != nil || q.Segment != nil || q.Position != nil || q.Experiment != "" || q.Arm != ""
}

func (r *Reader) table(ctx context.Context, sp span, q Request, wanted []Metric) (*table, error) {
	t := &table{values: map[groupKey]map[string]Value{}}
	all, err := r.sums(ctx, q, sp.from, sp.to)
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		t.views = t.views || g.all.Views > 0
	}
	for k := range t.each(sp, q, all) {
		t.set(k, "", Value{}) // the group is there, whatever is known of it
	}
	for i := range wanted {
		m := &wanted[i]
		switch {
		case m.OnlyDay && (q.filtered() || len(q.By) > 1 || len(q.By) == 1 && q.By[0] != lectern.ByDay):
			for _, k := range t.groups {
				t.set(k, m.Name, Value{})
			}
		case m.special == ofSums:
			err = r.quotients(ctx, t, sp, q, m, all)
		case m.special == ofSpend || m.special == ofRegret:
			err = r.spend(ctx, t, sp, q, m)
		default:
			err = r.byDay(ctx, t, sp, q, m)
		}
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

// groupSums are the sums of a group: of all, and of what was put down to lists.
type groupSums struct{ all, listed lectern.MetricSums }

func (r *Reader) sums(ctx context.Context, q Request, from, to int) (map[groupKey]*groupSums, error) {
	out := map[groupKey]*groupSums{}
	if from > to {
		return out, nil
	}
	found, err := r.store.MetricCells(ctx, q.query(from, to, lectern.BySurface))
	if err != nil {
		return nil, fmt.Errorf("read the sums: %w", err)
	}
	for i := range found {
		c := &found[i]
		k := q.group(c)
		g := out[k]
		if g == nil {
			g = &groupSums{}
			out[k] = g
		}
		addSums(&g.all, &c.MetricSums)
		if c.Surface != "" {
			addSums(&g.listed, &c.MetricSums)
		}
	}
	return out, nil
}

func addSums(to, from *lectern.MetricSums) {
	a, b := to.Parts(), from.Parts()
	for i := range a {
		*a[i] += *b[i]
	}
}

// each yields the groups of an answer in order: what there is and, by day or without
// dimensions, also what is empty.
func (*table) each(sp span, q Request, all map[groupKey]*groupSums) map[groupKey]bool {
	keys := map[groupKey]bool{}
	for k := range all {
		keys[k] = true
	}
	switch {
	case len(q.By) == 0:
		keys[groupKey{}] = true
	case len(q.By) == 1 && q.By[0] == lectern.ByDay:
		for day := sp.from; day <= sp.to; day++ {
			keys[groupKey{Day: day}] = true
		}
	}
	return keys
}

func (r *Reader) quotients(ctx context.Context, t *table, sp span, q Request, m *Metric, all map[groupKey]*groupSums) error {
	used := all
	if m.cohort != nil {
		if mature := min(sp.to, sp.today-m.cohort(sp.def)-1); mature < sp.to {
			var err error
			if used, err = r.sums(ctx, q, sp.from, mature); err != nil {
				return err
			}
		}
	}
	for _, k := range t.groups {
		g, whole := used[k], all[k]
		if g == nil {
			g = &groupSums{}
		}
		s := &g.all
		if m.listed {
			s = &g.listed
		}
		v := quotient(m, s)
		if m.cohort != nil && whole != nil {
			v.Waiting = number(whole.all.Enrols - g.all.Enrols)
		}
		t.set(k, m.Name, v)
	}
	return nil
}

func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	if r := math.Round(x); math.Abs(x-r) < 1e-9 {
		x = r // counts that were added and taken off
	}
	return &x
}

func quotient(m *Metric, s *lectern.MetricSums) Value {
	num := m.num(s)
	if m.den == nil {
		return Value{Value: number(num)}
	}
	den := m.den(s)
	v := Value{Numerator: number(num), Denominator: number(den)}
	if den <= 0 {
		return v
	}
	v.Value = number(num / den)
	if m.Unit == UnitShare {
		// Feedback that is taken back when its list is no longer kept is taken off what
		// is of no list.
		v.Value = number(max(0, min(1, num/den)))
	}
	if m.share {
		v.Low, v.High = wilson(num, den)
	}
	return v
}

// wilson returns the 95 % score interval of a share (Wilson 1927).
func wilson(k, n float64) (low, high *float64) {
	if n <= 0 || k < 0 || k > n {
		return nil, nil
	}
	p, z2 := k/n, normal95*normal95
	mid := (p + z2/(2*n)) / (1 + z2/n)
	half := normal95 / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	return number(max(0, mid-half)), number(min(1, mid+half))
}
