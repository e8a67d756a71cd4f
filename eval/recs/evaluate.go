package recs

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern/ml/cf"
)

// Fitted is a model to evaluate, with what is known of how it was made.
type Fitted struct {
	Name       string
	Model      cf.Model
	Floor      bool
	Params     cf.Params
	Validation map[string]float64 // metrics on the validation cut of the training data
	FitTime    time.Duration
}

// Options say how to evaluate.
type Options struct {
	K         int    // cut-off of lists, ≥ 1
	Selected  string // the model that validation chose; the others are compared with it
	Floor     string // the model that must be beaten, popularity
	Seed      uint64
	Resamples int                  // of the bootstrap; 0 leaves intervals out
	Courses   *Courses             // nil when nothing is known
	Learners  map[string]Person    // nil when nothing is known
	Year      int                  // that ages are reckoned in
	Report    func(string, ...any) // hears of each step; nil is nobody
}

// chunk is how many cases a worker takes at a time.
const chunk = 64

// lists are what a model answered to all cases.
type lists struct {
	items   []int32 // [cases × k], padded with −1
	bad     int     // scores that were no finite number
	elapsed time.Duration
}

// ask has a model make a list for every case.
func ask(ctx context.Context, s *Set, m cf.Model, o Options) (lists, error) {
	out := lists{items: make([]int32, len(s.Cases)*o.K)}
	for i := range out.items {
		out.items[i] = -1
	}
	if m.Items() != len(s.Train.Items) {
		return out, invalid("model %s scores %d courses, the data has %d", m.Name(), m.Items(), len(s.Train.Items))
	}
	start := time.Now()
	var next, bad atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(s.Cases)/chunk+1) {
		wait.Go(func() {
			l := newLister(len(s.Train.Items), o.K)
			for ctx.Err() == nil {
				from := int(next.Add(chunk)) - chunk
				if from >= len(s.Cases) {
					break
				}
				for i := from; i < min(from+chunk, len(s.Cases)); i++ {
					c := &s.Cases[i]
					l.list(c, mix(o.Seed^mix(uint64(i))), o.K, func(candidates []int32, into []float32) {
						m.Predict(c.History, candidates, into)
					}, out.items[i*o.K:(i+1)*o.K])
				}
			}
			bad.Add(int64(l.bad))
		})
	}
	wait.Wait()
	out.bad, out.elapsed = int(bad.Load()), time.Since(start)
	return out, ctx.Err()
}

// ground is what all models are judged on alike.
type ground struct {
	*Set
	o          Options
	bits       []float64 // self-information of courses
	takers     []int
	alike      Similarity
	categories [][]int32
	names      []string // of categories
	slices     []Slice
}

func newGround(s *Set, o Options) *ground {
	g := &ground{Set: s, o: o, alike: similarity(s.Train, o.Courses)}
	g.bits, g.takers = information(s.Train)
	g.categories, g.names = o.Courses.categories(s.Train.Items)
	g.slices = slicesOf(s, o, g.takers)
	return g
}

// judged is what the lists of one model are worth.
type judged struct {
	lists
	values [][]float32 // [ofLists][cases]; NaN where a case has no such value
	shown  []int       // how often each course is in a list
}

// judge measures the lists, case by case.
func (g *ground) judge(l lists) judged {
	out := judged{lists: l, values: make([][]float32, len(ofLists())), shown: make([]int, len(g.Train.Items))}
	for m := range out.values {
		out.values[m] = make([]float32, len(g.Cases))
	}
	workers := runtime.GOMAXPROCS(0)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			p, q := make([]float64, len(g.names)), make([]float64, len(g.names))
			for i := w; i < len(g.Cases); i += workers {
				g.judgeOne(i, &out, p, q)
			}
		})
	}
	wait.Wait()
	for _, item := range l.items {
		if item >= 0 {
			out.shown[item]++
		}
	}
	return out
}

