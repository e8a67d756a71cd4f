package storetest

import (
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// testListedPeople reads whom lists were made for, by which id they fall into groups, and
// their days.
func testListedPeople(t *testing.T, s Store) {
	ctx, m := t.Context(), metricStore(t, s)
	ann, bob, cat, dan, visitor := lectern.LearnerRef{ID: "ann"}, lectern.LearnerRef{ID: "bob"}, lectern.LearnerRef{ID: "cat"}, lectern.LearnerRef{ID: "dan"}, lectern.LearnerRef{AnonymousID: "v\"1"}
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{
		{ID: "ann"}, {ID: "bob", Minor: true}, {ID: "cat", Consent: &lectern.Consent{Personalisation: true}},
		{ID: "dan", Consent: &lectern.Consent{Personalisation: true, Exploration: true}}, {ID: "never"},
	}))
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(newCourse("c"))))
	for _, v := range []string{"v\"1", "v2", "v3"} {
		must[[]lectern.WriteResult](t)(s.AppendEvents(ctx, []lectern.EventWrite{{Event: lectern.Event{
			ID: "e" + v, Type: lectern.EventClick, AnonymousID: v, CourseID: "c", OccurredAt: noon1,
		}}}))
	}
	ok(t, s.MergeVisitor(ctx, "v2", "ann"))
	ok(t, s.MergeVisitor(ctx, "v3", "ann"))
	hour := func(n int) time.Time { return noon1.Add(time.Duration(n) * time.Hour) }
	list := func(id string, ref lectern.LearnerRef, n int, change func(*lectern.Ranking)) lectern.Ranking {
		r := shownIn(id, ref, hour(n))
		if change != nil {
			change(&r)
		}
		return r
	}
	explored := func(r *lectern.Ranking) { r.Exploration = &lectern.Exploration{} }
	ok(t, s.PutRankings(ctx, []lectern.Ranking{
		list("early", ann, -1, explored), // before the time
		list("r2", ann, 5, explored),     // not the first
		list("r1b", ann, 1, nil), list("r1a", ann, 1, nil),
		list("r3", bob, 2, nil), list("r4", cat, 2, nil), list("r5", dan, 3, explored),
		shownIn("r6", visitor, hour(0), "x", "a"),
		list("late", lectern.LearnerRef{ID: "never"}, 10, nil), // at the end, which does not count
		list("r7", lectern.LearnerRef{ID: "unknown"}, 3, nil), list("r8", lectern.LearnerRef{}, 3, nil),
	}))
	person := func(ref lectern.LearnerRef) int64 { return must[int64](t)(s.ProfileKey(ctx, ref)) }
	tally := lectern.Tally{Lists: 2, Clicks: 1, Hours: 1.5}
	b := lectern.MetricBatch{To: lectern.MetricProgress{Definition: "d", Events: 1}}
	for _, day := range []int{99, 100, 103, 104} {
		b.Days = append(b.Days, lectern.PersonDay{Person: person(ann), DayTally: lectern.DayTally{Day: day, Tally: tally}})
	}
	ok(t, m.ApplyMetrics(ctx, b))

	got := map[int64]lectern.ListedPerson{}
	ok(t, s.ListedPeople(ctx, hour(0), hour(10), 100, 103, func(p lectern.ListedPerson) error {
		if _, again := got[p.Person]; again {
			t.Errorf("person %d twice", p.Person)
		}
		got[p.Person] = p
		return nil
	}))
	want := func(ref lectern.LearnerRef, ranking string, n int, change func(*lectern.ListedPerson)) {
		t.Helper()
		p := lectern.ListedPerson{Learner: ref, PersonDays: lectern.PersonDays{Person: person(ref), Exposure: lectern.Exposure{
			At: hour(n), RankingID: ranking, Segment: lectern.SegmentActive,
		}}}
		if change != nil {
			change(&p)
		}
		found := got[p.Person]
		if len(found.Visitors) == 2 && found.Visitors[0] > found.Visitors[1] { // in no order
			found.Visitors[0], found.Visitors[1] = found.Visitors[1], found.Visitors[0]
		}
		if len(found.Visitors) == 0 {
			found.Visitors = nil
		}
		equal(t, "person", found, p)
	}
	equal(t, "people", len(got), 5)
	want(ann, "r1a", 1, func(p *lectern.ListedPerson) {
		p.Visitors, p.Days = []string{"v2", "v3"}, []lectern.DayTally{{Day: 100, Tally: tally}, {Day: 103, Tally: tally}}
	})
	want(bob, "r3", 2, func(p *lectern.ListedPerson) { p.Protected = true })
	want(cat, "r4", 2, func(p *lectern.ListedPerson) { p.Protected = true })
	want(dan, "r5", 3, func(p *lectern.ListedPerson) { p.Tried = true })
	want(visitor, "r6", 0, func(p *lectern.ListedPerson) { p.Tried = true })
}
