package qdrant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/lectern-dev/lectern"
)

// TestWritesAreTriedAgain fails each kind of write in each way that may pass.
func TestWritesAreTriedAgain(t *testing.T) {
	for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Aborted} {
		t.Run(code.String(), func(t *testing.T) {
			x := newFake(t)
			x.Fail("UpdateBatch", code, 2)
			upsert(t, x.index, lectern.Point{ID: "a", Dense: along(0)}, lectern.Point{ID: "b", Dense: along(0)})
			if got := x.Calls("UpdateBatch"); got != 3 {
				t.Errorf("%d tries, want 3", got)
			}
			if call := x.last(); call.Operation != "write points" || call.Tries != 3 || call.Err != nil {
				t.Errorf("observed %+v", call)
			}
			x.FailAfter("Points/Delete", code, 1) // done, but the answer is lost
			if err := x.index.Delete(t.Context(), []string{"a"}); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"b"}, find(t, x.index, lectern.Filter{}, 9)); d != "" {
				t.Errorf("found (-want +got):\n%s", d)
			}
		})
	}
}

func TestWritesGiveUp(t *testing.T) {
	for code, want := range map[codes.Code]lectern.Code{
		codes.Unavailable:       lectern.CodeUnavailable,
		codes.DeadlineExceeded:  lectern.CodeDeadline,
		codes.ResourceExhausted: lectern.CodeUnavailable,
	} {
		x := newFake(t)
		x.Fail("UpdateBatch", code, -1)
		wantCode(t, x.index.Upsert(t.Context(), []lectern.Point{{ID: "a", Dense: along(0)}}), want)
		if got := x.Calls("UpdateBatch"); got != 5 {
			t.Errorf("%v: %d tries, want the first and 4 more", code, got)
		}
	}
}

// TestRefusalsAreFinal checks errors that another try would not mend, and what
// the caller sees.
func TestRefusalsAreFinal(t *testing.T) {
	for code, want := range map[codes.Code]lectern.Code{
		codes.InvalidArgument:    lectern.CodeInvalid,
		codes.FailedPrecondition: lectern.CodeConflict,
		codes.PermissionDenied:   lectern.CodeInternal,
		codes.Unauthenticated:    lectern.CodeInternal,
		codes.Internal:           lectern.CodeInternal,
		codes.Unimplemented:      lectern.CodeInternal,
		codes.NotFound:           lectern.CodeUnavailable, // the collection
	} {
		x := newFake(t)
		x.Fail("UpdateBatch", code, -1)
		x.Fail("QueryBatch", code, -1)
		wantCode(t, x.index.Upsert(t.Context(), []lectern.Point{{ID: "a", Dense: along(0)}}), want)
		_, err := x.index.Search(t.Context(), query(lectern.Filter{}, 1))
		wantCode(t, err, want)
		if got := x.Calls("UpdateBatch"); got != 1 {
			t.Errorf("%v: %d tries, want 1", code, got)
		}
	}
}

func TestRateLimitIsHonoured(t *testing.T) {
	x := newFake(t, func(c *Config) { c.RetryMaxWait = 60 * time.Millisecond })
	x.RateLimit("UpdateBatch", time.Second, 1)
	start := time.Now()
	upsert(t, x.index, lectern.Point{ID: "a", Dense: along(0)})
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("tried again after %v, want retry_max_wait, as the server asked for more", took)
	}
}

// TestBreakerOpens takes Qdrant away: after a few failures searches end without a call.
func TestBreakerOpens(t *testing.T) {
	x := newFake(t, func(c *Config) { c.BreakerOpen = time.Hour })
	x.Kill()
	for range 3 {
		_, err := x.index.Search(t.Context(), query(lectern.Filter{}, 1))
		wantCode(t, err, lectern.CodeUnavailable)
	}
	if got := x.all.BreakerState(); got != "open" {
		t.Fatalf("the breaker is %s after three failures", got)
	}
	_, err := x.index.Search(t.Context(), query(lectern.Filter{}, 1))
	wantCode(t, err, lectern.CodeUnavailable)
	if call := x.last(); call.Tries != 0 {
		t.Errorf("with the breaker open: %d tries", call.Tries)
	}
}

