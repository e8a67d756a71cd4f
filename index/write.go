package index

import (
	"cmp"
	"context"
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// lockedPoints is how many points' postings are written before readers are let
// in again.
const lockedPoints = 64

// Upsert implements lectern.VectorIndex. An empty vector counts as absent, and
// of two points with one id the later wins. A point that is stored exactly so
// already costs no new row.
func (x *Index) Upsert(ctx context.Context, points []lectern.Point) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.write.Lock()
	defer x.write.Unlock()
	old := x.view // only the writer changes it
	if err := checkPoints(old, points); err != nil {
		return err
	}
	writes := x.changed(old, points)
	if len(writes) == 0 {
		return nil
	}
	slices.SortStableFunc(writes, byRow)
	next := old.next(len(writes))
	for i := range writes {
		if writes[i].gains {
			next.gain(&writes[i])
			continue
		}
		next.store(x, &writes[i])
	}
	x.invert(next, writes)

	x.mu.Lock()
	for i := range writes {
		w := &writes[i]
		if w.replaces >= 0 && !w.gains {
			next.kill(uint32(w.replaces))
		}
		x.rowOf[next.ids[w.row]] = w.row
	}
	x.view = next
	x.mu.Unlock()
	x.compactIfDue()
	return nil
}

// Delete implements lectern.VectorIndex.
func (x *Index) Delete(ctx context.Context, ids []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.write.Lock()
	defer x.write.Unlock()
	if !slices.ContainsFunc(ids, func(id string) bool { _, ok := x.rowOf[id]; return ok }) {
		return nil
	}
	next := x.view.next(0)
	x.mu.Lock()
	for _, id := range ids {
		if row, ok := x.rowOf[id]; ok {
			delete(x.rowOf, id)
			next.kill(row)
		}
	}
	x.view = next
	x.mu.Unlock()
	x.compactIfDue()
	return nil
}

// write is one point on its way to a row.
type write struct {
	point    lectern.Point
	payload  encoded
	replaces int64 // row, -1 for none
	gains    bool  // the row stays, and gets sparse vectors that it had none of
	row      uint32
}

// byRow puts the rows that gain first, in rising order, because postings are
// only ever appended.
func byRow(a, b write) int {
	switch {
	case a.gains && b.gains:
		return cmp.Compare(a.row, b.row)
	case a.gains:
		return -1
	case b.gains:
		return 1
	}
	return 0
}

// changed returns the points that differ from what is stored, each id once.
func (x *Index) changed(v *view, points []lectern.Point) []write {
	last := make(map[string]int, len(points))
	for i, p := range points {
		last[p.ID] = i
	}
	writes := make([]write, 0, len(last))
	for i, p := range points {
		if last[p.ID] != i {
			continue
		}
		w := write{point: p, payload: encode(p.Payload), replaces: -1}
		if row, ok := x.rowOf[p.ID]; ok {
			if x.sameFacts(v, row, &w) {
				same, gains := x.sameSparse(v, row, &w)
				if same {
					continue
				}
				w.gains, w.row = gains, row
			}
			w.replaces = int64(row)
		}
		writes = append(writes, w)
	}
	return writes
}

// sameFacts reports whether a row holds this point, its sparse vectors aside.
// The caller is the writer or holds x.mu.
func (x *Index) sameFacts(v *view, row uint32, w *write) bool {
	e, c := &w.payload, &v.cols
	sameHours := c.hours[row] == e.hours || (math.IsNaN(e.hours) && math.IsNaN(c.hours[row]))
	if c.flags[row] != e.flags || !sameHours || c.from[row] != e.from || c.until[row] != e.until ||
		len(c.facts[row]) != len(e.facts) {
		return false
	}
	for i, n := range c.facts[row] {
		if x.facts.facts[n] != e.facts[i] {
			return false
		}
	}
	for name, d := range v.dense {
		if !slices.Equal(d.of(row), w.point.Dense[name]) {
			return false
		}
	}
	for name, vec := range w.point.Dense {
		if _, ok := v.dense[name]; !ok && len(vec) > 0 {
			return false
		}
	}
	return true
}

// sameSparse reports whether a row has exactly the point's sparse vectors and,
// where it has not, whether it only lacks some that may still be added to it:
// that is so while no later row has postings. An index whose words come after
// its vectors is then not written twice.
func (x *Index) sameSparse(v *view, row uint32, w *write) (same, gains bool) {
	same, gains = true, true
	for name, s := range v.sparse {
		vec := w.point.Sparse[name]
		if s.sum[row] == x.digest(vec) {
			continue
		}
		same = false
		inv := x.sparse[name]
		gains = gains && s.sum[row] == 0 && (inv == nil || row >= inv.end)
	}
	for name, vec := range w.point.Sparse {
		if _, ok := v.sparse[name]; !ok && len(vec.Indices) > 0 {
			same = false
		}
	}
	return same, gains
}

