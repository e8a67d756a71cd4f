package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

const week = 7 * 24 * time.Hour

func rankedFor(id string, who lectern.LearnerRef, courses ...string) lectern.Ranking {
	r := lectern.Ranking{ID: id, Learner: who, Surface: lectern.SurfaceHome, RequestHash: "h", ConfigVersion: "v1", CreatedAt: noon1}
	for _, c := range courses {
		r.Items = append(r.Items, lectern.RankedItem{CourseID: c, Propensity: 1})
	}
	return r
}

func did(id string, who lectern.LearnerRef, kind lectern.EventType, course, ranking string, at time.Duration) lectern.EventWrite {
	return lectern.EventWrite{Event: lectern.Event{
		ID: id, Type: kind, LearnerID: who.ID, AnonymousID: who.AnonymousID, CourseID: course, RankingID: ranking, OccurredAt: noon1.Add(at),
	}}
}

func testOutcomes(t *testing.T, s Store) {
	ctx := t.Context()
	ann, ben, visitor := lectern.LearnerRef{ID: "ann"}, lectern.LearnerRef{ID: "ben"}, lectern.LearnerRef{AnonymousID: "v"}
	ok(t, errOf(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}, {ID: "ben"}, {ID: "no", Consent: &lectern.Consent{}}, {ID: "v", Anonymous: true}})))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{
		rankedFor("r1", ann, "a", "b", "c"), rankedFor("r2", ann, "b", "a"), rankedFor("r3", ben, "a"), rankedFor("rv", visitor, "c"),
	}))
	hour := time.Hour
	ok(t, errOf(s.AppendEvents(ctx, []lectern.EventWrite{
		did("e1", ann, lectern.EventProgress, "a", "", 0),              // nothing was cited yet
		did("e2", ann, lectern.EventClick, "a", "r1", hour),            // itself
		did("e3", ann, lectern.EventEnrol, "a", "r2", 2*hour),          // itself
		did("e4", ben, lectern.EventProgress, "a", "", 3*hour),         // another's citation is none of his
		did("e5", ann, lectern.EventProgress, "b", "", 3*hour),         // nor is one about another course
		did("e6", ann, lectern.EventProgress, "a", "", 3*hour),         // the later of the two
		did("e7", ann, lectern.EventComplete, "a", "", 90*time.Minute), // came late: before the second
		did("e8", ann, lectern.EventComplete, "a", "", 2*hour+week),    // the window is closed at both ends
		did("e9", ann, lectern.EventDrop, "a", "", 2*hour+week+time.Microsecond),
		did("e10", ann, lectern.EventClick, "a", "gone", 4*hour), // a list that was never stored
		did("e11", lectern.LearnerRef{ID: "no"}, lectern.EventClick, "a", "r3", hour),
		did("e12", visitor, lectern.EventClick, "c", "rv", hour),
		{Event: lectern.Event{ID: "e13", Type: lectern.EventSearch, LearnerID: "ann", Query: "q", RankingID: "r1", OccurredAt: noon1}},
	})))
	read := func(after int64, limit, items int) ([]lectern.Outcome, int64) {
		t.Helper()
		out, next, err := s.ScanOutcomes(ctx, after, limit, week, items)
		ok(t, err)
		return out, next
	}
	lines := func(outs []lectern.Outcome) (out []string) {
		for _, o := range outs {
			line := o.Event.ID
			if o.List != nil {
				line += " " + o.List.ID
			}
			if o.Direct {
				line += " direct"
			}
			if o.Silent {
				line += " silent"
			}
			out = append(out, line)
		}
		return out
	}
	all, next := read(0, 100, 2)
	equal(t, "outcomes", lines(all), []string{
		"e1", "e2 r1 direct", "e3 r2 direct", "e4", "e5", "e6 r2", "e7 r1", "e8 r2", "e9", "e10", "e11 r3 direct silent", "e12 rv direct", "e13 r1 direct",
	})
	equal(t, "the place", next, all[len(all)-1].Seq)
	for i := 1; i < len(all); i++ {
		if all[i].Seq <= all[i-1].Seq {
			t.Errorf("place %d comes after %d", all[i].Seq, all[i-1].Seq)
		}
	}
	equal(t, "the first items", all[1].List.Items, rankedFor("", ann, "a", "b").Items)
	equal(t, "nobody is named", all[1].List.Learner, lectern.LearnerRef{})
	if all[0].Person == 0 || all[0].Person != all[1].Person || all[0].Person == all[3].Person {
		t.Errorf("persons: %d, %d, %d", all[0].Person, all[1].Person, all[3].Person)
	}
	none, still := read(next, 10, 2)
	equal(t, "nothing more", len(none), 0)
	equal(t, "the place stays", still, next)
	var paged []lectern.Outcome
	for at := int64(0); ; {
		page, to := read(at, 5, 2)
		if len(page) == 0 {
			break
		}
		paged, at = append(paged, page...), to
	}
	equal(t, "pages", lines(paged), lines(all))

	// A list of which an event came in between no longer cites is put down to the one before.
	ok(t, s.MergeVisitor(ctx, "v", "ann"))
	ok(t, errOf(s.AppendEvents(ctx, []lectern.EventWrite{did("e14", ann, lectern.EventEnrol, "c", "", 2*hour)})))
	merged, _ := read(next, 10, 2)
	equal(t, "after a merge", lines(merged), []string{"e14 rv"})
	ok(t, s.DeleteLearner(ctx, ann))
	left, _ := read(0, 100, 2)
	equal(t, "after an erasure", lines(left), []string{"e4", "e11 r3 direct silent"})
}

