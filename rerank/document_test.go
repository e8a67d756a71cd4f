package rerank_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

func document(t *testing.T, cfg rerank.Config) string {
	t.Helper()
	body, err := rerank.Document(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func parsed(t *testing.T, body string) rerank.Config {
	t.Helper()
	cfg, err := rerank.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// What is absent takes its default, but the weights of a surface are taken as they
// are given.
func TestParseFillsIn(t *testing.T) {
	want := rerank.DefaultConfig()
	if d := cmp.Diff(want, parsed(t, "{}"), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("the empty document (-want +got):\n%s", d)
	}
	if d := cmp.Diff(want, parsed(t, document(t, want)), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("the default, written and read (-want +got):\n%s", d)
	}
	from := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
	no := false
	want.Weights.Home = rerank.TermWeights{Quality: 1}
	want.Weights.Rows = map[lectern.Row]rerank.TermWeights{lectern.RowNew: {Freshness: 0.5}}
	want.Terms.RatingPrior = 3
	want.Lists.Diversity.Search = 0.25
	want.Reasons.Max = 2
	want.Rules = []rerank.Rule{{
		ID: "r", Action: rerank.RuleBoost, Courses: []string{"a"}, Strength: 0.5, From: &from,
		Audience: rerank.Audience{SignedIn: &no},
	}}
	got := parsed(t, "\ufeff"+` {"weights":{"home":{"quality":1},"rows":{"new":{"freshness":5e-1}}},"terms":{"rating_prior":3.0},
		"lists":{"diversity":{"search":0.25}},"reasons":{"max":2.0},
		"rules":[{"id":"r","action":"boost","courses":["a"],"strength":0.5,"from":"2026-03-01T12:00:00+01:00","until":null,"audience":{"signed_in":false}}]} `)
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(got, parsed(t, document(t, got)), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("written and read (-want +got):\n%s", d)
	}
}

// Every mistake is named at once, whichever check finds it.
func TestParseNamesEveryFault(t *testing.T) {
	const body = `{
		"weigths": {}, "disabled": "quality",
		"weights": {"home": {"quality": "high", "qality": 1, "interest_match": -1}, "search": {}, "rows": {"newest": {}, "new": 3}},
		"terms": {"rating_prior": -2, "comfortable_weeks": 1e999, "rating_half_life_days": 100},
		"lists": {"max_per_provider": 1.5, "diverse_places": null, "max_provider_run": 1, "max_provider_run": 2},
		"rules": [{"id": "a", "action": "boost", "courses": ["x"], "strength": "much"}, 7, {"acton": "hide", "until": "tomorrow"}],
		"reasons": {"max": 99, "new_days": true}
	}`
	want := map[string]string{
		"weigths":                     `is not a known field; did you mean "weights"?`,
		"disabled":                    "has the wrong type",
		"weights.home.quality":        "has the wrong type",
		"weights.home.qality":         `is not a known field; did you mean "quality"?`,
		"weights.home.interest_match": "",
		"weights.search":              "",
		"weights.rows.newest":         `is not a known field; did you mean "new"?`,
		"weights.rows.new":            "has the wrong type",
		"terms.rating_prior":          "",
		"terms.comfortable_weeks":     "is too large a number",
		"terms.rating_half_life_days": "",
		"lists.max_per_provider":      "has the wrong type",
		"lists.diverse_places":        "has the wrong type",
		"lists.max_provider_run":      "is given more than once",
		"rules[0].strength":           "has the wrong type",
		"rules[1]":                    "has the wrong type",
		"rules[2].courses":            "",
		"rules[2].acton":              `is not a known field; did you mean "action"?`,
		"rules[2].until":              "is not a time",
		"rules[2].id":                 "is required",
		"rules[2].action":             "is required",
		"reasons.max":                 "",
		"reasons.new_days":            "has the wrong type",
	}
	_, err := rerank.Parse([]byte(body))
	e, ok := errors.AsType[*lectern.Error](err)
	if !ok || e.Code != lectern.CodeInvalid {
		t.Fatal(err)
	}
	for _, f := range e.Fields {
		reason, ok := want[f.Field]
		if !ok {
			t.Errorf("%s %s: not expected, or twice", f.Field, f.Reason)
		}
		delete(want, f.Field)
		if reason != "" && f.Reason != reason {
			t.Errorf("%s %s, want %q", f.Field, f.Reason, reason)
		}
		if f.Allowed == "" && f.Reason != "is required" {
			t.Errorf("%s %s: nothing is said of what is allowed", f.Field, f.Reason)
		}
	}
	for field := range want {
		t.Errorf("%s is not named", field)
	}
	if !strings.Contains(e.Message, "and 22 more") {
		t.Errorf("message %q", e.Message)
	}
}

func TestParseRefuses(t *testing.T) {
	for body, want := range map[string]string{
		"":                         "is empty",
		"{":                        "not complete",
		`{"weights":}`:             "at byte 11",
		`{} {}`:                    "goes on after",
		`{}x`:                      "goes on after",
		"[]":                       "document has the wrong type",
		"null":                     "document has the wrong type",
		`{"terms":{"x":"` + "\xff": "UTF-8",
		strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100): "nested",
		`{"reasons":{"max":1e400}}`:                                   "reasons.max is too large",
	} {
		if _, err := rerank.Parse([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", body, err, want)
		}
	}
	_, err := rerank.Parse([]byte(`{"term":{}}`))
	if lectern.ErrorCode(err) != lectern.CodeUnknownField {
		t.Errorf("an unknown field: %v", err)
	}
}

func TestMerge(t *testing.T) {
	base := rerank.DefaultConfig()
	base.Terms.RatingPrior = 99
	base.Disabled = []string{"trend"}
	tests := []struct {
		name, patch string
		change      func(*rerank.Config)
	}{
		{"nothing", `{}`, func(*rerank.Config) {}},
		{"a weight", `{"weights":{"home":{"quality":0.5}}}`, func(c *rerank.Config) { c.Weights.Home.Quality = 0.5 }},
		{"a weight gone", `{"weights":{"home":{"quality":null}}}`, func(c *rerank.Config) { c.Weights.Home.Quality = 0 }},
		{"a surface gone", `{"weights":{"home":null},"disabled":null}`, func(c *rerank.Config) { c.Disabled = nil }},
		{"a setting gone", `{"terms":{"rating_prior":null}}`, func(c *rerank.Config) { c.Terms.RatingPrior = 20 }},
		{"a row", `{"weights":{"rows":{"new":{"quality":1}}}}`, func(c *rerank.Config) {
			c.Weights.Rows = map[lectern.Row]rerank.TermWeights{lectern.RowNew: {Quality: 1}}
		}},
		{"a list", `{"disabled":["novelty"]}`, func(c *rerank.Config) { c.Disabled = []string{"novelty"} }},
		{"what was never there", `{"weights":{"rows":{"new":null}}}`, func(*rerank.Config) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := parsed(t, document(t, base))
			tt.change(&want)
			got, err := rerank.Merge(base, []byte(tt.patch))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	for patch, want := range map[string]string{
		`{"weigths":null}`:                               "weigths is not a known field",
		`{"weights":{"home":{"qality":null}}}`:           "weights.home.qality",
		`{"terms":{"rating_prior":1,"rating_prior":2}}`:  "given more than once",
		`{"lists":{"duplicates_from":"x","nonsense":1}}`: "lists.nonsense",
		`[]`:  "document has the wrong type",
		`{`:   "the patch is not complete",
		`{}1`: "goes on after",
	} {
		if _, err := rerank.Merge(base, []byte(patch)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", patch, err, want)
		}
	}
}

func TestDiff(t *testing.T) {
	a := rerank.DefaultConfig()
	a.Rules = []rerank.Rule{
		{ID: "gone", Action: rerank.RuleHide, Courses: []string{"x"}},
		{ID: "one", Action: rerank.RuleBoost, Skills: []string{"go"}, Strength: 0.5},
		{ID: "two.x", Action: rerank.RuleBury, Skills: []string{"php"}, Strength: 0.5},
	}
	b := a
	b.Terms.RatingPrior = 25
	b.Weights.Home.Quality = 0.25
	b.Weights.Rows = map[lectern.Row]rerank.TermWeights{lectern.RowNew: {Quality: 1}}
	b.Disabled = []string{"trend"}
	b.Rules = []rerank.Rule{a.Rules[2], a.Rules[1], {ID: "new", Action: rerank.RuleHide, Courses: []string{"y"}}}
	b.Rules[1].Strength = 0.75
	changes, err := rerank.Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		line := c.Path + ": " + string(c.From) + " → " + string(c.To)
		if c.Path == "weights.rows.new" {
			line = c.Path
		}
		got = append(got, line)
	}
	want := []string{
		"weights.home.quality: 0.07 → 0.25",
		"weights.rows.new",
		`disabled: [] → ["trend"]`,
		"terms.rating_prior: 20 → 25",
		`rules["one"].strength: 0.5 → 0.75`,
		`rules["new"]:  → {"id":"new","action":"hide","courses":["y"]}`,
		`rules["gone"]: {"id":"gone","action":"hide","courses":["x"]} → `,
		`rules.order: ["gone","one","two.x"] → ["two.x","one","new"]`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if same, err := rerank.Diff(b, b); err != nil || len(same) != 0 {
		t.Errorf("of itself: %v, %v", same, err)
	}
	written, err := rerank.DiffDocuments([]byte(`{"a":1.0,"later":{"x":[1]}}`), []byte(`{"later":{"x":[1e0]},"a":1}`))
	if err != nil || len(written) != 0 {
		t.Errorf("written in another way: %v, %v", written, err)
	}
}
