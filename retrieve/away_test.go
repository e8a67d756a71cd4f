package retrieve_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/text"
)

// TestWithoutIndex: searches and lists of similar courses are made of what memory
// holds, with everything that belongs to them.
func TestWithoutIndex(t *testing.T) {
	w := newWorld(t, fixture(t))
	beginner := search("python")
	beginner.Filter.Levels, beginner.Facets = []lectern.Level{lectern.LevelBeginner}, lectern.Facets()
	newest := search("python")
	newest.Sort = lectern.SortNewest
	requests := map[string]lectern.ListRequest{
		"title":     search("Machine learning"),
		"typo":      search("machne lerning"),
		"beginning": search("mach"),
		"text only": search("packaging"),
		"filter":    beginner,
		"newest":    newest,
		"similar":   {Surface: lectern.SurfaceSimilar, CourseID: "ml-101"},
	}
	whole := make(map[string]lectern.List)
	for name, req := range requests {
		whole[name] = w.list(req)
	}
	w.indexErr = errors.New("down")
	for name, req := range requests {
		t.Run(name, func(t *testing.T) {
			l := w.list(req)
			if diff := cmp.Diff([]string{retrieve.DegradedIndex}, l.Degraded); diff != "" || len(l.Items) == 0 {
				t.Fatalf("%d items, degraded %v", len(l.Items), l.Degraded)
			}
			if first := l.Items[0].Course.ID; first != whole[name].Items[0].Course.ID {
				t.Errorf("first is %s, with the index %s", first, whole[name].Items[0].Course.ID)
			}
			for _, it := range l.Items {
				if len(req.Filter.Levels) > 0 && it.Course.Level != lectern.LevelBeginner {
					t.Errorf("%s passed the filter", it.Course.ID)
				}
				if it.Course.ID == req.CourseID {
					t.Error("a course is similar to itself")
				}
			}
			if len(req.Facets) > 0 && l.Facets == nil {
				t.Error("no facets")
			}
		})
	}
	w.indexErr = nil
	for name, req := range requests {
		if diff := cmp.Diff(ids(whole[name]), ids(w.list(req))); diff != "" {
			t.Errorf("%s: once the index is back (-before +after):\n%s", name, diff)
		}
	}
}

// TestPagesWithoutIndex: pages of a list that was made without the index are one
// list, also when it is back by then.
func TestPagesWithoutIndex(t *testing.T) {
	w := newWorld(t, fixture(t))
	w.indexErr = errors.New("down")
	req := search("data")
	whole := w.list(req)
	req.Limit = 2
	var got []string
	for {
		l := w.list(req)
		got = append(got, ids(l)...)
		if !slices.Equal(l.Degraded, []string{retrieve.DegradedIndex}) {
			t.Errorf("degraded %v", l.Degraded)
		}
		if l.NextCursor == "" || len(got) >= len(whole.Items) {
			break
		}
		req.Cursor, w.indexErr = l.NextCursor, nil
	}
	if diff := cmp.Diff(ids(whole), got[:min(len(got), len(whole.Items))]); diff != "" || len(got) < 4 {
		t.Errorf("pages (-whole +pages):\n%s", diff)
	}
}

// TestVectorsOnlyWithoutIndex: where words are switched off there is nothing to
// search memory by, and the answer says so with a page of popular courses.
func TestVectorsOnlyWithoutIndex(t *testing.T) {
	w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.LexicalWeight = 0 }))
	w.indexErr = errors.New("down")
	l := w.list(search("guitar"))
	if len(l.Items) > 0 || l.Fallback == nil || l.Fallback.List == nil || len(l.Fallback.List.Items) == 0 || !slices.Contains(l.Degraded, retrieve.DegradedIndex) {
		t.Errorf("%v, fallback %+v, degraded %v", ids(l), l.Fallback, l.Degraded)
	}
}

// TestHomeWithoutIndex: stated interests still bring courses by their words.
func TestHomeWithoutIndex(t *testing.T) {
	w := newWorld(t, fixture(t))
	p := w.profiles[ada]
	p.Learner.Interests = []string{"guitar"}
	w.profiles[ada] = p
	w.indexErr = errors.New("down")
	l := w.list(home(ada))
	if !slices.Contains(l.Degraded, retrieve.DegradedIndex) ||
		!slices.ContainsFunc(l.Items, func(it lectern.Item) bool { return slices.Contains(it.Sources, retrieve.SourceInterests) }) {
		t.Errorf("%v, degraded %v", ids(l), l.Degraded)
	}
}

