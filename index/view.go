package index

import "maps"

// view is one moment of the index. It never changes once published: rows that
// come later lie past its n, and a death replaces the bitmaps.
type view struct {
	n       int
	ids     []string // by row
	live    bitset   // rows that have not been replaced or deleted
	free    bitset   // live rows that are open without any restriction
	limited []uint32 // rows that are open under a restriction, dead ones among them
	alive   int
	cols    columns
	dense   map[string]dense
	sparse  map[string]digests
}

func emptyView(dims map[string]int) *view {
	v := &view{dense: map[string]dense{}, sparse: map[string]digests{}}
	for name, dim := range dims {
		v.dense[name] = dense{dim: dim}
	}
	return v
}

// next returns a copy that a writer may change, with room for more rows.
func (v *view) next(more int) *view {
	out := *v
	out.live = v.live.grown(v.n + more)
	out.free = v.free.grown(v.n + more)
	out.dense = maps.Clone(v.dense)
	out.sparse = maps.Clone(v.sparse)
	return &out
}

// kill marks a row dead.
func (v *view) kill(row uint32) {
	if !v.live.has(row) {
		return
	}
	v.live.unset(row)
	v.free.unset(row)
	v.alive--
	for name, d := range v.dense {
		if d.slot[row] >= 0 {
			d.live--
			v.dense[name] = d
		}
	}
	for name, s := range v.sparse {
		if s.sum[row] != 0 {
			s.live--
			v.sparse[name] = s
		}
	}
}

// enter makes the row after the last one live, once its columns are written.
func (v *view) enter(id string, f flags) {
	row := uint32(v.n)
	v.n++
	v.alive++
	v.ids = append(v.ids, id)
	v.live.set(row)
	switch {
	case f == flagOpen:
		v.free.set(row)
	case f&flagOpen != 0:
		v.limited = append(v.limited, row)
	}
}

// digests are a sparse vector's hashes by row, 0 where a row has none. The
// vectors themselves are only kept inverted.
type digests struct {
	sum  []uint64
	live int
}
