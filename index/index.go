package index

import (
	"context"
	"hash/maphash"
	"maps"
	"runtime"
	"sync"

	"github.com/lectern-dev/lectern"
)

var _ lectern.VectorIndex = (*Index)(nil)

// Options set an Index up. The zero value is fine.
type Options struct {
	// Dims fixes the dimension of named dense vectors; those not named are fixed
	// by the first point that has them.
	Dims map[string]int
	// Workers bounds the cores that one large scan uses; 0 means all.
	Workers int
	// CompactShare is the share of dead rows, in (0, 1), at which the living are
	// copied into fresh storage; 0 means 0.25.
	CompactShare float64
	// CompactMin is how many rows must be dead before that happens; 0 means 1024.
	CompactMin int
}

// Index is an in-process lectern.VectorIndex. Make it with New.
type Index struct {
	workers      int
	compactShare float64
	compactMin   int
	dot          kernel
	simd         bool
	seed         maphash.Seed
	accumulators sync.Pool // *accumulator

	write sync.Mutex // held by the one writer

	mu     sync.RWMutex // guards what follows; held for short moments only
	view   *view
	rowOf  map[string]uint32 // live rows by id
	facts  dictionary
	sparse map[string]*inverted
}

// New returns an empty index.
func New(o Options) *Index {
	x := &Index{
		workers:      o.Workers,
		compactShare: o.CompactShare,
		compactMin:   o.CompactMin,
		seed:         maphash.MakeSeed(),
		view:         emptyView(o.Dims),
		rowOf:        map[string]uint32{},
		facts:        newDictionary(),
		sparse:       map[string]*inverted{},
	}
	if x.workers <= 0 {
		x.workers = runtime.GOMAXPROCS(0)
	}
	if x.compactShare <= 0 || x.compactShare >= 1 {
		x.compactShare = 0.25
	}
	if x.compactMin <= 0 {
		x.compactMin = 1024
	}
	x.dot, x.simd = pickKernel()
	x.accumulators.New = func() any { return new(accumulator) }
	return x
}

// SIMD reports whether dot products run on vector instructions.
func (x *Index) SIMD() bool { return x.simd }

// current returns the published view.
func (x *Index) current() *view {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.view
}

// locate returns the view with the live rows of ids in it, -1 for unknown ones.
func (x *Index) locate(ids []string) (*view, []int64) {
	rows := make([]int64, len(ids))
	x.mu.RLock()
	defer x.mu.RUnlock()
	for i, id := range ids {
		rows[i] = -1
		if row, ok := x.rowOf[id]; ok {
			rows[i] = int64(row)
		}
	}
	return x.view, rows
}

// Vectors implements lectern.VectorIndex. What it returns is a copy.
func (x *Index) Vectors(ctx context.Context, vector string, ids []string) ([][]float32, error) {
	out, err := x.View(ctx, vector, ids)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, vec := range out {
		total += len(vec)
	}
	flat := make([]float32, 0, total)
	for i, vec := range out {
		if vec != nil {
			start := len(flat)
			flat = append(flat, vec...)
			out[i] = flat[start:len(flat):len(flat)]
		}
	}
	return out, nil
}

// View is Vectors without copying: the vectors as they are stored, which never change in
// place. Read only, and not to be kept: one vector keeps its whole block of memory.
func (x *Index) View(ctx context.Context, vector string, ids []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v, rows := x.locate(ids)
	out := make([][]float32, len(ids))
	d, ok := v.dense[vector]
	if !ok {
		return out, nil
	}
	for i, row := range rows {
		if row >= 0 {
			out[i] = d.of(uint32(row))
		}
	}
	return out, nil
}

// Allowed implements lectern.VectorIndex.
func (x *Index) Allowed(ctx context.Context, filter lectern.Filter, ids []string) ([]bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([]bool, len(ids))
	x.mu.RLock()
	p := x.plan(filter)
	rows := make([]int64, len(ids))
	for i, id := range ids {
		rows[i] = -1
		if row, ok := x.rowOf[id]; ok {
			rows[i] = int64(row)
		}
	}
	x.mu.RUnlock()
	// With long id lists a bitmap saves comparing every id with every other.
	if len(p.only)+len(p.exclude) > 64 {
		allowed := p.bitmap()
		for i, row := range rows {
			out[i] = row >= 0 && allowed.has(uint32(row))
		}
		return out, nil
	}
	for i, row := range rows {
		out[i] = row >= 0 && p.allows(uint32(row))
	}
	return out, nil
}

// Stats implements lectern.VectorIndex.
func (x *Index) Stats(ctx context.Context) (lectern.IndexStats, error) {
	if err := ctx.Err(); err != nil {
		return lectern.IndexStats{}, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	v := x.view
	s := lectern.IndexStats{Points: v.alive, Vectors: map[string]int{}}
	const perRow = 16 + 4 + 1 + 8*3 + 24 + 40 // id, flags, numbers, facts, row map
	s.Bytes = int64(v.n) * perRow
	for name, d := range v.dense {
		if d.live > 0 {
			s.Vectors[name] = d.live
		}
		s.Bytes += int64(len(d.data)) * chunkRows * int64(d.dim) * 4
		s.Bytes += int64(cap(d.slot)) * 4
	}
	for name, d := range v.sparse {
		if d.live > 0 {
			s.Vectors[name] += d.live
		}
		s.Bytes += int64(cap(d.sum)) * 8
	}
	for inv := range maps.Values(x.sparse) {
		s.Bytes += int64(len(inv.lists)) * (24 + 16)
		for _, l := range inv.lists {
			s.Bytes += int64(cap(l)) * 8
		}
	}
	return s, nil
}
