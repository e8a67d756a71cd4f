package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
)

func TestPartitions(t *testing.T) {
	server := pgtest.Start(t)
	for name, test := range map[string]func(*testing.T, *pgtest.Server){
		"made ahead":                   testPartitionsAhead,
		"rows move":                    testPartitionsMove,
		"old months":                   testPartitionsOldMonths,
		"while events come":            testPartitionsUnderWrites,
		"while lists are read":         testPartitionsUnderReads,
		"a reader that takes its time": testPartitionsPatience,
		"days are dropped":             testDropDays,
		"a day that is much cited":     testMuchCitedDay,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

// partitions lists a table's partitions with their number of rows.
func partitions(t *testing.T, dsn, parent string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	rows, err := conn.Query(t.Context(), `SELECT inhrelid::regclass::text FROM pg_inherits
		WHERE inhparent = $1::regclass ORDER BY 1`, parent)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		names[i] = fmt.Sprint(name, " ", count(t, dsn, `SELECT count(*) FROM `+name))
	}
	return names
}

func wantPartitions(t *testing.T, dsn, parent string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, partitions(t, dsn, parent)); diff != "" {
		t.Errorf("partitions of %s (-want +got):\n%s", parent, diff)
	}
}

func maintain(t *testing.T, s *postgres.Store, now time.Time) {
	t.Helper()
	if err := maintained(t, s, now); err != nil {
		t.Fatal(err)
	}
}

// maintained maintains partitions, again where the locks could not be had without making
// writers wait, as the next run does.
func maintained(t *testing.T, s *postgres.Store, now time.Time) error {
	for begin := time.Now(); ; {
		err := s.MaintainPartitions(t.Context(), now)
		if lectern.ErrorCode(err) != lectern.CodeUnavailable || time.Since(begin) > patience {
			return err
		}
	}
}

