package suggest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// log is what people searched for.
type log struct {
	version  int64
	opened   []Searched
	trending []string
}

func (l *log) Opened() (int64, []Searched) { return l.version, l.opened }
func (l *log) Trending(n int) []string     { return l.trending[:min(n, len(l.trending))] }

func TestSearched(t *testing.T) {
	l := &log{version: 1, opened: []Searched{{"machine knitting", 1}, {"Machine learning ethics", 0.4}, {"machine learning", 0.2}, {"  ", 1}, {"weightless", 0}}}
	s := made(t, Options{Clock: testNow, Searches: l}, fixture())
	got := ask(t, s, "machine").Completions
	if !strings.Contains(reasons(got), "machine knitting:searched") || !strings.Contains(reasons(got), "Machine learning ethics:searched") {
		t.Error(reasons(got))
	}
	seen := map[string]bool{}
	for _, c := range got {
		if key := strings.ToLower(c.Text); seen[key] {
			t.Errorf("%q twice: %s", key, reasons(got))
		} else {
			seen[key] = true
		}
		if c.Text == "machine knitting" {
			if d := cmp.Diff([]lectern.Span{{Start: 0, End: 7}}, c.Highlight); d != "" {
				t.Error(d)
			}
		}
	}
	if got := texts(ask(t, s, "machine knitting").Completions); got != "" {
		t.Errorf("what is typed to its end is not offered: %s", got)
	}
	if got := texts(ask(t, s, "weightl").Completions); got != "" {
		t.Errorf("weighs nothing: %s", got)
	}
	l.opened = []Searched{{"machine sewing", 1}}
	s.ReadSearches()
	if got := texts(ask(t, s, "machine sew").Completions); got != "" {
		t.Errorf("read without a new version: %s", got)
	}
	l.version++
	s.ReadSearches()
	if got := reasons(ask(t, s, "machine").Completions); !strings.Contains(got, "machine sewing:searched") || strings.Contains(got, "knitting") {
		t.Errorf("after a new version: %s", got)
	}
}

type synonyms map[string][]Variant

func (s synonyms) Variants(query string) []Variant { return s[query] }

func TestSynonyms(t *testing.T) {
	rules := synonyms{
		"coding":      {{"programming", "coding", "programming"}},
		"ml":          {{"machine learning", "ml", "machine learning"}},
		"ml produ":    {{"machine learning produ", "ml", "machine learning"}},
		"many":        {{"r", "many", "r"}, {"c++", "many", "c++"}, {"c#", "many", "c#"}, {"react", "many", "react"}, {"stats", "many", "stats"}},
		"python":      {{"react", "python", "react"}},
		"gibberish x": {{"", "", ""}},
	}
	s := made(t, Options{Clock: testNow, Synonyms: rules}, fixture())
	for _, tt := range []struct{ query, want string }{
		{"ml", "ml:synonym ml-prod:synonym ml-all:synonym"},
		{"ml produ", "ml-prod:synonym"},
		{"python", "py:prefix ml:words react:synonym"}, // the words themselves come first
		{"gibberish x", ""},
	} {
		if got := reasons(ask(t, s, tt.query).Courses); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.query, got, tt.want)
		}
	}
	out := ask(t, s, "ml")
	if via := out.Courses[0].Via; via != "ml → machine learning" {
		t.Errorf("via %q", via)
	}
	if d := cmp.Diff([]lectern.Span{{Start: 0, End: 7}, {Start: 8, End: 16}}, out.Courses[0].Highlight); d != "" {
		t.Error(d)
	}
	if got := reasons(out.Skills); got != "Machine Learning:synonym" {
		t.Errorf("skills: %s", got)
	}
	if got := reasons(ask(t, s, "many").Courses); strings.Contains(got, "stats:synonym") || !strings.Contains(got, "react:synonym") {
		t.Errorf("more than %d variants: %s", maxVariants, got)
	}
}

func TestEmptyQuery(t *testing.T) {
	p := somePeople()
	l := &log{trending: []string{"knitting", "quilting", "felting", "sewing", "weaving", "spinning"}}
	s := made(t, Options{Clock: testNow, Profiles: p, Recents: p, Searches: l}, fixture())
	at := func(learner string) lectern.Suggestions {
		out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: "  ", Learner: lectern.LearnerRef{ID: learner}})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := at("busy")
	if got, want := reasons(out.Completions), "machine learning:recent knitting:recent quilting:trending felting:trending sewing:trending weaving:trending"; got != want {
		t.Errorf("completions %s, want %s", got, want)
	}
	// The latest first, nothing that is over or was never begun, each once.
	if got, want := reasons(out.Courses), "ml:unfinished py:unfinished cafe:unfinished react:popular stats:popular ml-prod:popular"; got != want {
		t.Errorf("courses %s, want %s", got, want)
	}
	if len(out.Categories) == 0 {
		t.Error("no categories")
	}
	for _, learner := range []string{"", "shy", "unknown"} {
		out := at(learner)
		if got := reasons(out.Courses) + reasons(out.Completions); strings.Contains(got, "recent") || strings.Contains(got, "unfinished") || !strings.Contains(got, "trending") {
			t.Errorf("for %q: %s", learner, got)
		}
	}
	apply(t, s, nil, "ml")
	if got := reasons(at("busy").Courses); strings.Contains(got, "ml:") {
		t.Errorf("a deleted course: %s", got)
	}
}
