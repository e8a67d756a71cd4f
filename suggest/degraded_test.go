package suggest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-dev/lectern"
)

// running is a suggester at work in a bubble of its own time.
func running(t *testing.T, o Options, courses []lectern.Course) *Suggester {
	t.Helper()
	o.Clock = time.Now
	s, err := NewWith(o)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, courses)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour) // what is under way in the background ends
	})
	time.Sleep(2 * time.Minute) // all is made
	return s
}

// timed asks and says how long that took.
func timed(t *testing.T, s *Suggester, r lectern.SuggestRequest) (lectern.Suggestions, time.Duration) {
	t.Helper()
	began := time.Now()
	out, err := s.Suggest(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out, time.Since(began)
}

// Whatever is slow or dead, there is an answer within the deadline that says what
// is missing, and all is there again when the backend is.
func TestDegraded(t *testing.T) {
	const slow = 200 * time.Millisecond
	meaning := lectern.SuggestRequest{Query: "celebrate fun"}
	personal := lectern.SuggestRequest{Query: "intro", Learner: lectern.LearnerRef{ID: "ana"}}
	type parts struct {
		meaningOptions
		people *people
	}
	tests := []struct {
		name     string
		breaks   func(parts)
		mends    func(parts)
		request  lectern.SuggestRequest
		degraded string
		within   time.Duration
	}{
		{"slow embedder", func(p parts) { p.embedder.delay.Store(int64(slow)) }, func(p parts) { p.embedder.delay.Store(0) }, meaning, DegradedSemantic, 25 * time.Millisecond},
		{"dead embedder", func(p parts) { p.embedder.dead.Store(true) }, func(p parts) { p.embedder.dead.Store(false) }, meaning, DegradedSemantic, 0},
		{"slow and dead embedder", func(p parts) { p.embedder.dead.Store(true); p.embedder.delay.Store(int64(slow)) },
			func(p parts) { p.embedder.dead.Store(false); p.embedder.delay.Store(0) }, meaning, DegradedSemantic, 25 * time.Millisecond},
		{"slow index", func(p parts) { p.index.delay.Store(int64(slow)) }, func(p parts) {}, meaning, "", 0},
		{"dead index", func(p parts) { p.index.dead.Store(true) }, func(p parts) {}, meaning, "", 0},
		{"slow profiles", func(p parts) { p.people.delay.Store(int64(slow)) }, func(p parts) { p.people.delay.Store(0) }, personal, DegradedPersonal, 10 * time.Millisecond},
		{"dead profiles", func(p parts) { p.people.dead.Store(true) }, func(p parts) { p.people.dead.Store(false) }, personal, DegradedPersonal, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := parts{meaningOptions: withMeaning(wholeFixture()), people: somePeople()}
				p.Profiles = p.people
				s := running(t, p.Options, wholeFixture())
				tt.breaks(p)
				out, took := timed(t, s, tt.request)
				if got := strings.Join(out.Degraded, " "); got != tt.degraded {
					t.Errorf("degraded %q, want %q", got, tt.degraded)
				}
				if took > tt.within {
					t.Errorf("took %v, want %v at most", took, tt.within)
				}
				if len(out.Courses) == 0 && tt.request.Query != meaning.Query {
					t.Error("no courses")
				}
				tt.mends(p)
				time.Sleep(slow)
				if out, took = timed(t, s, tt.request); len(out.Degraded) > 0 || took > 0 || len(out.Courses) == 0 {
					t.Errorf("afterwards: degraded %v, %v, %s", out.Degraded, took, reasons(out.Courses))
				}
			})
		})
	}
}

