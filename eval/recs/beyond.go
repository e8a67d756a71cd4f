package recs

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/lectern-dev/lectern/ml/cf"
)

// sortedKeys returns the keys of a map in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// information is each course's self-information, in bits: −log2 of the share of the
// learners who took it (Zhou et al. 2010). A course that nobody took counts as one
// that one learner did.
func information(d *cf.Data) (bits []float64, takers []int) {
	takers = make([]int, len(d.Items))
	for _, h := range d.Histories {
		for _, i := range h {
			takers[i.Item]++
		}
	}
	bits = make([]float64, len(takers))
	for i, n := range takers {
		bits[i] = math.Log2(float64(len(d.Histories)) / float64(max(n, 1)))
	}
	return bits, takers
}

// Similarity says how alike two courses are, in [0, 1].
type Similarity struct {
	// Of says by what, for people; "" when nothing is known.
	Of   string
	pair func(a, b int32) float64
}

// maxCooccurrence bounds the courses that are compared by who took them both: the
// counts of all pairs are kept.
const maxCooccurrence = 6000

// describedShare is how many courses must be described for descriptions to be compared.
const describedShare = 0.9

// similarity chooses how courses are compared: by content vectors, by categories
// and skills where most courses have them, else by who took both.
func similarity(d *cf.Data, courses *Courses) Similarity {
	if courses != nil && courses.Vectors != nil {
		return courses.byVectors(d.Items)
	}
	if courses != nil {
		if s, ok := courses.byTags(d.Items); ok {
			return s
		}
	}
	if len(d.Items) > maxCooccurrence {
		return Similarity{}
	}
	return byLearners(d)
}

// byLearners compares courses by the cosine of who took them.
func byLearners(d *cf.Data) Similarity {
	n := len(d.Items)
	both := make([]int32, n*(n+1)/2) // a triangle, the diagonal with it
	at := func(a, b int32) int {
		if a < b {
			a, b = b, a
		}
		return int(a)*(int(a)+1)/2 + int(b)
	}
	for _, h := range d.Histories {
		for i, x := range h {
			for _, y := range h[:i+1] {
				both[at(x.Item, y.Item)]++
			}
		}
	}
	return Similarity{Of: "1 − cosine of the courses' learners", pair: func(a, b int32) float64 {
		c := both[at(a, b)]
		if c == 0 {
			return 0
		}
		return float64(c) / math.Sqrt(float64(both[at(a, a)])*float64(both[at(b, b)]))
	}}
}

// diversity is one less the mean similarity of the pairs of a list; NaN for lists
// without a pair (Ziegler et al. 2005).
func (s Similarity) diversity(list []int32) float64 {
	if s.pair == nil || len(list) < 2 {
		return math.NaN()
	}
	sum := 0.0
	for i, a := range list {
		for _, b := range list[:i] {
			sum += s.pair(a, b)
		}
	}
	return 1 - sum/float64(len(list)*(len(list)-1)/2)
}

// calibrationAlpha keeps the divergence finite where a list lacks a category of the
// history altogether (Steck 2018).
const calibrationAlpha = 0.01

// shares adds up the categories of courses; a course with several counts for each in
// part. ok is false when none of the courses has a category.
func shares(items []int32, of [][]int32, into []float64) bool {
	clear(into)
	n := 0
	for _, item := range items {
		if cats := of[item]; len(cats) > 0 {
			n++
			for _, c := range cats {
				into[c] += 1 / float64(len(cats))
			}
		}
	}
	for i := range into {
		into[i] /= float64(max(n, 1))
	}
	return n > 0
}

// calibration compares the categories of a history, p, with those of a list, q:
// the Kullback–Leibler divergence of p from q smoothed towards p (Steck 2018), and
// the Jensen–Shannon divergence in bits, in [0, 1]. Both are 0 when the shares are the same.
func calibration(p, q []float64) (kl, js float64) {
	for i := range p {
		smoothed := (1-calibrationAlpha)*q[i] + calibrationAlpha*p[i]
		if p[i] > 0 {
			kl += p[i] * math.Log(p[i]/smoothed)
		}
		m := (p[i] + q[i]) / 2
		if p[i] > 0 {
			js += p[i] / 2 * math.Log2(p[i]/m)
		}
		if q[i] > 0 {
			js += q[i] / 2 * math.Log2(q[i]/m)
		}
	}
	return kl, max(js, 0)
}
