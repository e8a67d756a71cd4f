package recs

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
)

// StageScore is what one stage of the pipeline offers: a candidate source, all of
// them together, or the list at the end.
type StageScore struct {
	Name   string    `json:"name"`
	Kind   StageKind `json:"kind"`
	Recall float64   `json:"recall"` // of everything that the stage offers
	// At the cut-off, in the stage's own order; all candidates together have none.
	RecallAt *float64 `json:"recall_at_k,omitempty"`
	NDCGAt   *float64 `json:"ndcg_at_k,omitempty"`
	Offered  float64  `json:"offered"`  // mean courses
	Answered int      `json:"answered"` // lists in which it offered any
	// Of each case, for the faults.
	recalls, ndcgs []float32
}

// StageKind is what a stage does.
type StageKind string

// The kinds of stages, in the order in which they come.
const (
	StageSource StageKind = "source" // offers candidates, best first
	StageUnion  StageKind = "union"  // all candidates that may be shown, in no order
	StageList   StageKind = "list"   // what is shown
)

// Fault is a stage that makes lists worse: it scores below the best stage before it.
type Fault struct {
	Stage  string  `json:"stage"`
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Before string  `json:"before"` // the best stage before it
	Best   float64 `json:"best"`
	// Low and High are the 95 % interval of the difference, below 0 where the fault is
	// certain; both are 0 where no bootstrap was asked for.
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Certain bool    `json:"certain"`
	Reason  string  `json:"reason"`
}

// Offer is what one stage offered for one list.
type Offer struct {
	Name  string
	Kind  StageKind
	Items []string // course ids, best first
}

// Pipeline runs the stages for one case and returns what each offered, in order; a
// stage may be missing where it had nothing to say. It is called by several goroutines.
type Pipeline func(ctx context.Context, c *Case) ([]Offer, error)

// tally adds up what one stage offered.
type tally struct {
	kind             StageKind
	order            int // first seen after so many others
	recall, at, ndcg []float32
	offered          int
	answered         int
}

