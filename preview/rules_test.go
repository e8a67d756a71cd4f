package preview_test

import (
	"fmt"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/preview"
	"github.com/lectern-dev/lectern/rerank"
)

// What a rule of the draft takes out of reach is said to be that rule's doing.
func TestRulesThatTakeOutOfReach(t *testing.T) {
	candidates := make([]rerank.Candidate, 200)
	for i := range candidates {
		candidates[i] = rerank.Candidate{
			Course:    &rerank.Facts{ID: fmt.Sprintf("c%03d", i), Provider: fmt.Sprintf("p%03d", i), Popularity: rerank.Known(1 - float64(i)/400)},
			Relevance: rerank.Known(1 - float64(i)/400),
		}
	}
	cfg := rerank.DefaultConfig()
	cfg.Rules = nil
	old, err := rerank.New(cfg, "v1")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule  rerank.Rule
		moved string
	}{
		{rerank.Rule{ID: "away", Action: rerank.RuleHide, Courses: []string{"c001"}}, "hidden"},
		{rerank.Rule{ID: "not-them", Action: rerank.RuleHide, Providers: []string{"p001"}}, "hidden"},
		{rerank.Rule{ID: "less", Action: rerank.RuleBury, Providers: []string{"p001"}, Strength: .9}, "rule:less"},
	} {
		cfg.Rules = []rerank.Rule{c.rule}
		draft, err := rerank.New(cfg, "draft")
		if err != nil {
			t.Fatal(err)
		}
		p := newPlatform(0)
		p.lists = func(lectern.LearnerRef) rerank.Comparison {
			req := rerank.Request{At: now, Surface: lectern.SurfaceSearch, Depth: 50}
			return rerank.Compare(req, candidates, len(candidates), []rerank.Reranker{old, draft})
		}
		s, err := preview.New(p, p, preview.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Run(t.Context(), preview.Request{Old: old, New: draft, Nobody: true, Details: ptr(1), K: 5})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, place := range r.Details[0].Old {
			if place.CourseID != "c001" {
				continue
			}
			found = true
			if place.Change != "left" || place.Other != nil || place.Moved != c.moved || place.Rule != c.rule.ID || (place.By < 0) != (c.rule.Action == rerank.RuleBury) {
				t.Errorf("%s: %+v", c.rule.ID, place)
			}
		}
		if !found {
			t.Errorf("c001 is not in the old list: %+v", r.Details[0].Old)
		}
	}
}
