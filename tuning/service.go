package tuning

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// Service proposes weights, one proposal at a time. It is safe for concurrent use.
type Service struct {
	log   lectern.ListLog
	cfg   Config
	clock lectern.Clock
	busy  sync.Mutex
}

// New returns a service. Errors: CodeInvalid naming the keys at fault.
func New(log lectern.ListLog, cfg Config, clock lectern.Clock) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Service{log: log, cfg: cfg, clock: clock}, nil
}

// Propose learns weights from the log. Errors: CodeInvalid naming the fields at fault,
// CodeRefused with what is missing where the log says too little, CodeConflict while
// another proposal is made in this process, CodeDeadline.
func (s *Service) Propose(ctx context.Context, req Request) (Proposal, error) {
	if err := req.check(s.clock()); err != nil {
		return Proposal{}, err
	}
	if !s.busy.TryLock() {
		return Proposal{}, lectern.Errorf(lectern.CodeConflict, "another proposal of weights is under way; try again when it has ended")
	}
	defer s.busy.Unlock()
	start := time.Now() // of a duration, not of what is learnt
	within, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	reading, stop := context.WithTimeout(within, s.cfg.Timeout/2) // the other half is for the fit
	d, err := s.read(reading, req)
	if err != nil {
		err = overdue(reading, err)
	}
	if stop(); err != nil {
		return Proposal{}, err
	}
	p, err := s.learn(within, req, d)
	if err != nil {
		return Proposal{}, overdue(within, err)
	}
	p.TookMS = time.Since(start).Milliseconds()
	return p, nil
}

func overdue(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &lectern.Error{Code: lectern.CodeDeadline, Message: "no weights were found in time; ask for a shorter time of the log", Err: err}
	}
	return err
}

func refused(format string, args ...any) error {
	return lectern.Errorf(lectern.CodeRefused, format, args...)
}

// learner is one proposal on its way.
type learner struct {
	*Service
	req         Request
	d           *dataset
	train, test []shown
	current     []float64 // of the log's terms, as shares of all weights
	free        []bool    // terms that are fitted
	open        []bool    // of these, the ones that a weight is proposed for
	signed      []bool    // those that may fall below 0 in resamples: all but those that speak against a course
	kept        []string
	propensity  []float64
}

func (s *Service) learn(ctx context.Context, req Request, d *dataset) (Proposal, error) {
	if err := s.enough(d); err != nil {
		return Proposal{}, err
	}
	l := &learner{Service: s, req: req, d: d}
	l.train, l.test = d.split(*req.Holdout)
	d.log.Train, d.log.Test = len(l.train), len(l.test)
	l.freeTerms()
	pairs := newPairs(l.train, len(d.terms))
	d.log.Pairs = pairs.len()
	l.open = slices.Clone(l.free)
	if !slices.Contains(l.free, true) {
		return Proposal{}, refused("no term differs between the courses that were looked at, so there is nothing to learn weights from")
	}
	if pairs.len() == 0 || !slices.ContainsFunc(l.test, func(t shown) bool { return t.gainful }) {
		return Proposal{}, refused("the lists hold no choice to learn from or to measure on")
	}
	if !depends(pairs, l.free, *req.L2) {
		return Proposal{}, refused("what was chosen depends on the terms no more than chance would have it (%d lists, %d pairs): collect more events that cite lists", len(d.lists), pairs.len())
	}
	if err := l.keepVague(ctx, pairs); err != nil {
		return Proposal{}, err
	}
	m := fit(pairs, l.free, *req.L2, 0)
	if l.sum(m.theta) <= 0 {
		return Proposal{}, refused("no term speaks for what was chosen: every one is, if anything, higher on what was passed over")
	}
	l.propensity = propensities(l.train, m.theta, len(d.terms), s.cfg.Places)
	proposed, draws, err := l.method(ctx, pairs, m)
	if err != nil {
		return Proposal{}, err
	}
	return l.proposal(ctx, proposed, draws)
}

// enough refuses a log that says too little.
func (s *Service) enough(d *dataset) error {
	log := d.log
	switch {
	case log.Read == 0:
		return refused("no event cites a list of that time; events must carry the ranking_id of the list that they come from")
	case log.Read == log.Other:
		return refused("%d lists of that time are cited, but none of that surface or row", log.Read)
	case len(d.terms) == 0:
		return refused("the lists of that time do not hold the values of today's terms")
	case len(d.lists) < s.cfg.MinLists:
		return refused("%d lists hold a choice between courses that were looked at; at least %d are needed (%d were read, %d hold none, %d lack a term)",
			len(d.lists), s.cfg.MinLists, log.Read, log.NoChoice, log.OtherTerms)
	case log.People < s.cfg.MinPeople:
		return refused("the choices are those of %d people; at least %d are needed", log.People, s.cfg.MinPeople)
	}
	return nil
}

