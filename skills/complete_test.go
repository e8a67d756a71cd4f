package skills_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern/skills"
)

func weightOf(terms []skills.Term, id string) float64 {
	for _, t := range terms {
		if t.SkillID == id {
			return t.Weight
		}
	}
	return 0
}

func TestExpandForgives(t *testing.T) {
	m := skills.NewMatcher(shippedGraph(t))
	for query, want := range map[string]string{
		"machne lerning": "machine-learning", "pythn": "python", "photograhy": "photography", "statistcs": "statistics",
		"artifical inteligence": "artificial-intelligence", "statistcs for beginers": "statistics",
	} {
		terms := m.Expand(query)
		if len(terms) == 0 || terms[0].SkillID != want || terms[0].Weight > 0.8 || terms[0].Weight < 0.3 {
			t.Errorf("%s: %v, want %s with less trust than when it is spelt right", query, terms, want)
		}
	}
	// Short words are not misspelt others, nor are known ones, and three edits are too many.
	for _, query := range []string{"pyth", "pthn", "sqll", "mxchxnx lxrnxng", "зфпыщщ щзукав"} {
		if terms := m.Expand(query); len(terms) > 0 {
			t.Errorf("%s: %v, want nothing", query, terms)
		}
	}
	if right, wrong := m.Expand("machine learning"), m.Expand("machine lerning"); right[0].Weight <= wrong[0].Weight {
		t.Errorf("misspelt %v, as good as spelt right %v", wrong, right)
	}
}

// TestExpandGaps pins queries that were understood wrongly or not at all.
func TestExpandGaps(t *testing.T) {
	m := skills.NewMatcher(shippedGraph(t))
	for query, want := range map[string]string{
		"3d": "3d-modelling", "how to be happy": "positive-psychology", "learn design patterns": "design-patterns",
		"design": "design", "learn design": "design", "microsoft outlook": "email-management", "primavera p6": "project-scheduling",
	} {
		if terms := m.Expand(query); len(terms) == 0 || terms[0].SkillID != want {
			t.Errorf("%s: %v, want %s first", query, terms, want)
		}
	}
	for query, most := range map[string]float64{"economic outlook": 0.2, "primavera vivaldi": 0.2, "informatics": 0.5} {
		for _, term := range m.Expand(query) {
			if term.Weight > most {
				t.Errorf("%s: %v is too sure", query, term)
			}
		}
	}
}

func TestExpandPrefix(t *testing.T) {
	m := skills.NewMatcher(shippedGraph(t))
	for query, want := range map[string]string{
		"pyth": "python", "machine le": "machine-learning", "machne le": "machine-learning", "public spe": "public-speaking",
		"become a data analy": "data-analysis", "speak witho": "public-speaking", "learn to cod": "programming", "photogr": "photography",
	} {
		if w := weightOf(m.ExpandPrefix(query), want); w == 0 || w > 0.8 {
			t.Errorf("%s: %v, want %s, but not as if it stood there", query, m.ExpandPrefix(query), want)
		}
	}
	// What stands there is more than what it may become.
	terms := m.ExpandPrefix("java")
	if weightOf(terms, "java") <= weightOf(terms, "javascript") || weightOf(terms, "javascript") == 0 {
		t.Errorf("java: %v", terms)
	}
	// A space says that the word is finished; one letter says nothing.
	for _, query := range []string{"pyth ", "machine le ", "b", "com", "", "  ", "项", "🎉"} {
		if got, want := m.ExpandPrefix(query), m.Expand(query); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
}

// TestExpandBounds holds what callers rely on for anything that is typed.
func TestExpandBounds(t *testing.T) {
	g := shippedGraph(t)
	m := skills.NewMatcher(g)
	var names []string
	for _, s := range g.Skills() {
		names = append(names, s.Name)
		names = append(names, s.Phrases...)
	}
	rapid.Check(t, func(rt *rapid.T) {
		query := rapid.OneOf(rapid.String(), rapid.Custom(func(rt *rapid.T) string {
			name := strings.Join(rapid.SliceOfN(rapid.SampledFrom(names), 1, 3).Draw(rt, "names"), " ")
			cut := rapid.IntRange(1, len(name)).Draw(rt, "cut")
			for !utf8.RuneStart((name + " ")[cut]) {
				cut--
			}
			return name[:cut]
		})).Draw(rt, "query")
		for _, terms := range [][]skills.Term{m.Expand(query), m.ExpandPrefix(query)} {
			sum := 0.0
			for i, term := range terms {
				sum += term.Weight
				if _, ok := g.Skill(term.SkillID); !ok || term.Weight <= 0 || i > 0 && term.Weight > terms[i-1].Weight {
					rt.Fatalf("%q: %v", query, terms)
				}
			}
			if sum > 1+1e-9 || len(terms) > skills.MaxTerms {
				rt.Fatalf("%q: %d terms of together %v", query, len(terms), sum)
			}
		}
	})
}
