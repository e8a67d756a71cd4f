package cf

import (
	"cmp"
	"context"
)

// counter sums by row with a list of the rows that were touched, so that a sparse
// row of co-occurrences costs what it holds and not the size of the catalogue.
type counter struct {
	sum     []float32
	touched []int32
}

func newCounter(n int) *counter { return &counter{sum: make([]float32, n)} }

// add adds to a row; v must not be 0.
func (c *counter) add(row int32, v float32) {
	if c.sum[row] == 0 {
		c.touched = append(c.touched, row)
	}
	c.sum[row] += v
}

// reset makes all sums 0 again.
func (c *counter) reset() {
	for _, row := range c.touched {
		c.sum[row] = 0
	}
	c.touched = c.touched[:0]
}

func byColumn(a, b entry) int { return cmp.Compare(a.col, b.col) }

// banded calls work on all processors with the rows below n in bands, so that
// working memory is made once a band.
func banded(ctx context.Context, n int, work func(rows []int)) error {
	bands := min(n, 64)
	return parallel(ctx, bands, func(band int) {
		var rows []int
		for i := band; i < n; i += bands {
			rows = append(rows, i)
		}
		work(rows)
	})
}
