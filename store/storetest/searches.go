package storetest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

// searched is a search of SurfaceSearch that found ten courses.
func searched(id, learner, query string, at time.Time) lectern.Search {
	return lectern.Search{
		RankingID: id, At: at, Learner: lectern.LearnerRef{ID: learner}, Surface: lectern.SurfaceSearch,
		Query: query, Folded: strings.ToLower(query), Results: 10,
	}
}

// found returns the search with another number of results.
func found(s lectern.Search, results int) lectern.Search {
	s.Results = results
	return s
}

// citing is an event of a learner that cites a list.
func citing(id string, kind lectern.EventType, learner, ranking string, position *int, at time.Time) lectern.EventWrite {
	return lectern.EventWrite{Event: lectern.Event{
		ID: id, Type: kind, LearnerID: learner, CourseID: "a", RankingID: ranking, Position: position, OccurredAt: at,
		Value: map[lectern.EventType]*float64{lectern.EventProgress: ptr(0.5), lectern.EventRate: ptr(4.0)}[kind],
	}}
}

// putSearches stores searches, and their learners before them.
func putSearches(t *testing.T, s Store, searches ...lectern.Search) {
	t.Helper()
	known := map[string]bool{"": true}
	for _, search := range searches {
		if id := search.Learner.ID; !known[id] {
			known[id] = true
			putLearners(t, s, lectern.Learner{ID: id})
		}
	}
	ok(t, s.PutSearches(t.Context(), searches))
}

func countsOf(t *testing.T, s Store, q lectern.SearchCountQuery) []lectern.SearchCount {
	t.Helper()
	return must[[]lectern.SearchCount](t)(s.SearchCounts(t.Context(), q))
}

func recent(t *testing.T, s Store, ref lectern.LearnerRef, limit int) []lectern.Search {
	t.Helper()
	return must[[]lectern.Search](t)(s.RecentSearches(t.Context(), ref, limit))
}

func queriesOf(searches []lectern.Search) (out []string) {
	for _, s := range searches {
		out = append(out, s.Query)
	}
	return out
}

var near = cmpopts.EquateApprox(1e-12, 1e-12)

func testSearchPut(t *testing.T, s Store) {
	ctx := t.Context()
	putLearners(t, s, lectern.Learner{ID: "l"}, lectern.Learner{ID: "v", Anonymous: true})
	full := lectern.Search{
		RankingID: "r1", At: noon1.Add(1999 * time.Nanosecond), Learner: lectern.LearnerRef{ID: "l"},
		Surface: lectern.SurfaceSearch, Query: "C++ für “Ältere” 机器", Folded: "c++ fur “altere” 机器", Results: 3, Degraded: true,
	}
	ok(t, s.PutSearches(ctx, []lectern.Search{full}))
	full.At = noon1.Add(time.Microsecond)
	ref := lectern.LearnerRef{ID: "l"}
	equal(t, "search", recent(t, s, ref, 9), []lectern.Search{full})

	other := full
	other.Query, other.Learner = "other", lectern.LearnerRef{AnonymousID: "v"}
	twin := searched("r2", "l", "twin", noon1)
	again := twin
	again.Query = "again"
	ok(t, s.PutSearches(ctx, []lectern.Search{other, twin, again}))
	equal(t, "searches that exist", queriesOf(recent(t, s, ref, 9)), []string{full.Query, "twin"})
	equal(t, "the visitor's", len(recent(t, s, lectern.LearnerRef{AnonymousID: "v"}, 9)), 0)

	// Who is not known is not made known, and the search counts all the same.
	ok(t, s.PutSearches(ctx, []lectern.Search{
		searched("r3", "nobody", "lonely", noon1),
		{RankingID: "r4", At: noon1, Surface: lectern.SurfaceSearch, Query: "lonely", Folded: "lonely", Learner: lectern.LearnerRef{AnonymousID: "none"}},
	}))
	for _, ref := range []lectern.LearnerRef{{ID: "nobody"}, {AnonymousID: "none"}, {}} {
		_, err := s.Learner(ctx, ref)
		wantCode(t, err, lectern.CodeNotFound)
		equal(t, "searches of nobody", len(recent(t, s, ref, 9)), 0)
	}
	st := must[lectern.StoreStats](t)(s.Stats(ctx))
	equal(t, "searches and learners", []int64{st.Searches, st.Learners, st.Visitors}, []int64{4, 1, 1})
}