// A vector that came too late is there for the next keystroke, though the embedder
// is as slow as before; nobody asks twice for it.
func TestLateVectorIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := withMeaning(wholeFixture())
		s := running(t, o.Options, wholeFixture())
		before := o.embedder.asked.Load()
		o.embedder.delay.Store(int64(100 * time.Millisecond))
		for _, q := range []string{"celebrate", "celebrate f", "celebrate fu"} {
			if out, _ := timed(t, s, lectern.SuggestRequest{Query: q}); len(out.Degraded) != 1 {
				t.Errorf("%q: degraded %v", q, out.Degraded)
			}
		}
		synctest.Wait()
		time.Sleep(50 * time.Millisecond)
		if out, took := timed(t, s, lectern.SuggestRequest{Query: "celebrate fun"}); len(out.Degraded) > 0 || took > 0 || !strings.HasPrefix(reasons(out.Courses), "party:meaning") {
			t.Errorf("degraded %v, %v, %s", out.Degraded, took, reasons(out.Courses))
		}
		if n := o.embedder.asked.Load() - before; n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// Few ask a slow embedder at a time; the others are answered without it at once.
func TestFewVectorsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := withMeaning(wholeFixture())
		o.Config.EmbedAtOnce = 2
		s := running(t, o.Options, wholeFixture())
		before := o.embedder.asked.Load()
		o.embedder.delay.Store(int64(time.Second))
		var all sync.WaitGroup
		for _, q := range []string{"celebrate x", "together x", "programs x", "planning x", "sql x"} {
			all.Go(func() {
				out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: q})
				if err != nil || !slices.Contains(out.Degraded, DegradedSemantic) {
					t.Errorf("%v, degraded %v", err, out.Degraded)
				}
			})
		}
		all.Wait()
		if n := o.embedder.asked.Load() - before; n > 2 {
			t.Errorf("%d at once", n)
		}
	})
}

// Where the index or the embedder is away while meanings are made, answers say so,
// and Run makes them when it is back.
func TestMeaningsAreMadeLater(t *testing.T) {
	for _, part := range []string{"index", "embedder", "no embedder yet"} {
		t.Run(part, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := withMeaning(wholeFixture())
				switch part {
				case "index":
					o.index.dead.Store(true)
				case "embedder":
					o.embedder.dead.Store(true)
				default:
					o.now.use(o.index, nil)
				}
				s := running(t, o.Options, wholeFixture())
				out, _ := timed(t, s, lectern.SuggestRequest{Query: "celebrate fun"})
				if strings.Join(out.Degraded, " ") != DegradedSemantic {
					t.Errorf("degraded %v", out.Degraded)
				}
				if out, _ = timed(t, s, lectern.SuggestRequest{Query: "learn to code"}); !strings.HasPrefix(reasons(out.Courses), "py:meaning") {
					t.Errorf("what the graph knows needs neither: %s", reasons(out.Courses))
				}
				o.index.dead.Store(false)
				o.embedder.dead.Store(false)
				o.now.use(o.index, o.embedder)
				time.Sleep(o.Config.MeaningsRetry + 2*time.Second)
				if out, _ = timed(t, s, lectern.SuggestRequest{Query: "celebrate fun"}); len(out.Degraded) > 0 || reasons(out.Courses) != "party:meaning" {
					t.Errorf("afterwards: degraded %v, %s", out.Degraded, reasons(out.Courses))
				}
			})
		})
	}
}

// Run follows the graph, without searching the index anew for that.
func TestMeaningsFollowTheGraph(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := withMeaning(wholeFixture())
		s := running(t, o.Options, wholeFixture())
		before := o.index.asked.Load()
		o.graph.version.Add(1)
		time.Sleep(2 * time.Second)
		if got := reasons(ask(t, s, "spoken").Skills); got != "french:prefix" {
			t.Error(got)
		}
		if n := o.index.asked.Load() - before; n > 0 {
			t.Errorf("%d searches", n)
		}
	})
}

// A caller who goes away is not kept.
func TestCallerGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := withMeaning(wholeFixture())
		o.Config.EmbedTimeout, o.Config.EmbedGiveUp = time.Minute, time.Minute
		s := running(t, o.Options, wholeFixture())
		o.embedder.delay.Store(int64(time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		began := time.Now()
		if _, err := s.Suggest(ctx, lectern.SuggestRequest{Query: "celebrate fun"}); err == nil || time.Since(began) > time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
