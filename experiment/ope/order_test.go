package ope

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// settingsOf are settings with two terms on home.
func settingsOf(similarity, quality float64) rerank.Config {
	c := rerank.DefaultConfig()
	c.Weights.Home = rerank.TermWeights{Similarity: similarity, Quality: quality}
	return c
}

// listOf is a list by settingsOf(1, 1) of courses a, b, … with these values, in this
// order, whatever their scores; it explores at place 2.
func listOf(values ...[2]float64) *lectern.Ranking {
	r := &lectern.Ranking{
		ID: "r", Surface: lectern.SurfaceHome, ConfigVersion: "v1", Segment: lectern.SegmentActive,
		Weights:     []lectern.TermWeight{{Name: "similarity", Weight: 0.5}, {Name: "quality", Weight: 0.5}},
		Exploration: &lectern.Exploration{Places: []int{2}, Floor: 0.1, Segment: lectern.SegmentActive},
	}
	x := r.Exploration
	for i, v := range values {
		r.Items = append(r.Items, lectern.RankedItem{CourseID: string(rune('a' + i)), Score: (v[0] + v[1]) / 2, Terms: v[:], Propensity: 1})
		x.Slate, x.Age, x.Evidence, x.Provider = append(x.Slate, i), append(x.Age, 10), append(x.Evidence, 5), append(x.Provider, i+1)
		if i >= 2 {
			x.Pool = append(x.Pool, i)
		}
	}
	return r
}

func ordered(t *testing.T, o *orderer, r *lectern.Ranking) string {
	t.Helper()
	laid, origin := o.order(r)
	out := ""
	for i, it := range laid.Items {
		out += it.CourseID
		if r.Items[origin[i]].CourseID != it.CourseID || laid.Exploration.Slate[i] != i {
			t.Errorf("place %d: item %d is %s", i, origin[i], it.CourseID)
		}
	}
	return out
}

func orderOf(t *testing.T, draft rerank.Config, courses Catalogue) *orderer {
	t.Helper()
	o, err := newOrderer(draft, settingsOf(1, 1), "v1", courses)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestDraftOrdersByItsWeights(t *testing.T) {
	// By similarity a .9, b .5, c .3, d .1; by quality d 1, c .6, b .3, a 0 (sums 0.9,
	// 0.8, 0.9, 1.1): the order by score is d, a, c, b. The list was made in that order.
	list := listOf([2]float64{0.1, 1}, [2]float64{0.9, 0}, [2]float64{0.3, 0.6}, [2]float64{0.5, 0.3})
	for name, c := range map[string]struct {
		draft rerank.Config
		want  string
	}{
		"as in use":        {settingsOf(1, 1), "abcd"},
		"the same weights": {settingsOf(3, 3), "abcd"},
		// By similarity alone: b .9, d .5, c .3, a .1. What list making added is
		// nothing but for equal scores.
		"similarity": {settingsOf(1, 0), "bdca"},
		"quality":    {settingsOf(0, 1), "acdb"},
	} {
		if got := ordered(t, orderOf(t, c.draft, nil), list); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// What list making did to a list is taken over: its own order stays under its own
// settings, even where it is not that of the scores.
func TestListMakingIsTakenOver(t *testing.T) {
	list := listOf([2]float64{0.2, 0.2}, [2]float64{0.9, 0.9}, [2]float64{0.1, 0.1}, [2]float64{0.5, 0.5})
	if got := ordered(t, orderOf(t, settingsOf(1, 1), nil), list); got != "abcd" {
		t.Errorf("the order in use became %s", got)
	}
}

// A learner who wants more quality has its weight multiplied; a draft's is, too.
func TestPreferencesAreTakenOver(t *testing.T) {
	list := listOf([2]float64{0, 0.6}, [2]float64{1, 0})
	list.Weights[0].Weight, list.Weights[1].Weight = 0.2, 0.8 // four times as much of quality
	list.Items[0].Score, list.Items[1].Score = 0.48, 0.2
	o := orderOf(t, settingsOf(2, 1), nil) // 2·1 for similarity against 1·4 for quality
	laid, _ := o.order(list)
	if got := laid.Items[0].CourseID; got != "a" {
		t.Errorf("%s comes first", got)
	}
	if got, want := laid.Items[0].Score, 0.6*4/6; !cmp.Equal(got, want, cmpopts.EquateApprox(0, 1e-12)) {
		t.Errorf("score %v, want %v", got, want)
	}
	if o.lost[LostPreferences] {
		t.Error("preferences are said not to be replayed")
	}
}

// catalogue is a Catalogue of what is written down.
type catalogue map[string]*rerank.Facts

func (c catalogue) Facts(id string) *rerank.Facts { return c[id] }

func TestRulesOfADraft(t *testing.T) {
	courses := catalogue{}
	for _, id := range []string{"a", "b", "c", "d"} {
		courses[id] = &rerank.Facts{ID: id, Title: id, Provider: "p" + id}
	}
	list := listOf([2]float64{0.9, 0.9}, [2]float64{0.8, 0.8}, [2]float64{0.7, 0.7}, [2]float64{0.6, 0.6})
	for name, c := range map[string]struct {
		rule rerank.Rule
		want string
	}{
		"hide":  {rerank.Rule{ID: "r", Action: rerank.RuleHide, Providers: []string{"pb"}}, "acd"},
		"pin":   {rerank.Rule{ID: "r", Action: rerank.RulePin, Courses: []string{"d"}, Position: 1}, "adbc"},
		"bury":  {rerank.Rule{ID: "r", Action: rerank.RuleBury, Courses: []string{"a"}, Strength: 0.9}, "bcda"},
		"boost": {rerank.Rule{ID: "r", Action: rerank.RuleBoost, Courses: []string{"d"}, Strength: 0.9}, "dabc"},
	} {
		draft := settingsOf(1, 1)
		draft.Rules = []rerank.Rule{c.rule}
		if got := ordered(t, orderOf(t, draft, courses), list); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if o := orderOf(t, draft, nil); !o.lost[LostRules] {
			t.Errorf("%s: without a catalogue the rules are not said to be lost", name)
		}
	}
}

func TestWhatIsNotReplayed(t *testing.T) {
	draft := settingsOf(1, 1)
	draft.Lists.Diversity.Home, draft.Terms.RatingPrior = 0.3, 7
	draft.Weights.Home.Trend = 1
	draft.Rules = []rerank.Rule{{ID: "r", Action: rerank.RuleHide, Courses: []string{"a"}, Audience: rerank.Audience{Languages: []string{"de"}}}}
	o := orderOf(t, draft, catalogue{})
	o.order(listOf([2]float64{0.1, 1}, [2]float64{0.9, 0}))
	for _, want := range []string{LostCandidates, LostListMaking, LostLists, LostTerms, LostAudience, LostTerm + "trend"} {
		if !o.lost[want] {
			t.Errorf("%s is not named", want)
		}
	}
}

// The pool follows its courses, and takes up what fell from above the exploring place.
func TestPoolOfADraft(t *testing.T) {
	list := listOf([2]float64{0.1, 1}, [2]float64{0.9, 0.1}, [2]float64{0.3, 0.6}, [2]float64{0.5, 0.3})
	list.Exploration.Pool = []int{2} // c alone
	laid, _ := orderOf(t, settingsOf(1, 0), nil).order(list)
	got := ""
	for _, p := range laid.Exploration.Pool {
		got += laid.Items[p].CourseID
	}
	if got != "ca" { // b, d, c, a: a fell from the top
		t.Errorf("pool %s", got)
	}
}