func testSearchReject(t *testing.T, s Store) {
	ctx := t.Context()
	for name, change := range map[string]func(*lectern.Search){
		"no id":          func(s *lectern.Search) { s.RankingID = "" },
		"surface":        func(s *lectern.Search) { s.Surface = lectern.SurfaceHome },
		"long query":     func(s *lectern.Search) { s.Query = strings.Repeat("x", lectern.MaxSearchQuery+1) },
		"negative":       func(s *lectern.Search) { s.Results = -1 },
		"long learner":   func(s *lectern.Search) { s.Learner.ID = strings.Repeat("x", lectern.MaxIDBytes+1) },
		"learner no use": func(s *lectern.Search) { s.Learner = lectern.LearnerRef{AnonymousID: "\xff"} },
	} {
		bad := searched("bad", "", "q", noon1)
		change(&bad)
		if err := s.PutSearches(ctx, []lectern.Search{searched("good", "", "q", noon1), bad}); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.SearchCounts(ctx, lectern.SearchCountQuery{From: day1, To: noon1, Order: "beauty", Limit: 9})
	wantCode(t, err, lectern.CodeInvalid)
	equal(t, "searches", must[lectern.StoreStats](t)(s.Stats(ctx)).Searches, int64(0))
}

func testSearchRecent(t *testing.T, s Store) {
	at := func(minutes int) time.Time { return noon1.Add(time.Duration(minutes) * time.Minute) }
	typed := searched("6", "l", "pyt", at(6))
	typed.Surface = lectern.SurfaceAutocomplete
	putSearches(t, s,
		searched("1", "l", "python", at(1)), searched("2", "l", "SQL", at(2)), searched("3", "l", "Python", at(3)),
		found(searched("4", "l", "nothing", at(4)), 0), searched("5", "m", "theirs", at(5)), typed,
		searched("7", "l", "ÄÖ", at(0)), found(searched("8", "l", "sql", at(8)), 0))
	l := lectern.LearnerRef{ID: "l"}
	equal(t, "recent", queriesOf(recent(t, s, l, 9)), []string{"Python", "SQL", "ÄÖ"})
	equal(t, "recent, two", queriesOf(recent(t, s, l, 2)), []string{"Python", "SQL"})
	equal(t, "recent, none", len(recent(t, s, l, 0)), 0)
	equal(t, "by either name", queriesOf(recent(t, s, lectern.LearnerRef{ID: "m", AnonymousID: "x"}, 9)), []string{"theirs"})
}

// fillSearches writes what testSearchCounts counts: see there.
func fillSearches(t *testing.T, s Store) {
	t.Helper()
	putCourses(t, s, "a")
	age := func(days int) time.Time { return noon1.AddDate(0, 0, -days) }
	typed := searched("typed", "l1", "pyth", age(1))
	typed.Surface = lectern.SurfaceAutocomplete
	putSearches(t, s,
		// python: five in the period, of which one found nothing and two are opened.
		searched("p1", "l1", "python", age(1)), searched("p2", "l2", "Python", age(2)), searched("p3", "l1", "python", age(3)),
		found(searched("p4", "", "python", age(4)), 0), found(searched("p5", "l3", "PYTHON", age(1).Add(time.Hour)), 7),
		searched("p6", "l1", "python", age(5)), // the period begins after it
		searched("p7", "l1", "python", noon1),  // and ends before it
		// sql: twice in the period and three times before.
		searched("s1", "l1", "SQL", age(2)), searched("s2", "l2", "sql", age(3)),
		searched("s3", "l1", "sql", age(5)), searched("s4", "l1", "sql", age(6)), searched("s5", "l1", "sql", age(7)),
		// cobol: three times for nothing.
		found(searched("c1", "l1", "cobol", age(1)), 0), found(searched("c2", "l2", "cobol", age(2)), 0), found(searched("c3", "l2", "cobol", age(3)), 0),
		// knitting: opened once, by somebody who was shown it after nothing was found.
		found(searched("k1", "l2", "knitting", age(4)), 0),
		typed)
	appendEvents(t, s,
		citing("e1", lectern.EventClick, "l1", "p1", ptr(0), age(1)),
		citing("e2", lectern.EventSave, "l1", "p1", ptr(3), age(1)),
		citing("e3", lectern.EventEnrol, "l2", "p2", ptr(6), age(1)),
		citing("e4", lectern.EventComplete, "l2", "p2", nil, age(0)),
		citing("e5", lectern.EventView, "l3", "p3", ptr(9), age(3)), // seeing is not opening
		citing("e6", lectern.EventDismiss, "l3", "p3", ptr(9), age(3)),
		citing("e7", lectern.EventClick, "l3", "p6", ptr(9), age(0)), // of a search outside the period
		citing("e8", lectern.EventClick, "l3", "p3", ptr(9), age(5)), // two days before its search
		citing("e9", lectern.EventProgress, "l2", "s1", ptr(2), age(2).Add(-time.Hour)),
		citing("e10", lectern.EventClick, "l2", "k1", nil, age(4)),
		citing("e11", lectern.EventClick, "l1", "typed", ptr(1), age(1)),
		citing("e12", lectern.EventClick, "l1", "unknown", ptr(1), age(1)))
}

func testSearchCounts(t *testing.T, s Store) {
	fillSearches(t, s)
	query := func(order lectern.SearchOrder) lectern.SearchCountQuery {
		return lectern.SearchCountQuery{
			From: noon1.AddDate(0, 0, -4), To: noon1, HalfLife: 24 * time.Hour, Order: order, Limit: 99,
		}
	}
	python := lectern.SearchCount{
		Folded: "python", Query: "PYTHON", Searches: 5, Zero: 1, Opened: 2, Missed: 2, Openers: 2,
		Position: 3, Results: 7, Last: noon1.AddDate(0, 0, -1).Add(time.Hour), // (0 + 3 + 6) / 3
		Weight: 0.75, // p1 one day old and p2 two: 1/2 + 1/4
	}
	sql := lectern.SearchCount{
		Folded: "sql", Query: "SQL", Searches: 2, Opened: 1, Missed: 1, Openers: 1, Position: 2, Results: 10,
		Weight: 0.25, Last: noon1.AddDate(0, 0, -2),
	}
	cobol := lectern.SearchCount{Folded: "cobol", Query: "cobol", Searches: 3, Zero: 3, Last: noon1.AddDate(0, 0, -1)}
	knitting := lectern.SearchCount{
		Folded: "knitting", Query: "knitting", Searches: 1, Zero: 1, Opened: 1, Openers: 1, Weight: 1.0 / 16, Last: noon1.AddDate(0, 0, -4),
	}
	for order, want := range map[lectern.SearchOrder][]lectern.SearchCount{
		lectern.SearchesByCount:  {python, cobol, sql, knitting},
		lectern.SearchesByZero:   {cobol, python, knitting},
		lectern.SearchesByMissed: {python, sql},
		lectern.SearchesByWeight: {python, sql, knitting},
	} {
		equal(t, "by "+string(order), countsOf(t, s, query(order)), want, near)
	}

	// The four days before have one search for python and three for sql:
	// cobol (3 − 0) / √1, python (5 − 1) / √2, knitting (1 − 0) / √1, sql (2 − 3) / √4.
	python.Before, sql.Before = 1, 3
	equal(t, "growing", countsOf(t, s, query(lectern.SearchesByGrowing)), []lectern.SearchCount{cobol, python, knitting, sql}, near)
	python.Before, sql.Before = 0, 0

	q := query(lectern.SearchesByCount)
	q.MinOpeners = 1
	equal(t, "with openers", countsOf(t, s, q), []lectern.SearchCount{python, sql, knitting}, near)
	q.Limit = 1
	equal(t, "the first", countsOf(t, s, q), []lectern.SearchCount{python}, near)
	q.MinOpeners = 2
	q.HalfLife = 0
	python.Weight = 2
	equal(t, "without decay", countsOf(t, s, q), []lectern.SearchCount{python}, near)
	q.MinOpeners = 3
	equal(t, "too many openers asked for", len(countsOf(t, s, q)), 0)
	q.MinOpeners, q.Limit = 0, 0
	equal(t, "limit 0", len(countsOf(t, s, q)), 0)
	q = query(lectern.SearchesByCount)
	q.From, q.To = q.To, q.From
	equal(t, "a period that ends before it begins", len(countsOf(t, s, q)), 0)

	// However old a search is, its weight is a number.
	q = query(lectern.SearchesByWeight)
	q.HalfLife = time.Minute
	for _, c := range countsOf(t, s, q) {
		if !(c.Weight > 0 && c.Weight < 1e-300) {
			t.Errorf("%s weighs %g", c.Folded, c.Weight)
		}
	}
}

// testSearchTies checks that what counts alike has an order, that of bytes.
func testSearchTies(t *testing.T, s Store) {
	var want []string
	for i, q := range []string{"b", "ä", "a", "z", "a b", "ab", "机", "a-b"} {
		putSearches(t, s, searched(fmt.Sprint(i), "", q, noon1))
		want = append(want, q)
	}
	slices.Sort(want)
	var got []string
	for _, c := range countsOf(t, s, lectern.SearchCountQuery{From: noon1, To: noon1.Add(1000), Order: lectern.SearchesByCount, Limit: 99}) {
		got = append(got, c.Folded)
	}
	equal(t, "order", got, want)
}

func testReformulations(t *testing.T, s Store) {
	putCourses(t, s, "a")
	at := func(seconds int) time.Time { return noon1.Add(time.Duration(seconds) * time.Second) }
	typed := searched("t1", "l1", "py", at(5))
	typed.Surface = lectern.SurfaceAutocomplete
	putSearches(t, s,
		// Twice the same and then another: one step, of the second.
		searched("a1", "l1", "pyhton", at(0)), typed, found(searched("a2", "l1", "Pyhton", at(10)), 0), searched("a3", "l1", "python", at(20)),
		found(searched("b1", "l2", "PYHTON", at(15)), 0), searched("b2", "l2", "Python", at(30)), // the newest spellings
		searched("c1", "l1", "r", at(1000)), // too late after python
		searched("c2", "l1", "r language", at(1060)), searched("c3", "l1", "r", at(1120)), searched("c4", "l1", "r language", at(1130)),
		searched("d1", "l3", "sql", at(0)), searched("d2", "l3", "databases", at(40)), // opened before
		searched("e1", "l4", "sql", at(0)), searched("e2", "l4", "databases", at(40)), // opened after
		searched("f1", "", "who", at(0)), searched("f2", "", "whom", at(1)), // nobody's steps
		searched("g1", "l5", "late", at(3590)), searched("g2", "l5", "later", at(3600))) // ends outside
	appendEvents(t, s,
		citing("e1", lectern.EventClick, "l1", "a3", ptr(0), at(25)),
		citing("e2", lectern.EventClick, "l3", "d1", ptr(0), at(39)),
		citing("e3", lectern.EventView, "l2", "b1", ptr(0), at(16)),
		citing("e4", lectern.EventClick, "l4", "e1", ptr(0), at(41)),
		citing("e5", lectern.EventSave, "l4", "e2", ptr(0), at(50)))
	of := func(from, to time.Time, within time.Duration, limit int) []lectern.Reformulation {
		t.Helper()
		return must[[]lectern.Reformulation](t)(s.Reformulations(t.Context(), from, to, within, limit))
	}
	want := []lectern.Reformulation{
		{From: "PYHTON", To: "Python", Count: 2, Learners: 2, Opened: 1, FromZero: 2},
		{From: "r", To: "r language", Count: 2, Learners: 1},
		{From: "r language", To: "r", Count: 1, Learners: 1},
		{From: "sql", To: "databases", Count: 1, Learners: 1, Opened: 1},
	}
	equal(t, "all", of(noon1, at(3600), time.Minute, 99), want)
	equal(t, "two", of(noon1, at(3600), time.Minute, 2), want[:2])
	equal(t, "none", len(of(noon1, at(3600), time.Minute, 0)), 0)
	equal(t, "within less", of(noon1, at(3600), 59*time.Second, 99), []lectern.Reformulation{
		want[0], {From: "r", To: "r language", Count: 1, Learners: 1}, want[3],
	})
	equal(t, "the first 25 seconds", of(noon1, at(25), time.Minute, 99), []lectern.Reformulation{
		{From: "Pyhton", To: "python", Count: 1, Learners: 1, Opened: 1, FromZero: 1},
	})
}

func testSearchPeople(t *testing.T, s Store) {
	ctx := t.Context()
	const id, visitor = "searcher-4e1d", "visitor-77aa"
	putLearners(t, s, lectern.Learner{ID: id}, lectern.Learner{ID: visitor, Anonymous: true}, lectern.Learner{ID: "other"})
	anonymous := searched("v1", "", "as a visitor", noon1)
	anonymous.Learner = lectern.LearnerRef{AnonymousID: visitor}
	equal(t, "stored", s.PutSearches(ctx, []lectern.Search{
		anonymous, searched("l1", id, "as "+id, noon1.Add(time.Second)), searched("o1", "other", "mine", noon1),
	}), nil)
	equal(t, "the visitor's", recent(t, s, lectern.LearnerRef{AnonymousID: visitor}, 9), []lectern.Search{anonymous})
	ok(t, s.MergeVisitor(ctx, visitor, id))
	got := recent(t, s, lectern.LearnerRef{AnonymousID: visitor}, 9)
	equal(t, "after merging", queriesOf(got), []string{"as " + id, "as a visitor"})
	equal(t, "whose they are", got[1].Learner, lectern.LearnerRef{ID: id})

	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: id}))
	equal(t, "after erasing", len(recent(t, s, lectern.LearnerRef{ID: id}, 9)), 0)
	equal(t, "another's", queriesOf(recent(t, s, lectern.LearnerRef{ID: "other"}, 9)), []string{"mine"})
	equal(t, "searches", must[lectern.StoreStats](t)(s.Stats(ctx)).Searches, int64(1))
	if in, can := s.(Inspector); can {
		for _, text := range []string{id, visitor, "as a visitor"} {
			equal(t, "mentions of "+text, must[[]string](t)(in.Mentions(ctx, text)), []string(nil))
		}
	}
	// What is stored late does not bring anybody back.
	ok(t, s.PutSearches(ctx, []lectern.Search{searched("l2", id, "late", noon1)}))
	equal(t, "late", len(recent(t, s, lectern.LearnerRef{ID: id}, 9)), 0)
	equal(t, "contradictions", must[[]string](t)(s.Check(ctx)), []string(nil))
}

