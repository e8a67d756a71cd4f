package suggest

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// distance is the whole table of the optimal string alignment distance.
func distance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range b {
		d[0][j+1] = j + 1
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// The walk finds what comparing with every beginning of every word finds.
func TestFuzzyAgainstAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]string{"ab", "abc", "abé学"}).Draw(t, "letters")
		wordGen := rapid.StringOfN(rapid.SampledFrom([]rune(letters)), 1, 10, -1)
		all := rapid.SliceOfN(wordGen, 0, 40).Draw(t, "words")
		slices.Sort(all)
		all = slices.Compact(all)
		query := wordGen.Draw(t, "query")
		k := rapid.IntRange(0, 2).Draw(t, "k")
		if utf8.RuneCountInString(query) <= k {
			return // then nothing at all would do
		}
		d := newDictionary(all)
		got := make(map[string]int)
		for _, n := range d.fuzzy(query, k) {
			for i := n.lo; i < n.hi; i++ {
				if _, twice := got[all[i]]; twice {
					t.Fatalf("%q twice", all[i])
				}
				got[all[i]] = int(n.edits)
			}
		}
		want := make(map[string]int)
		for _, w := range all {
			least := k + 1
			for i := 1; i <= utf8.RuneCountInString(w); i++ {
				least = min(least, distance([]rune(query), []rune(w)[:i]))
			}
			if least <= k {
				want[w] = least
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q within %d of %q:\n%s", query, k, all, diff)
		}
		lo, hi := d.prefix(query)
		for i, w := range all {
			if in := int(lo) <= i && i < int(hi); in != strings.HasPrefix(w, query) {
				t.Fatalf("%q begins with %q: %v", w, query, in)
			}
		}
	})
}

// genCourse draws courses from few words, so that they meet.
func genCourse() *rapid.Generator[lectern.Course] {
	words := []string{"machine", "machines", "learning", "data", "c++", "café", "机器", "学习", "node.js", "the", "🎉", "مقدمة", "ﬁne", "İstanbul"}
	phrase := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 5).Draw(t, "phrase"), " ")
	})
	return rapid.Custom(func(t *rapid.T) lectern.Course {
		return course(rapid.StringMatching("[a-d][0-9]").Draw(t, "id"), phrase.Draw(t, "title"),
			phrase.Draw(t, "skill"), phrase.Draw(t, "category"), phrase.Draw(t, "provider"), rapid.IntRange(0, 3).Draw(t, "n"))
	})
}

func genQuery() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"m", "mach", "machine le", "machne", "c++", "机", "学习 机", "node", "caf", "istan", "fine", "the", ""}),
		rapid.StringN(0, 12, 40))
}

func every(s lectern.Suggestions) []lectern.Suggestion {
	return slices.Concat(s.Completions, s.Courses, s.Skills, s.Categories, s.Providers)
}

func TestHighlightsLieInside(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := suggesterOf(t, rapid.SliceOfN(genCourse(), 1, 20).Draw(rt, "courses"))
		for _, sg := range every(ask(t, s, genQuery().Draw(rt, "query"))) {
			units, end := utf16.Encode([]rune(sg.Text)), 0
			for _, h := range sg.Highlight {
				if h.Start < end || h.End <= h.Start || h.End > len(units) {
					rt.Fatalf("%q: %v", sg.Text, sg.Highlight)
				}
				if h.End < len(units) && units[h.End] >= 0xDC00 && units[h.End] < 0xE000 {
					rt.Fatalf("%q: %v cuts a letter", sg.Text, sg.Highlight)
				}
				end = h.End
			}
		}
	})
}

// Whatever way the courses came, the base is the same.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		courses := rapid.SliceOfNDistinct(genCourse(), 1, 20, func(c lectern.Course) string { return c.ID }).Draw(rt, "courses")
		query := genQuery().Draw(rt, "query")
		want := ask(t, suggesterOf(t, courses), query)
		shuffled := rapid.Permutation(courses).Draw(rt, "order")
		s := New(testNow)
		for _, c := range shuffled {
			if err := s.Apply(t.Context(), upserts([]lectern.Course{c}), nil, false); err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "refresh") {
				s.Refresh()
			}
		}
		s.Rebuild()
		if d := cmp.Diff(want, ask(t, s, query)); d != "" {
			rt.Fatal(d)
		}
	})
}

// At any moment: what is deleted is not found, what is there is, by its title,
// and only under the title that it has now.
func TestChangesAreSeen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := New(testNow)
		truth := make(map[string]lectern.Course)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			c := genCourse().Draw(rt, "course")
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0:
				apply(t, s, nil, c.ID)
				delete(truth, c.ID)
			case 1:
				s.Rebuild()
			default:
				apply(t, s, []lectern.Course{c})
				s.Refresh()
				truth[c.ID] = c
			}
			for _, found := range ask(t, s, c.Title).Courses {
				if have, ok := truth[found.ID]; !ok || have.Title != found.Text {
					rt.Fatalf("%q finds %s as %q, which is %q (known: %v)", c.Title, found.ID, found.Text, have.Title, ok)
				}
			}
			if have, ok := truth[c.ID]; ok && have.Title != "🎉" && !strings.Contains(" "+ids(ask(t, s, have.Title).Courses)+" ", " "+c.ID+" ") {
				if newQuery(text.NewAnalyzer(), have.Title).key != "" {
					rt.Fatalf("%s is not found by its title %q", c.ID, have.Title)
				}
			}
		}
	})
}

// What was computed ahead is what a search through everything finds.
func TestTopsAreTheBest(t *testing.T) {
	s := suggesterOf(t, synthetic(5000))
	x := s.view.Load().base.courses
	if len(x.tops) < 50 {
		t.Fatalf("%d tops", len(x.tops))
	}
	whole := *x
	whole.tops = nil
	anything := func(uint32) bool { return true }
	for p := range x.tops {
		q := newQuery(text.NewAnalyzer(), p)
		q.weigh(x)
		want := newSearch(&whole, q, false, DefaultLimit).run(anything)
		if d := cmp.Diff(want, newSearch(x, q, false, DefaultLimit).run(anything), cmp.AllowUnexported(hit{})); d != "" {
			t.Errorf("%q:\n%s", p, d)
		}
	}
}

// Leaving items out that cannot be among the best loses none of the best.
func TestBoundLosesNothing(t *testing.T) {
	courses := synthetic(3000)
	x := suggesterOf(t, courses).view.Load().base.courses
	anything := func(uint32) bool { return true }
	rapid.Check(t, func(rt *rapid.T) {
		letters := []rune(rapid.SampledFrom(courses).Draw(rt, "course").Title)
		letters = letters[:rapid.IntRange(1, len(letters)).Draw(rt, "letters")]
		if at := rapid.IntRange(0, 2*len(letters)).Draw(rt, "error"); at < len(letters)-1 {
			letters[at], letters[at+1] = letters[at+1], letters[at]
		}
		q := newQuery(text.NewAnalyzer(), string(letters))
		if len(q.words) == 0 {
			return
		}
		q.weigh(x)
		for _, fuzzy := range []bool{false, true} {
			run := func(limit int) []hit {
				s := newSearch(x, q, fuzzy, limit)
				s.budget, s.each = len(courses), len(courses)
				return s.run(anything)
			}
			want := run(len(courses))
			want = want[:min(len(want), DefaultLimit)]
			got := run(DefaultLimit)
			if d := cmp.Diff(want, got, cmp.AllowUnexported(hit{}), cmpopts.EquateEmpty()); d != "" {
				rt.Fatalf("%q, fuzzy %v:\n%s", string(letters), fuzzy, d)
			}
		}
	})
}
