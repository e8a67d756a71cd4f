package rerank

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"

	"github.com/lectern-dev/lectern"
)

// NoOp leaves candidates in the order in which they came: in search, that of the
// fused list. It is the baseline that scoring must beat.
type NoOp struct{}

var _ Reranker = NoOp{}

// Version names the baseline.
func (NoOp) Version() string { return "noop" }

// Pins returns none.
func (NoOp) Pins(Request) []string { return nil }

// Rerank keeps the order.
func (NoOp) Rerank(req Request, candidates []Candidate) Ranked {
	n := float64(len(candidates))
	return byValue("order", req, candidates, func(i int) float64 { return (n - float64(i)) / n })
}

// Random orders by a hash of the seed and the course: a floor that every ranking
// must clear, the same at every run.
type Random struct{ Seed uint64 }

var _ Reranker = Random{}

// Version names the baseline.
func (Random) Version() string { return "random" }

// Pins returns none.
func (Random) Pins(Request) []string { return nil }

// Rerank shuffles.
func (r Random) Rerank(req Request, candidates []Candidate) Ranked {
	return byValue("random", req, candidates, func(i int) float64 {
		h := fnv.New64a()
		var seed [8]byte
		binary.LittleEndian.PutUint64(seed[:], r.Seed)
		_, _ = h.Write(seed[:]) // a hash never fails
		_, _ = h.Write([]byte(candidates[i].Course.ID))
		x := h.Sum64()
		x ^= x >> 33 // the finaliser of MurmurHash3: FNV's high bits move little
		x *= 0xff51afd7ed558ccd
		x ^= x >> 33
		return float64(x>>11) / (1 << 53)
	})
}

// Popularity orders by popularity alone.
type Popularity struct{}

var _ Reranker = Popularity{}

// Version names the baseline.
func (Popularity) Version() string { return "popularity" }

// Pins returns none.
func (Popularity) Pins(Request) []string { return nil }

// Rerank orders by popularity; courses of unknown popularity come last.
func (Popularity) Rerank(req Request, candidates []Candidate) Ranked {
	return byValue("popularity", req, candidates, func(i int) float64 { return candidates[i].Course.Popularity.Value })
}

// byValue orders by one value in [0, 1], ties by id.
func byValue(term string, req Request, candidates []Candidate, value func(i int) float64) Ranked {
	out := make([]Scored, len(candidates))
	for i := range candidates {
		v := value(i)
		out[i] = Scored{Index: i, Score: v, Values: []float64{v}}
	}
	slices.SortFunc(out, func(a, b Scored) int {
		if a.Score != b.Score {
			return cmp.Compare(b.Score, a.Score)
		}
		return cmp.Compare(candidates[a.Index].Course.ID, candidates[b.Index].Course.ID)
	})
	if req.Depth > 0 && len(out) > req.Depth {
		out = out[:req.Depth]
	}
	return Ranked{Terms: []lectern.TermWeight{{Name: term, Weight: 1}}, Items: out}
}
