package qdrant

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/lectern-dev/lectern"
)

// numbered are points with rising ids from "c00000", each a little further from
// the first axis.
func numbered(n int) (points []lectern.Point, ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("c%05d", i))
		p := lectern.Point{ID: ids[i], Dense: along(0)}
		p.Dense[lectern.VectorContent][0] -= float32(i) / (1 << 14)
		points = append(points, p)
	}
	return points, ids
}

// onServers runs a test on an empty index of each server.
func onServers(t *testing.T, run func(t *testing.T, index *Index)) {
	t.Helper()
	servers(t, func(t *testing.T, address string) {
		x := connect(t, testConfig(address))
		sweep(t, x)
		if _, err := x.Create(t.Context(), smallSpec(1)); err != nil {
			t.Fatal(err)
		}
		index, _, err := x.open(t.Context(), courses, 1)
		if err != nil {
			t.Fatal(err)
		}
		run(t, index)
	})
}

// TestManyIDs filters by thousands of ids, in several queries of one call.
func TestManyIDs(t *testing.T) {
	onServers(t, func(t *testing.T, index *Index) {
		const n, few = 5010, 10
		points, ids := numbered(n)
		upsert(t, index, points...)
		left := ids[n-few:]
		for name, tt := range map[string]struct {
			filter lectern.Filter
			want   []string
		}{
			"5,000 excluded":       {lectern.Filter{ExcludeIDs: ids[:n-few]}, left},
			"all excluded":         {lectern.Filter{ExcludeIDs: ids}, nil},
			"5,000 only":           {lectern.Filter{OnlyIDs: ids[:n-few]}, ids[:few]},
			"both":                 {lectern.Filter{OnlyIDs: ids, ExcludeIDs: ids[few:]}, ids[:few]},
			"only none":            {lectern.Filter{OnlyIDs: []string{}}, nil},
			"no limit":             {lectern.Filter{OnlyIDs: nil, ExcludeIDs: []string{}}, ids[:few]},
			"only unknown":         {lectern.Filter{OnlyIDs: []string{"nobody", "c5", ""}}, nil},
			"excluded are unknown": {lectern.Filter{ExcludeIDs: []string{"nobody", "", "\xff"}}, ids[:few]},
		} {
			q := query(tt.filter, few)[0]
			lists, err := index.Search(t.Context(), slices.Repeat([]lectern.VectorQuery{q}, 6))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, list := range lists {
				var got []string
				for _, h := range list {
					got = append(got, h.ID)
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("%s (-want +got):\n%s", name, d)
				}
			}
			allowed, err := index.Allowed(t.Context(), tt.filter, ids[:few])
			if err != nil || allowed[0] != slices.Contains(tt.want, ids[0]) {
				t.Errorf("%s: Allowed = %v, %v", name, allowed, err)
			}
		}
	})
}

// TestHugeK asks for more than there can be.
func TestHugeK(t *testing.T) {
	onServers(t, func(t *testing.T, index *Index) {
		points, ids := numbered(30)
		upsert(t, index, points...)
		words := lectern.Point{ID: "words", Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: {Indices: []uint32{math.MaxUint32}, Values: []float32{2}}}}
		upsert(t, index, words)
		for _, k := range []int{31, 100_000, math.MaxInt32 - fewSpare, math.MaxInt32, math.MaxUint32 + 1, math.MaxInt} {
			s := words.Sparse[lectern.VectorLexical]
			lists, err := index.Search(t.Context(), append(query(lectern.Filter{}, k), lectern.VectorQuery{Vector: lectern.VectorLexical, Sparse: &s, K: k}))
			if err != nil {
				t.Errorf("k=%d: %v", k, err)
				continue
			}
			if len(lists[0]) != len(ids) || lists[0][29].ID != ids[29] {
				t.Errorf("k=%d: %d hits, want %d", k, len(lists[0]), len(ids))
			}
			if d := cmp.Diff([]lectern.Hit{{ID: "words", Score: 4}}, lists[1]); d != "" {
				t.Errorf("k=%d (-want +got):\n%s", k, d)
			}
		}
		for _, k := range []int{0, -1, math.MinInt} {
			if got := find(t, index, lectern.Filter{}, k); got != nil {
				t.Errorf("k=%d: %v", k, got)
			}
		}
	})
}

