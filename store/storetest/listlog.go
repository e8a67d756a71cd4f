package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

func testListLog(t *testing.T, s Store) {
	ctx := t.Context()
	ok(t, errOf(s.PutLearners(ctx, []lectern.Learner{
		{ID: "ann"}, {ID: "ben"}, {ID: "no", Consent: &lectern.Consent{}},
	})))
	items := []lectern.RankedItem{
		{CourseID: "a", Score: .5, Propensity: 1, Terms: []float64{.25, .75}},
		{CourseID: "b", Score: .25, Propensity: 1, Terms: []float64{0, .5}},
		{CourseID: "c", Score: .125, Propensity: .5, Terms: []float64{0, .25}, Pinned: "rule"},
	}
	list := func(id, learner string, minute int) lectern.Ranking {
		return lectern.Ranking{
			ID: id, Learner: lectern.LearnerRef{ID: learner}, Surface: lectern.SurfaceHome, RequestHash: "h", ConfigVersion: "v1",
			CreatedAt: noon1.Add(time.Duration(minute) * time.Minute), Items: items,
			Weights: []lectern.TermWeight{{Name: "quality", Weight: .5}, {Name: "trend", Weight: .5}},
		}
	}
	ok(t, s.PutRankings(ctx, []lectern.Ranking{
		list("r1", "ann", 1), list("r2", "ann", 2), list("r3", "", 2), list("r4", "ben", 3),
		list("quiet", "ben", 3), list("private", "no", 3), list("late", "ben", 24*60),
	}))
	events := 0
	cite := func(ranking, learner string, kind lectern.EventType, course string, position *int) lectern.EventWrite {
		events++
		return lectern.EventWrite{Event: lectern.Event{
			ID: fmt.Sprintf("e%d", events), Type: kind, LearnerID: learner, CourseID: course,
			OccurredAt: noon1.Add(time.Hour + time.Duration(events)*time.Second), RankingID: ranking, Position: position,
		}}
	}
	ok(t, errOf(s.AppendEvents(ctx, []lectern.EventWrite{
		cite("r1", "ann", lectern.EventClick, "b", ptr(1)), cite("r1", "ann", lectern.EventEnrol, "b", nil),
		cite("r2", "ann", lectern.EventView, "a", ptr(0)), cite("r3", "ben", lectern.EventClick, "a", ptr(0)),
		cite("r4", "ben", lectern.EventClick, "c", ptr(2)), cite("private", "no", lectern.EventClick, "a", ptr(0)),
		cite("late", "ben", lectern.EventClick, "a", ptr(0)), cite("nowhere", "ben", lectern.EventClick, "a", ptr(0)),
		cite("", "ben", lectern.EventClick, "a", ptr(0)),
	})))

	read := func(since time.Time, before lectern.LogCursor, limit, items int) ([]lectern.LoggedList, lectern.LogCursor) {
		t.Helper()
		lists, next, err := s.LoggedLists(ctx, since, before, limit, items)
		ok(t, err)
		return lists, next
	}
	idsOf := func(lists []lectern.LoggedList) (ids []string) {
		for _, l := range lists {
			ids = append(ids, l.Ranking.ID)
		}
		return ids
	}
	noon := lectern.LogCursor{CreatedAt: noon1.Add(2 * time.Hour)}
	all, next := read(noon1, noon, 100, 2)
	equal(t, "newest first, without quiet and private ones", idsOf(all), []string{"r4", "r3", "r2", "r1"})
	equal(t, "the end", next, lectern.LogCursor{})
	want := list("r1", "", 1)
	want.Items = items[:2]
	equal(t, "ranking", all[3].Ranking, want)
	equal(t, "events", all[3].Events, []lectern.Citation{
		{Type: lectern.EventClick, CourseID: "b", Position: ptr(1), At: noon1.Add(time.Hour + time.Second)},
		{Type: lectern.EventEnrol, CourseID: "b", At: noon1.Add(time.Hour + 2*time.Second)},
	})
	if all[3].Person == 0 || all[3].Person != all[2].Person || all[3].Person == all[0].Person || all[1].Person != 0 {
		t.Errorf("persons: %d, %d, %d, %d", all[0].Person, all[1].Person, all[2].Person, all[3].Person)
	}
	equal(t, "every item", len(must1(read(noon1, noon, 1, 9))[0].Ranking.Items), 3)
	equal(t, "since is inclusive", idsOf(must1(read(noon1.Add(2*time.Minute), noon, 100, 1))), []string{"r4", "r3", "r2"})
	equal(t, "before is exclusive", idsOf(must1(read(noon1, lectern.LogCursor{CreatedAt: noon1.Add(2 * time.Minute)}, 100, 1))), []string{"r1"})

	var paged []string
	for at := noon; ; {
		page, next := read(noon1, at, 1, 1)
		paged = append(paged, idsOf(page)...)
		if next == (lectern.LogCursor{}) {
			break
		}
		at = next
	}
	equal(t, "pages", paged, []string{"r4", "r3", "r2", "r1"})
	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: "ann"}))
	equal(t, "after an erasure", idsOf(must1(read(noon1, noon, 100, 1))), []string{"r4", "r3"})
}

// must1 is the first of two.
func must1[A, B any](a A, _ B) A { return a }

func errOf[T any](_ T, err error) error { return err }