// digest is a hash of a sparse vector, 0 for an empty one only.
func (x *Index) digest(v lectern.SparseVector) uint64 {
	if len(v.Indices) == 0 {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(x.seed)
	var b [8]byte
	for i, t := range v.Indices {
		binary.LittleEndian.PutUint32(b[:4], t)
		binary.LittleEndian.PutUint32(b[4:], math.Float32bits(v.Values[i]))
		_, _ = h.Write(b[:]) // never fails
	}
	return max(h.Sum64(), 1)
}

// store appends one point's row: vectors, digests and, apart from the facts,
// its payload. Nobody sees it before the view is published.
func (v *view) store(x *Index, w *write) {
	w.row = uint32(v.n)
	for name, vec := range w.point.Dense {
		if _, ok := v.dense[name]; !ok && len(vec) > 0 {
			d := dense{dim: len(vec)}
			d.pad(v.n)
			v.dense[name] = d
		}
	}
	for name, d := range v.dense {
		d.pad(v.n) // for a dimension that was fixed before its first vector
		vec := w.point.Dense[name]
		if len(vec) == 0 {
			vec = nil
		}
		d.append(vec)
		v.dense[name] = d
	}
	v.addSparseNames(w)
	for name, s := range v.sparse {
		sum := x.digest(w.point.Sparse[name])
		s.sum = append(s.sum, sum)
		if sum != 0 {
			s.live++
		}
		v.sparse[name] = s
	}
	v.cols.append(w.payload, nil)
	v.enter(strings.Clone(w.point.ID), w.payload.flags)
}

// addSparseNames makes room for names that no row had before.
func (v *view) addSparseNames(w *write) {
	for name, vec := range w.point.Sparse {
		if _, ok := v.sparse[name]; !ok && len(vec.Indices) > 0 {
			v.sparse[name] = digests{sum: make([]uint64, v.n)}
		}
	}
}

// gain takes out of a write what its row has already.
func (v *view) gain(w *write) {
	v.addSparseNames(w)
	added := make(map[string]lectern.SparseVector, 1)
	for name, s := range v.sparse {
		if vec := w.point.Sparse[name]; len(vec.Indices) > 0 && s.sum[w.row] == 0 {
			added[name] = vec
		}
	}
	w.point.Sparse = added
}

// invert records facts and postings of the new rows, letting readers in between;
// they ignore rows past their view. A row that gains is found at once, with all
// its terms, so a search may see a part of such a batch but never of a point.
func (x *Index) invert(next *view, writes []write) {
	for part := range slices.Chunk(writes, lockedPoints) {
		x.mu.Lock()
		for i := range part {
			w := &part[i]
			if !w.gains {
				next.cols.facts[w.row] = x.facts.add(w.row, w.payload.facts)
			}
			for name, vec := range w.point.Sparse {
				if len(vec.Indices) == 0 {
					continue
				}
				inv := x.sparse[name]
				if inv == nil {
					inv = newInverted()
					x.sparse[name] = inv
				}
				inv.add(w.row, vec)
				if w.gains { // the one thing that changes under a published view
					s := next.sparse[name]
					s.sum[w.row] = x.digest(vec)
					s.live++
					next.sparse[name] = s
				}
			}
		}
		x.mu.Unlock()
	}
}

// checkPoints refuses the whole batch if any point is not acceptable.
func checkPoints(v *view, points []lectern.Point) error {
	dims := make(map[string]int, len(v.dense))
	for name, d := range v.dense {
		dims[name] = d.dim
	}
	for i, p := range points {
		where := "points[" + strconv.Itoa(i) + "]"
		if p.ID == "" {
			return lectern.Invalid("a point has no id", lectern.NewFieldError(where+".id", "", "is empty", "a course id"))
		}
		for name, vec := range p.Dense {
			if len(vec) == 0 {
				continue
			}
			if dims[name] == 0 {
				dims[name] = len(vec)
			}
			if len(vec) != dims[name] {
				return wrongDim(where+".dense."+name, len(vec), dims[name])
			}
			if !finite(vec) {
				return lectern.Invalid("a vector is not usable", lectern.NewFieldError(
					where+".dense."+name, p.ID, "holds a number that is not finite", "finite numbers"))
			}
		}
		for name, vec := range p.Sparse {
			if reason := checkSparse(vec); reason != "" {
				return lectern.Invalid("a vector is not usable", lectern.NewFieldError(
					where+".sparse."+name, p.ID, reason, "rising indices, finite values"))
			}
		}
	}
	return nil
}
