package rerank_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// ruled is plain with rules, called r0, r1 and so on where they have no id.
func ruled(t testing.TB, rules ...rerank.Rule) *rerank.Linear {
	t.Helper()
	for i := range rules {
		if rules[i].ID == "" {
			rules[i].ID = fmt.Sprint("r", i)
		}
	}
	return plain(t, func(c *rerank.Config) { c.Rules = rules })
}

func TestRulesAdjustScores(t *testing.T) {
	boost := func(strength float64) rerank.Rule {
		return rerank.Rule{Action: rerank.RuleBoost, Strength: strength, Courses: []string{"a"}}
	}
	bury := func(strength float64) rerank.Rule {
		return rerank.Rule{Action: rerank.RuleBury, Strength: strength, Courses: []string{"a"}}
	}
	term := func(rule string, weight, value float64) lectern.Term {
		return lectern.Term{Name: "rule:" + rule, Weight: weight, Value: value, Contribution: weight * value}
	}
	for _, tt := range []struct {
		name  string
		rules []rerank.Rule
		want  float64 // of a score of .6
		terms []lectern.Term
	}{
		{"none", nil, 0.6, nil},
		{"a boost", []rerank.Rule{boost(0.5)}, 0.8, []lectern.Term{term("r0", 0.5, 0.4)}},                                        // .6 + .5·.4
		{"a bury", []rerank.Rule{bury(0.25)}, 0.45, []lectern.Term{term("r0", -0.25, 0.6)}},                                      // .6·.75
		{"two boosts", []rerank.Rule{boost(0.5), boost(0.2)}, 0.84, []lectern.Term{term("r0", 0.5, 0.4), term("r1", 0.2, 0.2)}},  // B = 1 − .5·.8 = .6; .6 + .6·.4
		{"two buries", []rerank.Rule{bury(0.5), bury(0.5)}, 0.15, []lectern.Term{term("r0", -0.5, 0.6), term("r1", -0.5, 0.3)}},  // D = .75; .6·.25
		{"boosts first", []rerank.Rule{bury(0.5), boost(0.5)}, 0.4, []lectern.Term{term("r1", 0.5, 0.4), term("r0", -0.5, 0.8)}}, // .8·.5
		{"as much as can be", []rerank.Rule{boost(1)}, 1, []lectern.Term{term("r0", 1, 0.4)}},
		{"to the ground", []rerank.Rule{bury(1)}, 0, []lectern.Term{term("r0", -1, 0.6)}},
		{"without a strength", []rerank.Rule{boost(0)}, 0.8, []lectern.Term{term("r0", 0.5, 0.4)}},
		{"switched off", []rerank.Rule{{Action: rerank.RuleBoost, Courses: []string{"a"}, Off: true}}, 0.6, nil},
		{"once, whatever matches", []rerank.Rule{{Action: rerank.RuleBoost, Skills: []string{"X", "Y"}}}, 0.8, []lectern.Term{term("r0", 0.5, 0.4)}},
		{"of another course", []rerank.Rule{{Action: rerank.RuleBoost, Courses: []string{"b"}}}, 0.6, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ranked := ruled(t, tt.rules...).Rerank(rerank.Request{Surface: lectern.SurfaceSearch, At: now}, []rerank.Candidate{
				scoring("a", 0.6, func(c *rerank.Candidate) { c.Course.Skills = []string{"x", "y"} }),
			})
			item := ranked.Items[0]
			if math.Abs(item.Score-tt.want) > 1e-12 {
				t.Errorf("score %v, want %v", item.Score, tt.want)
			}
			near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
			if diff := cmp.Diff(tt.terms, item.Adjusted, near); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			sum := 0.0
			for _, term := range rerank.Explain(ranked.Terms, item.Values, item.Adjusted) {
				sum += term.Contribution
			}
			if math.Abs(sum-item.Score) > 1e-6 {
				t.Errorf("terms sum to %v, the score is %v", sum, item.Score)
			}
		})
	}
}

