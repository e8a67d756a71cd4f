package suggest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// What the graph only guesses behind misspelt words comes after the courses that
// hold the words as they were meant, the title that is the query first.
func TestMisspeltBeforeMeaning(t *testing.T) {
	courses := append(wholeFixture(),
		course("guide", "Machine Learning Guide", "", "", "", 1_000_000), course("code", "Lean Codes", "", "", "", 10))
	s := made(t, withMeaning(courses).Options, courses)
	for query, want := range map[string]string{
		"machne lerning": "ml:typo guide:typo ml-prod:typo ml-all:typo stats:meaning",
		// What the graph knows as typed is no misspelling.
		"learn to code": "py:meaning react:meaning",
	} {
		if got := reasons(ask(t, s, query).Courses); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s", query, got)
		}
	}
}

// Words that the catalogue knows, or that begin one of its words, are not taken for
// others, except of courses where nothing else is found.
func TestKnownWordsAreNotRespelt(t *testing.T) {
	s := suggesterOf(t, []lectern.Course{
		course("model", "Learning Models", "Business Models", "", "", 9), course("learn", "Learn Mode", "", "", "", 5),
		course("code", "Clean Code", "Coding", "", "", 1), course("art", "Modern Art", "", "", "", 1),
	})
	for _, tt := range []struct{ query, courses, completions, skills string }{
		{"code", "code:words", "Clean Code", ""},
		{"learn code", "learn:partial model:partial code:partial", "", ""},
		{"modles", "model:typo", "Business Models, Learning Models", "Business Models"},
		{"clean modles", "code:partial model:partial", "", ""},
	} {
		out := ask(t, s, tt.query)
		if d := cmp.Diff([]string{tt.courses, tt.completions, tt.skills}, []string{reasons(out.Courses), texts(out.Completions), texts(out.Skills)}); d != "" {
			t.Errorf("%q: %s", tt.query, d)
		}
	}
}

// aliased is a graph of concepts with other names.
type aliased struct{ smallGraph }

func (*aliased) Concepts() []Concept {
	return []Concept{
		{ID: "programming", Name: "Programming", Aliases: []string{"introduction to coding", "basics"}, Courses: 4},
		{ID: "statistics", Name: "Statistics", Aliases: []string{"introduction to probability"}, Courses: 1},
	}
}

// A name is not suggested for a word of another name that tells nothing.
func TestAliasesTell(t *testing.T) {
	courses := wholeFixture()
	o := withMeaning(courses).Options
	o.Concepts = new(aliased)
	s := made(t, o, courses)
	for query, want := range map[string]string{
		"intro": "", "introduction to": "", "basi": "", "proba": "statistics:words", "introduction to prob": "statistics:words",
		"introduction to stat": "statistics:words", "codi": "programming:words",
	} {
		var got []string
		for _, sg := range ask(t, s, query).Skills {
			if sg.ID != "" {
				got = append(got, sg.ID+":"+string(sg.Reason))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
}

// Of scripts without spaces, courses that hold a part of the query share two
// neighbouring characters with it.
func TestPartsOfScriptsWithoutSpaces(t *testing.T) {
	s := suggesterOf(t, []lectern.Course{
		course("organic", "有机化学", "", "", "", 9), course("fast", "快速学习", "", "", "", 5), course("apart", "学会自习", "", "", "", 5),
		course("python", "Python 机械", "", "", "", 1),
	})
	for query, want := range map[string]string{
		"机器学习": "fast:partial", "机器": "", "机械学": "python:partial", "python 机器": "python:partial",
	} {
		if got := reasons(ask(t, s, query).Courses); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
}