// slow makes every call of an index take a while.
type slow struct {
	lectern.VectorIndex
	by    time.Duration
	calls int
}

func (s *slow) wait(ctx context.Context) error {
	s.calls++
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.by):
		return nil
	}
}

func (s *slow) Search(ctx context.Context, q []lectern.VectorQuery) ([][]lectern.Hit, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return s.VectorIndex.Search(ctx, q)
}

func (s *slow) Vectors(ctx context.Context, vector string, ids []string) ([][]float32, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return s.VectorIndex.Vectors(ctx, vector, ids)
}

// TestSlowIndex: however slow the index is and however often a request would ask
// it, a list waits for it within one budget, and a search within one more for what
// it says beside its results.
func TestSlowIndex(t *testing.T) {
	faceted := search("python")
	faceted.Filter.Levels, faceted.Filter.Languages = []lectern.Level{lectern.LevelBeginner}, []string{"en"}
	faceted.Facets = lectern.Facets()
	similar := lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "ml-101"}
	for name, tt := range map[string]struct {
		by       time.Duration
		req      lectern.ListRequest
		took     time.Duration
		calls    int
		degraded []string
	}{
		"quick":                       {0, search("machine learning"), 0, 4, nil},
		"results in time":             {200 * time.Millisecond, search("machine learning"), 500 * time.Millisecond, 3, []string{retrieve.DegradedIndex}},
		"no results in time":          {time.Minute, search("machine learning"), 500 * time.Millisecond, 1, []string{retrieve.DegradedIndex}},
		"facets in time":              {60 * time.Millisecond, faceted, 600 * time.Millisecond, 10, nil},
		"facets not in time":          {160 * time.Millisecond, faceted, 990 * time.Millisecond, 8, []string{retrieve.DegradedFacets}},
		"similar, vector in time":     {300 * time.Millisecond, similar, 500 * time.Millisecond, 2, []string{retrieve.DegradedIndex}},
		"similar, vector not in time": {time.Minute, similar, 500 * time.Millisecond, 1, []string{retrieve.DegradedIndex}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.Budgets = retrieve.DefaultConfig().Budgets }))
				x := &slow{VectorIndex: w.index, by: tt.by}
				w.inner = x
				begin := time.Now()
				l := w.list(tt.req)
				took := time.Since(begin)
				if took != tt.took || x.calls != tt.calls || !slices.Equal(l.Degraded, tt.degraded) || len(l.Items) == 0 {
					t.Errorf("%d items after %v and %d calls, degraded %v", len(l.Items), took, x.calls, l.Degraded)
				}
				if err := w.recorder.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestWithoutIndexOnRealSearch compares searches of a real catalogue with and
// without the index, by words: every fifth skill that two courses or more carry is a
// query. Memory is a makeshift, but has to be most of the way there; it is as good on
// names, which is what titles hold.
func TestWithoutIndexOnRealSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a whole catalogue twice over")
	}
	courses, bySkill := coursera(t)
	w := newWorld(t, courses, wordsOnly, func(w *world, _ *retrieve.Config, _ *rerankConfig) {
		w.lexicon = text.NewLexicon(text.DefaultParams())
	})
	var queries []string
	for i, q := range slices.Sorted(maps.Keys(bySkill)) {
		if len(bySkill[q]) >= 2 && i%5 == 0 {
			queries = append(queries, q)
		}
	}
	measure := func() (mean float64) {
		for _, q := range queries {
			got, err := w.engine.TopIDs(t.Context(), search(q), 10)
			if err != nil {
				t.Fatal(err)
			}
			mean += ndcg(got, bySkill[q]) / float64(len(queries))
		}
		return mean
	}
	with := measure()
	w.indexErr = errors.New("down")
	without := measure()
	t.Logf("%d courses, %d queries, nDCG@10 by words: %.4f with the index, %.4f without", len(courses), len(queries), with, without)
	if without < 0.75*with {
		t.Errorf("nDCG@10 %.4f without the index, %.4f with it", without, with)
	}
}