func TestRulesSelect(t *testing.T) {
	facts := rerank.Facts{
		ID: "Py-1", Provider: "acme school", Categories: []string{"data", "computing"}, Skills: []string{"sql", "machine learning"},
	}
	for _, tt := range []struct {
		name string
		rule rerank.Rule
		hide bool
	}{
		{"the course", rerank.Rule{Courses: []string{"x", "Py-1"}}, true},
		{"ids are not folded", rerank.Rule{Courses: []string{"py-1"}}, false},
		{"the provider", rerank.Rule{Providers: []string{" Acme  School "}}, true},
		{"another provider", rerank.Rule{Providers: []string{"Acme"}}, false},
		{"any category", rerank.Rule{Categories: []string{"Music", "Computing"}}, true},
		{"a skill", rerank.Rule{Skills: []string{"Machine  Learning"}}, true},
		{"two skills of it", rerank.Rule{Skills: []string{"Machine Learning", "SQL"}}, true},
		{"every selector", rerank.Rule{Providers: []string{"ACME School"}, Skills: []string{"SQL"}, Categories: []string{"data"}, Courses: []string{"Py-1"}}, true},
		{"all but one", rerank.Rule{Providers: []string{"ACME School"}, Skills: []string{"Knitting"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Action = rerank.RuleHide
			l, req := ruled(t, tt.rule), rerank.Request{Surface: lectern.SurfaceNext, At: now}
			of := facts
			items := l.Rerank(req, []rerank.Candidate{{Course: &of}}).Items
			if hidden := len(items) == 0; hidden != tt.hide {
				t.Errorf("hidden %v, want %v", hidden, tt.hide)
			}
			if by := l.HiddenBy(req, &of); (by == "r0") != tt.hide {
				t.Errorf("hidden by %q", by)
			}
		})
	}
}

func TestRulesHold(t *testing.T) {
	yes, no, five := true, false, 5
	at := func(s string) *time.Time {
		x, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return &x
	}
	home, search, because := rerank.Request{Surface: lectern.SurfaceHome}, rerank.Request{Surface: lectern.SurfaceSearch},
		rerank.Request{Surface: lectern.SurfaceSimilar, Row: lectern.RowBecause} // a row of home with the weights of similar
	who := func(change func(*rerank.Who)) rerank.Request {
		w := rerank.Who{SignedIn: true, Courses: 5, Languages: []string{"en-gb", "en", "fr"}, Region: "DE", Organisations: []string{"Acme", "Umbrella"}, Level: "beginner"}
		if change != nil {
			change(&w)
		}
		return rerank.Request{Surface: lectern.SurfaceHome, Who: w}
	}
	for _, tt := range []struct {
		name string
		rule rerank.Rule
		req  rerank.Request
		want bool
	}{
		{"everywhere", rerank.Rule{}, search, true},
		{"everywhere, rows too", rerank.Rule{}, because, true},
		{"this surface", rerank.Rule{Surfaces: []lectern.Surface{"next", "search"}}, search, true},
		{"another surface", rerank.Rule{Surfaces: []lectern.Surface{"similar"}}, search, false},
		{"a row is part of home", rerank.Rule{Surfaces: []lectern.Surface{"home"}}, because, true},
		{"a row is nothing else", rerank.Rule{Surfaces: []lectern.Surface{"similar"}}, because, false},
		{"this row", rerank.Rule{Rows: []lectern.Row{"new", "because"}}, because, true},
		{"another row", rerank.Rule{Rows: []lectern.Row{"new"}}, because, false},
		{"rows are not the list", rerank.Rule{Rows: []lectern.Row{"new"}}, home, false},
		{"rows are of home", rerank.Rule{Rows: []lectern.Row{"new"}}, search, false},
		{"rows and another surface", rerank.Rule{Rows: []lectern.Row{"new"}, Surfaces: []lectern.Surface{"home", "search"}}, search, true},
		{"from now", rerank.Rule{From: at("2026-11-22 12:00")}, home, true},
		{"until now", rerank.Rule{Until: at("2026-11-22 12:00")}, home, false},
		{"not yet", rerank.Rule{From: at("2026-11-22 12:01")}, home, false},
		{"still", rerank.Rule{Until: at("2026-11-22 12:01")}, home, true},
		{"learners", rerank.Rule{Audience: rerank.Audience{SignedIn: &yes}}, who(nil), true},
		{"visitors", rerank.Rule{Audience: rerank.Audience{SignedIn: &no}}, who(nil), false},
		{"enough courses", rerank.Rule{Audience: rerank.Audience{MinCourses: 5, MaxCourses: &five}}, who(nil), true},
		{"too few courses", rerank.Rule{Audience: rerank.Audience{MinCourses: 6}}, who(nil), false},
		{"too many courses", rerank.Rule{Audience: rerank.Audience{MaxCourses: &five}}, who(func(w *rerank.Who) { w.Courses = 6 }), false},
		{"a broader language", rerank.Rule{Audience: rerank.Audience{Languages: []string{"EN"}}}, who(nil), true},
		{"that language", rerank.Rule{Audience: rerank.Audience{Languages: []string{"en_GB"}}}, who(nil), true},
		{"a narrower language", rerank.Rule{Audience: rerank.Audience{Languages: []string{"fr-CA"}}}, who(nil), false},
		{"any language", rerank.Rule{Audience: rerank.Audience{Languages: []string{"es", "fr"}}}, who(nil), true},
		{"region", rerank.Rule{Audience: rerank.Audience{Regions: []string{"fr", "de"}}}, who(nil), true},
		{"another region", rerank.Rule{Audience: rerank.Audience{Regions: []string{"fr"}}}, who(nil), false},
		{"an unknown region", rerank.Rule{Audience: rerank.Audience{Regions: []string{"fr"}}}, home, false},
		{"organisation", rerank.Rule{Audience: rerank.Audience{Organisations: []string{"umbrella"}}}, who(nil), true},
		{"another organisation", rerank.Rule{Audience: rerank.Audience{Organisations: []string{"umbra"}}}, who(nil), false},
		{"level", rerank.Rule{Audience: rerank.Audience{Levels: []lectern.Level{"beginner"}}}, who(nil), true},
		{"an unknown level", rerank.Rule{Audience: rerank.Audience{Levels: []lectern.Level{"beginner"}}}, home, false},
		{"all but one", rerank.Rule{Audience: rerank.Audience{SignedIn: &yes, Regions: []string{"fr"}}}, who(nil), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Action, tt.rule.Courses, tt.req.At = rerank.RuleHide, []string{"a"}, now
			if got := len(ruled(t, tt.rule).Rerank(tt.req, []rerank.Candidate{scoring("a", 0.5, nil)}).Items) == 0; got != tt.want {
				t.Errorf("holds: %v, want %v", got, tt.want)
			}
			if a := tt.rule.Audience; len(tt.rule.Surfaces)+len(tt.rule.Rows) == 0 && tt.rule.From == nil && tt.rule.Until == nil && a.Includes(tt.req.Who) != tt.want {
				t.Errorf("the audience includes them: %v, want %v", !tt.want, tt.want)
			}
		})
	}
}

