package postgres_test

import (
	"database/sql"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/migrations"
	"github.com/lectern-dev/lectern/store/postgres"
)

// What a release before surfaces were counted says to the store. In a rolling upgrade it
// may be the leader beside new ones, and must go on to learn.
var countsOfBefore = []string{
	`INSERT INTO rewards (run, ranking_id, course_id, name, learner_id, value, at, explored) VALUES (1, 'r', 1, 'seen', NULL, 0, now(), true)`,
	`INSERT INTO exploration_counts AS x (run, hour, position, explored, name, n, value) VALUES (1, 500000, 3, true, 'seen', 2, 0.5)
	ON CONFLICT (run, hour, position, explored, name) DO UPDATE SET n = x.n + excluded.n, value = x.value + excluded.value`,
}

// migrated returns a new store with its database and what moves its schema.
func migrated(t *testing.T) (*postgres.Store, *sql.DB, *goose.Provider) {
	t.Helper()
	dsn := pgtest.Start(t).DSN(t)
	s := open(t, dsn)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	files, err := fs.Sub(migrations.FS, "postgres")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	return s, db, p
}

func TestCountsOfBefore(t *testing.T) {
	ctx := t.Context()
	s, db, p := migrated(t)
	exec := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	if _, err := s.StartLearning(ctx, time.Unix(0, 0).UTC()); err != nil {
		t.Fatal(err)
	}
	exec(countsOfBefore...)
	exec(countsOfBefore[1], `INSERT INTO surface_counts VALUES (1, 500000, 3, true, 'seen', 'home', 8, 2)`)
	want := []lectern.ExplorationCount{
		{Position: 3, Explored: true, Name: "seen", N: 4, Value: 1},
		{Surface: lectern.SurfaceHome, Position: 3, Explored: true, Name: "seen", N: 8, Value: 2},
	}
	counts := func() []lectern.ExplorationCount {
		t.Helper()
		got, err := s.ExplorationCounts(ctx, time.Unix(0, 0).UTC())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff(want, counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}

	// The way back and up again loses none.
	for _, version := range []int64{19, 18} {
		if _, err := p.DownTo(ctx, version); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRowContext(ctx, `SELECT sum(n) FROM exploration_counts`).Scan(&n); err != nil || n != 12 {
			t.Errorf("%d counts after the way back to %d (%v), want 12", n, version, err)
		}
		if _, err := p.Up(ctx); err != nil {
			t.Fatal(err)
		}
	}
	pooled := []lectern.ExplorationCount{{Position: 3, Explored: true, Name: "seen", N: 12, Value: 3}}
	if diff := cmp.Diff(pooled, counts()); diff != "" {
		t.Errorf("counts after down and up (-want +got):\n%s", diff)
	}
}

// Sums that lost columns on the way back do not pass for those of the rules that need them.
func TestRulesOnTheWayBack(t *testing.T) {
	ctx := t.Context()
	_, db, p := migrated(t)
	const definition = `{"time_zone":"UTC","begun_days":7}`
	if _, err := db.ExecContext(ctx, `INSERT INTO metric_progress (id, definition, events, lists, feedback, merges)
		VALUES (1, '{"rules":2,"time_zone":"UTC","begun_days":7}', 0, 0, 0, 0)`); err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(ctx, 18); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(ctx); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := db.QueryRowContext(ctx, `SELECT max(definition) FROM metric_progress`).Scan(&got); err != nil || got != definition {
		t.Errorf("definition %q (%v), want %q", got, err, definition)
	}
}
