package neighbours

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"

	"github.com/lectern-dev/lectern"
)

// cells divide the points of one vector among centroids, so that a search looks at
// the points near its query alone: the inverted file of Jégou, Douze and Schmid
// (2011, IEEE TPAMI 33:1, on product quantisation), without the quantisation.
// Centroids are made by spherical k-means of a sample.
type cells struct {
	centroids lectern.VectorIndex // ids are the cells' numbers
	count     int
	probe     float64 // share of the points that a search looks at
	sized     int     // points when the cells were made

	mu      sync.RWMutex
	members [][]string
	of      map[string]place
}

// place is where a point is among the members.
type place struct{ cell, at int }

const (
	perCell     = 24 // points of the sample for each centroid
	kmeansTurns = 6
	leastCells  = 3 // that a search looks at
)

// divide makes cells of the points with these ids. New makes an index for the
// centroids, whose kernel does the arithmetic.
func divide(ctx context.Context, index lectern.VectorIndex, name string, ids []string, probe float64, fresh func() lectern.VectorIndex) (*cells, error) {
	// As many cells as a cell has members, about, balances both steps of a search.
	n := min(max(int(math.Sqrt(float64(len(ids)))), 16), 512)
	r := rand.New(rand.NewPCG(1, uint64(len(ids)))) //nolint:gosec // a sample, no secret
	var sample [][]float32
	for _, at := range r.Perm(len(ids))[:min(len(ids), n*perCell)] {
		v, err := index.Vectors(ctx, name, ids[at:at+1])
		if err != nil {
			return nil, err
		}
		if v[0] != nil {
			sample = append(sample, v[0])
		}
	}
	if len(sample) < n {
		return nil, nil //nolint:nilnil // too few have this vector to be divided
	}
	c := &cells{count: n, probe: probe, members: make([][]string, n), of: make(map[string]place, len(ids))}
	centres := make([][]float32, n)
	copy(centres, sample) // a random sample, in random order
	for turn := 0; ; turn++ {
		var err error
		if c.centroids, err = indexOf(ctx, centres, fresh); err != nil || turn == kmeansTurns {
			return c, err
		}
		nearest, err := c.assign(ctx, sample)
		if err != nil {
			return nil, err
		}
		sums := make([][]float64, n)
		for i, cell := range nearest {
			if sums[cell] == nil {
				sums[cell] = make([]float64, len(sample[i]))
			}
			for j, x := range sample[i] {
				sums[cell][j] += float64(x)
			}
		}
		for cell := range centres {
			if centre := unit(sums[cell]); centre != nil {
				centres[cell] = centre // an empty cell keeps its centre
			}
		}
	}
}

func indexOf(ctx context.Context, centres [][]float32, fresh func() lectern.VectorIndex) (lectern.VectorIndex, error) {
	points := make([]lectern.Point, len(centres))
	for i, v := range centres {
		points[i] = lectern.Point{ID: strconv.Itoa(i), Dense: map[string][]float32{centroid: v}}
	}
	index := fresh()
	return index, index.Upsert(ctx, points)
}

// centroid is the name of the one vector of the centroids' index.
const centroid = "centroid"

// assignPage bounds the queries of one search among the centroids.
const assignPage = 256

// assign returns the cell of each vector.
func (c *cells) assign(ctx context.Context, vectors [][]float32) ([]int, error) {
	out := make([]int, 0, len(vectors))
	for len(vectors) > 0 {
		page := vectors[:min(len(vectors), assignPage)]
		vectors = vectors[len(page):]
		queries := make([]lectern.VectorQuery, len(page))
		for i, v := range page {
			queries[i] = lectern.VectorQuery{Vector: centroid, Dense: v, K: 1}
		}
		lists, err := c.centroids.Search(ctx, queries)
		if err != nil {
			return nil, err
		}
		for _, hits := range lists {
			cell := 0
			if len(hits) > 0 {
				cell, _ = strconv.Atoi(hits[0].ID)
			}
			out = append(out, cell)
		}
	}
	return out, nil
}

// put puts points into their cells, out of those that they were in.
func (c *cells) put(ctx context.Context, points []lectern.Point, name string) error {
	var ids []string
	var vectors [][]float32
	var without []string
	for _, p := range points {
		if v := p.Dense[name]; v != nil {
			ids, vectors = append(ids, p.ID), append(vectors, v)
		} else {
			without = append(without, p.ID)
		}
	}
	cellOf, err := c.assign(ctx, vectors)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(without)
	c.drop(ids)
	for i, id := range ids {
		cell := cellOf[i]
		c.of[id] = place{cell, len(c.members[cell])}
		c.members[cell] = append(c.members[cell], id)
	}
	return nil
}

func (c *cells) remove(ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(ids)
}

// drop takes points out of their cells; the last member takes the place of one that
// leaves. The caller holds c.mu.
func (c *cells) drop(ids []string) {
	for _, id := range ids {
		p, ok := c.of[id]
		if !ok {
			continue
		}
		delete(c.of, id)
		m := c.members[p.cell]
		last := m[len(m)-1]
		if last != id {
			m[p.at] = last
			c.of[last] = p
		}
		m[len(m)-1] = ""
		c.members[p.cell] = m[:len(m)-1]
	}
}

// near returns the points of the cells nearest to a vector: the share that is looked
// at, and k at least.
func (c *cells) near(ctx context.Context, vector []float32, k int) ([]string, error) {
	lists, err := c.centroids.Search(ctx, []lectern.VectorQuery{{Vector: centroid, Dense: vector, K: c.count}})
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	want := max(int(c.probe*float64(len(c.of))), 4*k)
	out := make([]string, 0, want+want/2)
	for i, hit := range lists[0] {
		if i >= leastCells && len(out) >= want {
			break
		}
		cell, _ := strconv.Atoi(hit.ID)
		out = append(out, c.members[cell]...)
	}
	return out, nil
}

// size is how many points are in cells.
func (c *cells) size() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.of)
}