func TestPins(t *testing.T) {
	pin := func(position int, courses ...string) rerank.Rule {
		return rerank.Rule{Action: rerank.RulePin, Position: position, Courses: courses}
	}
	in := []rerank.Candidate{
		scoring("a", 0.9, nil), scoring("b", 0.8, nil), scoring("c", 0.7, nil), scoring("d", 0.6, nil), scoring("e", 0.5, nil),
	}
	for i := range in {
		in[i].Course.Provider = []string{"p", "q"}[i%2]
	}
	for _, tt := range []struct {
		name  string
		rules []rerank.Rule
		depth int
		want  string // pinned ones with their rule
		pins  string
	}{
		{"first", []rerank.Rule{pin(0, "d")}, 0, "d:r0 a b c e", "d"},
		{"lower than by score", []rerank.Rule{pin(3, "a")}, 0, "b c d a:r0 e", "a"},
		{"in the order of the rule", []rerank.Rule{pin(1, "e", "a")}, 0, "b e:r0 a:r0 c d", "e a"},
		{"no gap for what is not there", []rerank.Rule{pin(1, "e", "gone", "d")}, 0, "a e:r0 d:r0 b c", "e gone d"},
		{"not there", []rerank.Rule{pin(0, "gone")}, 0, "a b c d e", "gone"},
		{"two at one place", []rerank.Rule{pin(1, "e"), pin(1, "d")}, 0, "a e:r0 d:r1 b c", "e d"},
		{"one at two places", []rerank.Rule{pin(1, "e"), pin(0, "e")}, 0, "a e:r0 b c d", "e"},
		{"behind the last", []rerank.Rule{pin(9, "a")}, 0, "b c d e a:r0", "a"},
		{"below a short list", []rerank.Rule{pin(3, "a")}, 3, "a b c", "a"},
		{"at its end", []rerank.Rule{pin(2, "a")}, 3, "b c a:r0", "a"},
		{"the best of a provider", []rerank.Rule{{Action: rerank.RulePin, Position: 0, Providers: []string{"Q"}}}, 0, "b:r0 a c d e", ""},
		{"the best two", []rerank.Rule{{Action: rerank.RulePin, Position: 0, Providers: []string{"Q"}, Count: 2}}, 0, "b:r0 d:r0 a c e", ""},
		{"of what is left", []rerank.Rule{pin(4, "b"), {Action: rerank.RulePin, Position: 0, Providers: []string{"Q"}}}, 0, "d:r1 a c e b:r0", "b"},
		{"named, of the provider", []rerank.Rule{{Action: rerank.RulePin, Position: 0, Courses: []string{"c", "d"}, Providers: []string{"Q"}}}, 0, "d:r0 a b c e", "c d"},
		{"hidden", []rerank.Rule{pin(0, "d"), {Action: rerank.RuleHide, Courses: []string{"d"}}}, 0, "a b c e", "d"},
		{"whatever buries it", []rerank.Rule{pin(0, "d"), {Action: rerank.RuleBury, Courses: []string{"d"}, Strength: 1}}, 0, "d:r0 a b c e", "d"},
		{"elsewhere", []rerank.Rule{{Action: rerank.RulePin, Courses: []string{"d"}, Surfaces: []lectern.Surface{"next"}}}, 0, "a b c d e", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, req := ruled(t, tt.rules...), rerank.Request{Surface: lectern.SurfaceHome, At: now, Depth: tt.depth}
			var got []string
			for _, item := range l.Rerank(req, in).Items {
				word := in[item.Index].Course.ID
				if item.Pinned != "" {
					word += ":" + item.Pinned
					if len(item.Reasons) == 0 || item.Reasons[0].Code != rerank.ReasonFeatured {
						t.Errorf("%s: reasons %v", word, item.Reasons)
					}
				}
				got = append(got, word)
			}
			if list := strings.Join(got, " "); list != tt.want {
				t.Errorf("got %s, want %s", list, tt.want)
			}
			if pins := strings.Join(l.Pins(req), " "); pins != tt.pins {
				t.Errorf("asks for %q, want %q", pins, tt.pins)
			}
		})
	}
}

