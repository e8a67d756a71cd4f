package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// The size of the log that BenchmarkSearches reads: 90 days of it.
const (
	benchSearches = 50_000
	benchQueries  = 5000 // distinct, of which few are frequent
	benchLearners = 2000
	benchEvents   = 100_000 // of which a fifth open what was found
	benchPeriod   = 90 * 24 * time.Hour
)

// BenchmarkSearches measures the questions about a search log of 50,000 searches
// in an empty store. They are asked at once, before a server has had the time to
// learn about its tables in the background.
func BenchmarkSearches(b *testing.B, s Store) {
	fillBenchSearches(b, s)
	ctx, to := b.Context(), noon1.Add(benchPeriod)
	for _, order := range []lectern.SearchOrder{lectern.SearchesByCount, lectern.SearchesByWeight} {
		b.Run("counts by "+string(order), func(b *testing.B) {
			q := lectern.SearchCountQuery{From: noon1, To: to, HalfLife: 30 * 24 * time.Hour, Order: order, Limit: 100}
			for b.Loop() {
				if rows, err := s.SearchCounts(ctx, q); err != nil || len(rows) != q.Limit {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
	b.Run("growing in a week", func(b *testing.B) {
		q := lectern.SearchCountQuery{From: to.AddDate(0, 0, -7), To: to, HalfLife: 24 * time.Hour, Order: lectern.SearchesByGrowing, MinOpeners: 3, Limit: 10}
		for b.Loop() {
			if _, err := s.SearchCounts(ctx, q); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reformulations", func(b *testing.B) {
		for b.Loop() {
			if rows, err := s.Reformulations(ctx, noon1, to, 5*time.Minute, 100); err != nil || len(rows) == 0 {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run("recent", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			if rows, err := s.RecentSearches(ctx, lectern.LearnerRef{ID: fmt.Sprint("l", n%benchLearners)}, 5); err != nil || len(rows) == 0 {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run("put 100", func(b *testing.B) {
		n := 0
		for b.Loop() {
			batch := make([]lectern.Search, 100)
			for i := range batch {
				n++
				batch[i] = searched(fmt.Sprint("new", n), fmt.Sprint("l", n%benchLearners), "new", to.AddDate(1, 0, 0))
			}
			if err := s.PutSearches(ctx, batch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("forget nobody", func(b *testing.B) {
		if _, err := s.ForgetSearchers(ctx, to); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if n, err := s.ForgetSearchers(ctx, to); err != nil || n > 0 {
				b.Fatal(n, err)
			}
		}
	})
}

func fillBenchSearches(b *testing.B, s Store) {
	b.Helper()
	ctx, r := b.Context(), rand.New(rand.NewPCG(1, 2)) //nolint:gosec // not for secrets
	popular := rand.NewZipf(r, 1.2, 4, benchQueries-1)
	anybody := func() string { return fmt.Sprint("l", r.IntN(benchLearners)) }
	var learners []lectern.Learner
	for i := range benchLearners {
		learners = append(learners, lectern.Learner{ID: fmt.Sprint("l", i)})
	}
	if _, err := s.PutLearners(ctx, learners); err != nil {
		b.Fatal(err)
	}
	if _, err := s.PutCourses(ctx, replace(newCourse("a"))); err != nil {
		b.Fatal(err)
	}
	var searches []lectern.Search
	at, who := make([]time.Time, benchSearches), ""
	for i := range at {
		at[i] = noon1.Add(benchPeriod / benchSearches * time.Duration(i))
		if i%3 != 1 { // a third of searches follow another of the same learner
			who = anybody()
		}
		search := searched(fmt.Sprint("r", i), who, fmt.Sprint("query ", popular.Uint64()), at[i])
		searches = append(searches, found(search, r.IntN(8)))
		if len(searches) == 1000 {
			if err := s.PutSearches(ctx, searches); err != nil {
				b.Fatal(err)
			}
			searches = searches[:0]
		}
	}
	var events []lectern.EventWrite
	for i := range benchEvents {
		n := r.IntN(benchSearches)
		e := citing(fmt.Sprint("e", i), lectern.EventView, anybody(), fmt.Sprint("r", n), ptr(r.IntN(10)), at[n].Add(time.Minute))
		if i%5 == 0 {
			e.Event.Type = lectern.EventClick
		}
		if events = append(events, e); len(events) == 2000 {
			if _, err := s.AppendEvents(ctx, events); err != nil {
				b.Fatal(err)
			}
			events = events[:0]
		}
	}
}
