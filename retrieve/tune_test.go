package retrieve_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

var tune = flag.String("tune", "", "search weights on validation data: home, similar or next")

// capture keeps what a list was scored from, so that weights can be tried without
// making it again.
type capture struct {
	rerank.Reranker
	req        rerank.Request
	candidates []rerank.Candidate
}

func (c *capture) Rerank(req rerank.Request, candidates []rerank.Candidate) rerank.Ranked {
	c.req, c.candidates = req, candidates
	return c.Reranker.Rerank(req, candidates)
}

// sample is one list to be scored.
type sample struct {
	d          *demoWorld
	learner    *demoLearner
	relevant   []float64
	req        rerank.Request
	candidates []rerank.Candidate
}

// samples captures the lists of up to n learners.
func samples(t *testing.T, d *demoWorld, n int, ask func(l *demoLearner) lectern.ListRequest) []sample {
	t.Helper()
	var out []sample
	c := &capture{Reranker: rerank.NoOp{}}
	d.build(retrieve.DefaultConfig(), c)
	step := max(1, len(d.people)/n)
	for i := 0; i < len(d.people); i += step {
		l := &d.people[i]
		c.candidates = nil
		if _, err := d.engine.TopIDs(context.Background(), ask(l), 10); err != nil {
			t.Fatal(err)
		}
		out = append(out, sample{d, l, d.relevant(l), c.req, c.candidates})
	}
	return out
}

// score is how good the lists of some settings are.
func score(t *testing.T, all []sample, cfg rerank.Config) quality {
	t.Helper()
	cfg.Reasons.Max = 0
	linear, err := rerank.NewLinear(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return scoreBy(all, linear)
}

func scoreBy(all []sample, r rerank.Reranker) quality {
	var sum quality
	for i := range all {
		s := &all[i]
		req := s.req
		req.Depth = 10
		var ids []string
		for _, x := range r.Rerank(req, s.candidates).Items {
			ids = append(ids, s.candidates[x.Index].Course.ID)
		}
		sum.add(s.d.judge(s.learner, ids, s.relevant))
	}
	return sum.over(len(all))
}

// worth is what tuning maximises: what was taken, and what was hidden, by halves.
func (q quality) worth() float64 { return (q.ndcg+q.recall)/2 + q.latent/2 }

func (q quality) String() string {
	return fmt.Sprintf("recall %.4f hit %.4f ndcg %.4f latent %.4f", q.recall, q.hit, q.ndcg, q.latent)
}

// TestTune searches weights by coordinate ascent on two demo platforms and reports
// what comes of it on others. go test ./retrieve -run Tune -tune home -v
func TestTune(t *testing.T) {
	if *tune == "" {
		t.Skip("searches only when asked")
	}
	asks := map[string]func(l *demoLearner) lectern.ListRequest{
		"home": func(l *demoLearner) lectern.ListRequest { return home(l.ref) },
		"similar": func(l *demoLearner) lectern.ListRequest {
			return lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: l.last}
		},
		"next": func(l *demoLearner) lectern.ListRequest {
			return lectern.ListRequest{Surface: lectern.SurfaceNext, CourseID: l.last, Learner: l.ref}
		},
	}
	which, only := strings.CutSuffix(*tune, "-check")
	ask, ok := asks[which]
	if !ok {
		t.Skip()
	}
	var fit, check []sample
	for _, seed := range []uint64{101, 102} {
		if only {
			break
		}
		fit = append(fit, samples(t, newDemoWorld(t, seed), 160, ask)...)
	}
	check = samples(t, newDemoWorld(t, 201), 250, ask)
	cfg := rerank.DefaultConfig()
	weights := func(c *rerank.Config) []*float64 {
		w := map[string]*rerank.TermWeights{"home": &c.Weights.Home, "similar": &c.Weights.Similar, "next": &c.Weights.Next}[which]
		return []*float64{
			&w.Similarity, &w.Interest, &w.Collaborative, &w.Quality, &w.Popularity, &w.Freshness, &w.Level, &w.Time,
			&w.Language, &w.Readiness, &w.NotDismissed, &w.Trend, &w.Complement, &c.Lists.Calibration.Interests,
		}
	}
	names := []string{"similarity", "interest", "collaborative", "quality", "popularity", "freshness", "level", "time", "language",
		"readiness", "not_dismissed", "trend", "complement", "calibration"}
	for name, r := range map[string]rerank.Reranker{"popularity": rerank.Popularity{}, "candidates": rerank.NoOp{}} {
		t.Logf("%-12s check %v", name, scoreBy(check, r))
	}
	t.Logf("default      fit %v | check %v", score(t, fit, cfg), score(t, check, cfg))
	if only {
		return
	}
	for i, name := range names { // what each is worth
		without := cfg
		*weights(&without)[i] = 0
		t.Logf("without %-14s fit %v", name, score(t, fit, without))
	}
	best := score(t, fit, cfg).worth()
	for round := range 2 {
		moved := false
		for i := range names {
			at := *weights(&cfg)[i]
			for _, v := range []float64{0, at * 0.6, at * 1.5, at + 0.04, at + 0.12} {
				try := cfg
				*weights(&try)[i] = min(v, 0.9)
				if w := score(t, fit, try).worth(); w > best+0.0005 {
					best, moved = w, true
					cfg = try
				}
			}
		}
		t.Logf("round %d: fit %v | check %v", round, score(t, fit, cfg), score(t, check, cfg))
		if !moved {
			break
		}
	}
	sum := 0.0
	for i := range names[:13] {
		sum += *weights(&cfg)[i]
	}
	for i, name := range names {
		if i < 13 {
			t.Logf("%-14s %.3f", name, *weights(&cfg)[i]/sum)
		} else {
			t.Logf("%-14s %.3f", name, *weights(&cfg)[i])
		}
	}
}

func TestModelsAlone(t *testing.T) {
	if *tune != "models" {
		t.Skip()
	}
	for _, name := range []string{"cosine", "ease", "slist", "als"} {
		demoModel = name
		d := newDemoWorld(t, 101)
		var sum quality
		for i := range d.people[:200] {
			l := &d.people[i]
			var ids []string
			seen := map[string]bool{}
			var touched []lectern.Touch
			for _, e := range d.profiles[l.ref].Entries {
				seen[e.CourseID] = e.State&lectern.StateSeen != 0
				touched = append(touched, lectern.Touch{CourseID: e.CourseID, Weight: e.Weight, At: e.LastAt})
			}
			for _, h := range d.others.Collaborative.Collaborative().Top(touched, 10, func(id string) bool { return !seen[id] }) {
				ids = append(ids, h.ID)
			}
			sum.add(d.judge(l, ids, d.relevant(l)))
		}
		t.Logf("%s: %v", name, sum.over(200))
	}
}