func TestRulesAreChecked(t *testing.T) {
	at := func(hour int) *time.Time {
		x := time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC)
		return &x
	}
	one := 1
	hide := func(change func(*rerank.Rule)) rerank.Rule {
		r := rerank.Rule{ID: "r", Action: rerank.RuleHide, Courses: []string{"a"}}
		change(&r)
		return r
	}
	for _, tt := range []struct {
		field string
		rule  rerank.Rule
	}{
		{"id", hide(func(r *rerank.Rule) { r.ID = "" })},
		{"id", hide(func(r *rerank.Rule) { r.ID = "no spaces" })},
		{"id", hide(func(r *rerank.Rule) { r.ID = strings.Repeat("r", 65) })},
		{"action", hide(func(r *rerank.Rule) { r.Action = "promote" })},
		{"courses", hide(func(r *rerank.Rule) { r.Courses = nil })},
		{"courses[1]", hide(func(r *rerank.Rule) { r.Courses = []string{"a", " "} })},
		{"skills[0]", hide(func(r *rerank.Rule) { r.Skills = []string{strings.Repeat("s", 501)} })},
		{"providers[0]", hide(func(r *rerank.Rule) { r.Providers = []string{"\xff"} })},
		{"categories", hide(func(r *rerank.Rule) { r.Categories = slices.Repeat([]string{"c"}, 1001) })},
		{"surfaces[1]", hide(func(r *rerank.Rule) { r.Surfaces = []lectern.Surface{"home", "hme"} })},
		{"rows[0]", hide(func(r *rerank.Rule) { r.Rows = []lectern.Row{"newest"} })},
		{"rows", hide(func(r *rerank.Rule) { r.Rows, r.Surfaces = []lectern.Row{"new"}, []lectern.Surface{"search"} })},
		{"until", hide(func(r *rerank.Rule) { r.From, r.Until = at(12), at(12) })},
		{"note", hide(func(r *rerank.Rule) { r.Note = strings.Repeat("n", 2001) })},
		{"position", hide(func(r *rerank.Rule) { r.Position = 1 })},
		{"position", hide(func(r *rerank.Rule) { r.Action, r.Position = rerank.RulePin, -1 })},
		{"position", hide(func(r *rerank.Rule) { r.Action, r.Position = rerank.RulePin, 201 })},
		{"count", hide(func(r *rerank.Rule) { r.Action, r.Count = rerank.RulePin, 1 })},
		{"count", hide(func(r *rerank.Rule) { r.Action, r.Courses, r.Skills, r.Count = rerank.RulePin, nil, []string{"s"}, 201 })},
		{"strength", hide(func(r *rerank.Rule) { r.Strength = 0.5 })},
		{"strength", hide(func(r *rerank.Rule) { r.Action, r.Strength = rerank.RuleBoost, 1.01 })},
		{"strength", hide(func(r *rerank.Rule) { r.Action, r.Strength = rerank.RuleBury, -0.5 })},
		{"strength", hide(func(r *rerank.Rule) { r.Action, r.Strength = rerank.RuleBury, math.NaN() })},
		{"audience.min_courses", hide(func(r *rerank.Rule) { r.Audience.MinCourses = -1 })},
		{"audience.max_courses", hide(func(r *rerank.Rule) { r.Audience = rerank.Audience{MinCourses: 2, MaxCourses: &one} })},
		{"audience.languages[0]", hide(func(r *rerank.Rule) { r.Audience.Languages = []string{""} })},
		{"audience.regions[0]", hide(func(r *rerank.Rule) { r.Audience.Regions = []string{"\t"} })},
		{"audience.organisations[0]", hide(func(r *rerank.Rule) { r.Audience.Organisations = []string{""} })},
		{"audience.levels[1]", hide(func(r *rerank.Rule) { r.Audience.Levels = []lectern.Level{"mixed", "expert"} })},
	} {
		t.Run(tt.field, func(t *testing.T) {
			cfg := rerank.DefaultConfig()
			cfg.Rules = []rerank.Rule{{ID: "fine", Action: rerank.RuleBoost, Skills: []string{"s"}}, tt.rule}
			_, err := rerank.New(cfg, "v1")
			e, ok := errors.AsType[*lectern.Error](err)
			if !ok || len(e.Fields) != 1 || e.Fields[0].Field != "rerank.rules[1]."+tt.field || e.Fields[0].Allowed == "" {
				t.Errorf("got %v, want an error about %s alone", err, tt.field)
			}
		})
	}
	cfg := rerank.DefaultConfig()
	cfg.Rules = []rerank.Rule{{ID: "twice", Action: rerank.RuleHide, Courses: []string{"a"}}, {ID: "twice", Action: "no", Position: 3}}
	var fields []string
	e, _ := errors.AsType[*lectern.Error](cfg.Validate())
	for _, f := range e.Fields {
		fields = append(fields, f.Field)
	}
	want := []string{"rerank.rules[1].action", "rerank.rules[1].courses", "rerank.rules[1].id"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("every mistake is to be named (-want +got):\n%s", diff)
	}
	cfg.Rules = make([]rerank.Rule, rerank.MaxRules+1)
	if e, _ := errors.AsType[*lectern.Error](cfg.Validate()); e.Fields[0].Field != "rerank.rules" {
		t.Errorf("too many rules: %v", e.Fields[0])
	}
}
