package storetest

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

func testEventAppend(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	e := lectern.Event{
		ID: "e", SchemaVersion: 1, Type: lectern.EventProgress, LearnerID: "l", CourseID: "a",
		OccurredAt: noon1, ReceivedAt: noon1.Add(time.Second), RankingID: "rk", Position: ptr(0),
		Surface: lectern.SurfaceHome, SessionID: "sess", Value: ptr(0.25), Query: "q",
		Properties: json.RawMessage(`{"b": 1,"a":[ ]}`),
	}
	bare := lectern.Event{ID: "f", Type: lectern.EventSearch, AnonymousID: "v", OccurredAt: noon1.Add(1500 * time.Nanosecond)}
	wantOutcomes(t, appendEvents(t, s, lectern.EventWrite{Event: e}, lectern.EventWrite{Event: bare}),
		lectern.OutcomeCreated, lectern.OutcomeCreated)
	equal(t, "event", must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{ID: "l"}, 9)), []lectern.Event{e})
	got := must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{AnonymousID: "v"}, 9))
	if len(got) != 1 || got[0].ReceivedAt.IsZero() {
		t.Fatalf("bare event: %+v", got)
	}
	bare.SchemaVersion, bare.OccurredAt, bare.ReceivedAt = lectern.EventSchemaVersion, noon1.Add(time.Microsecond), got[0].ReceivedAt
	equal(t, "bare event", got[0], bare)
	equal(t, "a learner without deltas", len(profile(t, s, lectern.LearnerRef{ID: "l"}).Entries), 0)
}

func testEventIdempotent(t *testing.T, s Store) {
	putCourses(t, s, "a")
	e := click("e", "l", "a", noon1)
	wantOutcomes(t, appendEvents(t, s, e, e, click("f", "l", "a", noon1)),
		lectern.OutcomeCreated, lectern.OutcomeDuplicate, lectern.OutcomeCreated)
	p := profile(t, s, lectern.LearnerRef{ID: "l"})
	equal(t, "weight", p.Entries[0].Weight, 2.0)
	other := click("e", "m", "a", noon1) // the id decides, whatever else it says
	wantOutcomes(t, appendEvents(t, s, e, other), lectern.OutcomeDuplicate, lectern.OutcomeDuplicate)
	equal(t, "profile", profile(t, s, lectern.LearnerRef{ID: "l"}), p)
	_, err := s.Learner(t.Context(), lectern.LearnerRef{ID: "m"})
	wantCode(t, err, lectern.CodeNotFound)
	equal(t, "activity", statsOf(t, s, "a").Activity[lectern.EventClick], 2.0, cmpopts.EquateApprox(0, 1e-9))

	signIn := click("e", "m", "a", noon1)
	signIn.Event.AnonymousID = "v"
	appendEvents(t, s, anonymousClick("g", "v", "a", noon1))
	wantOutcomes(t, appendEvents(t, s, signIn), lectern.OutcomeDuplicate)
	equal(t, "a duplicate signs nobody in", learner(t, s, lectern.LearnerRef{AnonymousID: "v"}).Anonymous, true)
}

func testEventReject(t *testing.T, s Store) {
	putCourses(t, s, "a")
	bad := func(change func(*lectern.EventWrite)) lectern.EventWrite {
		e := click("bad", "l", "a", noon1)
		change(&e)
		return e
	}
	events := []lectern.EventWrite{
		bad(func(e *lectern.EventWrite) { e.Event.ID = "" }),
		bad(func(e *lectern.EventWrite) { e.Event.Type = "wink" }),
		bad(func(e *lectern.EventWrite) { e.Event.LearnerID = "" }),
		bad(func(e *lectern.EventWrite) { e.Event.CourseID = "" }),
		bad(func(e *lectern.EventWrite) { e.Event.OccurredAt = time.Time{} }),
		bad(func(e *lectern.EventWrite) { e.Event.Value = ptr(math.NaN()) }),
		bad(func(e *lectern.EventWrite) { e.Event.Properties = json.RawMessage(`{`) }),
		bad(func(e *lectern.EventWrite) { e.Delta.HalfLife = 0 }),
		bad(func(e *lectern.EventWrite) { e.Delta.Weight = math.Inf(1) }),
		bad(func(e *lectern.EventWrite) { e.Event.SessionID = "still new" }),
	}
	results := appendEvents(t, s, events...)
	wantOutcomes(t, results, append(repeat(lectern.OutcomeRejected, len(events)-1), lectern.OutcomeCreated)...)
	for _, r := range results[:len(events)-1] {
		wantCode(t, r.Err, lectern.CodeInvalid)
	}
}

