package qdrant

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// fake is an index on a server in this process, with what was observed.
type fake struct {
	*qdranttest.Server
	all   *Indexes
	index *Index

	mu     sync.Mutex
	calls  []Call
	states []string
}

// quick makes waits short and the breaker quick to open.
func quick(c *Config) {
	c.RetryWait, c.RetryMaxWait, c.Retries = time.Millisecond, 4*time.Millisecond, 4
	c.BreakerFailures, c.BreakerOpen = 3, 50*time.Millisecond
}

func newFake(t *testing.T, change ...func(*Config)) *fake {
	t.Helper()
	f := &fake{Server: qdranttest.Start(t, qdranttest.Durable())}
	c := testConfig(f.Addr())
	quick(&c)
	for _, each := range change {
		each(&c)
	}
	all, err := Connect(t.Context(), Options{
		Config: c, Logger: slog.New(slog.DiscardHandler),
		Observe: func(call Call) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.calls = append(f.calls, call)
		},
		OnBreaker: func(state string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.states = append(f.states, state)
		},
	})
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	t.Cleanup(func() { _ = all.Close() })
	f.all = all
	if _, err := all.Create(t.Context(), smallSpec(1)); err != nil {
		t.Fatalf("Create: %v", err)
	}
	index, _, err := all.open(t.Context(), courses, 1)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	f.index = index
	return f
}

// last returns what was observed of the last call.
func (f *fake) last() Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[len(f.calls)-1]
}

const smallDim = 4

func smallSpec(version int64) lectern.IndexSpec {
	return lectern.IndexSpec{
		Version: version, Dense: map[string]int{lectern.VectorContent: smallDim}, Sparse: []string{lectern.VectorLexical},
	}
}

// along is a content vector that points along one dimension.
func along(i int) map[string][]float32 {
	v := make([]float32, smallDim)
	v[i] = 1
	return map[string][]float32{lectern.VectorContent: v}
}

func upsert(t *testing.T, x lectern.VectorIndex, points ...lectern.Point) {
	t.Helper()
	if err := x.Upsert(t.Context(), points); err != nil {
		t.Fatalf("Upsert: %v", err)
	}
}

func query(f lectern.Filter, k int) []lectern.VectorQuery {
	return []lectern.VectorQuery{{
		Vector: lectern.VectorContent, Dense: along(0)[lectern.VectorContent], Filter: f, K: k,
	}}
}

// find returns the ids of a search along the first dimension.
func find(t *testing.T, x lectern.VectorIndex, f lectern.Filter, k int) []string {
	t.Helper()
	lists, err := x.Search(t.Context(), query(f, k))
	if err != nil {
		t.Fatalf("Search: %v", err)
	}
	var out []string
	for _, h := range lists[0] {
		out = append(out, h.ID)
	}
	return out
}

func wantCode(t *testing.T, err error, want lectern.Code) {
	t.Helper()
	if got := lectern.ErrorCode(err); got != want {
		t.Errorf("code %q, want %q (%v)", got, want, err)
	}
}