// judgeOne measures one list; p and q are room for shares of categories.
func (g *ground) judgeOne(i int, out *judged, p, q []float64) {
	c := &g.Cases[i]
	list := listOf(out.items, i, g.o.K)
	found := Judge(list, c.Truth, c.Relevant(), g.o.K)
	for m, v := range found.values() {
		out.values[m][i] = float32(v)
	}
	novelty := math.NaN()
	if len(list) > 0 {
		novelty = 0
		for _, item := range list {
			novelty += g.bits[item] / float64(len(list))
		}
	}
	kl, js := math.NaN(), math.NaN()
	if len(g.names) > 0 {
		taken := make([]int32, len(c.History))
		for n, h := range c.History {
			taken[n] = h.Item
		}
		if shares(taken, g.categories, p) && shares(list, g.categories, q) {
			kl, js = calibration(p, q)
		}
	}
	for n, v := range [...]float64{novelty, g.alike.diversity(list), kl, js} {
		out.values[len(ofAccuracy())+n][i] = float32(v)
	}
}

// Evaluate asks every model for the list of every case and reports what the lists
// are worth. Errors: CodeInvalid for a model that was fitted on other data, and the
// context's.
func Evaluate(ctx context.Context, s *Set, models []Fitted, o Options) (*Report, error) {
	if o.Report == nil {
		o.Report = func(string, ...any) {}
	}
	g := newGround(s, o)
	r := g.report()
	var all []judged
	for _, f := range models {
		l, err := ask(ctx, s, f.Model, o)
		if err != nil {
			return nil, err
		}
		j := g.judge(l)
		all = append(all, j)
		r.Models = append(r.Models, g.score(f, j))
		o.Report("%s: %d lists in %s", f.Name, len(s.Cases), l.elapsed.Round(time.Millisecond))
	}
	if err := g.intervals(ctx, r, all); err != nil {
		return nil, err
	}
	return r, nil
}

// score makes a model's part of the report, but for the intervals.
func (g *ground) score(f Fitted, j judged) ModelScore {
	out := ModelScore{
		Name: f.Name, Floor: f.Floor, K: g.o.K, Values: make(map[Metric]float64), Params: f.Params, Validation: f.Validation,
		FitSeconds: f.FitTime.Seconds(), ListMicros: float64(j.elapsed.Microseconds()) / float64(len(g.Cases)), BadScores: j.bad,
	}
	ones := make([]uint16, len(g.Cases))
	for i := range ones {
		ones[i] = 1
	}
	for m, metric := range ofLists() {
		if v := newSeries(j.values[m]).mean(ones, float64(len(ones))); v == v {
			out.Values[metric] = v
		}
	}
	out.Values[Coverage], out.Values[Gini] = coverage(j.shown), gini(j.shown)
	for _, p := range g.slices {
		out.Slices = append(out.Slices, p.score(g.Set, j.items, g.o.K))
	}
	return out
}

// intervals adds the bootstrap's intervals: of each mean, and of each difference to
// the selected model and to the floor.
func (g *ground) intervals(ctx context.Context, r *Report, all []judged) error {
	if g.o.Resamples <= 0 {
		return nil
	}
	metrics := ofLists()
	values := make([]series, 0, len(all)*len(metrics))
	for _, j := range all {
		for m := range metrics {
			values = append(values, newSeries(j.values[m]))
		}
	}
	group := make([]int32, len(g.Cases))
	for i, c := range g.Cases {
		group[i] = c.Group
	}
	draws, err := resample(ctx, values, group, g.o.Resamples, g.o.Seed)
	if err != nil {
		return err
	}
	r.Resamples = g.o.Resamples
	for i := range r.Models {
		model := &r.Models[i]
		model.Intervals = make(map[Metric]Interval)
		for m, metric := range metrics {
			if _, ok := model.Values[metric]; !ok {
				continue
			}
			if ends, ok := percentiles(draws[i*len(metrics)+m]); ok {
				model.Intervals[metric] = ends
			}
		}
		model.VsSelected = r.differences(draws, i, g.o.Selected)
		model.VsFloor = r.differences(draws, i, g.o.Floor)
	}
	return nil
}

// differences compares a model with another one, metric by metric; nil with itself.
func (r *Report) differences(draws [][]float64, i int, with string) map[Metric]Difference {
	j := r.index(with)
	if j < 0 || i == j {
		return nil
	}
	metrics := ofLists()
	out := make(map[Metric]Difference)
	for m, metric := range metrics {
		a, ok := r.Models[i].Values[metric]
		b, both := r.Models[j].Values[metric]
		if !ok || !both {
			continue
		}
		if ends, ok := percentiles(minus(draws[i*len(metrics)+m], draws[j*len(metrics)+m])); ok {
			out[metric] = Difference{Mean: a - b, Low: ends[0], High: ends[1]}
		}
	}
	return out
}
