package learner

import (
	"cmp"
	"slices"

	"github.com/viterin/vek/vek32"
)

// merge joins two clusters, each named by one of its members, at a cost.
type merge struct {
	a, b int
	cost float64
}

// ward clusters unit vectors of one length by Ward's method and returns the members
// of each cluster, rising, in the order of their first members. Two clusters are
// joined while that adds no more than most to the sum of squared distances to the
// means: 1 − cosine for two single vectors, so that most is the same test for two
// courses as for two shelves of them. Merges are found along nearest-neighbour
// chains (Murtagh 1983), in O(n²) after the n²/2 cosines; PinnerSage (Pal et al.
// 2020) clusters what a user touched in the same way.
func ward(vectors [][]float32, most float64) [][]int {
	n := len(vectors)
	root := make([]int, n)
	for i := range root {
		root[i] = i
	}
	merges := chains(n, distances(vectors))
	slices.SortStableFunc(merges, func(x, y merge) int { return cmp.Compare(x.cost, y.cost) })
	for _, m := range merges {
		if m.cost > most {
			break // Ward's costs never fall: what comes later is dearer
		}
		a, b := find(root, m.a), find(root, m.b)
		root[max(a, b)] = min(a, b)
	}
	members := make([][]int, n)
	for i := range n {
		r := find(root, i)
		members[r] = append(members[r], i)
	}
	return slices.DeleteFunc(members, func(m []int) bool { return len(m) == 0 })
}

func find(root []int, i int) int {
	for root[i] != i {
		i = root[i]
	}
	return i
}

// distances is the cost of joining each two vectors, row by row.
func distances(vectors [][]float32) []float64 {
	n := len(vectors)
	d := make([]float64, n*n)
	for i := range n {
		for j := range i {
			c := max(0, 1-float64(vek32.Dot(vectors[i], vectors[j])))
			d[i*n+j], d[j*n+i] = c, c
		}
	}
	return d
}

// chains returns the n−1 merges of Ward's method. It overwrites d.
func chains(n int, d []float64) []merge {
	size := make([]float64, n) // 0: has become part of another
	for i := range size {
		size[i] = 1
	}
	merges := make([]merge, 0, max(n-1, 0))
	chain := make([]int, 0, n)
	for len(merges) < n-1 {
		if len(chain) == 0 {
			chain = append(chain, slices.IndexFunc(size, func(s float64) bool { return s > 0 }))
		}
		last := chain[len(chain)-1]
		near := -1
		if len(chain) > 1 {
			near = chain[len(chain)-2] // preferred among equals, so that the chain ends
		}
		for k := range n {
			if k != last && size[k] > 0 && (near < 0 || d[last*n+k] < d[last*n+near]) {
				near = k
			}
		}
		if len(chain) < 2 || near != chain[len(chain)-2] {
			chain = append(chain, near)
			continue
		}
		chain = chain[:len(chain)-2]
		a, b := min(last, near), max(last, near)
		cost := d[a*n+b]
		merges = append(merges, merge{a, b, cost})
		for k := range n {
			if k == a || k == b || size[k] == 0 {
				continue
			}
			// Lance and Williams 1967, for Ward's cost
			c := ((size[a]+size[k])*d[a*n+k] + (size[b]+size[k])*d[b*n+k] - size[k]*cost) / (size[a] + size[b] + size[k])
			d[a*n+k], d[k*n+a] = c, c
		}
		size[a] += size[b]
		size[b] = 0
	}
	return merges
}
