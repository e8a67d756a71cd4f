package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a schedule under test in a bubble of its own time.
type bench struct {
	*schedule
	leader atomic.Bool
	began  time.Time
	runs   []string // only the task writes, only a resting bubble reads
}

// note records a run as its name and the time since the beginning.
func (b *bench) note(name string) {
	b.runs = append(b.runs, fmt.Sprint(name, " ", time.Since(b.began)))
}

func newBench(t *testing.T, tasks func(b *bench) []Periodic) *bench {
	t.Helper()
	b := &bench{began: time.Now()}
	s, err := newSchedule(tasks(b), b.leader.Load, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.schedule = s
	s.start(t.Context())
	synctest.Wait() // the first look at the leader finds none
	t.Cleanup(func() {
		s.quit()
		s.abort()
		if err := s.wait(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) wantRuns(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if !slices.Equal(b.runs, want) {
		t.Errorf("runs %q, want %q", b.runs, want)
	}
	b.runs = nil
}

func TestScheduleOnlyForTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(b *bench) []Periodic {
			return []Periodic{
				{Name: "at once", Every: time.Minute, RunOnStart: true, Run: func(context.Context) error { b.note("at once"); return nil }},
				{Name: "later", Every: 90 * time.Second, Run: func(context.Context) error { b.note("later"); return nil }},
			}
		})
		time.Sleep(10*time.Minute + 100*time.Millisecond) // between two looks
		b.wantRuns(t)
		b.leader.Store(true) // seen at the next look
		time.Sleep(2*time.Minute + time.Second)
		b.wantRuns(t, "at once 10m0.25s", "at once 11m0.25s", "later 11m30.25s", "at once 12m0.25s")
		b.leader.Store(false)
		time.Sleep(10 * time.Minute)
		b.wantRuns(t)
		b.leader.Store(true)
		time.Sleep(time.Second)
		b.wantRuns(t, "at once 22m1.25s")
	})
}

func TestScheduleLosesTheLeadDuringARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(b *bench) []Periodic {
			return []Periodic{{Name: "long", Every: time.Minute, RunOnStart: true, Run: func(ctx context.Context) error {
				b.note("begin")
				<-ctx.Done()
				b.note("end")
				return ctx.Err()
			}}}
		})
		b.leader.Store(true)
		time.Sleep(10*time.Second + 100*time.Millisecond) // between two looks
		b.leader.Store(false)
		time.Sleep(time.Minute)
		b.wantRuns(t, "begin 250ms", "end 10.25s")
		b.leader.Store(true)
		time.Sleep(40 * time.Minute) // longer than a run may take
		b.wantRuns(t, "begin 1m10.25s", "end 31m10.25s", "begin 31m10.25s")
	})
}

func TestScheduleGoesOnAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		b := newBench(t, func(b *bench) []Periodic {
			return []Periodic{{Name: "odd", Every: time.Minute, Run: func(context.Context) error {
				n++
				b.note("run")
				switch n {
				case 1:
					return errors.New("no database")
				case 2:
					panic("no good")
				case 3:
					time.Sleep(150 * time.Second) // over two of its turns
				}
				return nil
			}}}
		})
		b.leader.Store(true)
		time.Sleep(7 * time.Minute)
		b.wantRuns(t, "run 1m0.25s", "run 2m0.25s", "run 3m0.25s", "run 5m30.25s", "run 6m30.25s")
	})
}

func TestScheduleStops(t *testing.T) {
	for _, tt := range []struct {
		name     string
		patience time.Duration
		want     []string
	}{
		{"in time", time.Minute, []string{"begin 250ms", "end 30s"}},
		{"too late", 10 * time.Second, []string{"begin 250ms", "cancelled 11s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(b *bench) []Periodic {
					return []Periodic{{Name: "long", Every: 20 * time.Second, RunOnStart: true, Run: func(ctx context.Context) error {
						b.note("begin")
						select {
						case <-time.After(30*time.Second - 250*time.Millisecond):
							b.note("end")
						case <-ctx.Done():
							b.note("cancelled")
						}
						return nil
					}}}
				})
				b.leader.Store(true)
				time.Sleep(time.Second)
				b.quit()
				ctx, cancel := context.WithTimeout(t.Context(), tt.patience)
				defer cancel()
				err := b.wait(ctx)
				if (err != nil) != (tt.name == "too late") {
					t.Errorf("wait: %v", err)
				}
				b.abort()
				time.Sleep(time.Minute)
				b.wantRuns(t, tt.want...)
			})
		})
	}
}
