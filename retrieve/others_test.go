package retrieve_test

import (
	"context"
	"math"
	"slices"
	"sync/atomic"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

// fakeModel is a collaborative model of a few lines.
type fakeModel struct {
	version       int64
	top           []lectern.Hit
	next, similar map[string][]lectern.Hit
	factor        []float32
}

var _ retrieve.CollaborativeModel = (*fakeModel)(nil)

func (m *fakeModel) Version() int64 { return m.version }

func (m *fakeModel) Top(touched []lectern.Touch, k int, allow func(string) bool) []lectern.Hit {
	if len(touched) == 0 {
		return nil
	}
	return allowedHits(m.top, k, allow)
}

func (m *fakeModel) Scores(_ []lectern.Touch, ids []string) []float64 {
	out := make([]float64, len(ids))
	for i, id := range ids {
		out[i] = math.NaN()
		for _, h := range m.top {
			if h.ID == id {
				out[i] = float64(h.Score)
			}
		}
	}
	return out
}

func (m *fakeModel) Factor([]lectern.Touch) []float32 { return m.factor }

func (m *fakeModel) Next(id string, k int, allow func(string) bool) []lectern.Hit {
	return allowedHits(m.next[id], k, allow)
}

func (m *fakeModel) Similar(id string, k int, allow func(string) bool) []lectern.Hit {
	return allowedHits(m.similar[id], k, allow)
}

func allowedHits(hits []lectern.Hit, k int, allow func(string) bool) []lectern.Hit {
	var out []lectern.Hit
	for _, h := range hits {
		if len(out) < k && allow(h.ID) {
			out = append(out, h)
		}
	}
	return out
}

// noModel stands for a platform on which none has been trained yet.
type noModel struct{}

func (noModel) Collaborative() retrieve.CollaborativeModel { return nil }

// fakeNeighbours says the same of everybody.
type fakeNeighbours struct {
	hits  []lectern.Hit
	err   error
	hangs bool
	asked atomic.Int64
}

func (n *fakeNeighbours) Liked(ctx context.Context, _ lectern.LearnerRef, _ int64, k int) ([]lectern.Hit, error) {
	n.asked.Add(1)
	if n.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return n.hits[:min(k, len(n.hits))], n.err
}

// trends are given, not measured.
type trends []lectern.Hit

func (t trends) Trending() []lectern.Hit { return t }

func hitsFor(ids ...string) []lectern.Hit {
	out := make([]lectern.Hit, len(ids))
	for i, id := range ids {
		out[i] = lectern.Hit{ID: id, Score: 1 - 0.05*float32(i)}
	}
	return out
}

func others(c retrieve.Collaborative, n retrieve.Neighbours, v retrieve.Velocities) option {
	return func(w *world, _ *retrieve.Config, _ *rerankConfig) {
		w.others = retrieve.Deps{Collaborative: c, Neighbours: n, Velocities: v}
	}
}

// rowOf returns a row of a page, nil where it has none.
func rowOf(h lectern.Home, row lectern.Row) *lectern.HomeRow {
	i := slices.IndexFunc(h.Rows, func(r lectern.HomeRow) bool { return r.Row == row })
	if i < 0 {
		return nil
	}
	return &h.Rows[i]
}

func rowNames(h lectern.Home) []lectern.Row {
	var out []lectern.Row
	for _, r := range h.Rows {
		out = append(out, r.Row)
	}
	return out
}

func (w *world) page(req lectern.HomeRequest) lectern.Home {
	w.t.Helper()
	if req.Limit == 0 {
		req.Limit = 5
	}
	h, err := w.engine.Home(context.Background(), req)
	if err != nil {
		w.t.Fatalf("Home(%+v): %v", req, err)
	}
	return h
}
