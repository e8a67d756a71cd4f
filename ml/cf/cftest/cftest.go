// Package cftest is the conformance suite of collaborative models: what holds for
// one model of package cf holds for all.
package cftest

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
)

// Option changes what the suite asks of a model.
type Option func(*suite)

// Impersonal is for models that score alike for everybody or by chance: they are
// not asked to tell tastes apart.
func Impersonal() Option { return func(s *suite) { s.impersonal = true } }

// suite is one run.
type suite struct {
	make       func() cf.Model
	impersonal bool
}

// Run runs the suite on models from make, which must all be alike and unfitted.
func Run(t *testing.T, make func() cf.Model, opts ...Option) {
	s := &suite{make: make}
	for _, o := range opts {
		o(s)
	}
	t.Run("tastes", s.tastes)
	t.Run("sets", s.sets)
	t.Run("empty history", s.emptyHistory)
	t.Run("unknown courses", s.unknownItems)
	t.Run("candidates", s.candidates)
	t.Run("same fit twice", s.deterministic)
	t.Run("fit replaces", s.replaces)
	t.Run("many at once", s.concurrent)
	t.Run("nothing to learn", s.invalidData)
	t.Run("cancel", s.cancel)
	t.Run("save and load", s.saveLoad)
	t.Run("damaged", s.damaged)
	t.Run("finite", s.finite)
	if _, ok := make().(cf.Factored); ok {
		t.Run("factors", s.factored)
	}
	if _, ok := make().(cf.Successor); ok {
		t.Run("successors", s.successor)
	}
}

// fit makes a model and fits it.
func (s *suite) fit(tb testing.TB, d *cf.Data) cf.Model {
	tb.Helper()
	m := s.make()
	if err := m.Fit(context.Background(), d); err != nil {
		tb.Fatalf("Fit: %v", err)
	}
	if m.Items() != len(d.Items) {
		tb.Fatalf("Items() = %d after a fit on %d", m.Items(), len(d.Items))
	}
	return m
}

// all predicts for all courses.
func all(m cf.Model, h cf.History) []float32 {
	into := make([]float32, m.Items())
	for i := range into {
		into[i] = float32(math.NaN()) // every score must be written
	}
	m.Predict(h, nil, into)
	return into
}

func finite(scores []float32) bool {
	return !slices.ContainsFunc(scores, func(v float32) bool {
		return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)
	})
}

// ownShare is the share of pairs, a course of the own taste and one of the other,
// that a model must have in the right order.
const ownShare = 0.85

// tastes asks that a learner of one taste gets courses of that taste.
func (s *suite) tastes(t *testing.T) { s.tellsTastes(t, Tastes(1, 200, true)) }

// sets asks the same of histories without order.
func (s *suite) sets(t *testing.T) { s.tellsTastes(t, Tastes(1, 200, false)) }

func (s *suite) tellsTastes(t *testing.T, d *cf.Data) {
	m := s.fit(t, d)
	if m.Name() == "" {
		t.Error("the model has no name")
	}
	for taste := range 2 {
		h := history(block*taste+1, block*taste+4, block*taste+7)
		scores := all(m, h)
		if !finite(scores) {
			t.Fatalf("scores are not finite: %v", scores)
		}
		if s.impersonal {
			continue
		}
		if got := ownFirst(scores, h, taste); got < ownShare {
			t.Errorf("taste %d: a course of the own taste is above one of the other in %.0f %% of pairs, want %.0f %%", taste, 100*got, 100*ownShare)
		}
	}
}

// ownFirst is the share of pairs, one unseen course of the own taste and one of the
// other, that are in the right order.
func ownFirst(scores []float32, h cf.History, taste int) float64 {
	right, pairs := 0.0, 0
	for i := range block {
		own := int32(taste*block + i)
		if slices.ContainsFunc(h, func(x cf.Interaction) bool { return x.Item == own }) {
			continue
		}
		for j := range block {
			pairs++
			switch other := scores[(1-taste)*block+j]; {
			case scores[own] > other:
				right++
			case scores[own] == other:
				right += 0.5
			}
		}
	}
	return right / float64(pairs)
}

func (s *suite) emptyHistory(t *testing.T) {
	m := s.fit(t, Tastes(2, 100, true))
	for _, h := range []cf.History{nil, {}} {
		if scores := all(m, h); !finite(scores) {
			t.Errorf("scores of an empty history are not finite: %v", scores)
		}
	}
}

// unknownItems asks that courses that the model never saw do no harm.
func (s *suite) unknownItems(t *testing.T) {
	d := Tastes(3, 200, true)
	d.Items = append(d.Items, "never taken")
	m := s.fit(t, d)
	strange := cf.History{{Item: -1, Weight: 1}, {Item: 1, Weight: 1}, {Item: int32(m.Items()), Weight: 1},
		{Item: 4, Weight: 1}, {Item: math.MaxInt32, Weight: 1}, {Item: 7, Weight: 1}, {Item: int32(2 * block), Weight: 1},
		{Item: math.MinInt32, Weight: 1}}
	scores := all(m, strange)
	if !finite(scores) {
		t.Fatalf("scores are not finite: %v", scores)
	}
	if got := ownFirst(scores, strange, 0); !s.impersonal && got < ownShare {
		t.Errorf("with unknown courses in the history own courses are first in %.0f %% of pairs, want %.0f %%", 100*got, 100*ownShare)
	}
	if scores := all(m, strange[:1]); !finite(scores) {
		t.Errorf("scores of a history of nothing known are not finite: %v", scores)
	}
}

