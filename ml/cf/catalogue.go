package cf

import (
	"cmp"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

// Interaction.Weight counts as confidence, with a bounded effect: one strong event
// weighs at most sixteen weak ones.
const (
	leastWeight = 0.25
	mostWeight  = 4
)

// strength is the bounded weight of an interaction; a weight that cannot be
// counts as 1.
func strength(w float32) float32 {
	if !(w > 0) || math.IsInf(float64(w), 0) {
		return 1
	}
	return min(max(w, leastWeight), mostWeight)
}

// check reports data that nothing can be learnt from.
func check(d *Data) error {
	if d == nil || len(d.Items) == 0 {
		return lectern.Errorf(lectern.CodeInvalid, "there are no courses to learn about")
	}
	if len(d.Items) > math.MaxInt32 {
		return lectern.Errorf(lectern.CodeInvalid, "%d courses are more than can be indexed", len(d.Items))
	}
	if len(d.Learners) > 0 && len(d.Learners) != len(d.Histories) {
		return lectern.Errorf(lectern.CodeInvalid, "%d learners have %d histories", len(d.Learners), len(d.Histories))
	}
	events := 0
	for u, h := range d.Histories {
		events += len(h)
		for _, x := range h {
			if x.Item < 0 || int(x.Item) >= len(d.Items) {
				return lectern.Errorf(lectern.CodeInvalid, "history %d holds course %d of %d", u, x.Item, len(d.Items))
			}
		}
	}
	if events == 0 {
		return lectern.Errorf(lectern.CodeInvalid, "there are no interactions to learn from")
	}
	return nil
}

// catalogue says which courses of a snapshot a model learns about: those that
// somebody took, at most so many, the most active first. They are the rows of its
// matrices, in the order of the snapshot.
type catalogue struct {
	items int       // of the snapshot
	known []int32   // item of each row, rising
	row   []int32   // row of each item, -1 where there is none
	share []float32 // [rows] takers as a share of the most taken course's, (0, 1]
}

// newCatalogue chooses the courses; most is 0 for no bound.
func newCatalogue(d *Data, most int) catalogue {
	count := make([]float64, len(d.Items))
	for _, h := range d.Histories {
		for _, x := range h {
			count[x.Item]++
		}
	}
	var known []int32
	for i, n := range count {
		if n > 0 {
			known = append(known, int32(i))
		}
	}
	if most > 0 && len(known) > most {
		slices.SortFunc(known, func(a, b int32) int {
			return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
		})
		known = known[:most]
		slices.Sort(known)
	}
	c := catalogue{items: len(d.Items), known: known, share: make([]float32, len(known))}
	top := slices.Max(count)
	for r, item := range known {
		c.share[r] = float32(count[item] / top)
	}
	c.index()
	return c
}

// index fills row from known.
func (c *catalogue) index() {
	c.row = make([]int32, c.items)
	for i := range c.row {
		c.row[i] = -1
	}
	for r, item := range c.known {
		c.row[item] = int32(r)
	}
}

// rowOf returns the row of an item, -1 for one that the model does not know.
func (c *catalogue) rowOf(item int32) int32 {
	if item < 0 || int(item) >= len(c.row) {
		return -1
	}
	return c.row[item]
}

// save writes the catalogue into a frame.
func (c *catalogue) save(f *frameWriter) {
	f.u32(uint32(c.items))
	f.ints(c.known)
	f.floats(c.share)
}

// maxSavedItems bounds how many courses a saved model may claim.
const maxSavedItems = 1 << 23

// loadCatalogue reads a catalogue.
func loadCatalogue(f *frameReader) catalogue {
	items := f.u32()
	if items > maxSavedItems {
		f.fail("claims %d courses", items)
	}
	c := catalogue{items: int(items)}
	c.known = f.intsUpTo(int(items), 0, int32(min(items, maxSavedItems)))
	c.share = f.floats(len(c.known))
	for i := 1; i < len(c.known); i++ {
		if c.known[i] <= c.known[i-1] {
			f.fail("lists its courses out of order")
			break
		}
	}
	if f.err == nil && len(c.known) == 0 {
		f.fail("knows no course")
	}
	if f.err != nil {
		return catalogue{}
	}
	c.index()
	return c
}

// rows is the snapshot in terms of a catalogue's rows: histories without the
// courses that the model does not learn about, and without empty ones.
type rows struct {
	start  []int // [learners+1] into item and weight
	item   []int32
	weight []float32
}

// newRows translates the histories of d, keeping of each the last most items.
func newRows(d *Data, c *catalogue, most int) rows {
	r := rows{start: []int{0}}
	for _, h := range d.Histories {
		if most > 0 && len(h) > most {
			h = h[len(h)-most:]
		}
		before := len(r.item)
		for _, x := range h {
			if row := c.row[x.Item]; row >= 0 {
				r.item = append(r.item, row)
				r.weight = append(r.weight, strength(x.Weight))
			}
		}
		if len(r.item) > before {
			r.start = append(r.start, len(r.item))
		}
	}
	return r
}

// len is the number of learners.
func (r *rows) len() int { return len(r.start) - 1 }

// of returns the rows and weights of one learner.
func (r *rows) of(u int) ([]int32, []float32) {
	return r.item[r.start[u]:r.start[u+1]], r.weight[r.start[u]:r.start[u+1]]
}

// takers is the same by course: who took it, and at which place of their history.
type takers struct {
	start   []int   // [rows+1]
	learner []int32 // rising for each course
	place   []int32
}

func newTakers(r *rows, n int) takers {
	t := takers{start: make([]int, n+1), learner: make([]int32, len(r.item)), place: make([]int32, len(r.item))}
	for _, i := range r.item {
		t.start[i+1]++
	}
	for i := range n {
		t.start[i+1] += t.start[i]
	}
	next := slices.Clone(t.start)
	for u := range r.len() {
		items, _ := r.of(u)
		for p, i := range items {
			t.learner[next[i]], t.place[next[i]] = int32(u), int32(p)
			next[i]++
		}
	}
	return t
}
