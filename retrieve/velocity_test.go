package retrieve_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

// pace is what happened to a course on a day so many days ago.
type pace func(daysAgo int) float64

// decayedEvents is what a store makes of a pace over the last 400 days.
func decayedEvents(p pace, halfLife time.Duration) float64 {
	sum := 0.0
	for day := range 400 {
		sum += p(day) * math.Exp2(-float64(day)*24/halfLife.Hours())
	}
	return sum
}

func TestTrending(t *testing.T) {
	steady := func(n float64) pace { return func(int) float64 { return n } }
	rising := func(before, after float64, since int) pace {
		return func(day int) float64 {
			if day < since {
				return after
			}
			return before
		}
	}
	for name, c := range map[string]struct {
		paces map[string]pace
		age   map[string]int // days since publication; 1000 otherwise
		want  []string
	}{
		"totals do not count":     {map[string]pace{"big": steady(50), "small": rising(0.2, 3, 7)}, nil, []string{"small"}},
		"the steeper comes first": {map[string]pace{"a": rising(1, 2.5, 7), "b": rising(1, 5, 7), "big": steady(50)}, nil, []string{"b", "a"}},
		"falling":                 {map[string]pace{"a": rising(5, 1, 10), "big": steady(50)}, nil, nil},
		"one event is no trend":   {map[string]pace{"a": rising(0, 1, 1), "big": steady(50)}, nil, nil},
		// Ten days of the same pace are no gain, though they are all there is.
		"new at an even pace": {map[string]pace{"a": rising(0, 5, 10), "big": steady(50)}, map[string]int{"a": 10}, nil},
		"new and gaining":     {map[string]pace{"a": rising(0, 20, 3), "big": steady(50)}, map[string]int{"a": 60}, []string{"a"}},
		// Everything doubles in a week: nothing stands out. One that grows by eight does.
		"the platform grows": {map[string]pace{"a": rising(10, 20, 7), "b": rising(10, 20, 7), "c": rising(10, 20, 7), "d": rising(2, 16, 7)}, nil, []string{"d"}},
	} {
		t.Run(name, func(t *testing.T) {
			var courses []lectern.Course
			for id := range c.paces {
				age, ok := c.age[id]
				if !ok {
					age = 1000
				}
				published := now.AddDate(0, 0, -age)
				courses = append(courses, lectern.Course{ID: id, Title: id, PublishedAt: &published})
			}
			w := newWorld(t, courses, func(w *world, _ *retrieve.Config, _ *rerankConfig) {
				w.activity = func(_ time.Time, halfLife time.Duration) (out []lectern.CourseStats) {
					for id, p := range c.paces {
						out = append(out, lectern.CourseStats{CourseID: id, Activity: map[lectern.EventType]float64{
							lectern.EventEnrol: decayedEvents(p, halfLife),
						}})
					}
					return out
				}
			})
			if err := w.catalog.RefreshStats(context.Background()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range w.catalog.Trending() {
				if h.Score <= 0 || h.Score > 1 {
					t.Errorf("trend of %s: %v", h.ID, h.Score)
				}
				got = append(got, h.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got): %s", diff)
			}
			list := w.list(lectern.ListRequest{Surface: lectern.SurfaceTrending})
			if !slices.Equal(ids(list), c.want) {
				t.Errorf("list: %v", ids(list))
			}
			for _, it := range list.Items {
				if it.Reasons[0].Code != "trending" {
					t.Errorf("reasons of %s: %v", it.Course.ID, it.Reasons)
				}
			}
		})
	}
}

// TestTrendsAreTakenSeldom: the statistics of all courses are read once at most
// refreshes, and with two more half-lives where trends are due.
func TestTrendsAreTakenSeldom(t *testing.T) {
	var asked []time.Duration
	w := newWorld(t, school(), func(w *world, _ *retrieve.Config, _ *rerankConfig) {
		w.activity = func(_ time.Time, halfLife time.Duration) []lectern.CourseStats {
			asked = append(asked, halfLife)
			return nil
		}
	})
	for range 4 {
		if err := w.catalog.RefreshStats(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.clock = w.clock.Add(4 * time.Minute)
	}
	month, week, year := 30*24*time.Hour, 7*24*time.Hour, 365*24*time.Hour
	if diff := cmp.Diff([]time.Duration{month, week, year, month, month, month, week, year}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestTrendingUnderFilters(t *testing.T) {
	w := fullSchool(t)
	req := lectern.ListRequest{Surface: lectern.SurfaceTrending, Filter: lectern.Filter{Categories: []string{"guitar"}}}
	if l := w.list(req); len(l.Items) != 0 {
		t.Errorf("trending guitar: %v", ids(l))
	}
	req.Filter.Categories = []string{"Spanish"}
	req.Limit, req.Explain = 2, true
	l := w.list(req)
	if len(l.Items) != 2 || l.Total != 4 || l.NextCursor == "" || l.Items[0].Terms[0].Value == 0 {
		t.Errorf("trending Spanish: %+v", l)
	}
	req.Cursor = l.NextCursor
	if next := w.list(req); fmt.Sprint(ids(next)) == fmt.Sprint(ids(l)) || len(next.Items) != 2 {
		t.Errorf("its second page: %v", ids(next))
	}
}