func testScanRankings(t *testing.T, s Store) {
	ctx := t.Context()
	ann := lectern.LearnerRef{ID: "ann"}
	ok(t, errOf(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}})))
	late := rankedFor("r1", ann, "a", "b")
	late.CreatedAt = noon1.Add(-90 * 24 * time.Hour) // made before, recorded after
	ok(t, s.PutRankings(ctx, []lectern.Ranking{rankedFor("r0", lectern.LearnerRef{}, "a")}))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{late}))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{late, rankedFor("r2", ann, "c")}))
	lists, next, err := s.ScanRankings(ctx, 0, 10, 1)
	ok(t, err)
	var ids []string
	for _, l := range lists {
		ids = append(ids, l.Ranking.ID)
	}
	equal(t, "in the order of recording, each once", ids, []string{"r0", "r1", "r2"})
	equal(t, "the place", next, lists[2].Seq)
	equal(t, "the first items", len(lists[1].Ranking.Items), 1)
	if lists[0].Person != 0 || lists[1].Person == 0 || lists[1].Person != lists[2].Person {
		t.Errorf("persons: %d, %d, %d", lists[0].Person, lists[1].Person, lists[2].Person)
	}
	page, to, err := s.ScanRankings(ctx, lists[0].Seq, 1, 1)
	ok(t, err)
	equal(t, "a page", page, lists[1:2])
	equal(t, "its end", to, lists[1].Seq)
	none, still, err := s.ScanRankings(ctx, next, 10, 1)
	ok(t, err)
	equal(t, "nothing more", len(none), 0)
	equal(t, "the place stays", still, next)
	ok(t, s.DeleteLearner(ctx, ann))
	left, _, err := s.ScanRankings(ctx, 0, 10, 1)
	ok(t, err)
	equal(t, "after an erasure", len(left), 1)
}

// testScanComplete reads lists while others are stored: what is read once is complete
// up to there.
func testScanComplete(t *testing.T, s Store) {
	ctx := t.Context()
	const writers, each = 4, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("r%d-%d", w, i)
				if err := s.PutRankings(ctx, []lectern.Ranking{rankedFor(id, lectern.LearnerRef{}, "a"), rankedFor(id+"x", lectern.LearnerRef{}, "a")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	seen, at := map[string]bool{}, int64(0)
	for last := false; ; {
		lists, next, err := s.ScanRankings(ctx, at, 7, 1)
		ok(t, err)
		for _, l := range lists {
			seen[l.Ranking.ID] = true
		}
		at = next
		if len(lists) > 0 {
			continue
		}
		if last {
			break
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
	equal(t, "lists that were read", len(seen), writers*each*2)
}

func testMinor(t *testing.T, s Store) {
	ctx := t.Context()
	minor := func(ref lectern.LearnerRef) bool {
		t.Helper()
		l := must[lectern.Learner](t)(s.Learner(ctx, ref))
		p := must[lectern.Profile](t)(s.Profile(ctx, ref))
		equal(t, "the profile's", p.Learner.Minor, l.Minor)
		return l.Minor
	}
	ann, ben := lectern.LearnerRef{ID: "ann"}, lectern.LearnerRef{ID: "ben"}
	wantOutcomes(t, must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann", Minor: true}, {ID: "ben"}, {ID: "v", Anonymous: true, Minor: true}})),
		lectern.OutcomeCreated, lectern.OutcomeCreated, lectern.OutcomeCreated)
	equal(t, "ann", minor(ann), true)
	equal(t, "ben", minor(ben), false)
	version := must[int64](t)(s.ProfileVersion(ctx, ann))
	wantOutcomes(t, must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann", Minor: true}})), lectern.OutcomeUnchanged)
	wantOutcomes(t, must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}})), lectern.OutcomeUpdated)
	equal(t, "of age", minor(ann), false)
	if now := must[int64](t)(s.ProfileVersion(ctx, ann)); now == version {
		t.Error("the profile's version stays, so that lists of before go on")
	}
	ok(t, s.MergeVisitor(ctx, "v", "ben"))
	equal(t, "after a merge", minor(ben), true)
	ok(t, errOf(s.PutLearners(ctx, []lectern.Learner{{ID: "w", Anonymous: true}, {ID: "ann", Minor: true}})))
	ok(t, s.MergeVisitor(ctx, "w", "ann"))
	equal(t, "after a merge with one of age", minor(ann), true)
}
