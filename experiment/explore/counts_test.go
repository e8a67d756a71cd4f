package explore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// tape is a log of lists.
type tape struct {
	lists []lectern.RankedList
	fails error
	reads int
}

func (l *tape) ScanRankings(_ context.Context, after int64, limit, items int) ([]lectern.RankedList, int64, error) {
	if l.reads++; l.fails != nil {
		return nil, after, l.fails
	}
	from := int(min(after, int64(len(l.lists))))
	out := slices.Clone(l.lists[from:min(len(l.lists), from+limit)])
	for i := range out {
		n := items
		if n == lectern.FirstPage {
			n = out[i].Ranking.Served
		}
		out[i].Ranking.Items = out[i].Ranking.Items[:min(n, len(out[i].Ranking.Items))]
	}
	return out, after + int64(len(out)), nil
}

func (l *tape) add(r lectern.Ranking) {
	l.lists = append(l.lists, lectern.RankedList{Seq: int64(len(l.lists) + 1), Ranking: r})
}

// replica is one of several processes on one log.
type replica struct {
	*Explorer
	*Follower
	log   *tape
	clock *time.Time
}

func newReplica(t *testing.T, log *tape, clock *time.Time, change func(*Config)) replica {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Policy, cfg.Floor, cfg.Caps = PolicyNone, 1, Caps{}
	cfg.NewCourses.Share = 0
	if change != nil {
		change(&cfg)
	}
	published := func(id string) (string, time.Time, bool) { // of request's courses, the new ones
		var i int
		_, _ = fmt.Sscanf(id, "c%d", &i)
		if i%5 == 0 {
			return "fresh", now.AddDate(0, 0, -10), true
		}
		return "usual", now.AddDate(-1, 0, 0), true
	}
	counts := NewCounts()
	set := Fixed{cfg, "e1"}
	quiet := slog.New(slog.DiscardHandler)
	f := NewFollower(log, counts, published, set, func() time.Time { return *clock }, quiet)
	e, err := New(Deps{Settings: set, Counts: counts, Followed: true, Secret: []byte("shared"), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return replica{e, f, log, clock}
}

// serve makes a list and records it.
func (r replica) serve(learner string) *lectern.Exploration {
	req := usual(learner, *r.clock)
	order, x := r.Explore(req)
	if x == nil {
		order = make([]int, len(req.Items))
		for i := range order {
			order[i] = i
		}
	}
	list := recordedList(req, order, x)
	r.log.add(*list)
	return x
}

// usual is a list of forty good courses, of which every fifth is new.
func usual(learner string, at time.Time) *lectern.ExploreRequest {
	req := request(rand.New(rand.NewPCG(1, 1)), 40)
	req.Learner.ID, req.At, req.PerProvider = learner, at, 0
	for i := range req.Items {
		it := &req.Items[i]
		it.Fixed, it.Held, it.Values[1], it.Score, it.Age, it.Provider = false, false, .9, .8, 300, "usual"
		if i%5 == 0 {
			it.Age, it.Provider = 10, "fresh"
		}
	}
	return req
}

// TestCapOfLearner holds across two replicas and a restart, and ends with the day.
func TestCapOfLearner(t *testing.T) {
	clock, log := now, &tape{}
	few := func(c *Config) { c.Caps.PerLearner = 4 }
	one, two := newReplica(t, log, &clock, few), newReplica(t, log, &clock, few)
	if one.serve("ann") != nil {
		t.Error("a list explored before it was known what others showed")
	}
	follow := func(rs ...replica) {
		t.Helper()
		for _, r := range rs {
			if err := r.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	follow(one, two)
	ann, free := "", newReplica(t, &tape{}, &clock, nil) // somebody whose lots put another course at both places
	free.counts.know(true, true)
	for i := 0; raisedIn(free.serve(ann)) < 2; i++ {
		ann = strconv.Itoa(i)
	}
	shown := 0
	for range 20 {
		for _, r := range []replica{one, two} {
			shown += raisedIn(r.serve(ann))
			follow(one, two)
		}
	}
	if shown != 4 {
		t.Errorf("%d explored items in a day, with a cap of 4", shown)
	}
	if one.serve("bob") == nil {
		t.Error("another learner does not explore")
	}
	again := newReplica(t, log, &clock, few)
	follow(again)
	if again.serve(ann) != nil {
		t.Error("after a restart it explores again")
	}
	clock = now.AddDate(0, 0, 1)
	if again.serve(ann) == nil {
		t.Error("on the next day it does not explore")
	}
}

// raisedIn counts the places of a list that hold something else than they would.
func raisedIn(x *lectern.Exploration) (n int) {
	if x == nil {
		return 0
	}
	s, actual, _ := sceneFrom("", x)
	_, moved := s.moved(actual, nil, nil)
	for _, m := range moved {
		if m {
			n++
		}
	}
	return n
}

// TestOwnListsCountOnce, at once and not again when the log brings them.
func TestOwnListsCountOnce(t *testing.T) {
	clock, log := now, &tape{}
	one, two := newReplica(t, log, &clock, nil), newReplica(t, log, &clock, nil)
	for _, r := range []replica{one, two} {
		if err := r.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		one.serve(strconv.Itoa(i))
		two.serve(strconv.Itoa(i)) // the same person: the same seed
	}
	if len(one.counts.own) != 30 {
		t.Fatalf("%d lists await the log", len(one.counts.own))
	}
	for _, r := range []replica{one, two} {
		if err := r.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if one.counts.explored != two.counts.explored || one.counts.explored == 0 || len(one.counts.own) != 0 {
		t.Errorf("%d and %d explored items, %d lists left over", one.counts.explored, two.counts.explored, len(one.counts.own))
	}
	for id, n := range one.counts.shown {
		if two.counts.shown[id] != n {
			t.Errorf("%s was shown %d times, or %d", id, n, two.counts.shown[id])
		}
	}
	alone := newReplica(t, log, &clock, nil)
	if err := alone.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if alone.counts.explored != one.counts.explored || len(alone.counts.shown) != len(one.counts.shown) {
		t.Errorf("from the log %d explored items of %d new courses, as they were made %d of %d",
			alone.counts.explored, len(alone.counts.shown), one.counts.explored, len(one.counts.shown))
	}
	clock = clock.Add(2 * ownFor)
	one.serve("never recorded")
	log.lists = log.lists[:len(log.lists)-1]
	clock = clock.Add(2 * ownFor)
	one.look(t.Context())
	if len(one.counts.own) != 0 {
		t.Error("a list that was never recorded is waited for")
	}
}

// TestImpressionsOwed are counted over the weeks since a course came out, of all lists,
// and end when the course has had them.
func TestImpressionsOwed(t *testing.T) {
	clock, log := now, &tape{}
	for day := range 30 { // 20 lists a day, of which the last ten days show the new courses
		for range 20 {
			r := lectern.Ranking{ID: "x", Served: 1, CreatedAt: now.AddDate(0, 0, day-30), Items: []lectern.RankedItem{{CourseID: "c010"}, {CourseID: "c015"}}}
			if day >= 27 {
				r.Served = 2
			}
			log.add(r)
		}
	}
	e := newReplica(t, log, &clock, func(c *Config) { c.NewCourses = NewCourses{Days: 28, Impressions: 280, Share: .5} })
	req := usual("ann", now)
	if err := e.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if had, all := e.counts.impressions("c010"); had != 200 || !all {
		t.Errorf("the first was shown %d times since it came out, 200 in truth (all known: %v)", had, all)
	}
	if had, _ := e.counts.impressions("c015"); had != 60 {
		t.Errorf("the second was shown %d times, 60 in truth", had)
	}
	_, x := e.Explore(req)
	if x == nil || slices.Contains(x.Owed, 10) || !slices.Contains(x.Owed, 15) {
		t.Fatalf("owed: %+v: after 10 of 28 days 100 of 280 impressions", x)
	}
	clock = clock.Add(time.Hour)
	log.fails = errors.New("away")
	before := e.counts.explored
	e.look(t.Context())
	e.look(t.Context())
	if e.serve("bob") == nil || e.counts.explored == before {
		t.Error("without the log a process does not go on by itself")
	}
}

// TestCaps of a course, and of a provider's share.
func TestCaps(t *testing.T) {
	clock, log := now, &tape{}
	e := newReplica(t, log, &clock, func(c *Config) { c.Caps = Caps{PerCourse: 4, PerProvider: .3}; c.Pool = 40 })
	if err := e.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	courses, fresh, all := map[string]int{}, 0, 0
	for i := range 60 {
		req := usual(strconv.Itoa(i), clock)
		for j := range req.Items { // five more providers
			if it := &req.Items[j]; it.Provider == "usual" {
				it.Provider += strconv.Itoa(j % 6)
			}
		}
		order, x := e.Explore(req)
		if x == nil {
			continue
		}
		s, actual, _ := sceneFrom("", x)
		_, moved := s.moved(actual, nil, nil)
		for j, m := range moved {
			if it := req.Items[order[x.Places[j]]]; m {
				courses[it.CourseID]++
				if all++; it.Provider == "fresh" && all > fewExplored {
					fresh++
				}
			}
		}
	}
	for id, n := range courses {
		if n > 4 {
			t.Errorf("%s was put up %d times", id, n)
		}
	}
	if all < 60 {
		t.Errorf("only %d items were explored", all)
	}
	if share := float64(fresh) / float64(all-fewExplored); share > .4 {
		t.Errorf("a provider with a cap of .3 had %.2f of what was explored once there was enough", share)
	}
}

// TestFind looks for a time in a long log without reading it.
func TestFind(t *testing.T) {
	log := &tape{}
	for i := range 50_000 {
		log.add(lectern.Ranking{CreatedAt: now.Add(time.Duration(i) * time.Second)})
	}
	clock := now
	f := newReplica(t, log, &clock, nil).Follower
	for _, at := range []int{0, 1, 199, 200, 201, 30_000, 49_999, 60_000} {
		log.reads = 0
		from, err := f.find(t.Context(), now.Add(time.Duration(at)*time.Second))
		if err != nil || from > int64(at) || int64(min(at, 50_000))-from > 2*near && at < 50_000 || log.reads > 60 {
			t.Errorf("%d: from %d after %d reads, %v", at, from, log.reads, err)
		}
	}
}
