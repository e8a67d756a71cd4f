package rerank

import (
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

func TestIdleRules(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	past, soon, out := now.Add(-time.Hour), now.Add(time.Hour), false
	facts := func(id string) *Facts {
		if id == "go-1" {
			return &Facts{ID: id}
		}
		return nil
	}
	names := func() Names {
		set := func(s string) map[string]bool { return map[string]bool{lectern.FoldKey(s): true} }
		return Names{Providers: set("DeepLearning.AI"), Categories: set("Data Science"), Skills: set("Python")}
	}
	for _, c := range []struct {
		rule Rule
		want []string // "" is no warning
	}{
		{Rule{Courses: []string{"go-1"}, Providers: []string{"deeplearning.ai"}, Categories: []string{"data science"}, Skills: []string{"python"}, Until: &soon}, nil},
		{Rule{Courses: []string{"go-1", "go-2"}}, []string{`"go-2"`}},
		{Rule{Courses: []string{"go-2"}, Off: true}, nil},
		{Rule{Courses: []string{"go-1"}, Until: &past}, []string{"ended at 2026-03-01T11:00:00Z"}},
		{Rule{Providers: []string{"DepLearning.AI"}}, []string{`did you mean "deeplearning.ai"?`}},
		{Rule{Categories: []string{"Cookery"}, Skills: []string{"Pyton"}}, []string{`category that no course has: "Cookery"`, `did you mean "python"?`}},
		{Rule{Courses: []string{"go-1"}, Audience: Audience{SignedIn: &out, Organisations: []string{"acme"}}}, []string{"for nobody"}},
		{Rule{Courses: []string{"go-1"}, Audience: Audience{SignedIn: &out}}, nil},
	} {
		c.rule.ID, c.rule.Action = "r", RuleHide
		got := IdleRules([]Rule{c.rule}, now, facts, names)
		if len(got) != len(c.want) {
			t.Errorf("%+v: %+v", c.rule, got)
			continue
		}
		for i, w := range c.want {
			if got[i].Rule != "r" || !strings.Contains(got[i].Message, w) {
				t.Errorf("%+v: %q lacks %q", c.rule, got[i].Message, w)
			}
		}
	}
	if got := IdleRules([]Rule{{ID: "r", Action: RuleHide, Courses: []string{"go-2"}}}, now, nil, nil); got != nil {
		t.Errorf("without a catalogue: %+v", got)
	}
}