// leastSpread is the standard deviation of a term within lists below which it says
// nothing.
const leastSpread = 1e-4

// freeTerms finds the terms that differ within lists, and what the others' weights are.
func (l *learner) freeTerms() {
	terms := len(l.d.terms)
	l.free, l.kept, l.current = make([]bool, terms), make([]string, terms), make([]float64, terms)
	square, n := make([]float64, terms), 0
	for i := range l.train {
		t := &l.train[i]
		mean := make([]float64, terms)
		for p := range t.n {
			for j, v := range t.row(p, terms) {
				mean[j] += float64(v) / float64(t.n)
			}
		}
		for p := range t.n {
			for j, v := range t.row(p, terms) {
				square[j] += (float64(v) - mean[j]) * (float64(v) - mean[j])
			}
		}
		n += t.n
	}
	all := 0.0
	for _, w := range l.req.Current {
		all += w.Weight
	}
	for j, name := range l.d.terms {
		for _, w := range l.req.Current {
			if w.Name == name {
				l.current[j] = w.Weight / all
			}
		}
		l.free[j] = math.Sqrt(square[j]/float64(max(n, 1))) >= leastSpread
		if !l.free[j] {
			l.kept[j] = "the same for all courses of a list"
		}
	}
}

// method returns the proposed weights as shares, and what they are in resamples.
func (l *learner) method(ctx context.Context, pairs *pairSet, m model) ([]float64, [][]float64, error) {
	terms := len(l.d.terms)
	if l.req.Method == MethodPairwise {
		draws, err := l.pairDraws(ctx, pairs)
		return l.shares(m.theta[:terms]), draws, err
	}
	lists := judge(l.train, l.propensity)
	lots := rand.New(rand.NewPCG(l.req.Seed, 0)) //nolint:gosec // draws, no secrets
	lots.Shuffle(len(lists), func(i, j int) { lists[i], lists[j] = lists[j], lists[i] })
	lists = lists[:min(climbLists, len(lists))]
	weights, err := climb(ctx, lists, l.current, l.open, climbRounds)
	if err != nil {
		return nil, nil, err
	}
	draws, err := l.climbDraws(ctx, lists, weights)
	return l.shares(weights), draws, err
}

// pairDraws are shares in resamples. Their fits may fall below 0: held at 0, the noise
// of many terms that mean nothing would add up, and take its part from all others.
func (l *learner) pairDraws(ctx context.Context, pairs *pairSet) ([][]float64, error) {
	terms := len(l.d.terms)
	m := fit(pairs, l.signed, *l.req.L2, math.Inf(-1))
	thetas, err := m.refits(ctx, pairs, *l.req.L2, l.cfg.Draws, l.req.Seed)
	if err != nil {
		return nil, err
	}
	left := l.learnt()
	draws := make([][]float64, 0, len(thetas))
	for _, t := range thetas {
		sum := l.sum(t)
		if sum <= 0 {
			continue
		}
		w := make([]float64, terms)
		for j := range w {
			b := l.req.Bounds[l.d.terms[j]]
			w[j] = min(max(left*t[j]/sum, b.Min), b.most())
		}
		draws = append(draws, w)
	}
	return draws, nil
}

// Coordinate ascent is slow, so it looks at a sample of the lists, and its intervals
// come from fewer and smaller resamples: m out of n (Bickel, Götze and van Zwet 1997),
// whose spread is √(m/n) too wide.
const (
	climbLists  = 2500
	climbRounds = 8
	climbDraws  = 24
	drawLists   = 500
	drawRounds  = 2
)

func (l *learner) climbDraws(ctx context.Context, lists []judged, weights []float64) ([][]float64, error) {
	m := min(drawLists, len(lists))
	narrow := math.Sqrt(float64(m) / float64(len(lists)))
	middle := l.shares(weights)
	var out [][]float64
	for d := range climbDraws {
		lots := rand.New(rand.NewPCG(l.req.Seed, uint64(d+1))) //nolint:gosec // draws, no secrets
		some := make([]judged, m)
		for i := range some {
			some[i] = lists[lots.IntN(len(lists))]
		}
		w, err := climb(ctx, some, weights, l.open, drawRounds)
		if err != nil {
			return nil, err
		}
		w = l.shares(w)
		for j := range w {
			w[j] = max(0, middle[j]+narrow*(w[j]-middle[j]))
		}
		out = append(out, w)
	}
	return out, nil
}