// Stages measures the stages of a pipeline, case by case, and says which are at fault.
// Where a stage did not answer, it found nothing. Errors: those of the pipeline.
func Stages(ctx context.Context, s *Set, run Pipeline, o Options) ([]StageScore, []Fault, error) {
	index := make(map[string]int32, len(s.Train.Items))
	for i, id := range s.Train.Items {
		index[id] = int32(i)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	stages := make(map[string]*tally)
	workers := runtime.GOMAXPROCS(0)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(s.Cases) && ctx.Err() == nil; i += workers {
				offers, err := run(ctx, &s.Cases[i])
				if err != nil {
					cancel(fmt.Errorf("the pipeline, for learner %s: %w", s.Cases[i].Learner, err))
					return
				}
				mu.Lock()
				for n, offer := range offers {
					t := stages[offer.Name]
					if t == nil {
						n := len(s.Cases)
						t = &tally{kind: offer.Kind, recall: make([]float32, n), at: make([]float32, n), ndcg: make([]float32, n)}
						stages[offer.Name] = t
					}
					t.order = max(t.order, n)
					t.add(i, &s.Cases[i], offer.Items, index, o.K)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	scores := summed(stages)
	faults, err := s.faults(ctx, scores, o)
	return scores, faults, err
}

// add judges what a stage offered for a case. A course that the training data does
// not know can be offered and can be right.
func (t *tally) add(i int, c *Case, items []string, index map[string]int32, k int) {
	if len(items) == 0 {
		return
	}
	t.offered += len(items)
	t.answered++
	truth := slices.Clone(c.Truth)
	for n := range c.Unknown {
		truth = append(truth, -int32(n)-2)
	}
	list := make([]int32, len(items))
	for n, id := range items {
		item, ok := index[id]
		if !ok {
			item = -1
			if at := slices.Index(c.Unknown, id); at >= 0 {
				item = -int32(at) - 2
			}
		}
		list[n] = item
	}
	t.recall[i] = float32(Judge(list, truth, c.Relevant(), len(list)).Recall)
	a := Judge(list, truth, c.Relevant(), k)
	t.at[i], t.ndcg[i] = float32(a.Recall), float32(a.NDCG)
}

// summed orders the stages as they come and takes the means.
func summed(stages map[string]*tally) []StageScore {
	kinds := []StageKind{StageSource, StageUnion, StageList}
	names := sortedKeys(stages)
	slices.SortStableFunc(names, func(a, b string) int {
		x, y := stages[a], stages[b]
		if d := slices.Index(kinds, x.kind) - slices.Index(kinds, y.kind); d != 0 {
			return d
		}
		return x.order - y.order
	})
	mean := func(values []float32) float64 {
		sum := 0.0
		for _, v := range values {
			sum += float64(v)
		}
		return rounded(sum / float64(max(len(values), 1)))
	}
	var out []StageScore
	for _, name := range names {
		t := stages[name]
		if t.kind == StageSource && t.answered == 0 {
			continue // the list has no use for it
		}
		score := StageScore{Name: name, Kind: t.kind, Recall: mean(t.recall), Answered: t.answered, recalls: t.recall, ndcgs: t.ndcg}
		score.Offered = rounded(float64(t.offered) / float64(max(t.answered, 1)))
		if t.kind != StageUnion {
			at, ndcg := mean(t.at), mean(t.ndcg)
			score.RecallAt, score.NDCGAt = &at, &ndcg
		}
		out = append(out, score)
	}
	return out
}

// faults compares every stage with the best one before it: a list by nDCG with what
// the sources' own orders had and with the lists before it, all candidates by recall
// with the sources.
func (s *Set) faults(ctx context.Context, stages []StageScore, o Options) ([]Fault, error) {
	var out []Fault
	for i, stage := range stages {
		if stage.Kind == StageSource {
			continue
		}
		f := Fault{Stage: stage.Name, Metric: NDCG.At(o.K), Best: math.Inf(-1)}
		values := func(s StageScore) (float64, []float32) { return *s.NDCGAt, s.ndcgs }
		if stage.Kind == StageUnion {
			f.Metric = "recall of all"
			values = func(s StageScore) (float64, []float32) { return s.Recall, s.recalls }
		}
		var own, best []float32
		f.Value, own = values(stage)
		for _, before := range stages[:i] {
			if before.Kind == StageUnion {
				continue // it has no order
			}
			if v, all := values(before); v > f.Best {
				f.Before, f.Best, best = before.Name, v, all
			}
		}
		if f.Value >= f.Best {
			continue
		}
		if err := s.weigh(ctx, &f, own, best, o); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// weigh says how certain a fault is.
func (s *Set) weigh(ctx context.Context, f *Fault, own, best []float32, o Options) error {
	if o.Resamples > 0 {
		group := make([]int32, len(s.Cases))
		for i, c := range s.Cases {
			group[i] = c.Group
		}
		draws, err := resample(ctx, []series{newSeries(own), newSeries(best)}, group, o.Resamples, o.Seed)
		if err != nil {
			return err
		}
		if ends, ok := percentiles(minus(draws[0], draws[1])); ok {
			f.Low, f.High, f.Certain = rounded(ends[0]), rounded(ends[1]), ends[1] < 0
		}
	}
	f.Reason = f.describe()
	return nil
}

func (f Fault) describe() string {
	s := fmt.Sprintf("stage %s has %s %.4f, below the %.4f of %s before it", f.Stage, f.Metric, f.Value, f.Best, f.Before)
	switch {
	case f.Certain:
		s += fmt.Sprintf(" (the difference is certain: [%+.4f, %+.4f])", f.Low, f.High)
	case f.Low != 0 || f.High != 0:
		s += fmt.Sprintf(" (chance may explain the difference: [%+.4f, %+.4f])", f.Low, f.High)
	}
	return s
}

// Sound reports whether a pipeline may be put to use: no stage of it is certainly
// worse than the best stage before it.
func Sound(faults []Fault) bool {
	return !slices.ContainsFunc(faults, func(f Fault) bool { return f.Certain })
}
