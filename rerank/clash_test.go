package rerank_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

func TestClashes(t *testing.T) {
	at := func(month time.Month) *time.Time {
		x := time.Date(2027, month, 1, 0, 0, 0, 0, time.UTC)
		return &x
	}
	yes, no, nine := true, false, 9
	catalogue := map[string]*rerank.Facts{
		"a": {ID: "a", Provider: "acme", Categories: []string{"data"}, Skills: []string{"sql", "go"}},
		"b": {ID: "b", Provider: "acme", Categories: []string{"music"}},
	}
	facts := func(id string) *rerank.Facts { return catalogue[id] }
	rule := func(id string, action rerank.RuleAction, change func(*rerank.Rule)) rerank.Rule {
		r := rerank.Rule{ID: id, Action: action, Courses: []string{"a"}}
		if change != nil {
			change(&r)
		}
		return r
	}
	by := func(r rerank.Rule) func(*rerank.Rule) {
		return func(to *rerank.Rule) {
			to.Courses, to.Skills, to.Categories, to.Providers = r.Courses, r.Skills, r.Categories, r.Providers
		}
	}
	acme := by(rerank.Rule{Providers: []string{"Acme"}})
	const wins = ` on every surface: "h" wins, as hiding goes before all else`
	for _, tt := range []struct {
		name string
		a, b rerank.Rule
		wins string
		want string // "" is no clash
	}{
		{"hide and pin", rule("h", rerank.RuleHide, nil), rule("p", rerank.RulePin, nil), "h",
			`rule "h" hides course "a", which rule "p" pins,` + wins},
		{"boost and hide", rule("p", rerank.RuleBoost, nil), rule("h", rerank.RuleHide, nil), "h",
			`rule "h" hides course "a", which rule "p" boosts,` + wins},
		{"hide and bury agree", rule("h", rerank.RuleHide, nil), rule("p", rerank.RuleBury, nil), "", ""},
		{"pin and bury agree", rule("h", rerank.RulePin, nil), rule("p", rerank.RuleBury, nil), "", ""},
		{"switched off", rule("h", rerank.RuleHide, nil), rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Off = true }), "", ""},
		// (.5 + .5·.5)·(1 − .5) = .375; (.5 + .8·.5)·.5 = .45; (.5 + 1·.5)·.5 = .5; (.5 + .5·.5)·.8 = .6
		{"boost and bury", rule("p", rerank.RuleBoost, nil), rule("h", rerank.RuleBury, nil), "h",
			`rule "p" boosts course "a", which rule "h" buries, on every surface: both count, and a score of 0.50 becomes 0.38, so "h" outweighs the other`},
		{"boost against a weak bury", rule("h", rerank.RuleBury, func(r *rerank.Rule) { r.Strength = 0.2 }), rule("p", rerank.RuleBoost, nil), "p",
			`rule "p" boosts course "a", which rule "h" buries, on every surface: both count, and a score of 0.50 becomes 0.60, so "p" outweighs the other`},
		{"as strong", rule("p", rerank.RuleBoost, func(r *rerank.Rule) { r.Strength = 1 }), rule("h", rerank.RuleBury, nil), "",
			`rule "p" boosts course "a", which rule "h" buries, on every surface: both count, and a score of 0.50 becomes 0.50, so neither outweighs the other`},
		{"other courses", rule("h", rerank.RuleHide, nil), rule("p", rerank.RulePin, by(rerank.Rule{Courses: []string{"b"}})), "", ""},
		{"several courses", rule("h", rerank.RuleHide, by(rerank.Rule{Courses: []string{"a", "b", "c", "d", "e"}})),
			rule("p", rerank.RuleBoost, by(rerank.Rule{Courses: []string{"x", "e", "d", "c", "a"}})), "h",
			`rule "h" hides courses "a", "c", "d" and 1 more, which rule "p" boosts,` + wins},
		{"a course of a provider", rule("h", rerank.RuleHide, acme), rule("p", rerank.RulePin, nil), "h",
			`rule "h" hides course "a", which rule "p" pins,` + wins},
		{"a course with a skill", rule("h", rerank.RuleHide, by(rerank.Rule{Skills: []string{"SQL"}})), rule("p", rerank.RulePin, by(rerank.Rule{Courses: []string{"b", "a"}})), "h",
			`rule "h" hides course "a", which rule "p" pins,` + wins},
		{"a course of another category", rule("h", rerank.RuleHide, by(rerank.Rule{Categories: []string{"music"}})), rule("p", rerank.RulePin, nil), "", ""},
		{"a course that nobody knows", rule("h", rerank.RuleHide, acme), rule("p", rerank.RulePin, by(rerank.Rule{Courses: []string{"z"}})), "", ""},
		{"one provider", rule("h", rerank.RuleHide, acme), rule("p", rerank.RuleBoost, by(rerank.Rule{Providers: []string{"Umbrella", " ACME "}})), "h",
			`rule "h" hides courses of provider "acme", which rule "p" boosts,` + wins},
		{"a part of a provider", rule("h", rerank.RuleHide, acme), rule("p", rerank.RuleBoost, by(rerank.Rule{Providers: []string{"Acme"}, Skills: []string{"Go"}})), "h",
			`rule "h" hides courses of provider "acme" and skill "go", which rule "p" boosts,` + wins},
		{"other providers", rule("h", rerank.RuleHide, acme), rule("p", rerank.RuleBoost, by(rerank.Rule{Providers: []string{"Umbrella"}})), "", ""},
		{"not to be known", rule("h", rerank.RuleHide, acme), rule("p", rerank.RuleBoost, by(rerank.Rule{Skills: []string{"Go"}})), "", ""},
		{"other surfaces", rule("h", rerank.RuleHide, func(r *rerank.Rule) { r.Surfaces = []lectern.Surface{"home"} }),
			rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Surfaces = []lectern.Surface{"search"} }), "", ""},
		{"some surfaces", rule("h", rerank.RuleHide, func(r *rerank.Rule) { r.Surfaces = []lectern.Surface{"home", "search", "next"} }),
			rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Surfaces = []lectern.Surface{"search", "home"} }), "h",
			`rule "h" hides course "a", which rule "p" pins, on home, search: "h" wins, as hiding goes before all else`},
		{"some rows", rule("h", rerank.RuleHide, func(r *rerank.Rule) { r.Surfaces = []lectern.Surface{"home", "search"} }),
			rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Rows = []lectern.Row{"new", "next"} }), "h",
			`rule "h" hides course "a", which rule "p" pins, in rows of home: next, new: "h" wins, as hiding goes before all else`},
		{"other people", rule("h", rerank.RuleHide, func(r *rerank.Rule) { r.Audience.SignedIn = &yes }),
			rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Audience.SignedIn = &no }), "", ""},
		{"other counts", rule("h", rerank.RuleHide, func(r *rerank.Rule) { r.Audience.MinCourses = 10 }),
			rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Audience.MaxCourses = &nine }), "", ""},
		{"other languages", rule("h", rerank.RuleHide, func(r *rerank.Rule) { r.Audience.Languages = []string{"en"} }),
			rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Audience.Languages = []string{"fr"} }), "", ""},
		{"other regions", rule("h", rerank.RuleHide, func(r *rerank.Rule) { r.Audience.Regions = []string{"DE"} }),
			rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Audience.Regions = []string{"FR"} }), "", ""},
		{"some people", rule("h", rerank.RuleHide, func(r *rerank.Rule) {
			r.Audience = rerank.Audience{SignedIn: &yes, MinCourses: 2, Languages: []string{"en"}, Levels: []lectern.Level{"beginner"}}
		}), rule("p", rerank.RulePin, func(r *rerank.Rule) {
			r.Audience = rerank.Audience{MaxCourses: &nine, Languages: []string{"fr", "en-GB"}, Regions: []string{"DE", "FR"}, Organisations: []string{"Acme"}}
		}), "h", `rule "h" hides course "a", which rule "p" pins, on every surface, for learners, with 2 to 9 courses, who read en-gb, in region de, fr, of organisation acme, of level beginner: "h" wins, as hiding goes before all else`},
		{"other times", rule("h", rerank.RuleHide, func(r *rerank.Rule) { r.Until = at(3) }), rule("p", rerank.RulePin, func(r *rerank.Rule) { r.From = at(3) }), "", ""},
		{"some time", rule("h", rerank.RuleHide, func(r *rerank.Rule) { r.From, r.Until = at(1), at(4) }), rule("p", rerank.RulePin, func(r *rerank.Rule) { r.From = at(3) }), "h",
			`rule "h" hides course "a", which rule "p" pins, on every surface, from 2027-03-01T00:00:00Z, until 2027-04-01T00:00:00Z: "h" wins, as hiding goes before all else`},
		{"one place", rule("h", rerank.RulePin, func(r *rerank.Rule) { r.Position = 2 }),
			rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Courses, r.Position = []string{"x", "y", "z"}, 1 }), "h",
			`rules "h" and "p" both pin to position 2, on every surface: "h" wins, as it comes first, and what "p" pins goes to the next free position`},
		{"places that follow", rule("h", rerank.RulePin, func(r *rerank.Rule) { r.Courses, r.Skills, r.Count = nil, []string{"go"}, 3 }),
			rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Courses, r.Position = []string{"x"}, 3 }), "", ""},
		{"one course at two places", rule("h", rerank.RulePin, nil), rule("p", rerank.RulePin, func(r *rerank.Rule) { r.Position = 7 }), "h",
			`rules "h" and "p" both pin course "a", on every surface: "h" wins, as it comes first`},
		{"about nothing", rule("h", rerank.RuleHide, by(rerank.Rule{})), rule("p", rerank.RulePin, by(rerank.Rule{})), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := rerank.Clashes([]rerank.Rule{tt.a, tt.b}, facts)
			var messages []string
			for _, c := range got {
				messages = append(messages, c.Message)
				if c.Wins != tt.wins || c.Rules != [2]string{tt.a.ID, tt.b.ID} {
					t.Errorf("%v, won by %q", c.Rules, c.Wins)
				}
			}
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if diff := cmp.Diff(want, messages); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := rerank.Clashes([]rerank.Rule{rule("h", rerank.RuleHide, acme), rule("p", rerank.RulePin, nil)}, nil); len(got) != 0 {
		t.Errorf("without a catalogue: %v", got)
	}
	var many []rerank.Rule
	for i := range 40 {
		many = append(many, rule(fmt.Sprint("r", i), []rerank.RuleAction{rerank.RuleHide, rerank.RuleBoost}[i%2], nil))
	}
	if got := rerank.Clashes(many, facts); len(got) != 100 {
		t.Errorf("%d clashes are told, want the first 100", len(got))
	}
}