// TestBreakerCloses by itself when Qdrant is back.
func TestBreakerCloses(t *testing.T) {
	x := newFake(t)
	upsert(t, x.index, lectern.Point{ID: "a", Dense: along(0)})
	x.Kill()
	for range 3 {
		_, err := x.index.Search(t.Context(), query(lectern.Filter{}, 1))
		wantCode(t, err, lectern.CodeUnavailable)
	}
	if err := x.Restart(); err != nil {
		t.Fatal(err)
	}
	recovered := func() bool {
		_, err := x.index.Search(t.Context(), query(lectern.Filter{}, 1))
		return err == nil
	}
	for deadline := time.Now().Add(2 * time.Minute); !recovered(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("searches do not come back")
		}
	}
	if got := x.all.BreakerState(); got != "closed" {
		t.Errorf("the breaker is %s afterwards", got)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.states[0] != "open" || x.states[len(x.states)-1] != "closed" {
		t.Errorf("states %v", x.states)
	}
}

// TestBreakerCounts checks what is no sign of an outage.
func TestBreakerCounts(t *testing.T) {
	for name, provoke := range map[string]func(*testing.T, *fake){
		"callers that leave": func(t *testing.T, x *fake) {
			ctx, cancel := context.WithCancel(t.Context())
			left := make(chan struct{})
			x.Hook(func(method string, _ any) error {
				if strings.HasSuffix(method, "QueryBatch") {
					cancel()
					<-left
				}
				return nil
			})
			if _, err := x.index.Search(ctx, query(lectern.Filter{}, 1)); !errors.Is(err, context.Canceled) {
				t.Errorf("Search = %v, want the caller's own end", err)
			}
			close(left)
			x.ClearFaults()
		},
		"callers without patience": func(t *testing.T, x *fake) {
			x.Delay("QueryBatch", time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			defer cancel()
			_, err := x.index.Search(ctx, query(lectern.Filter{}, 1))
			wantCode(t, err, lectern.CodeDeadline)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v does not say whose deadline it was", err)
			}
			x.ClearFaults()
		},
		"refusals": func(t *testing.T, x *fake) {
			x.Fail("QueryBatch", codes.InvalidArgument, 1)
			_, err := x.index.Search(t.Context(), query(lectern.Filter{}, 1))
			wantCode(t, err, lectern.CodeInvalid)
		},
		"one failure made good by the next try": func(t *testing.T, x *fake) {
			x.Fail("QueryBatch", codes.Unavailable, 1)
			find(t, x.index, lectern.Filter{}, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newFake(t)
			for range 5 { // two more than open the breaker
				provoke(t, x)
			}
			if got := x.all.BreakerState(); got != "closed" {
				t.Errorf("the breaker is %s", got)
			}
		})
	}
}

// TestSlowServerOpensBreaker: a server that hangs is one that is away.
func TestSlowServerOpensBreaker(t *testing.T) {
	x := newFake(t, func(c *Config) { c.SearchTimeout = 30 * time.Millisecond; c.BreakerOpen = time.Minute })
	x.Delay("QueryBatch", time.Minute)
	for range 3 {
		_, err := x.index.Search(t.Context(), query(lectern.Filter{}, 1))
		wantCode(t, err, lectern.CodeDeadline)
	}
	if got := x.all.BreakerState(); got != "open" {
		t.Errorf("the breaker is %s", got)
	}
	// Writes do not ask the breaker: they wait and try again.
	upsert(t, x.index, lectern.Point{ID: "a", Dense: along(0)})
}

// TestWriteRidesOutRestart kills the server under a write.
func TestWriteRidesOutRestart(t *testing.T) {
	x := newFake(t, func(c *Config) { c.BatchPoints, c.Retries, c.RetryMaxWait = 10, 100, time.Second })
	var points []lectern.Point
	for i := range 200 {
		points = append(points, lectern.Point{ID: fmt.Sprint(i), Dense: along(i % smallDim)})
	}
	done := make(chan error, 1)
	go func() { done <- x.index.Upsert(t.Context(), points) }()
	for x.Calls("UpdateBatch") < 5 {
		time.Sleep(time.Millisecond)
	}
	x.Kill()
	if err := x.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("Upsert: %v", err)
	}
	same, err := x.index.Same(t.Context(), points)
	if err != nil {
		t.Fatal(err)
	}
	for i, ok := range same {
		if !ok {
			t.Errorf("point %d is not as it was written", i)
		}
	}
}

