package retrieve_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// made is a list without what differs from one time to the next.
func made(l lectern.List) lectern.List {
	l.RankingID, l.NextCursor, l.Timings = "", "", nil
	return l
}

// TestListsShareMemory: lists and pages use the memory of those before them. None of it
// shows in later lists, nor in the records of earlier ones.
func TestListsShareMemory(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	bob := lectern.LearnerRef{ID: "bob"}
	w.act(bob, lectern.EventComplete, "guitar-workshop-5")
	var reqs []lectern.ListRequest
	for _, ref := range []lectern.LearnerRef{ada, bob, {}} {
		for _, req := range everySurface(ref) {
			req.Limit, req.Explain = 10, true
			reqs = append(reqs, req)
		}
	}
	record := func(id string) string {
		r, err := w.recorder.Ranking(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	want, ids, records := make([]lectern.List, len(reqs)), make([]string, len(reqs)), make([]string, len(reqs))
	for i, req := range reqs {
		l := w.list(req)
		want[i], ids[i] = made(l), l.RankingID
		records[i] = record(l.RankingID)
	}
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(part), 1))
			for range 3 {
				for _, i := range r.Perm(len(reqs)) {
					got, err := w.engine.List(context.Background(), reqs[i])
					if err != nil {
						t.Errorf("%+v: %v", reqs[i], err)
						return
					}
					if diff := cmp.Diff(want[i], made(got)); diff != "" {
						t.Errorf("%s %s of %s (-alone +among others):\n%s", reqs[i].Surface, reqs[i].Row, reqs[i].Learner.ID, diff)
						return
					}
					if i%4 == part {
						w.engine.Forget(reqs[i].Learner)
						if _, err := w.engine.Home(context.Background(), lectern.HomeRequest{Learner: reqs[i].Learner, Limit: 5}); err != nil {
							t.Errorf("page of %s: %v", reqs[i].Learner.ID, err)
						}
					}
				}
			}
		})
	}
	wg.Wait()
	for i, id := range ids {
		if diff := cmp.Diff(records[i], record(id)); diff != "" {
			t.Errorf("the record of %s %s changed:\n%s", reqs[i].Surface, reqs[i].Row, diff)
		}
	}
}
