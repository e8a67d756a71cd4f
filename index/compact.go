package index

// compactIfDue copies the living rows into fresh storage once enough are dead.
// The caller is the writer; readers go on with the view they have, and the copy
// is paid for by the deaths before it, so a write costs a bounded amount on
// average.
func (x *Index) compactIfDue() {
	v := x.view
	dead := v.n - v.alive
	if dead < x.compactMin || float64(dead) < x.compactShare*float64(v.n) {
		return
	}
	next, moved := v.compacted()
	rowOf := make(map[string]uint32, next.n)
	for row, id := range next.ids {
		rowOf[id] = uint32(row)
	}
	facts := x.facts.compacted(next)
	sparse := make(map[string]*inverted, len(x.sparse))
	for name, inv := range x.sparse {
		sparse[name] = inv.compacted(moved)
	}

	x.mu.Lock()
	defer x.mu.Unlock()
	x.view, x.rowOf, x.facts, x.sparse = next, rowOf, facts, sparse
}

// gone marks a dead row in a list of moves.
const gone = -1

// compacted returns a view of the living rows in their order, and where each
// old row went. Facts keep their old numbers.
func (v *view) compacted() (*view, []int64) {
	next := emptyView(nil)
	next.live, next.free = newBitset(v.alive), newBitset(v.alive)
	next.ids = make([]string, 0, v.alive)
	for name, d := range v.dense {
		next.dense[name] = dense{dim: d.dim, slot: make([]int32, 0, v.alive)}
	}
	for name := range v.sparse {
		next.sparse[name] = digests{sum: make([]uint64, 0, v.alive)}
	}
	moved := make([]int64, v.n)
	for i := range moved {
		moved[i] = gone
	}
	v.live.each(func(row uint32) {
		moved[row] = int64(next.n)
		for name, old := range v.dense {
			d := next.dense[name]
			d.append(old.of(row))
			next.dense[name] = d
		}
		for name, old := range v.sparse {
			s := next.sparse[name]
			s.sum = append(s.sum, old.sum[row])
			if old.sum[row] != 0 {
				s.live++
			}
			next.sparse[name] = s
		}
		c := &v.cols
		next.cols.append(encoded{flags: c.flags[row], hours: c.hours[row], from: c.from[row], until: c.until[row]}, c.facts[row])
		next.enter(v.ids[row], c.flags[row])
	})
	return next, moved
}

// compacted numbers the facts of a view afresh, so that values nobody has any
// more are forgotten, and puts the new numbers into the view, which is not
// published yet.
func (d *dictionary) compacted(v *view) dictionary {
	out := newDictionary()
	var row []fact
	for r, old := range v.cols.facts {
		row = row[:0]
		for _, n := range old {
			row = append(row, d.facts[n])
		}
		v.cols.facts[r] = out.add(uint32(r), row)
	}
	return out
}

// compacted returns the lists with dead rows left out.
func (x *inverted) compacted(moved []int64) *inverted {
	out := &inverted{term: make(map[uint32]uint32, len(x.term))}
	for t, n := range x.term {
		old := x.lists[n]
		living := 0
		for _, p := range old {
			if moved[p.row] != gone {
				living++
			}
		}
		if living == 0 {
			continue
		}
		list := make([]posting, 0, living+living/8)
		for _, p := range old {
			if to := moved[p.row]; to != gone {
				list = append(list, posting{uint32(to), p.weight})
				out.end = max(out.end, uint32(to)+1)
			}
		}
		out.term[t] = uint32(len(out.lists))
		out.lists = append(out.lists, list)
	}
	return out
}
