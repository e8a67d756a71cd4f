package selection

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
)

const (
	tuneCases  = 5000       // learners that a trial is judged on
	tuneGain   = 5e-4       // of the metric that new settings must bring, as a share of it
	tuneStream = 0x74756e65 // of random numbers
)

// search looks for better settings of one model: one parameter at a time, in an
// order drawn by lot, one value up or down or any other, from the best so far.
// Trials run one after another, since every model fits on all processors and a
// second one would need its memory too.
type search struct {
	spec   cf.Spec
	best   cf.Params
	value  float64       // of the metric, under best
	cost   time.Duration // of the last trial
	queue  []cf.Params   // neighbours of best that are to be tried
	tried  []cf.Params
	random *rand.Rand
	trials int
}

func newSearch(s cf.Spec, start cf.Params, seed uint64) *search {
	return &search{spec: s, best: start, random: rand.New(rand.NewPCG(seed, tuneStream))}
}

// next returns settings that were not tried yet; nil when there are none around the
// best.
func (s *search) next() cf.Params {
	if s.tried == nil {
		s.tried = append(s.tried, s.best)
		return s.best
	}
	for {
		if len(s.queue) == 0 {
			s.fill()
		}
		if len(s.queue) == 0 {
			return nil
		}
		p := s.queue[0]
		s.queue = s.queue[1:]
		if !s.was(p) {
			s.tried = append(s.tried, p)
			return p
		}
	}
}

func (s *search) was(p cf.Params) bool {
	return slices.ContainsFunc(s.tried, func(q cf.Params) bool { return maps.Equal(p, q) })
}

// fill queues what differs from the best in one parameter by one step.
func (s *search) fill() {
	for _, x := range s.spec.Space {
		values := slices.Sorted(slices.Values(x.Values))
		at, _ := slices.BinarySearch(values, s.best[x.Name])
		for _, i := range []int{at - 1, at, at + 1} {
			if i < 0 || i >= len(values) || values[i] == s.best[x.Name] {
				continue
			}
			p := maps.Clone(s.best)
			p[x.Name] = values[i]
			if !s.was(p) {
				s.queue = append(s.queue, p)
			}
		}
	}
	s.random.Shuffle(len(s.queue), func(i, j int) { s.queue[i], s.queue[j] = s.queue[j], s.queue[i] })
}

// tell reports what settings were worth.
func (s *search) tell(p cf.Params, value float64, cost time.Duration) {
	s.cost = cost
	s.trials++
	if s.trials == 1 || value > s.value*(1+tuneGain) {
		s.best, s.value = p, value
		s.queue = nil // look around the new best
	}
}

// tune searches all models in turns within the time, and returns settings by name.
// A trial that would not end in time is not begun.
func (r *run) tune(ctx context.Context, v *validation, params map[string]cf.Params) error {
	end := time.Now().Add(r.o.Tune)
	var all []*search
	for _, s := range r.o.Specs {
		if !s.Floor && len(s.Space) > 0 {
			all = append(all, newSearch(s, params[s.Name], r.o.Seed))
		}
	}
	cases := v.cases[:min(len(v.cases), tuneCases)]
	for len(all) > 0 {
		var left []*search
		for _, s := range all {
			if time.Now().Add(s.cost).After(end) {
				continue
			}
			more, err := r.trial(ctx, s, v.part, cases)
			if err != nil {
				return err
			}
			params[s.spec.Name] = s.best
			if more {
				left = append(left, s)
			}
		}
		all = left
	}
	return nil
}

// trial tries the next settings of a model and reports whether there were any.
func (r *run) trial(ctx context.Context, s *search, d *cf.Data, cases []testCase) (bool, error) {
	p := s.next()
	if p == nil {
		return false, nil
	}
	start := time.Now()
	m, err := s.spec.New(p)
	if err == nil {
		err = m.Fit(ctx, d)
	}
	if err != nil && ctx.Err() == nil && lectern.ErrorCode(err) == lectern.CodeInvalid && s.trials > 0 {
		return true, nil // settings that cannot be fitted are no better than others
	}
	if err != nil {
		return false, errors.Join(err, ctx.Err())
	}
	values, err := judge(ctx, m, cases, []metric{r.metric})
	if err != nil {
		return false, err
	}
	before := s.value
	s.tell(p, values[r.metric.name], time.Since(start))
	if s.trials == 1 || s.value > before {
		r.report("tune %s: %s %.4f with %s, trial %d", s.spec.Name, r.metric.name, s.value, describe(p), s.trials)
	}
	return true, nil
}
