package index

import (
	"cmp"
	"slices"

	"github.com/lectern-dev/lectern"
)

// scored is a row with its score.
type scored struct {
	score float32
	row   uint32
}

// topK keeps the k best rows seen: a heap with the worst of them at the root.
// Better is a higher score, then a lower id.
type topK struct {
	k     int
	ids   []string // by row
	items []scored
}

// newTopK makes room for the k best of at most n rows.
func newTopK(k, n int, ids []string) *topK {
	k = max(0, min(k, n))
	return &topK{k: k, ids: ids, items: make([]scored, 0, k)}
}

// offer takes the row if it is among the k best so far. A score that is not a
// number, which only an overflow can make, is left out.
func (t *topK) offer(score float32, row uint32) {
	if len(t.items) == t.k {
		if t.k == 0 || !(score >= t.items[0].score) {
			return
		}
		s := scored{score, row}
		if t.worse(t.items[0], s) {
			t.items[0] = s
			t.down(0)
		}
		return
	}
	if score != score {
		return
	}
	t.items = append(t.items, scored{score, row})
	t.up(len(t.items) - 1)
}

func (t *topK) worse(a, b scored) bool {
	if a.score != b.score {
		return a.score < b.score
	}
	return t.ids[a.row] > t.ids[b.row]
}

func (t *topK) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !t.worse(t.items[i], t.items[parent]) {
			return
		}
		t.items[i], t.items[parent] = t.items[parent], t.items[i]
		i = parent
	}
}

func (t *topK) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(t.items); c++ {
			if t.worse(t.items[c], t.items[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		t.items[i], t.items[least] = t.items[least], t.items[i]
		i = least
	}
}

// hits empties the heap into a list, best first.
func (t *topK) hits() []lectern.Hit {
	slices.SortFunc(t.items, func(a, b scored) int {
		if a.score != b.score {
			return cmp.Compare(b.score, a.score)
		}
		return cmp.Compare(t.ids[a.row], t.ids[b.row])
	})
	out := make([]lectern.Hit, len(t.items))
	for i, s := range t.items {
		out[i] = lectern.Hit{ID: t.ids[s.row], Score: s.score}
	}
	return out
}
