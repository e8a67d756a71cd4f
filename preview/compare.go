package preview

import (
	"math"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// persistence is how likely one who has seen a place goes on to the next, in the
// rank-biased overlap.
const persistence = 0.9

// person is one whose lists are compared.
type person struct {
	ref            lectern.LearnerRef
	withoutConsent bool
}

type termWeight = lectern.TermWeight

// slot is one place of a list.
type slot struct {
	course *rerank.Facts
	values []float64
}

// compared is what is kept of one learner's lists.
type compared struct {
	person
	old, new           []slot // the first k
	oldTerms, newTerms []termWeight
	oldAges, newAges   []float64 // days, of the courses whose age is known
	overlap, rbo, move float64
	changed            bool
	oldDiverse         float64 // NaN with fewer than two vectors
	newDiverse         float64
	oldAge, newAge     float64 // mean days; NaN where none is known
	detail             *Detail
	degraded           []string
}

// measure compares the two lists of c.
func measure(c rerank.Comparison, by [2]rerank.Reranker, k, depth int, detailed bool) compared {
	a, b := c.Lists[0], c.Lists[1]
	old, fresh := head(a, k), head(b, k)
	out := compared{
		degraded: c.Degraded,
		old:      slots(c, old), new: slots(c, fresh), oldTerms: a.Terms, newTerms: b.Terms,
		oldDiverse: diversity(c, old), newDiverse: diversity(c, fresh),
	}
	out.oldAges, out.newAges = ages(c, old), ages(c, fresh)
	out.oldAge, out.newAge = mean(out.oldAges), mean(out.newAges)
	oldAt, newAt := places(c, a), places(c, b)
	out.overlap, out.rbo = overlaps(c, old, fresh, k)
	out.changed = len(old) != len(fresh)
	for i := 0; i < len(old) && !out.changed; i++ {
		out.changed = old[i].Index != fresh[i].Index
	}
	out.move = meanMove(old, fresh, oldAt, newAt, max(len(a.Items), len(b.Items)))
	if detailed {
		d := sideBySide(c, by, k, depth, oldAt, newAt)
		d.Overlap, d.RBO = round(out.overlap), round(out.rbo)
		out.detail = &d
	}
	return out
}

func head(r rerank.Ranked, k int) []rerank.Scored { return r.Items[:min(k, len(r.Items))] }

func slots(c rerank.Comparison, items []rerank.Scored) []slot {
	out := make([]slot, len(items))
	for i, it := range items {
		out[i] = slot{course: c.Candidates[it.Index].Course, values: it.Values}
	}
	return out
}

// places is where each candidate stands, −1 for out of reach.
func places(c rerank.Comparison, r rerank.Ranked) []int {
	out := make([]int, len(c.Candidates))
	for i := range out {
		out[i] = -1
	}
	for at, it := range r.Items {
		out[it.Index] = at
	}
	return out
}

// overlaps returns the share of k places whose courses both lists have, and the
// rank-biased overlap (Webber, Moffat and Zobel 2010) of the first k, divided by its
// weights' sum so that equal lists have 1. Lists that are shorter are compared down to
// the longer one's end; two empty ones are equal.
func overlaps(c rerank.Comparison, old, fresh []rerank.Scored, k int) (overlap, rbo float64) {
	n := min(k, max(len(old), len(fresh)))
	if n == 0 {
		return 1, 1
	}
	in := make(map[int]uint8, 2*n)
	both := 0
	add := func(items []rerank.Scored, at int, bit uint8) {
		if at >= len(items) {
			return
		}
		i := items[at].Index
		in[i] |= bit
		if in[i] == 3 {
			both++
		}
	}
	weights, weight := 0.0, 1.0
	for d := range n {
		add(old, d, 1)
		add(fresh, d, 2)
		rbo += weight * float64(both) / float64(d+1)
		weights += weight
		weight *= persistence
	}
	return float64(both) / float64(n), rbo / weights
}

// meanMove is by how many places the courses of either head move, in the mean; one
// that is out of reach in the other list counts as just beyond it.
func meanMove(old, fresh []rerank.Scored, oldAt, newAt []int, beyond int) float64 {
	sum, n := 0, 0
	seen := make(map[int]bool, len(old)+len(fresh))
	for _, items := range [][]rerank.Scored{old, fresh} {
		for _, it := range items {
			if seen[it.Index] {
				continue
			}
			seen[it.Index] = true
			a, b := oldAt[it.Index], newAt[it.Index]
			if a < 0 {
				a = beyond
			}
			if b < 0 {
				b = beyond
			}
			sum += max(a-b, b-a)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return float64(sum) / float64(n)
}

// diversity is the mean of 1 − cosine over the pairs of courses whose vectors are
// known.
func diversity(c rerank.Comparison, items []rerank.Scored) float64 {
	sum, n := 0.0, 0
	for i := range items {
		a := c.Candidates[items[i].Index].Vector
		if a == nil {
			continue
		}
		for j := range i {
			if b := c.Candidates[items[j].Index].Vector; len(b) == len(a) {
				sum += 1 - dot(a, b)
				n++
			}
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

func dot(a, b []float32) float64 {
	var sum float32
	for i, x := range a {
		sum += x * b[i]
	}
	return float64(sum)
}

// ages are how many days old the courses are whose age is known.
func ages(c rerank.Comparison, items []rerank.Scored) []float64 {
	var out []float64
	for _, it := range items {
		if at := c.Candidates[it.Index].Course.FreshAt; !at.IsZero() {
			out = append(out, max(0, c.Request.At.Sub(at).Hours()/24))
		}
	}
	return out
}

// mean of values; NaN of none.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// round keeps six decimals: more would be noise in a report.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// What may move a course beside the parts of its score.
const (
	movedByList      = "list_making"
	movedByDuplicate = "duplicate"
	movedByHiding    = "hidden"
	movedByPin       = "pin:"
	movedByRule      = "rule:"
)

// sideBySide lays both lists out with what moved each course.
func sideBySide(c rerank.Comparison, by [2]rerank.Reranker, k, depth int, oldAt, newAt []int) Detail {
	w := newWhy(c, by, k, depth)
	lay := func(items []rerank.Scored, here, there []int, isNew bool) []Place {
		out := make([]Place, len(items))
		for i, it := range items {
			course := c.Candidates[it.Index].Course
			p := Place{Position: i, CourseID: course.ID, Title: course.Title, Score: round(it.Score)}
			other := there[it.Index]
			if other >= 0 {
				at := other
				p.Other = &at
			}
			p.Change = change(i, other, k, isNew)
			if p.Change != "same" {
				p.Moved, p.Rule, p.By = w.of(it.Index, oldAt[it.Index], newAt[it.Index])
			}
			out[i] = p
		}
		return out
	}
	return Detail{
		Old: lay(head(c.Lists[0], k), oldAt, newAt, false),
		New: lay(head(c.Lists[1], k), newAt, oldAt, true),
	}
}

// change says what became of a course that stands at one place in one list, and at
// another (−1 for out of reach) in the other.
func change(here, there, k int, isNew bool) string {
	switch outside := there < 0 || there >= k; {
	case outside && isNew:
		return "entered"
	case outside:
		return "left"
	case here == there:
		return "same"
	case (here < there) == isNew: // it stands higher in the new list
		return "up"
	}
	return "down"
}

// why finds what moved a course: the part of its score whose change differs most, in
// the direction of the move, from the mean change of that part over both heads. A
// change that all courses share moves nobody.
type why struct {
	c     rerank.Comparison
	by    [2]rerank.Reranker        // beside the lists
	depth int                       // places that were asked for
	items [2]map[int]*rerank.Scored // by candidate
	alone [2]map[int]*rerank.Scored // those that the list does not reach; nil is hidden from it
	mean  map[string]float64
	names []string
}

func newWhy(c rerank.Comparison, by [2]rerank.Reranker, k, depth int) *why {
	if d := c.Request.Depth; d > 0 {
		depth = min(depth, d)
	}
	w := &why{c: c, by: by, depth: depth, mean: map[string]float64{}}
	neighbours := map[int]bool{}
	for l := range w.items {
		w.items[l] = make(map[int]*rerank.Scored, len(c.Lists[l].Items))
		w.alone[l] = make(map[int]*rerank.Scored)
		for i := range c.Lists[l].Items {
			it := &c.Lists[l].Items[i]
			w.items[l][it.Index] = it
			if i < k {
				neighbours[it.Index] = true
			}
		}
	}
	for i := range neighbours {
		for name, by := range w.changes(i) {
			w.mean[name] += by / float64(len(neighbours))
		}
	}
	for name := range w.mean {
		w.names = append(w.names, name)
	}
	slices.Sort(w.names)
	return w
}

// changes is how much each part of a candidate's score changes. Where one list does
// not reach it, its score there stands in, and where that list would not have it at all
// its values in the other.
func (w *why) changes(i int) map[string]float64 {
	out := map[string]float64{}
	values := map[string]float64{}
	for l, sign := range []float64{-1, 1} {
		it := w.scored(l, i)
		if it == nil {
			continue
		}
		for j, t := range w.c.Lists[l].Terms {
			if j < len(it.Values) {
				out[t.Name] += sign * t.Weight * it.Values[j]
				values[t.Name] = it.Values[j]
			}
		}
		for _, t := range it.Adjusted {
			out[t.Name] += sign * t.Contribution
		}
	}
	for l, sign := range []float64{-1, 1} {
		if w.scored(l, i) != nil {
			continue
		}
		for _, t := range w.c.Lists[l].Terms {
			if v, ok := values[t.Name]; ok {
				out[t.Name] += sign * t.Weight * v
			}
		}
	}
	return out
}

// scored is what a list's reranker makes of a candidate, whether the list reaches it or
// not; nil where the list would not have it.
func (w *why) scored(l, i int) *rerank.Scored {
	if it := w.items[l][i]; it != nil {
		return it
	}
	it, known := w.alone[l][i]
	if known {
		return it
	}
	req := w.c.Request
	req.Depth = 1
	if r := w.by[l].Rerank(req, w.c.Candidates[i:i+1]); len(r.Items) == 1 {
		it = &r.Items[0]
	}
	w.alone[l][i] = it
	return it
}

// hider finds the rule that hides a course. *rerank.Linear is one.
type hider interface {
	HiddenBy(req rerank.Request, f *rerank.Facts) string
}

var _ hider = (*rerank.Linear)(nil)

// hiddenBy returns the id of the rule that hides a candidate from a list, or "".
func (w *why) hiddenBy(l, i int) string {
	h, ok := w.by[l].(hider)
	if !ok {
		return ""
	}
	return h.HiddenBy(w.c.Request, w.c.Candidates[i].Course)
}

// leastMove is the smallest change of a score that is given as a reason.
const leastMove = 1e-6

// of returns what moved a candidate, the rule where it is one's doing, and by how much
// that changed its score.
func (w *why) of(i, oldAt, newAt int) (name, rule string, by float64) {
	for l := range w.items {
		if it := w.items[l][i]; it != nil && it.Pinned != "" {
			if other := w.items[1-l][i]; other == nil || other.Pinned != it.Pinned {
				return movedByPin + it.Pinned, it.Pinned, 0
			}
		}
	}
	for l := range w.items {
		if w.items[l][i] != nil {
			continue
		}
		if id := w.hiddenBy(l, i); id != "" {
			return movedByHiding, id, 0
		}
		for _, it := range w.c.Lists[l].Items {
			if slices.Contains(it.Duplicates, i) {
				return movedByDuplicate, "", 0
			}
		}
		if w.complete(l) {
			return movedByHiding, "", 0
		}
	}
	up := newAt >= 0 && (oldAt < 0 || newAt < oldAt)
	changes := w.changes(i)
	for _, n := range w.names {
		d := changes[n] - w.mean[n]
		if (d > 0) == up && math.Abs(d) > max(math.Abs(by), leastMove) {
			name, by = n, d
		}
	}
	if name == "" {
		return movedByList, "", 0
	}
	if id, ok := strings.CutPrefix(name, movedByRule); ok {
		rule = id
	}
	return name, rule, round(by)
}

// complete reports whether a list holds all that it could, so that what it lacks was
// taken out of it.
func (w *why) complete(l int) bool { return len(w.c.Lists[l].Items) < w.depth }