func appendAll(t *testing.T, s *postgres.Store, events ...lectern.EventWrite) {
	t.Helper()
	if _, err := s.AppendEvents(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

// at is a click at another time.
func at(id string, when time.Time) lectern.EventWrite {
	e := click(id, "l", "a")
	e.Event.OccurredAt = when
	return e
}

func testPartitionsAhead(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	evening := time.Date(2026, 11, 30, 23, 30, 0, 0, time.FixedZone("", -3600)) // December in UTC
	var g errgroup.Group
	for _, s := range stores {
		g.Go(func() error { return maintained(t, s, evening) })
	}
	wait(t, &g)
	maintain(t, stores[0], evening)
	wantPartitions(t, dsn, "events", "events_202612 0", "events_202701 0", "events_202702 0", "events_default 0")
	wantPartitions(t, dsn, "rankings", "rankings_20261201 0", "rankings_20261202 0", "rankings_20261203 0",
		"rankings_20261204 0", "rankings_default 0")
	day := time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	for i, when := range []time.Time{day.Add(-time.Microsecond), day, day.AddDate(0, 0, 1).Add(-time.Microsecond)} {
		if err := stores[0].PutRankings(t.Context(), []lectern.Ranking{{ID: fmt.Sprint(i), CreatedAt: when}}); err != nil {
			t.Fatal(err)
		}
	}
	january := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	appendAll(t, stores[0], at("1", january.Add(-time.Microsecond)), at("2", january), at("3", january.AddDate(0, 2, 0)))
	wantPartitions(t, dsn, "events", "events_202612 1", "events_202701 1", "events_202702 0", "events_default 1")
	wantPartitions(t, dsn, "rankings", "rankings_20261201 1", "rankings_20261202 2", "rankings_20261203 0",
		"rankings_20261204 0", "rankings_default 0")
	if err := stores[1].DeleteLearner(t.Context(), lectern.LearnerRef{ID: "l"}); err != nil {
		t.Fatal(err)
	}
	wantCount(t, "events of the erased", dsn, `SELECT count(*) FROM events`, 0)
	if err := stores[0].MigrateDown(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
}

// testPartitionsUnderReads has a row that moves looked for all the time: no statement may
// find it neither where it was nor where it is.
func testPartitionsUnderReads(t *testing.T, server *pgtest.Server) {
	stores, _ := replicas(t, server)
	const days = 10
	ctx, cancel := context.WithCancel(t.Context())
	var readers errgroup.Group
	for i := range days {
		id, when := fmt.Sprint("rk-", i), noon.AddDate(0, 0, i*4)
		if err := stores[0].PutRankings(ctx, []lectern.Ranking{{ID: id, CreatedAt: when}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []*postgres.Store{stores[0], stores[1], stores[0], stores[1]} {
		readers.Go(func() error {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprint("rk-", n%days)
				if _, err := s.Ranking(context.WithoutCancel(ctx), id); err != nil {
					return fmt.Errorf("ranking %s: %w", id, err)
				}
			}
			return nil
		})
	}
	for i := range days {
		maintain(t, stores[0], noon.AddDate(0, 0, i*4))
	}
	cancel()
	wait(t, &readers)
}

// testPartitionsMove has rows in the default partition before their own exists.
func testPartitionsMove(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	s := stores[0]
	appendAll(t, s, at("0", noon.AddDate(0, -2, 0)), at("1", noon), at("2", noon.AddDate(0, 1, 0)), at("3", noon))
	ranking := lectern.Ranking{ID: "rk", Learner: lectern.LearnerRef{ID: "l"}, CreatedAt: noon}
	if err := s.PutRankings(t.Context(), []lectern.Ranking{ranking}); err != nil {
		t.Fatal(err)
	}
	before, _, err := s.ScanEvents(t.Context(), 0, 9)
	if err != nil {
		t.Fatal(err)
	}
	maintain(t, s, noon)
	wantPartitions(t, dsn, "events", "events_202603 2", "events_202604 1", "events_202605 0", "events_default 1")
	wantPartitions(t, dsn, "rankings", "rankings_20260301 1", "rankings_20260302 0", "rankings_20260303 0",
		"rankings_20260304 0", "rankings_default 0")
	after, _, err := s.ScanEvents(t.Context(), 0, 9)
	if diff := cmp.Diff(before, after); diff != "" || err != nil {
		t.Errorf("events after the move: %v\n%s", err, diff)
	}
	if got, err := s.Ranking(t.Context(), "rk"); err != nil || got.Learner.ID != "l" {
		t.Errorf("ranking after the move: %+v, %v", got, err)
	}
	// What came before is still known, and goes with its learner.
	appendAll(t, s, at("1", noon), at("4", noon))
	wantCount(t, "events", dsn, `SELECT count(*) FROM events`, 5)
	if err := s.DeleteLearner(t.Context(), lectern.LearnerRef{ID: "l"}); err != nil {
		t.Fatal(err)
	}
	wantCount(t, "events of the erased", dsn, `SELECT count(*) FROM events`, 0)
	wantCount(t, "rankings of the erased", dsn, `SELECT count(*) FROM rankings`, 0)
	wantCount(t, "foreign keys that partitions have beside their table's", dsn, `SELECT count(*) FROM pg_constraint
		WHERE contype = 'f' AND conparentid = 0 AND conrelid::regclass::text ~ '^(events|rankings)_'`, 0)
	wantCount(t, "checks that are left over", dsn, `SELECT count(*) FROM pg_constraint WHERE conname LIKE '%bounds'`, 0)
}

// testPartitionsOldMonths makes months of their own of what an import of old
// events has left in the default partition.
func testPartitionsOldMonths(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	appendAll(t, stores[0], at("first", noon.AddDate(-1, 0, 0)), at("rare", noon.AddDate(-2, 0, 0)))
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), `INSERT INTO events (event_id, schema_version, type, learner_id, occurred_at,
			received_at, surface, session_id, query)
		SELECT 'old' || n, 1, 'search', e.learner_id, e.occurred_at, e.received_at, '', '', ''
		FROM events e, generate_series(1, 50000) n WHERE e.event_id = 'first'`); err != nil {
		t.Fatal(err)
	}
	maintain(t, stores[1], noon)
	wantPartitions(t, dsn, "events", "events_202503 50001", "events_202603 0", "events_202604 0", "events_202605 0",
		"events_default 1")
}

// testPartitionsUnderWrites maintains on both replicas while events come in for
// the very months and days.
func testPartitionsUnderWrites(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	const writers, each = 4, 60
	var g errgroup.Group
	for w := range writers {
		g.Go(func() error {
			for i := range each {
				id := fmt.Sprint(w, "-", i)
				if _, err := stores[w%2].AppendEvents(t.Context(), []lectern.EventWrite{at(id, noon.AddDate(0, i%4, 0))}); err != nil {
					return err
				}
				r := lectern.Ranking{ID: id, Learner: lectern.LearnerRef{ID: "l"}, CreatedAt: noon.AddDate(0, 0, i%6)}
				if err := stores[w%2].PutRankings(t.Context(), []lectern.Ranking{r}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, s := range stores {
		g.Go(func() error { return maintained(t, s, noon) })
	}
	wait(t, &g)
	wantCount(t, "events", dsn, `SELECT count(*) FROM events`, writers*each)
	wantCount(t, "rankings", dsn, `SELECT count(*) FROM rankings`, writers*each)
	wantCount(t, "events outside their month", dsn, `SELECT count(*) FROM events_default
		WHERE occurred_at < '2026-06-01 00:00:00+00'`, 0)
	wantClean(t, stores[0])
}

// testPartitionsPatience has a backup read the tables: writers must not queue up
// behind the wait for it.
func testPartitionsPatience(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	backup, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Exec(t.Context(), `SELECT count(*) FROM rankings`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- maintained(t, stores[0], noon) }()
	for i, end := 0, time.Now().Add(time.Second); time.Now().Before(end); i++ {
		start := time.Now()
		if err := stores[1].PutRankings(t.Context(), []lectern.Ranking{{ID: fmt.Sprint(i), CreatedAt: noon}}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 30*time.Second { // half of what a statement has
			t.Errorf("a write took %v", took)
		}
	}
	select {
	case err := <-done:
		t.Errorf("the partitions were made while they could not be: %v", err)
	default:
	}
	if err := backup.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := partitions(t, dsn, "rankings"); len(got) != 5 || strings.HasSuffix(got[0], " 0") {
		t.Errorf("partitions %q", got)
	}
}

func testDropDays(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	s, ctx := stores[0], t.Context()
	maintain(t, s, noon)
	var rankings []lectern.Ranking
	for d := range 4 {
		for i := range 5 {
			rankings = append(rankings, lectern.Ranking{
				ID: fmt.Sprint(d, "-", i), Learner: lectern.LearnerRef{ID: "l"}, CreatedAt: noon.AddDate(0, 0, d),
			})
		}
	}
	cited := at("e", noon)
	cited.Event.RankingID = "1-3"
	appendAll(t, s, cited)
	if err := s.PutRankings(ctx, rankings); err != nil {
		t.Fatal(err)
	}
	var gone [2]int
	var g errgroup.Group
	for n, s := range stores {
		g.Go(func() (err error) {
			gone[n], err = s.DeleteRankingsBefore(ctx, noon.AddDate(0, 0, 2).Add(time.Second))
			return err
		})
	}
	wait(t, &g)
	if gone[0]+gone[1] != 14 { // two whole days but one, and the morning of the third
		t.Errorf("%v rankings were deleted, want 14 in all", gone)
	}
	wantPartitions(t, dsn, "rankings", "rankings_20260303 0", "rankings_20260304 5", "rankings_default 1")
	if r, err := s.Ranking(ctx, "1-3"); err != nil || r.Learner.ID != "l" {
		t.Errorf("the cited ranking: %+v, %v", r, err)
	}
	if _, err := s.Ranking(ctx, "1-2"); lectern.ErrorCode(err) != lectern.CodeNotFound {
		t.Errorf("a dropped ranking: %v", err)
	}
	// The day without rankings goes too, and the next round of maintenance does not
	// bring it back.
	if n, err := s.DeleteRankingsBefore(ctx, noon.AddDate(0, 0, 3)); n != 0 || err != nil {
		t.Error(n, err)
	}
	maintain(t, s, noon.AddDate(0, 0, 3))
	if got := partitions(t, dsn, "rankings"); !slices.Contains(got, "rankings_20260304 5") || len(got) != 5 {
		t.Errorf("partitions %q", got)
	}
}

func testMuchCitedDay(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	s := stores[0]
	maintain(t, s, noon)
	const many = 5001
	var rankings []lectern.Ranking
	var events []lectern.EventWrite
	for i := range many {
		id := fmt.Sprint("r", i)
		rankings = append(rankings, lectern.Ranking{ID: id, CreatedAt: noon}, lectern.Ranking{ID: id + "'", CreatedAt: noon})
		e := at(id, noon)
		e.Event.RankingID = id
		events = append(events, e)
	}
	if err := s.PutRankings(t.Context(), rankings); err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, events...)
	if n, err := s.DeleteRankingsBefore(t.Context(), noon.AddDate(0, 0, 1)); n != many || err != nil {
		t.Errorf("%d rankings were deleted of %d: %v", n, many, err)
	}
	wantCount(t, "rankings left", dsn, `SELECT count(*) FROM rankings_20260301`, many)
}