func testSearchRetention(t *testing.T, s Store) {
	ctx := t.Context()
	const many = 4500 // more than two slices
	var searches []lectern.Search
	for i := range many {
		searches = append(searches, searched(fmt.Sprint("r", i), []string{"l", "m", ""}[i%3], fmt.Sprint("q", i%7), noon1.Add(time.Duration(i)*time.Second)))
	}
	putSearches(t, s, searches...)
	at := func(i int) time.Time { return noon1.Add(time.Duration(i) * time.Second) }
	count := func() int64 { return must[lectern.StoreStats](t)(s.Stats(ctx)).Searches }
	all := lectern.SearchCountQuery{From: noon1, To: at(many), Order: lectern.SearchesByCount, Limit: 99}
	before := countsOf(t, s, all)

	equal(t, "forgotten", must[int](t)(s.ForgetSearchers(ctx, at(4200))), 2800)
	equal(t, "forgotten again", must[int](t)(s.ForgetSearchers(ctx, at(4200))), 0)
	equal(t, "counts", countsOf(t, s, all), before, near)
	for _, search := range recent(t, s, lectern.LearnerRef{ID: "l"}, 9) {
		if search.At.Before(at(4200)) {
			t.Errorf("%v is remembered", search)
		}
	}
	equal(t, "newest of l", recent(t, s, lectern.LearnerRef{ID: "l"}, 1)[0].At, at(4497))
	equal(t, "deleted", must[int](t)(s.DeleteSearchesBefore(ctx, at(4100))), 4100)
	equal(t, "deleted again", must[int](t)(s.DeleteSearchesBefore(ctx, at(4100))), 0)
	equal(t, "left", count(), int64(many-4100))
	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: "l"}))
	equal(t, "the forgotten stay", count(), int64(many-4100-100))
}

