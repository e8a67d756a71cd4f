package retrieve_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

// knitted is a skill graph of one skill, which no course of the fixture names.
type knitted struct {
	teaches map[string]float32
	tagging bool // it has just begun
}

func (knitted) Expand(query string) []retrieve.Concept {
	if !strings.Contains(query, "yarn") {
		return nil
	}
	return []retrieve.Concept{{ID: "knitting", Name: "Knitting", Weight: 0.9}}
}

func (k knitted) Rank(asked []retrieve.Concept, most int, allow func(string) bool) []lectern.Hit {
	var out []lectern.Hit
	for id, s := range k.teaches {
		if allow(id) {
			out = append(out, lectern.Hit{ID: id, Score: s * float32(asked[0].Weight)})
		}
	}
	slices.SortFunc(out, func(a, b lectern.Hit) int { return int(1e6*b.Score) - int(1e6*a.Score) })
	return out[:min(most, len(out))]
}

func (k knitted) Ready() bool { return !k.tagging }

// Teaching goes by what the platform states.
func (k knitted) Teaching(names []string) func(string, []string, []float64) {
	return func(_ string, stated []string, sure []float64) {
		for i, name := range names {
			sure[i] = 0
			if slices.Contains(stated, lectern.FoldKey(name)) {
				sure[i] = 1
			}
		}
	}
}

func (k knitted) Taught(_ []retrieve.Concept, id string) string {
	if k.teaches[id] == 0 {
		return ""
	}
	return "Knitting"
}

func knows(teaches map[string]float32) option {
	return func(w *world, _ *retrieve.Config, _ *rerankConfig) { w.concepts = knitted{teaches: teaches} }
}

func explaining(q string) lectern.ListRequest {
	req := search(q)
	req.Explain = true
	return req
}

// term reads one term of an item.
func term(it lectern.Item, name string) float64 {
	for _, t := range it.Terms {
		if t.Name == name {
			return t.Value
		}
	}
	return -1
}

// TestSkillsAnswerInOtherWords: no course has a word of the query, but two teach
// what it asks for.
func TestSkillsAnswerInOtherWords(t *testing.T) {
	w := newWorld(t, fixture(t), knows(map[string]float32{"mus-2": 0.9, "go-1": 0.6}))
	l := w.list(explaining("yarn"))
	if got := ids(l); !slices.Equal(got, []string{"mus-2", "go-1"}) {
		t.Fatalf("got %v", got)
	}
	first := l.Items[0]
	// .9 × .9 × .9: the course's, the query's, and what an exact title is ahead by
	if got := term(first, "skill_match"); got != 0.729 {
		t.Errorf("skill_match %v", got)
	}
	if r := first.Reasons[0]; r.Code != rerank.ReasonTeachesSkill || r.Params["skill"] != "Knitting" {
		t.Errorf("reasons %v", first.Reasons)
	}
	if !slices.Contains(first.Sources, retrieve.SourceSkills) {
		t.Errorf("sources %v", first.Sources)
	}
}

// TestSkillsNotYetTagged: while only some courses are tagged none has a head start,
// and the list says so.
func TestSkillsNotYetTagged(t *testing.T) {
	w := newWorld(t, fixture(t), func(w *world, _ *retrieve.Config, _ *rerankConfig) {
		w.concepts = knitted{teaches: map[string]float32{"mus-2": 0.9}, tagging: true}
	})
	if l := w.list(search("yarn")); l.Total != 0 || !slices.Contains(l.Degraded, retrieve.DegradedSkills) {
		t.Errorf("got %v, degraded %v", ids(l), l.Degraded)
	}
}

// TestSkillsNeedEvidence: a course that hardly teaches it is no answer.
func TestSkillsNeedEvidence(t *testing.T) {
	w := newWorld(t, fixture(t), knows(map[string]float32{"mus-2": 0.3}))
	if l := w.list(search("yarn")); l.Total != 0 {
		t.Errorf("got %v", ids(l))
	}
}

// TestSkillsAddToWords: what is taught is moved up, and what is filtered out stays
// away; switched off, or without a graph, lists are as they were.
func TestSkillsAddToWords(t *testing.T) {
	teaches := map[string]float32{"mus-3": 1}
	plain := newWorld(t, fixture(t)).list(search("yarn python"))
	if ids(plain)[0] != "py-101" {
		t.Fatalf("the fixture has %v", ids(plain))
	}
	w := newWorld(t, fixture(t), knows(teaches))
	if l := w.list(search("yarn python")); !slices.Contains(ids(l)[:2], "mus-3") {
		t.Errorf("got %v", ids(l))
	}
	req := search("yarn python")
	req.Filter.ExcludeIDs = []string{"mus-3"}
	if l := w.list(req); slices.Contains(ids(l), "mus-3") {
		t.Errorf("filtered out, and there: %v", ids(l))
	}
	off := newWorld(t, fixture(t), knows(teaches), config(func(c *retrieve.Config) { c.SkillsWeight = 0 }))
	if l := off.list(search("yarn python")); !slices.Equal(ids(l), ids(plain)) {
		t.Errorf("switched off %v, without a graph %v", ids(l), ids(plain))
	}
}

// TestExactTitleBeforeSkills: whatever is taught elsewhere.
func TestExactTitleBeforeSkills(t *testing.T) {
	c := lectern.Course{ID: "yarn", Title: "Yarn", Description: "A novel."}
	w := newWorld(t, append(fixture(t), c), knows(map[string]float32{"mus-1": 1, "py-101": 1}))
	if l := w.list(search("yarn")); ids(l)[0] != "yarn" {
		t.Errorf("got %v", ids(l))
	}
}