// TestOddStrings writes and reads ids and payloads of every kind, and asks with
// text that no wire takes as it is.
func TestOddStrings(t *testing.T) {
	onServers(t, func(t *testing.T, index *Index) {
		ids := []string{
			strings.Repeat("ü", 5000), "nul\x00nul", "\n\t", `"quoted" \ {}`, "811e438c-94a9-5b78-98e2-999d8f9ef4f0",
			"18446744073709551616", "\ufeffmark", "e\u0301", "\u00e9", // not normalised: two ids
		}
		slices.Sort(ids)
		var points []lectern.Point
		for _, id := range ids {
			p := lectern.Point{ID: id, Dense: along(0)}
			p.Payload.Provider, p.Payload.Categories = id, []string{id, "\x00", "bad \xff text"}
			points = append(points, p)
		}
		upsert(t, index, points...)
		if d := cmp.Diff(ids, find(t, index, lectern.Filter{}, 99)); d != "" {
			t.Errorf("found (-want +got):\n%s", d)
		}
		same, err := index.Same(t.Context(), points)
		if err != nil || slices.Contains(same, false) {
			t.Errorf("Same = %v, %v", same, err)
		}
		for _, f := range []lectern.Filter{
			{Categories: []string{"bad \xff text"}}, {Languages: []string{"\xff"}}, {Levels: []lectern.Level{"\xff\xfe"}},
			{Eligible: &lectern.Eligibility{Region: "\xff", Organisations: []string{"\xff", "\x00"}}},
			{OnlyIDs: append([]string{"\xff"}, ids...)},
		} {
			if _, err := index.Search(t.Context(), query(f, 9)); err != nil {
				t.Errorf("%+v: %v", f, err)
			}
		}
		for _, id := range ids {
			if got := find(t, index, lectern.Filter{Providers: []string{id}}, 9); lectern.FoldKey(id) != "" && !slices.Contains(got, id) {
				t.Errorf("provider %.20q: %.40q", id, got)
			}
		}
		if err := index.Delete(t.Context(), append(ids, "\xff", "")); err != nil {
			t.Error(err)
		}
		if got := find(t, index, lectern.Filter{}, 9); got != nil {
			t.Errorf("after the delete: %q", got)
		}
		if got := index.x.BreakerState(); got != "closed" {
			t.Errorf("the breaker is %s", got)
		}
	})
}

// TestLargeMessages writes and reads more at once than gRPC takes by default, 4 MB.
func TestLargeMessages(t *testing.T) {
	onServers(t, func(t *testing.T, index *Index) {
		index.x.cfg.BatchPoints, index.x.cfg.BatchBytes = 2000, 64<<20
		r := lectern.SparseVector{}
		for i := range uint32(2000) {
			r.Indices, r.Values = append(r.Indices, i*1000), append(r.Values, 1)
		}
		points, ids := numbered(1000) // 16 MB
		for i := range points {
			points[i].Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: r}
		}
		upsert(t, index, points...)
		same, err := index.Same(t.Context(), points) // 512 points at a time, 8 MB
		if err != nil || slices.Contains(same, false) {
			t.Errorf("Same: %v", err)
		}
		if err := index.Delete(t.Context(), ids); err != nil {
			t.Error(err)
		}
	})
}

// TestUpkeepIsNoOutage: reads that no search waits for are as patient as writes,
// and when they fail searches are not refused for it.
func TestUpkeepIsNoOutage(t *testing.T) {
	x := newFake(t, func(c *Config) { c.SearchTimeout = 20 * time.Millisecond })
	p := lectern.Point{ID: "a", Dense: along(0)}
	upsert(t, x.index, p)
	x.Delay("Points/Get", 40*time.Millisecond) // longer than a search may take
	x.Delay("Scroll", 40*time.Millisecond)
	same, err := x.index.Same(t.Context(), []lectern.Point{p})
	if err != nil || !same[0] {
		t.Errorf("Same = %v, %v", same, err)
	}
	if got, err := x.index.IDs(t.Context()); err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("IDs = %v, %v", got, err)
	}
	x.ClearFaults()
	x.Fail("Scroll", codes.Unavailable, -1)
	for range 4 {
		_, err := x.index.IDs(t.Context())
		wantCode(t, err, lectern.CodeUnavailable)
	}
	if got := x.all.BreakerState(); got != "closed" {
		t.Errorf("the breaker is %s", got)
	}
}

// TestOutOfTimeBetweenPages ends a caller's time between two calls: the error is
// one of Lectern, as within a call.
func TestOutOfTimeBetweenPages(t *testing.T) {
	x := newFake(t)
	_, ids := numbered(2 * pointsAtATime)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	late := &stopped{Context: ctx}
	x.Hook(func(string, any) error { late.stop.Store(true); return nil })
	_, err := x.index.Vectors(late, lectern.VectorContent, ids)
	wantCode(t, err, lectern.CodeDeadline)
}

// stopped is a context whose time is up once stop is set, for those who look.
type stopped struct {
	context.Context
	stop atomic.Bool
}

func (c *stopped) Err() error {
	if c.stop.Load() {
		return context.DeadlineExceeded
	}
	return c.Context.Err()
}