func testEventParked(t *testing.T, s Store) {
	ctx := t.Context()
	wantOutcomes(t, appendEvents(t, s, click("e", "l", "later", noon1)), lectern.OutcomeParked)
	wantOutcomes(t, appendEvents(t, s, click("e", "l", "later", noon1)), lectern.OutcomeDuplicate)
	equal(t, "parked", must[lectern.StoreStats](t)(s.Stats(ctx)).ParkedEvents, int64(1))
	putCourses(t, s, "later")
	equal(t, "parked afterwards", must[lectern.StoreStats](t)(s.Stats(ctx)).ParkedEvents, int64(0))
	equal(t, "activity", statsOf(t, s, "later").Activity[lectern.EventClick], 1.0, cmpopts.EquateApprox(0, 1e-9))
	equal(t, "entry", profile(t, s, lectern.LearnerRef{ID: "l"}).Entries[0].CourseID, "later")
}

func testEventSignIn(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	signIn := click("3", "l", "a", noon1)
	signIn.Event.AnonymousID = "v"
	// The merge comes in the middle of a batch, after entries it must move.
	wantOutcomes(t, appendEvents(t, s,
		anonymousClick("1", "v", "a", noon1), anonymousClick("2", "v", "b", noon1), signIn, anonymousClick("4", "v", "a", noon1)),
		repeat(lectern.OutcomeCreated, 4)...)
	p := profile(t, s, lectern.LearnerRef{ID: "l"})
	equal(t, "weights", []float64{p.Entries[0].Weight, p.Entries[1].Weight}, []float64{3, 1})
	for _, e := range must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{ID: "l"}, 9)) {
		equal(t, "learner of event "+e.ID, e.LearnerID+"/"+e.AnonymousID, "l/")
	}
	// A visitor first heard of at sign-in is the learner's from then on.
	signIn.Event.ID, signIn.Event.AnonymousID = "5", "w"
	appendEvents(t, s, signIn)
	appendEvents(t, s, anonymousClick("6", "w", "b", noon1))
	st := must[lectern.StoreStats](t)(s.Stats(ctx))
	equal(t, "learners and visitors", []int64{st.Learners, st.Visitors}, []int64{1, 0})
	equal(t, "events", len(must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{ID: "l"}, 9))), 6)
}

func testEventRead(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	var stored []string
	for i := range 7 {
		id := fmt.Sprint("e", i)
		stored = append(stored, id)
		e := click(id, "l", "a", noon1.Add(-time.Duration(i%3)*time.Hour))
		if i == 6 {
			e = anonymousClick(id, "v", "a", noon1)
		}
		appendEvents(t, s, e)
	}
	ids := func(es []lectern.Event) (out []string) {
		for _, e := range es {
			out = append(out, e.ID)
		}
		return out
	}
	newest := must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{ID: "l"}, 4))
	equal(t, "newest first", ids(newest), []string{"e3", "e0", "e4", "e1"})
	equal(t, "of nobody", len(must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{ID: "none"}, 4))), 0)
	for _, limit := range []int{1, 3, 7, 99} {
		var got []string
		for after := int64(0); ; {
			es, next, err := s.ScanEvents(ctx, after, limit)
			ok(t, err)
			got = append(got, ids(es)...)
			if next == 0 {
				equal(t, "last", es[max(0, len(es)-1):], []lectern.Event{{
					ID: "e6", SchemaVersion: 1, Type: lectern.EventClick, AnonymousID: "v", CourseID: "a", OccurredAt: noon1,
				}}, cmpopts.IgnoreFields(lectern.Event{}, "ReceivedAt"), ignoreEmptyPage(es))
				break
			}
			after = next
		}
		equal(t, fmt.Sprintf("scan by %d", limit), got, stored)
	}
}