// candidates asks that scores of candidates are those of the same courses among
// all, in whichever order they are asked for.
func (s *suite) candidates(t *testing.T) {
	m := s.fit(t, Tastes(4, 200, true))
	for _, h := range []cf.History{nil, history(2), history(0, 5, 9), history(1, block+1, 3)} {
		want := all(m, h)
		asked := [][]int32{{}, {7}, {9, 3, 3, 20}, nil}
		for i := m.Items() - 1; i >= 0; i-- {
			asked[3] = append(asked[3], int32(i))
		}
		for _, c := range asked {
			got := make([]float32, len(c))
			m.Predict(h, c, got)
			for k, item := range c {
				if math.Abs(float64(got[k]-want[item])) > 1e-4*(1+math.Abs(float64(want[item]))) {
					t.Errorf("%d candidates, course %d: %g, among all courses %g", len(c), item, got[k], want[item])
				}
			}
		}
	}
}

// probes are histories to compare models by.
func probes() []cf.History {
	return []cf.History{nil, history(0), history(3, 8), history(block, 2, block+5, 7), {{Item: 5, Weight: 0.3, At: 1e9}, {Item: 6, Weight: 3, At: 1e9 + 5}}}
}

// same asks that two models predict bit for bit alike.
func same(t *testing.T, got, want cf.Model, what string) {
	t.Helper()
	if got.Items() != want.Items() {
		t.Fatalf("%s: %d courses, want %d", what, got.Items(), want.Items())
	}
	for k, h := range probes() {
		a, b := all(got, h), all(want, h)
		for i := range a {
			if a[i] != b[i] {
				t.Errorf("%s: for history %d course %d scores %g, want %g", what, k, i, a[i], b[i])
				return
			}
		}
	}
}

func (s *suite) deterministic(t *testing.T) {
	d := Tastes(5, 150, true)
	same(t, s.fit(t, d), s.fit(t, d), "a second fit on the same data")
}

func (s *suite) replaces(t *testing.T) {
	first, second := Tastes(6, 150, true), Tastes(7, 90, false)
	first.Items = append(first.Items, "more", "courses")
	first.Histories = append(first.Histories, history(2*block, 2*block+1, 3))
	m := s.fit(t, first)
	if err := m.Fit(context.Background(), second); err != nil {
		t.Fatal(err)
	}
	same(t, m, s.fit(t, second), "a fit after another fit")
	if err := m.Fit(context.Background(), first); err != nil {
		t.Fatal(err)
	}
	same(t, m, s.fit(t, first), "a fit on what it was fitted on before")
}

func (s *suite) concurrent(t *testing.T) {
	m := s.fit(t, Tastes(8, 150, true))
	histories := probes()
	want := make([][]float32, len(histories))
	for k, h := range histories {
		want[k] = all(m, h)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				for k, h := range histories {
					if got := all(m, h); !slices.Equal(got, want[k]) {
						t.Errorf("history %d: %v, alone it was %v", k, got, want[k])
						return
					}
				}
			}
		})
	}
	wait.Wait()
}

func (s *suite) invalidData(t *testing.T) {
	for name, d := range map[string]*cf.Data{
		"no courses":       {},
		"no learners":      {Items: []string{"a", "b"}},
		"empty histories":  {Items: []string{"a", "b"}, Histories: make([]cf.History, 3)},
		"beyond the items": {Items: []string{"a", "b"}, Histories: []cf.History{history(0, 2)}},
		"below the items":  {Items: []string{"a", "b"}, Histories: []cf.History{{{Item: -1, Weight: 1}}}},
	} {
		if err := s.make().Fit(context.Background(), d); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: Fit returned %v, want %s", name, err, lectern.CodeInvalid)
		}
	}
}

// cancel asks that Fit ends soon after its context.
func (s *suite) cancel(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := s.make().Fit(ctx, Tastes(9, 100, true)); !errors.Is(err, context.Canceled) {
		t.Errorf("Fit under a context that is over returned %v", err)
	}
	d := wide(1500, 4000, 25)
	ctx, stop = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	begun := worked(t)
	err := s.make().Fit(ctx, d)
	if took := worked(t) - begun; took > time.Duration(3*runtime.GOMAXPROCS(0))*time.Second {
		t.Errorf("Fit worked for %v after 50 ms were all it had", took)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) { // a fast one may be done
		t.Errorf("Fit returned %v, want the context's error", err)
	}
}

// worked is the processors' time that this process has had: how long Fit is kept waiting
// for a processor is not its fault.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// history makes one of weight 1 without times.
func history(items ...int) cf.History {
	h := make(cf.History, len(items))
	for k, i := range items {
		h[k] = cf.Interaction{Item: int32(i), Weight: 1}
	}
	return h
}

// names makes n external ids.
func names(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = "c" + strconv.Itoa(i)
	}
	return ids
}
