package retrieve_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

// spy keeps what a reranker was asked.
type spy struct {
	rerank.Reranker
	mu    sync.Mutex
	asked []asking
}

// asking is one list that a reranker was asked for.
type asking struct {
	req        rerank.Request
	candidates []rerank.Candidate
}

func (s *spy) Rerank(req rerank.Request, candidates []rerank.Candidate) rerank.Ranked {
	s.mu.Lock()
	s.asked = append(s.asked, asking{req, slices.Clone(candidates)})
	s.mu.Unlock()
	return s.Reranker.Rerank(req, candidates)
}

// Config makes it compare courses as the reranker behind it does.
func (s *spy) Config() rerank.Config { return s.Reranker.(*rerank.Linear).Config() }

// watch puts a spy before the world's reranker.
func watch(w *world) *spy {
	s := &spy{Reranker: w.source.Reranker()}
	w.source = rerank.Always{R: s}
	return s
}

// one is the only list that was asked for since the last time.
func (s *spy) one(t testing.TB) asking {
	t.Helper()
	all := s.asked
	s.asked = nil
	if len(all) != 1 {
		t.Fatalf("%d lists were asked for", len(all))
	}
	return all[0]
}

// row is the list that was asked for of a row.
func (s *spy) row(t testing.TB, row lectern.Row) asking {
	t.Helper()
	i := slices.IndexFunc(s.asked, func(a asking) bool { return a.req.Row == row })
	if i < 0 {
		t.Fatalf("row %s was not asked for", row)
	}
	return s.asked[i]
}

// of finds a candidate.
func (a asking) of(t testing.TB, id string) *rerank.Candidate {
	t.Helper()
	i := slices.IndexFunc(a.candidates, func(c rerank.Candidate) bool { return c.Course.ID == id })
	if i < 0 {
		t.Fatalf("%s is no candidate", id)
	}
	return &a.candidates[i]
}

// ruled makes lists by rules beside the default settings.
func ruled(rules ...rerank.Rule) option {
	return func(_ *world, _ *retrieve.Config, c *rerankConfig) { c.Rules = rules }
}

func newLinear(t testing.TB, version string, change func(*rerank.Config)) *rerank.Linear {
	t.Helper()
	c := rerank.DefaultConfig()
	if change != nil {
		change(&c)
	}
	l, err := rerank.New(c, version)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
