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
	old := x.view.Load()
	c := change{x: x, old: old, chunks: slices.Clone(old.chunks), own: make(map[int32]bool), edits: make(map[int32][]edit)}
	for _, e := range x.dropped {
		c.remove(e)
	}
	x.dropped = nil
	var added []*entry
	for i, w := range batch {
		if x.pending[w.id] != w {
			continue // changed again or deleted meanwhile
		}
		delete(x.pending, w.id)
		if before := x.byID[w.id]; before != nil {
			c.remove(before)
			x.count(before, -1)
		}
		added = append(added, fresh[i])
	}
	for _, e := range added {
		c.add(e)
		x.count(e, 1)
	}
	x.view.Store(c.snapshot())
	x.free = append(x.free, c.freed...) // the old snapshot's lists have these, so they are not for this change
	x.idMu.Lock()
	for _, e := range added {
		x.byID[e.id] = e
	}
	x.idMu.Unlock()
	x.version.Add(1)
	if len(x.pending) == 0 {
		x.complete.Store(true)
	}
}

// change is a snapshot in the making.
type change struct {
	x      *Index
	old    *snapshot
	chunks []*chunk
	own    map[int32]bool // chunks that are not shared with the old snapshot
	freed  []int32        // slots for the next change
	edits  map[int32][]edit
}

// edit is a course that comes to a skill's list, or leaves it.
type edit struct {
	entry  *entry
	score  float32
	at     int // of the list: the course itself, or before which it comes
	leaves bool
}

func (c *change) remove(e *entry) {
	c.freed = append(c.freed, e.slot)
	c.put(e.slot, nil)
	for _, t := range c.x.spread(e) {
		c.edits[t.skill] = append(c.edits[t.skill], edit{entry: e, score: t.sure, leaves: true})
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
		c.edits[t.skill] = append(c.edits[t.skill], edit{entry: e, score: t.sure})
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
	for skill, edits := range c.edits {
		s.lists[skill] = c.list(*c.old.lists[skill], edits)
	}
	return s
}

// list copies a skill's list with the edits made. The places are looked up rather
// than met on the way, since to compare two courses of equal score costs a look at
// both.
func (c *change) list(old []posting, edits []edit) *[]posting {
	grow := 0
	for i := range edits {
		e := &edits[i]
		e.at, _ = slices.BinarySearchFunc(old, e, func(p posting, e *edit) int {
			if p.score != e.score {
				return cmp.Compare(e.score, p.score)
			}
			return compare(c.old.entry(p.slot), e.entry, p.score, e.score)
		})
		if grow++; e.leaves {
			grow -= 2
		}
	}
	slices.SortFunc(edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.at, b.at), compareLeaving(a, b), compare(a.entry, b.entry, a.score, b.score))
	})
	out := make([]posting, 0, len(old)+grow)
	from := 0
	for _, e := range edits {
		out = append(out, old[from:e.at]...)
		if from = e.at; e.leaves {
			from++
			continue
		}
		out = append(out, posting{e.entry.slot, e.score})
	}
	out = append(out, old[from:]...)
	return &out
}

// compareLeaving puts what leaves a place behind what comes before it.
func compareLeaving(a, b edit) int {
	switch {
	case a.leaves == b.leaves:
		return 0
	case b.leaves:
		return -1
	}
	return 1
}
