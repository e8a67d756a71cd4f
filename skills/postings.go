package skills

import (
	"cmp"
	"slices"
)

// The rules by which a course on a narrower skill counts for a broader one.
const (
	stepDamping = 0.7 // for each step up
	maxSteps    = 2
)

// reach is a skill that a confidence in another one speaks for.
type reach struct {
	skill int32
	share float32 // of the confidence
}

// reaches returns for each skill itself and what is up to maxSteps broader.
func reaches(g *Graph) [][]reach {
	out := make([][]reach, len(g.skills))
	for i := range g.skills {
		out[i] = []reach{{int32(i), 1}}
		share := float32(1)
		for level, step := out[i], 0; step < maxSteps; step++ {
			share *= stepDamping
			from := len(out[i])
			for _, r := range level {
				for _, id := range g.skills[r.skill].Broader {
					b := g.skillAt[id]
					if !slices.ContainsFunc(out[i], func(have reach) bool { return have.skill == b }) {
						out[i] = append(out[i], reach{b, share})
					}
				}
			}
			level = out[i][from:]
		}
	}
	return out
}

// spread returns all skills that a course counts for: its tags and, damped, what
// is broader, where at least MinConfidence is left; each once, with the most that
// speaks for it.
func (x *Index) spread(e *entry) []tag {
	var out []tag
	for _, t := range e.tags {
		for _, r := range x.up[t.skill] {
			sure := t.sure * r.share
			if sure < MinConfidence && r.share < 1 {
				continue
			}
			i := slices.IndexFunc(out, func(have tag) bool { return have.skill == r.skill })
			if i < 0 {
				out = append(out, tag{r.skill, sure})
			} else {
				out[i].sure = max(out[i].sure, sure)
			}
		}
	}
	return out
}

// snapshot holds the courses of every skill. It never changes; snapshots share
// what is the same in them.
type snapshot struct {
	lists  []*[]posting // by skill; see compare
	chunks []*chunk     // entries by slot
}

// posting says that a course counts for a skill.
type posting struct {
	slot  int32
	score float32
}

// chunkSize entries are copied when one of them changes.
const chunkSize = 512

type chunk [chunkSize]*entry

func newSnapshot(skills int) *snapshot {
	s := &snapshot{lists: make([]*[]posting, skills)}
	empty := &[]posting{}
	for i := range s.lists {
		s.lists[i] = empty
	}
	return s
}

func (s *snapshot) entry(slot int32) *entry { return s.chunks[slot/chunkSize][slot%chunkSize] }

func (s *snapshot) slots() int { return len(s.chunks) * chunkSize }

// compare puts the best first: by score, then by prior, then by id.
func compare(a, b *entry, scoreA, scoreB float32) int {
	if c := cmp.Compare(scoreB, scoreA); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(b.prior, a.prior), cmp.Compare(a.id, b.id))
}

// publish puts a snapshot in place with the entries that were made of a batch, as
// far as they are still wanted, and without what was dropped.
func (x *Index) publish(batch []*waiting, fresh []*entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := change{x: x, old: x.view.Load(), more: make(map[int32][]*entry), touched: make(map[int32]bool)}
	c.chunks = slices.Clone(c.old.chunks)
	c.own = make(map[int32]bool)
	for _, e := range x.dropped {
		c.remove(e)
	}
	x.dropped = nil
	for i, w := range batch {
		if x.pending[w.id] != w {
			continue // changed again or deleted meanwhile
		}
		delete(x.pending, w.id)
		if before := x.byID[w.id]; before != nil {
			c.remove(before)
			x.count(before, -1)
		}
		c.fresh = append(c.fresh, fresh[i])
	}
	for _, e := range c.fresh {
		c.add(e)
		x.count(e, 1)
	}
	x.view.Store(c.snapshot())
	x.free = append(x.free, c.freed...)
	x.idMu.Lock()
	for _, e := range c.fresh {
		x.byID[e.id] = e
	}
	x.idMu.Unlock()
	x.version.Add(1)
}

// change is a snapshot in the making.
type change struct {
	x       *Index
	old     *snapshot
	chunks  []*chunk
	own     map[int32]bool // chunks that are not shared with the old snapshot
	fresh   []*entry
	freed   []int32 // slots for the next change
	gone    []bool  // by slot of the old snapshot; nil while nothing is
	touched map[int32]bool
	more    map[int32][]*entry // by skill
}

func (c *change) remove(e *entry) {
	if c.gone == nil {
		c.gone = make([]bool, c.old.slots())
	}
	c.gone[e.slot] = true
	c.freed = append(c.freed, e.slot)
	c.put(e.slot, nil)
	for _, t := range c.x.spread(e) {
		c.touched[t.skill] = true
	}
}

// add gives an entry a slot that the old snapshot does not use.
func (c *change) add(e *entry) {
	free := &c.x.free
	if len(*free) == 0 {
		from := int32(len(c.chunks) * chunkSize)
		c.own[int32(len(c.chunks))] = true
		c.chunks = append(c.chunks, &chunk{})
		for slot := from + chunkSize - 1; slot >= from; slot-- {
			*free = append(*free, slot)
		}
	}
	e.slot = (*free)[len(*free)-1]
	*free = (*free)[:len(*free)-1]
	c.put(e.slot, e)
	for _, t := range c.x.spread(e) {
		c.touched[t.skill] = true
		c.more[t.skill] = append(c.more[t.skill], e)
	}
}

func (c *change) put(slot int32, e *entry) {
	at := slot / chunkSize
	if !c.own[at] {
		copied := *c.chunks[at]
		c.chunks[at], c.own[at] = &copied, true
	}
	c.chunks[at][slot%chunkSize] = e
}

func (c *change) snapshot() *snapshot {
	s := &snapshot{lists: slices.Clone(c.old.lists), chunks: c.chunks}
	for skill := range c.touched {
		s.lists[skill] = c.list(s, skill)
	}
	return s
}

// list merges what is left of a skill's list with what comes in.
func (c *change) list(s *snapshot, skill int32) *[]posting {
	old := *c.old.lists[skill]
	more := make([]posting, len(c.more[skill]))
	for i, e := range c.more[skill] {
		more[i] = posting{e.slot, c.x.score(e, skill)}
	}
	before := func(a, b posting) int { return compare(s.entry(a.slot), s.entry(b.slot), a.score, b.score) }
	slices.SortFunc(more, before)
	out := make([]posting, 0, len(old)+len(more))
	for _, p := range old {
		if c.gone != nil && c.gone[p.slot] {
			continue
		}
		for len(more) > 0 && before(more[0], p) < 0 {
			out = append(out, more[0])
			more = more[1:]
		}
		out = append(out, p)
	}
	out = append(out, more...)
	return &out
}

// score is what a course counts for a skill.
func (x *Index) score(e *entry, skill int32) float32 {
	best := float32(0)
	for _, t := range e.tags {
		for _, r := range x.up[t.skill] {
			if r.skill == skill {
				best = max(best, t.sure*r.share)
			}
		}
	}
	return best
}
