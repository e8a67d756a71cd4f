package suggest

import (
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
)

// initials is a graph that knows a name of two letters.
type initials struct{ smallGraph }

func (*initials) Expand(query string) []Asked {
	if query == "ml" {
		return []Asked{{ID: "statistics", Weight: 1}}
	}
	return nil
}

// A short word that is one as it stands, or a name of a skill, goes before the longer
// words that it begins.
func TestWholeWordsFirst(t *testing.T) {
	courses := append(wholeFixture(),
		course("aid", "Aid at Sea", "Aid", "", "", 1_000_000), course("first", "First Aid", "Aid", "", "", 900_000),
		course("health", "Ethics of AI", "", "", "", 1), course("ai", "Teaching AI to Children", "AI", "", "", 5),
		course("mla", "Mlada Boleslav", "", "", "", 1_000_000))
	o := withMeaning(courses).Options
	o.Concepts = new(initials)
	s := made(t, o, courses)
	for query, want := range map[string]string{
		"ai": "health:words ai:words aid:", "AI": "health:words ai:words aid:", "aid": "aid:",
		"ml": "stats:meaning", "mla": "mla:",
	} {
		if got := reasons(ask(t, s, query).Courses); !strings.HasPrefix(got, want) && !strings.HasPrefix(got, strings.Replace(want, "health:words ai:words", "ai:words health:words", 1)) {
			t.Errorf("%q: %s, want %s first", query, got, want)
		}
	}
	if got := texts(ask(t, s, "ai").Skills); got != "AI, Aid" {
		t.Errorf("skills %s", got)
	}
}

// A short word is not taken for one with another first letter, nor is .net for the
// beginning of networking.
func TestFirstLetterStays(t *testing.T) {
	s := suggesterOf(t, []lectern.Course{
		course("log", "Logarithms", "Logarithms", "", "", 9), course("net", "Networking", "Networking", "", "", 9),
		course("draw", "Brawls", "", "", "", 9), course("py", "Python", "", "", "", 9), course("dot", "Basics of .NET", ".NET", "", "", 1),
	})
	for query, want := range map[string]string{
		"yoga": "", "loga": "log", "lgoa": "log", "olga": "log", "drawl": "", "mython": "py", "pyhton": "py", "pyht": "py",
		".ne": "dot", ".net": "dot", "net": "net",
	} {
		out := ask(t, s, query)
		if got := ids(out.Courses); got != want {
			t.Errorf("%q: courses %s, want %s", query, got, want)
		}
		if query == ".net" && texts(out.Skills) != ".NET" {
			t.Errorf("%q: skills %s", query, texts(out.Skills))
		}
	}
}
