package learn

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

// Status is how exploration does.
type Status struct {
	Settings string    `json:"settings"` // name of the settings in use
	Enabled  bool      `json:"enabled"`
	Policy   string    `json:"policy"`
	Stopped  *Stopped  `json:"stopped,omitempty"` // when a guardrail last stopped all of it
	Learning Learning  `json:"learning"`
	Versions []Version `json:"versions"` // of the posterior, newest first
	Rewards  []Earned  `json:"rewards"`
	Acts     []Acted   `json:"acts"` // what guardrails go by
	Guard    Guarding  `json:"guardrails"`
	Rebuild  *Rebuild  `json:"rebuild,omitempty"` // of this process, the last
}

// Stopped says why a guardrail stopped exploration.
type Stopped struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Learning is how far the log of events was learnt from.
type Learning struct {
	Position    int64      `json:"position"` // in the log of events
	Lag         float64    `json:"lag_seconds"`
	UpdatedAt   *time.Time `json:"updated_at,omitempty"`
	Impressions int64      `json:"impressions"` // that the posterior was learnt from
	Rewards     int64      `json:"rewards"`
}

// Version is a version of the posterior.
type Version struct {
	Version   int64     `json:"version"`
	Features  string    `json:"features"`
	Position  int64     `json:"position"`
	CreatedAt time.Time `json:"created_at"`
}

// Earned sums the rewards of one name in the days that guardrails look at.
type Earned struct {
	Name     string  `json:"name"`
	Explored int64   `json:"explored"` // how many, at places that explore
	Others   int64   `json:"others"`
	Value    float64 `json:"value"` // of all of them
}

// Acted counts what people did with courses of lists that explored, in the days that
// guardrails look at.
type Acted struct {
	Name     string `json:"name"`     // seen, clicked, enrolled, dropped or reported
	Explored int64  `json:"explored"` // at places that explore
	Others   int64  `json:"others"`
}

// acts are the counts that are no rewards, in the order in which they are shown.
func acts() []struct{ count, name string } {
	return []struct{ count, name string }{
		{lectern.RewardSeen, "seen"},
		{lectern.RewardEvent + string(lectern.EventClick), "clicked"},
		{lectern.RewardEvent + string(lectern.EventEnrol), "enrolled"},
		{lectern.RewardEvent + string(lectern.EventDrop), "dropped"},
		{lectern.CountReports, "reported"},
	}
}

// Rebuild says how learning everything anew does.
type Rebuild struct {
	Running  bool      `json:"running"`
	Position int64     `json:"position"`
	Started  time.Time `json:"started_at"`
	Failed   string    `json:"failed,omitempty"`
}

// versionsShown of the posterior are in a status.
const versionsShown = 10

// Status says how exploration does now.
func (l *Learner) Status(ctx context.Context) (Status, error) {
	cfg, name := l.Settings.Current()
	s := Status{Settings: name, Enabled: cfg.Enabled, Policy: cfg.Policy, Versions: []Version{}, Rewards: []Earned{}, Acts: []Acted{}}
	var err error
	if s.Learning, err = l.progress(ctx); err != nil {
		return s, err
	}
	versions, err := l.Store.Posteriors(ctx, versionsShown)
	if err != nil {
		return s, err
	}
	for _, v := range versions {
		s.Versions = append(s.Versions, Version{v.Version, v.Features, v.Position, v.CreatedAt})
	}
	var stops []Stop
	if s.Guard, stops, err = l.look(ctx, cfg); err != nil {
		return s, err
	}
	if last := lastOf(stops, ""); last != nil {
		s.Stopped = &Stopped{last.At, last.Reason}
	}
	if s.Rewards, s.Acts, err = l.earned(ctx, s.Guard.Since); err != nil {
		return s, err
	}
	if r := l.Rebuilding(); !r.Started.IsZero() {
		s.Rebuild = &Rebuild{r.Running, r.Position, r.Started, r.Failed}
	}
	return s, nil
}

func (l *Learner) progress(ctx context.Context) (Learning, error) {
	state, err := l.Store.Learning(ctx, 0)
	if err != nil && lectern.ErrorCode(err) != lectern.CodeNotFound {
		return Learning{}, err
	}
	out := Learning{Position: state.Position}
	if err == nil {
		out.UpdatedAt = &state.UpdatedAt
	}
	if state.Features != "" {
		if p, err := bandit.Decode(state.Posterior, bandit.F1()); err == nil { // else it waits to be learnt anew
			out.Impressions, out.Rewards = p.Impressions(), p.Rewards()
		}
	}
	waiting, _, err := l.Store.ScanOutcomes(ctx, state.Position, 1, 0, 0)
	if err != nil {
		return out, err
	}
	if len(waiting) > 0 {
		out.Lag = max(0, l.Clock().Sub(waiting[0].Event.ReceivedAt)).Seconds()
	}
	return out, nil
}

func (l *Learner) earned(ctx context.Context, since time.Time) ([]Earned, []Acted, error) {
	counts, err := l.Store.ExplorationCounts(ctx, since)
	if err != nil {
		return nil, nil, err
	}
	byName := map[string]*Earned{}
	for _, c := range counts {
		e := byName[c.Name]
		if e == nil {
			e = &Earned{Name: c.Name}
			byName[c.Name] = e
		}
		if c.Explored {
			e.Explored += c.N
		} else {
			e.Others += c.N
		}
		e.Value += c.Value
	}
	out := []Earned{}
	var did []Acted
	for _, a := range acts() {
		e := byName[a.count]
		if e == nil {
			e = &Earned{}
		}
		did = append(did, Acted{a.name, e.Explored, e.Others})
		delete(byName, a.count)
	}
	for _, e := range byName {
		if !strings.HasPrefix(e.Name, lectern.RewardEvent) {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b Earned) int { return cmp.Compare(a.Name, b.Name) })
	return out, did, nil
}
