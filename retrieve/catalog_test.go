package retrieve_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

func course(id string, change func(*lectern.Course)) lectern.Course {
	c := lectern.Course{ID: id, Title: "Course " + id}
	if change != nil {
		change(&c)
	}
	return c
}

// explained returns one term of every course on nobody's home page.
func explained(w *world, term string) map[string]float64 {
	req := home(lectern.LearnerRef{})
	req.Limit, req.Explain = 1000, true
	out := map[string]float64{}
	for _, it := range w.list(req).Items {
		for _, x := range it.Terms {
			if x.Name == term {
				out[it.Course.ID] = x.Value
			}
		}
	}
	return out
}

func round(m map[string]float64) map[string]float64 {
	for k, v := range m {
		m[k] = math.Round(v*1e4) / 1e4
	}
	return m
}

func TestRatingsKnownAndStated(t *testing.T) {
	w := newWorld(t, nil)
	w.stats["known"] = lectern.CourseStats{CourseID: "known", RatingCount: 90, RatingMean: 4}
	w.stats["both"] = lectern.CourseStats{CourseID: "both", RatingCount: 30, RatingMean: 2}
	w.put(
		course("known", nil),
		course("both", func(c *lectern.Course) { c.Stated = lectern.StatedStats{RatingMean: 4, RatingCount: 90} }),
		course("stated", func(c *lectern.Course) { c.Stated = lectern.StatedStats{RatingMean: 5, RatingCount: 90} }),
		course("mean", func(c *lectern.Course) { c.Stated = lectern.StatedStats{RatingMean: 5} }),
		course("none", nil),
	)
	// Weights n/(n+10): .9 .9 .9 .5; mean = (.9·4 + .9·4 + .9·5 + .5·5)/3.2 = 14.2/3.2 = 4.4375.
	// known and both: b = (20·4.4375 + 90·4)/110 = 4.07955; ½ + (b − m)/2 = .32102
	// stated: b = (88.75 + 450)/110 = 4.89773; .73011. mean counts as ten: b = (88.75 + 50)/30 = 4.625; .59375
	want := map[string]float64{"known": 0.3210, "both": 0.3210, "stated": 0.7301, "mean": 0.5938, "none": 0.5}
	if diff := cmp.Diff(want, round(explained(w, "quality"))); diff != "" {
		t.Errorf("quality (-want +got):\n%s", diff)
	}
}

func TestPopularity(t *testing.T) {
	w := newWorld(t, []lectern.Course{
		course("big", func(c *lectern.Course) { c.Stated.Enrolments = 999 }),
		course("live", nil), course("none", nil),
		course("gone", func(c *lectern.Course) { // what nobody may see sets no scale
			c.Stated.Enrolments, c.Availability.Status = 1_000_000, lectern.StatusRetired
		}),
	})
	// No events anywhere: volume alone. big: log(1000)/log(1000).
	if diff := cmp.Diff(map[string]float64{"big": 1, "live": 0, "none": 0}, explained(w, "popularity")); diff != "" {
		t.Errorf("by volume (-want +got):\n%s", diff)
	}
	w.stats["live"] = lectern.CourseStats{CourseID: "live", Activity: map[lectern.EventType]float64{
		lectern.EventEnrol: 4, lectern.EventComplete: 2, lectern.EventView: 1000, // 4·1 + 2·1.5 = 7
	}}
	w.stats["big"] = lectern.CourseStats{CourseID: "big", Activity: map[lectern.EventType]float64{lectern.EventEnrol: 1}}
	if err := w.catalog.RefreshStats(context.Background()); err != nil {
		t.Fatal(err)
	}
	// live: .6·1 + .4·0; big: .6·log 2/log 8 + .4·1 = .6/3 + .4
	if diff := cmp.Diff(map[string]float64{"big": 0.6, "live": 0.6, "none": 0}, round(explained(w, "popularity"))); diff != "" {
		t.Errorf("with activity (-want +got):\n%s", diff)
	}
}

func TestNothingKnownIsNeutral(t *testing.T) {
	w := newWorld(t, []lectern.Course{course("a", nil), course("b", nil)})
	for _, term := range []string{"popularity", "quality", "freshness"} {
		if diff := cmp.Diff(map[string]float64{"a": 0.5, "b": 0.5}, explained(w, term)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", term, diff)
		}
	}
}