// testSearchRandom compares counts and steps with a count by hand.
func testSearchRandom(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	putLearners(t, s, lectern.Learner{ID: "l0"}, lectern.Learner{ID: "l1"}, lectern.Learner{ID: "l2"})
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		from := noon1.AddDate(run, 0, 0) // each run has a year of its own
		to := from.Add(24 * time.Hour)
		var searches []lectern.Search
		var events []lectern.EventWrite
		for i := range rapid.IntRange(0, 25).Draw(rt, "searches") {
			id := fmt.Sprintf("%d-%d", run, i)
			at := from.Add(time.Duration(rapid.IntRange(-12, 25).Draw(rt, "hour"))*time.Hour + time.Duration(i)*time.Second)
			search := searched(id, fmt.Sprint("l", rapid.IntRange(0, 2).Draw(rt, "learner")), rapid.SampledFrom([]string{"a", "A", "b", "c"}).Draw(rt, "query"), at)
			search.Results = rapid.IntRange(0, 2).Draw(rt, "results")
			searches = append(searches, search)
			for j := range rapid.IntRange(0, 2).Draw(rt, "events") {
				kind := rapid.SampledFrom([]lectern.EventType{lectern.EventClick, lectern.EventEnrol, lectern.EventView}).Draw(rt, "type")
				who := fmt.Sprint("l", rapid.IntRange(0, 2).Draw(rt, "who"))
				after := time.Duration(rapid.IntRange(-30, 60).Draw(rt, "after")) * time.Hour
				events = append(events, citing(fmt.Sprintf("%s-%d", id, j), kind, who, id, ptr(rapid.IntRange(0, 5).Draw(rt, "position")), at.Add(after)))
			}
		}
		if err := s.PutSearches(ctx, searches); err != nil {
			rt.Fatal(err)
		}
		if _, err := s.AppendEvents(ctx, events); err != nil {
			rt.Fatal(err)
		}
		q := lectern.SearchCountQuery{From: from, To: to, HalfLife: 7 * time.Hour, Order: lectern.SearchesByCount, Limit: 99}
		got, err := s.SearchCounts(ctx, q)
		if diff := gocmp.Diff(countByHand(searches, events, q), got, near, cmpopts.EquateEmpty()); err != nil || diff != "" {
			rt.Fatal(err, diff)
		}
		within := 90 * time.Minute
		steps, err := s.Reformulations(ctx, from, to, within, 99)
		if diff := gocmp.Diff(stepsByHand(searches, events, q, within), steps, cmpopts.EquateEmpty()); err != nil || diff != "" {
			rt.Fatal(err, diff)
		}
	})
}

