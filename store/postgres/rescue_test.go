package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern/internal/pgtest"
)

func TestRescueJobs(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Start(t).DSN(t)
	s := open(t, dsn)
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	insert := func(kind, worker, state, ago string) {
		t.Helper()
		_, err := conn.Exec(ctx, `INSERT INTO river_job (args, kind, max_attempts, attempt, state, attempted_at, attempted_by)
			VALUES ('{}', $1, 3, 3, $3::river_job_state, now() - $4::interval, ARRAY['alive', $2])`, kind, worker, state, ago)
		if err != nil {
			t.Fatal(err)
		}
	}
	insert("works on", "alive", "running", "1 minute")
	insert("to be rescued", "dead", "running", "1 minute")
	insert("just taken", "dead", "running", "1 second")
	insert("lease ran out", "late", "running", "1 minute")
	insert("waits", "dead", "available", "1 minute")
	for _, who := range []string{"alive", "late", "gone"} {
		if held, err := s.AcquireLease(ctx, "replica/"+who, who, time.Hour); err != nil || !held {
			t.Fatal(held, err)
		}
	}
	if _, err := conn.Exec(ctx, `UPDATE leases SET expires_at = now() - interval '1 second' WHERE holder = 'late'`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, `UPDATE leases SET expires_at = now() - interval '2 hours' WHERE holder = 'gone'`); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{2, 0} {
		if n, err := s.RescueJobs(ctx, "replica/", 50*time.Second); err != nil || n != want {
			t.Errorf("%d jobs were rescued, want %d: %v", n, want, err)
		}
	}
	running := func(kind string) (state string, left int) {
		if err := conn.QueryRow(ctx, `SELECT state::text, max_attempts - attempt FROM river_job WHERE kind = $1`, kind).Scan(&state, &left); err != nil {
			t.Fatal(err)
		}
		return state, left
	}
	for kind, want := range map[string]string{
		"works on": "running", "to be rescued": "available", "just taken": "running", "lease ran out": "available", "waits": "available",
	} {
		state, left := running(kind)
		if state != want {
			t.Errorf("the job %q is %s, want %s", kind, state, want)
		}
		if kind == "to be rescued" && left < 1 {
			t.Errorf("the rescued job has %d attempts left", left)
		}
	}
	wantCount(t, "leases", dsn, `SELECT count(*) FROM leases`, 2)
}
