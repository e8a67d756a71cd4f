package suggest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// rivals are titles that begin with a word of which it tells little, and titles
// that end with it, of which it tells all.
func rivals() []lectern.Course {
	var out []lectern.Course
	for i := range 20 {
		rare := string(rune('a'+i)) + strings.Repeat("q", i%4+3)
		out = append(out,
			course(fmt.Sprintf("begins%02d", i), "Modern "+rare, "", "", "", 1000-i),
			course(fmt.Sprintf("tells%02d", i), fmt.Sprintf("Thing %d modern", i), "", "", "", 900-i))
	}
	for i := range 80 {
		out = append(out, course(fmt.Sprint("other", i), "Thing", "", "", "", 0))
	}
	return out
}

// Titles that begin with the query and titles that it tells from others share the
// places: half and half, and with more letters four in five.
func TestTitlesShareThePlaces(t *testing.T) {
	s := suggesterOf(t, rivals())
	for query, want := range map[string]int{"moder": 5, "modern": 8} {
		out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: query, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		begins := 0
		for _, c := range out.Courses {
			if strings.HasPrefix(c.ID, "begins") {
				begins++
			}
		}
		if begins != want || len(out.Courses) != 10 {
			t.Errorf("%q: %s, want %d that begin with it", query, ids(out.Courses), want)
		}
	}
}

// Scores fall in the order in which the places were shared, and no item comes twice.
func TestSharedPlacesAreScored(t *testing.T) {
	s := suggesterOf(t, append(rivals(), synthetic(500)...))
	x := s.view.Load().base.courses
	for _, typed := range []string{"mode", "moder", "modern", "mach", "machi", "datasc"} {
		q := newQuery(text.NewAnalyzer(), typed)
		q.weigh(x)
		hits := newSearch(x, q, false, 12).run(func(uint32) bool { return true })
		seen := make(map[uint32]bool)
		for i, h := range hits {
			if seen[h.item] || i > 0 && h.score > hits[i-1].score {
				t.Fatalf("%q: %+v", typed, hits)
			}
			seen[h.item] = true
		}
		first := newSearch(x, q, false, 6).run(func(uint32) bool { return true })
		items := func(in []hit) (out []uint32) {
			for _, h := range in {
				out = append(out, h.item)
			}
			return out
		}
		if d := cmp.Diff(items(hits)[:min(6, len(hits))], items(first)); d != "" {
			t.Errorf("%q: fewer places hold others: %s", typed, d)
		}
	}
}

// Of the titles that begin with what was typed, those that are allowed and most
// likely meant are found however many there are.
func TestStarters(t *testing.T) {
	s := suggesterOf(t, rivals())
	x := s.view.Load().base.courses
	q := newQuery(text.NewAnalyzer(), "modern")
	se := newSearch(x, q, false, 4)
	even := func(i uint32) bool { return i%2 == 0 }
	var all []uint32
	for at, item := range x.byKey {
		if strings.HasPrefix(x.keys[item], "modern") && even(item) {
			all = append(all, uint32(at))
		}
	}
	slices.SortStableFunc(all, func(a, b uint32) int {
		switch {
		case x.leads[a] != x.leads[b]:
			return map[bool]int{true: -1, false: 1}[x.leads[a] > x.leads[b]]
		}
		return int(x.byKey[a]) - int(x.byKey[b])
	})
	var want []uint32
	for _, at := range all[:4] {
		want = append(want, x.byKey[at])
	}
	if d := cmp.Diff(want, se.starters(even)); d != "" {
		t.Error(d)
	}
}

// Several words from the start of a title lead to it before titles that hold them.
func TestSeveralWordsFromTheStart(t *testing.T) {
	s := suggesterOf(t, append(typist(), course("late", "Practical Applied Physics", "", "", "", 900_000), course("first", "Applied Physics of Rare Zirconium", "", "", "", 1)))
	if got := ids(ask(t, s, "applied ph").Courses); !strings.HasPrefix(got, "first late") {
		t.Error(got)
	}
}
