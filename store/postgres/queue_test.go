package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
)

// embedder is a worker that tells which courses it was given.
type embedder struct {
	river.WorkerDefaults[lectern.EmbedCoursesJob]
	got chan []string
}

func (e *embedder) Work(_ context.Context, job *river.Job[lectern.EmbedCoursesJob]) error {
	e.got <- job.Args.CourseIDs
	return nil
}

// TestWorkers has one replica work what another one queues: by notification,
// and by polling where the pool leads through a pooler.
func TestWorkers(t *testing.T) {
	server := pgtest.Start(t)
	for name, pooled := range map[string]bool{"listening": false, "polling": true} {
		t.Run(name, func(t *testing.T) {
			dsn := server.DSN(t)
			writer := open(t, dsn)
			opts := postgres.Options{Config: postgres.DefaultConfig()}
			opts.DSN = dsn
			if pooled {
				opts.DirectDSN = dsn + " connect_timeout=7"
			}
			worker, err := postgres.Open(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			e := &embedder{got: make(chan []string, 1000)}
			workers := river.NewWorkers()
			river.AddWorker(workers, e)
			client, err := river.NewClient(worker.RiverDriver(), &river.Config{
				Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}},
				FetchPollInterval: map[bool]time.Duration{true: 100 * time.Millisecond, false: time.Hour}[pooled],
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				stopWorkers(t, client)
				_ = worker.Close()
			})
			put := func(id string) {
				t.Helper()
				if _, err := writer.PutCourses(t.Context(), []lectern.CoursePatch{course(id)}); err != nil {
					t.Fatal(err)
				}
			}
			// Nothing tells when the worker listens: until it does, what is queued waits
			// for the next notification.
			put("first")
			for n, heard := 0, false; !heard; n++ {
				select {
				case <-e.got:
					heard = true
				case <-time.After(time.Second):
					if n > int(patience/time.Second) {
						t.Fatal("nobody works the first jobs")
					}
					put(fmt.Sprint("first", n))
				}
			}
			for _, id := range []string{"a", "b"} {
				put(id)
				for late, worked := time.After(patience), false; !worked; {
					select {
					case got := <-e.got:
						worked = slices.Equal(got, []string{id}) // else one of the first
					case <-late:
						t.Fatalf("nobody works the job of course %s", id)
					}
				}
			}
		})
	}
}

func stopWorkers(t *testing.T, client *river.Client[pgx.Tx]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	if err := client.Stop(ctx); err != nil {
		t.Error(err)
	}
}