// TestBackPressure checks that no more batches travel than are allowed, over all
// writers, and that a writer waits until all of its are applied.
func TestBackPressure(t *testing.T) {
	x := newFake(t, func(c *Config) { c.BatchPoints, c.Concurrency = 2, 3 })
	var now, most atomic.Int64
	x.Hook(func(method string, _ any) error {
		if strings.HasSuffix(method, "UpdateBatch") {
			n := now.Add(1)
			defer now.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(2 * time.Millisecond)
		}
		return nil
	})
	done := make(chan error, 4)
	for w := range 4 {
		go func() {
			var points []lectern.Point
			for i := range 20 {
				points = append(points, lectern.Point{ID: fmt.Sprint(w, "-", i), Dense: along(0)})
			}
			done <- x.index.Upsert(t.Context(), points)
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := most.Load(); got > 3 || got < 2 {
		t.Errorf("%d batches at a time, want up to 3", got)
	}
	if got := x.Calls("UpdateBatch"); got != 40 {
		t.Errorf("%d batches, want 40", got)
	}
	stats, err := x.index.Stats(t.Context())
	if err != nil || stats.Points != 80 {
		t.Errorf("Stats = %v, %v", stats, err)
	}
}

// TestDropped checks that an index whose collection is gone says so.
func TestDropped(t *testing.T) {
	x := newFake(t)
	if err := x.all.Drop(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	_, search := x.index.Search(t.Context(), query(lectern.Filter{}, 1))
	_, vectors := x.index.Vectors(t.Context(), lectern.VectorContent, []string{"a"})
	_, allowed := x.index.Allowed(t.Context(), lectern.Filter{}, []string{"a"})
	_, stats := x.index.Stats(t.Context())
	_, same := x.index.Same(t.Context(), []lectern.Point{{ID: "a"}})
	_, ids := x.index.IDs(t.Context())
	for name, err := range map[string]error{
		"Search": search, "Vectors": vectors, "Allowed": allowed, "Stats": stats, "Same": same, "IDs": ids,
		"Upsert": x.index.Upsert(t.Context(), []lectern.Point{{ID: "a", Dense: along(0)}}),
		"Delete": x.index.Delete(t.Context(), []string{"a"}),
	} {
		if !errors.Is(err, ErrDropped) || !strings.Contains(err.Error(), x.index.Collection()) {
			t.Errorf("%s = %v, want ErrDropped and the collection's name", name, err)
		}
	}
	if got := x.all.BreakerState(); got != "closed" {
		t.Errorf("the breaker is %s", got)
	}
}

// TestNotYetApplied: a write that Qdrant took but has not applied is not done.
func TestNotYetApplied(t *testing.T) {
	for _, status := range []pb.UpdateStatus{pb.UpdateStatus_Acknowledged, pb.UpdateStatus_WaitTimeout, pb.UpdateStatus_ClockRejected} {
		f := newFake(t)
		left := 2
		late := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			err := next(ctx, method, req, reply, cc, opts...)
			var last *pb.UpdateResult
			switch r := reply.(type) {
			case *pb.PointsOperationResponse:
				last = r.GetResult()
			case *pb.UpdateBatchResponse:
				last = r.GetResult()[len(r.GetResult())-1]
			}
			if last != nil && left > 0 {
				left--
				last.Status = status
			}
			return err
		}
		x, err := Connect(t.Context(), Options{
			Config: f.all.cfg, Logger: slog.New(slog.DiscardHandler), Dial: []grpc.DialOption{grpc.WithChainUnaryInterceptor(late)},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		index, _, err := x.Open(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		upsert(t, index, lectern.Point{ID: "a", Dense: along(0)})
		if got := f.Calls("UpdateBatch"); got != 3 {
			t.Errorf("%v: %d tries, want 3", status, got)
		}
		left = 100
		wantCode(t, index.Delete(t.Context(), []string{"a"}), lectern.CodeDeadline)
	}
}