// TestCatalogFollows: whatever order courses come and go in, the home page of
// nobody is the one of a catalogue filled at once.
func TestCatalogFollows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		step := newWorld(t, nil)
		final := map[string]lectern.Course{}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			id := fmt.Sprintf("c%d", rapid.IntRange(0, 12).Draw(rt, "id"))
			if rapid.IntRange(0, 3).Draw(rt, "what") == 0 {
				step.remove(id)
				delete(final, id)
				continue
			}
			c := course(id, func(c *lectern.Course) {
				c.Stated.Enrolments = rapid.IntRange(0, 1000).Draw(rt, "enrolments")
				published := now.AddDate(0, 0, -rapid.IntRange(0, 400).Draw(rt, "age"))
				c.PublishedAt = &published
				if rapid.IntRange(0, 5).Draw(rt, "retired") == 0 {
					c.Availability.Status = lectern.StatusRetired
				}
			})
			step.put(c)
			final[id] = c
		}
		if err := step.catalog.RefreshStats(context.Background()); err != nil {
			rt.Fatal(err)
		}
		once := newWorld(t, nil)
		var all []lectern.Course
		for _, c := range final {
			all = append(all, c)
		}
		once.put(all...)
		req := home(lectern.LearnerRef{})
		req.Limit = 100
		a, b := step.list(req), once.list(req)
		if !slices.Equal(ids(a), ids(b)) || step.catalog.Len() != len(final) {
			rt.Fatalf("step by step %v, at once %v", ids(a), ids(b))
		}
	})
}

func TestReset(t *testing.T) {
	w := newWorld(t, []lectern.Course{course("a", nil), course("b", nil)})
	err := w.catalog.Apply(context.Background(), []retrieve.CatalogEntry{
		{Course: course("b", nil)}, {Course: course("c", nil)}, {Course: course("c", func(c *lectern.Course) { c.Title = "Second" })},
	}, nil, true)
	if err != nil || w.catalog.Len() != 2 {
		t.Errorf("%d courses, %v", w.catalog.Len(), err)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 20 {
				req := home(ada)
				req.Limit = 5
				if i%2 == 0 {
					req = search("python")
					req.Limit = 5
				}
				if _, err := w.engine.List(context.Background(), req); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 20 {
		entries := []retrieve.CatalogEntry{{Course: course(fmt.Sprint("extra", i), nil)}}
		if err := w.catalog.Apply(context.Background(), entries, []string{fmt.Sprint("extra", i-1)}, false); err != nil {
			t.Error(err)
		}
		if err := w.catalog.RefreshStats(context.Background()); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

func TestConfig(t *testing.T) {
	if err := retrieve.DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for key, change := range map[string]func(*retrieve.Config){
		"retrieve.depth":                     func(c *retrieve.Config) { c.Depth = 0 },
		"retrieve.per_source":                func(c *retrieve.Config) { c.PerSource = -1 },
		"retrieve.lexical_weight":            func(c *retrieve.Config) { c.LexicalWeight = math.NaN() },
		"retrieve.semantic_weight":           func(c *retrieve.Config) { c.LexicalWeight, c.SemanticWeight = 0, 0 },
		"retrieve.min_similarity":            func(c *retrieve.Config) { c.MinSimilarity = 2 },
		"retrieve.budgets.embed":             func(c *retrieve.Config) { c.Budgets.Embed = 0 },
		"retrieve.popularity.activity_share": func(c *retrieve.Config) { c.Popularity.ActivityShare = 1.5 },
		"retrieve.popularity.weights.enrol":  func(c *retrieve.Config) { c.Popularity.Weights.Enrol = -1 },
		"retrieve.record.flush_every":        func(c *retrieve.Config) { c.Record.FlushEvery = time.Minute },
	} {
		cfg := retrieve.DefaultConfig()
		change(&cfg)
		_, err := retrieve.New(retrieve.Deps{}, cfg)
		e, ok := errors.AsType[*lectern.Error](err)
		if !ok || e.Fields[0].Field != key || e.Fields[0].Allowed == "" {
			t.Errorf("%s: got %v", key, err)
		}
	}
}
