package skills_test

import (
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

func TestSearchSkills(t *testing.T) {
	x := skills.NewIndex(skills.NewMatcher(shippedGraph(t)), skills.IndexOptions{})
	refreshed(t, x, []lectern.Course{popular("p1", "Python", 0), popular("p2", "Advanced Python", 0), popular("k", "Knitting", 0)}, nil, false)
	search := func(query string, limit int) []string {
		var out []string
		for _, n := range x.SearchSkills(query, limit) {
			out = append(out, n.ID)
		}
		return out
	}
	for query, want := range map[string]string{
		"python": "python", "Pyth": "python", "ml": "machine-learning", "learning machine": "machine-learning",
		"speak without fear": "public-speaking", "machne lerning": "machine-learning", "colour theory": "colour-theory",
	} {
		if got := search(query, 5); len(got) == 0 || got[0] != want {
			t.Errorf("%s: %v, want %s first", query, got, want)
		}
	}
	if got := search("", 200); !slices.Contains(got, "knitting") || slices.Contains(got, "falconry") || got[len(got)-1] == "python" {
		t.Errorf("without a query: %v, want what is taught, most courses first", got)
	}
	if got := search("a", 7); len(got) != 7 {
		t.Errorf("%d skills, want the limit", len(got))
	}
	if got := search("qqqq zzzz", 5); len(got) != 0 {
		t.Errorf("nothing fits: %v", got)
	}
	if got := x.SearchSkills("python", 1); got[0].Courses != x.Count("python") || got[0].Courses == 0 {
		t.Errorf("%+v: wrong number of courses", got)
	}
}

func TestSearchOccupations(t *testing.T) {
	x := skills.NewIndex(skills.NewMatcher(shippedGraph(t)), skills.IndexOptions{})
	if got := x.SearchOccupations("data ana", 3); len(got) == 0 || got[0].ID != "data-analyst" {
		t.Errorf("data ana: %v", got)
	}
	if got := x.SearchOccupations("", 1000); len(got) != len(x.Matcher().Graph().Occupations()) {
		t.Errorf("%d occupations without a query, want all", len(got))
	}
	needs := x.Matcher().Graph().NeededBy("sql")
	if len(needs) == 0 || !slices.IsSortedFunc(needs, func(a, b skills.Need) int { return int(1e6*b.Importance) - int(1e6*a.Importance) }) {
		t.Errorf("occupations that need SQL: %v", needs)
	}
}