// openings returns the events that open a search.
func openings(s lectern.Search, events []lectern.EventWrite) (out []lectern.Event) {
	for _, e := range events {
		if e.Event.RankingID == s.RankingID && e.Event.Type != lectern.EventView && !e.Event.OccurredAt.Before(s.At.Add(-24*time.Hour)) {
			out = append(out, e.Event)
		}
	}
	return out
}

func countByHand(searches []lectern.Search, events []lectern.EventWrite, q lectern.SearchCountQuery) []lectern.SearchCount {
	byFolded := map[string]*lectern.SearchCount{}
	people, positions := map[string]map[string]bool{}, map[string][]float64{}
	for _, s := range searches {
		if s.At.Before(q.From) || !s.At.Before(q.To) {
			continue
		}
		c := byFolded[s.Folded]
		if c == nil {
			c = &lectern.SearchCount{Folded: s.Folded}
			byFolded[s.Folded], people[s.Folded] = c, map[string]bool{}
		}
		c.Searches++
		if !s.At.Before(c.Last) {
			c.Last, c.Query, c.Results = s.At, s.Query, s.Results
		}
		opened := openings(s, events)
		for _, e := range opened {
			people[s.Folded][e.LearnerID] = true
			positions[s.Folded] = append(positions[s.Folded], float64(*e.Position))
		}
		switch {
		case len(opened) > 0:
			c.Opened++
			c.Weight += math.Exp2(-float64(q.To.Sub(s.At)) / float64(q.HalfLife))
		case s.Results > 0:
			c.Missed++
		}
		if s.Results == 0 {
			c.Zero++
		}
	}
	var out []lectern.SearchCount
	for folded, c := range byFolded {
		c.Openers = len(people[folded])
		for _, p := range positions[folded] {
			c.Position += p / float64(len(positions[folded]))
		}
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b lectern.SearchCount) int {
		return cmp.Or(cmp.Compare(b.Searches, a.Searches), cmp.Compare(a.Folded, b.Folded))
	})
	return out
}

