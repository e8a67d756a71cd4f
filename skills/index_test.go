package skills_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

func refreshed(t testing.TB, x *skills.Index, upserts []lectern.Course, deletes []string, reset bool) {
	t.Helper()
	if err := x.Apply(t.Context(), upserts, deletes, reset); err != nil {
		t.Fatal(err)
	}
	if err := x.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func byEnrolments(c lectern.Course) float64 { return float64(c.Stated.Enrolments) }

func popular(id, title string, enrolments int) lectern.Course {
	return lectern.Course{ID: id, Title: title, Stated: lectern.StatedStats{Enrolments: enrolments}}
}

func ids(of []skills.Scored) []string {
	out := []string{}
	for _, s := range of {
		out = append(out, s.CourseID)
	}
	return out
}

func TestIndexCourses(t *testing.T) {
	m := skills.NewMatcher(shippedGraph(t))
	x := skills.NewIndex(m, skills.IndexOptions{Prior: byEnrolments})
	refreshed(t, x, []lectern.Course{
		popular("ml-2", "Machine learning", 5),
		popular("ml-1", "Machine learning", 5),
		popular("ml-3", "Machine learning", 90),
		popular("dl", "Deep learning", 1000),
		popular("pottery", "Pottery", 1),
	}, nil, false)

	// Deep learning is below machine learning: it counts with .7 of the same .8.
	got := x.Courses("machine-learning")
	want := []skills.Scored{{"ml-3", 0.8}, {"ml-1", 0.8}, {"ml-2", 0.8}, {"dl", 0.56}}
	if diff := gocmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-6)); diff != "" {
		t.Errorf("machine learning (-want +got):\n%s", diff)
	}
	if got := ids(x.Courses("deep-learning")); !slices.Equal(got, []string{"dl"}) {
		t.Errorf("what is broader counts for what is narrower: %v", got)
	}
	if n := x.Count("machine-learning"); n != 4 {
		t.Errorf("%d courses, want 4", n)
	}
	if got := x.Tags("dl"); len(got) == 0 || got[0].SkillID != "deep-learning" {
		t.Errorf("tags of dl: %v", got)
	}
	if x.Courses("no-such-skill") != nil || x.Tags("no-such-course") != nil || x.Count("no-such-skill") != 0 {
		t.Error("there is something on what is unknown")
	}
}

// TestIndexReady follows a start, an ordinary day and a catalogue that is replaced.
func TestIndexReady(t *testing.T) {
	x := skills.NewIndex(skills.NewMatcher(shippedGraph(t)), skills.IndexOptions{})
	ready := func(when string, want bool) {
		t.Helper()
		if x.Ready() != want {
			t.Errorf("%s: ready is %v", when, !want)
		}
	}
	apply := func(n int, title string) {
		t.Helper()
		courses := make([]lectern.Course, n)
		for i := range courses {
			courses[i] = popular(fmt.Sprint(i), title, 0)
		}
		if err := x.Apply(t.Context(), courses, nil, false); err != nil {
			t.Fatal(err)
		}
	}
	ready("before the catalogue is read", false)
	apply(200, "Pottery")
	ready("before it is tagged", false)
	refreshed(t, x, nil, nil, false)
	ready("tagged", true)
	apply(10, "Knitting")
	ready("a few courses change", true)
	apply(200, "Weaving")
	ready("all of them change", false)
	refreshed(t, x, nil, nil, true)
	ready("an empty catalogue", true)
}

func TestIndexVanishes(t *testing.T) {
	m := skills.NewMatcher(shippedGraph(t))
	x := skills.NewIndex(m, skills.IndexOptions{})
	all := []lectern.Course{popular("a", "Pottery", 0), popular("b", "Pottery", 0), popular("c", "Pottery", 0)}
	refreshed(t, x, all, nil, false)
	retired := all[1]
	retired.Availability.Status = lectern.StatusRetired
	if err := x.Apply(t.Context(), []lectern.Course{retired}, []string{"a"}, false); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		if got := ids(x.Courses("pottery")); !slices.Equal(got, []string{"c"}) {
			t.Errorf("%s: courses %v, want c", when, got)
		}
		if got := ids(x.Rank([]skills.Term{{SkillID: "pottery", Weight: 1}}, 9, nil)); !slices.Equal(got, []string{"c"}) {
			t.Errorf("%s: ranked %v, want c", when, got)
		}
		if n := x.Count("pottery"); n != 1 || x.Tags("a") != nil || x.Tags("b") != nil {
			t.Errorf("%s: %d courses, want 1", when, n)
		}
	}
	check("before anything was tagged")
	if err := x.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("afterwards")

	refreshed(t, x, []lectern.Course{popular("d", "Knitting", 0)}, nil, true)
	var names []string
	for n := range x.Names() {
		names = append(names, n.ID)
	}
	if !slices.Contains(names, "knitting") || slices.Contains(names, "pottery") || x.Len() != 1 {
		t.Errorf("after a reset: %v", names)
	}
}

