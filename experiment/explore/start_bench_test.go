package explore

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// BenchmarkStart is how long a process that starts knows too little to explore, on each
// database: with the log of today's lists alone, and with what was kept a minute ago.
// LECTERN_TEST_LISTS is how many lists there are, of the last hours; 2000 if not set.
func BenchmarkStart(b *testing.B) {
	n := 2000
	if s := os.Getenv("LECTERN_TEST_LISTS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	b.Run("sqlite", func(b *testing.B) {
		s, err := sqlite.Open(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "lectern.db")})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		benchmarkStart(b, s, n)
	})
	b.Run("postgres", func(b *testing.B) {
		cfg := postgres.DefaultConfig()
		cfg.DSN = pgtest.Start(b).DSN(b)
		s, err := postgres.Open(b.Context(), postgres.Options{Config: cfg})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		benchmarkStart(b, s, n)
	})
}

type listStore interface {
	Migrate(ctx context.Context) error
	lectern.RankingStore
	Log
}

func benchmarkStart(b *testing.B, s listStore, n int) {
	if err := s.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	start, late := noon.Add(-10*time.Hour), noon
	begin := time.Now()
	fillLists(b, s, n, start, late)
	b.Logf("%d lists written in %v", n, time.Since(begin).Round(time.Millisecond))
	clock := late
	kept := &shelf{}
	read := func() time.Duration {
		f := newReplicaOn(b, s, &clock)
		f.KeepBy(kept, func() bool { return true })
		began := time.Now()
		if err := f.CatchUp(b.Context()); err != nil {
			b.Fatal(err)
		}
		took := time.Since(began)
		if f.counts.counting() || f.counts.explored == 0 {
			b.Fatal("nothing is counted")
		}
		if err := f.keep(b.Context()); err != nil {
			b.Fatal(err)
		}
		return took
	}
	whole := read()
	b.ReportMetric(whole.Seconds(), "log-s")
	b.ReportMetric(float64(whole.Microseconds())/float64(n), "log-µs/list")
	fillLists(b, s, n/600, late, late.Add(time.Minute)) // of ten hours, one minute's
	clock = late.Add(time.Minute)
	b.ReportMetric(float64(len(kept.body))/1024, "kept-KB")
	b.ReportMetric(1000*read().Seconds(), "kept-ms")
	b.ReportMetric(0, "ns/op")
}

// newReplicaOn follows a log with the lists of fillLists.
func newReplicaOn(b *testing.B, log Log, clock *time.Time) *Follower {
	b.Helper()
	facts := func(id string) (string, time.Time, bool) { return "p" + id[:1], clock.AddDate(0, 0, -10), id[1]%5 == 0 }
	cfg := DefaultConfig()
	return NewFollower(log, NewCounts(), facts, Fixed{cfg, "e1"}, func() time.Time { return *clock }, slog.New(slog.DiscardHandler))
}

// fillLists records lists of sixty courses, of which two places explored, of as many
// people as a third of them.
func fillLists(b *testing.B, s listStore, n int, from, to time.Time) {
	b.Helper()
	e := explorer(b, nil, func(c *Config) {
		c.Policy, c.ScoreShare, c.Quality, c.Caps, c.Floor, c.NewCourses.Share = PolicyNone, 0, 0, Caps{}, 1, 0
	})
	batch := make([]lectern.Ranking, 0, 500)
	for i := range n {
		req := request(rand.New(rand.NewPCG(1, uint64(i%50))), 60)
		req.Learner.ID, req.Served = strconv.Itoa(i%(n/3+1)), 20
		req.At = from.Add(time.Duration(float64(to.Sub(from)) * float64(i) / float64(n)))
		order, x := e.Explore(req)
		r := recordedList(req, order, x)
		r.ID, r.CreatedAt, r.Learner, r.Surface, r.Served = fmt.Sprintf("%d-%d", from.Unix(), i), req.At, lectern.LearnerRef{}, lectern.SurfaceHome, req.Served
		for at := range r.Items {
			r.Items[at].Sources = []string{"similar", "popular"}
			r.Items[at].Reasons = []lectern.Reason{{Code: "because_you_took", Params: map[string]string{"course": "an-introduction-to-something"}}}
		}
		if batch = append(batch, *r); len(batch) == cap(batch) || i == n-1 {
			if err := s.PutRankings(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}