func stepsByHand(searches []lectern.Search, events []lectern.EventWrite, q lectern.SearchCountQuery, within time.Duration) []lectern.Reformulation {
	inside := slices.DeleteFunc(slices.Clone(searches), func(s lectern.Search) bool { return s.At.Before(q.From) || !s.At.Before(q.To) })
	slices.SortFunc(inside, func(a, b lectern.Search) int { return a.At.Compare(b.At) })
	type pair struct{ from, to string }
	steps, people, latest := map[pair]*lectern.Reformulation{}, map[pair]map[string]bool{}, map[pair]time.Time{}
	for i, first := range inside {
		j := slices.IndexFunc(inside[i+1:], func(s lectern.Search) bool { return s.Learner == first.Learner })
		if j < 0 {
			continue
		}
		second := inside[i+1+j]
		early := slices.ContainsFunc(openings(first, events), func(e lectern.Event) bool { return e.OccurredAt.Before(second.At) })
		if first.Folded == second.Folded || second.At.Sub(first.At) > within || early {
			continue
		}
		p := pair{first.Folded, second.Folded}
		if steps[p] == nil {
			steps[p], people[p] = &lectern.Reformulation{}, map[string]bool{}
		}
		r := steps[p]
		r.Count++
		people[p][first.Learner.ID] = true
		r.Learners = len(people[p])
		if !second.At.Before(latest[p]) {
			latest[p], r.From, r.To = second.At, first.Query, second.Query
		}
		if len(openings(second, events)) > 0 {
			r.Opened++
		}
		if first.Results == 0 {
			r.FromZero++
		}
	}
	var out []lectern.Reformulation
	for _, r := range steps {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b lectern.Reformulation) int {
		return cmp.Or(cmp.Compare(b.Learners, a.Learners), cmp.Compare(b.Count, a.Count),
			cmp.Compare(strings.ToLower(a.From), strings.ToLower(b.From)), cmp.Compare(strings.ToLower(a.To), strings.ToLower(b.To)))
	})
	return out
}