func TestIndexRetags(t *testing.T) {
	m := skills.NewMatcher(shippedGraph(t))
	synctest.Test(t, func(t *testing.T) {
		x := skills.NewIndex(m, skills.IndexOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go x.Run(ctx)
		for _, title := range []string{"Pottery", "Knitting", "Pottery"} {
			if err := x.Apply(ctx, []lectern.Course{popular("a", title, 0)}, nil, false); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			tags := x.Tags("a")
			if len(tags) == 0 || m.Graph().Find(title)[0] != tags[0].SkillID {
				t.Fatalf("a second after %s came the tags are %v", title, tags)
			}
			if n := x.Count("pottery") + x.Count("knitting"); n != 1 {
				t.Errorf("the course counts %d times", n)
			}
		}
		cancel()
		synctest.Wait()
	})
}

// TestIndexRankModel compares Rank with the sums made one by one, through random
// changes of the catalogue.
func TestIndexRankModel(t *testing.T) {
	m := skills.NewMatcher(shippedGraph(t))
	some := []string{"machine-learning", "deep-learning", "artificial-intelligence", "python", "programming", "pottery", "computing", "statistics"}
	titles := []string{"Machine learning", "Deep learning", "Python", "Pottery", "Statistics", "Deep learning with Python", "Nothing", "Machine learning and statistics"}
	rapid.Check(t, func(rt *rapid.T) {
		x := skills.NewIndex(m, skills.IndexOptions{Prior: byEnrolments})
		model := make(map[string]lectern.Course)
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			var upserts []lectern.Course
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 30), 0, 20, rapid.ID).Draw(rt, "courses") {
				c := popular(fmt.Sprint("c", n), rapid.SampledFrom(titles).Draw(rt, "title"), rapid.IntRange(0, 2).Draw(rt, "prior"))
				c.Availability.Status = rapid.SampledFrom([]lectern.Status{"", lectern.StatusOpen, lectern.StatusRetired}).Draw(rt, "status")
				upserts = append(upserts, c)
			}
			var deletes []string
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, 30), 0, 5).Draw(rt, "deletes") {
				deletes = append(deletes, fmt.Sprint("c", n))
			}
			reset := rapid.IntRange(0, 5).Draw(rt, "reset") == 0
			if reset {
				clear(model)
			}
			for _, id := range deletes {
				delete(model, id)
			}
			for _, c := range upserts {
				delete(model, c.ID)
				if c.Availability.Status != lectern.StatusRetired {
					model[c.ID] = c
				}
			}
			if err := x.Apply(context.Background(), upserts, deletes, reset); err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "refresh") {
				_ = x.Refresh(context.Background())
			}
		}
		_ = x.Refresh(context.Background())
		var terms []skills.Term
		for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(some), 0, 4, rapid.ID).Draw(rt, "terms") {
			terms = append(terms, skills.Term{SkillID: id, Weight: float64(rapid.IntRange(1, 4).Draw(rt, "weight")) / 16})
		}
		k := rapid.IntRange(1, 12).Draw(rt, "k")
		odd := func(id string) bool { return len(id) == 2 }
		want := modelRank(m, model, terms, k, odd)
		got := x.Rank(terms, k, odd)
		if diff := gocmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-6), cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("terms %v (-want +got):\n%s", terms, diff)
		}
		for _, id := range some {
			if got, want := x.Count(id), len(modelRank(m, model, []skills.Term{{SkillID: id, Weight: 1}}, 100, nil)); got != want {
				rt.Fatalf("%s: %d courses, want %d", id, got, want)
			}
		}
	})
}

func modelRank(m *skills.Matcher, courses map[string]lectern.Course, terms []skills.Term, k int, allow func(string) bool) []skills.Scored {
	var out []skills.Scored
	for id, c := range courses {
		sum := float32(0) // as the index, so that ties are ties
		for _, term := range terms {
			best := float32(0)
			for _, tag := range m.Tag(c) {
				sure := float32(tag.Confidence)
				level := []string{tag.SkillID}
				for range 3 {
					if slices.Contains(level, term.SkillID) && (sure >= skills.MinConfidence) {
						best = max(best, sure)
					}
					var up []string
					for _, s := range level {
						skill, _ := m.Graph().Skill(s)
						up = append(up, skill.Broader...)
					}
					level, sure = up, sure*0.7
				}
			}
			sum += float32(term.Weight) * best
		}
		if sum > 0 && (allow == nil || allow(id)) {
			out = append(out, skills.Scored{CourseID: id, Score: float64(sum)})
		}
	}
	slices.SortFunc(out, func(a, b skills.Scored) int {
		return cmp.Or(cmp.Compare(float32(b.Score), float32(a.Score)), cmp.Compare(courses[b.CourseID].Stated.Enrolments, courses[a.CourseID].Stated.Enrolments), cmp.Compare(a.CourseID, b.CourseID))
	})
	return out[:min(len(out), k)]
}

func TestIndexConcurrently(t *testing.T) {
	m := skills.NewMatcher(shippedGraph(t))
	x := skills.NewIndex(m, skills.IndexOptions{Prior: byEnrolments})
	ctx, cancel := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = x.Run(ctx) })
	refreshed(t, x, []lectern.Course{popular("fixed", "Pottery", 0)}, nil, false)
	terms := m.Expand("pottery with python")
	for range 4 {
		tasks.Go(func() {
			for ctx.Err() == nil {
				if !slices.Contains(ids(x.Courses("pottery")), "fixed") {
					t.Error("a course that nobody touches vanished")
				}
				seen := make(map[string]bool)
				for _, s := range x.Rank(terms, 50, nil) {
					if seen[s.CourseID] {
						t.Errorf("%s comes twice", s.CourseID)
					}
					seen[s.CourseID] = true
				}
				x.Tags("c1")
				for range x.Names() {
				}
			}
		})
	}
	for i := range 400 {
		c := popular(fmt.Sprint("c", i%40), []string{"Pottery", "Python", "Knitting"}[i%3], i)
		var deletes []string
		if i%5 == 0 {
			deletes = []string{fmt.Sprint("c", (i+20)%40)}
		}
		if err := x.Apply(ctx, []lectern.Course{c}, deletes, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	tasks.Wait()
}