// testEventBigBatch writes enough at once for whatever a backend does in bulk.
func testEventBigBatch(t *testing.T, s Store) {
	ctx := t.Context()
	const learners, courses, rounds = 7, 30, 3
	var events []lectern.EventWrite
	for r := range rounds {
		for l := range learners {
			for c := range courses {
				e := click(fmt.Sprint("e", len(events)), fmt.Sprint("l", l), fmt.Sprint("c", c), noon1.Add(time.Duration(r)*halfLife))
				e.Event.Value, e.Event.Position = ptr(0.1*float64(c)), ptr(c)
				events = append(events, e)
			}
		}
	}
	wantOutcomes(t, appendEvents(t, s, events...), repeat(lectern.OutcomeParked, len(events))...)
	wantOutcomes(t, appendEvents(t, s, events...), repeat(lectern.OutcomeDuplicate, len(events))...)
	i := 0
	for after := int64(0); ; {
		stored, next, err := s.ScanEvents(ctx, after, 100)
		ok(t, err)
		for _, got := range stored {
			want := events[i].Event
			want.SchemaVersion, want.ReceivedAt = 1, got.ReceivedAt
			equal(t, "event", got, want)
			i++
		}
		if after = next; next == 0 {
			break
		}
	}
	equal(t, "events", i, len(events))
	for l := range learners {
		p := profile(t, s, lectern.LearnerRef{ID: fmt.Sprint("l", l)})
		equal(t, "entries", len(p.Entries), courses)
		for _, e := range p.Entries {
			equal(t, "weight", e.Weight, 1.75, cmpopts.EquateApprox(0, 1e-9)) // 1 + 1/2 + 1/4
		}
	}
}

// ignoreEmptyPage accepts that a scan ends with an empty page.
func ignoreEmptyPage(es []lectern.Event) cmp.Option {
	return cmp.FilterPath(func(cmp.Path) bool { return len(es) == 0 }, cmp.Ignore())
}

// testEventOrder checks that a profile does not depend on the order in which
// events arrive, nor on how they are split into batches.
func testEventOrder(t *testing.T, s Store) {
	putCourses(t, s, "a", "b")
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		type act struct {
			course int
			hours  int
			weight float64
			state  int
		}
		acts := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) act {
			return act{
				rapid.IntRange(0, 1).Draw(rt, "course"), rapid.IntRange(0, 3000).Draw(rt, "hours"),
				rapid.Float64Range(-3, 3).Draw(rt, "weight"), rapid.IntRange(0, 7).Draw(rt, "state"),
			}
		}), 1, 8).Draw(rt, "acts")
		order := rapid.Permutation(acts).Draw(rt, "order")
		write := func(learner string, acts []act, batch int) lectern.Profile {
			var events []lectern.EventWrite
			for i, a := range acts {
				e := click(fmt.Sprint(learner, i), learner, string(rune('a'+a.course)), noon1.Add(time.Duration(a.hours)*time.Hour))
				e.Delta.Weight, e.Delta.State = a.weight, 1<<a.state
				events = append(events, e)
			}
			for len(events) > 0 {
				n := min(batch, len(events))
				if _, err := s.AppendEvents(t.Context(), events[:n]); err != nil {
					rt.Fatal(err)
				}
				events = events[n:]
			}
			p, err := s.Profile(t.Context(), lectern.LearnerRef{ID: learner})
			if err != nil {
				rt.Fatal(err)
			}
			return p
		}
		one := write(fmt.Sprint("one-", run), acts, 100)
		two := write(fmt.Sprint("two-", run), order, rapid.IntRange(1, 3).Draw(rt, "batch"))
		if diff := cmp.Diff(one.Entries, two.Entries, cmpopts.EquateApprox(1e-9, 1e-9)); diff != "" {
			rt.Fatal(diff)
		}
	})
}
