package index

import (
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index/indextest"
)

func TestConformance(t *testing.T) {
	variants := map[string]Options{
		"default":          {},
		"eager compaction": {CompactShare: .01, CompactMin: 1},
		"one worker":       {Workers: 1},
	}
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			indextest.Run(t, func(_ *testing.T, dims map[string]int) lectern.VectorIndex {
				o := o
				o.Dims = dims
				return New(o)
			})
		})
	}
	t.Run("dimensions from the first point", func(t *testing.T) {
		indextest.Run(t, func(*testing.T, map[string]int) lectern.VectorIndex { return New(Options{}) })
	})
	t.Run("plain kernel", func(t *testing.T) {
		indextest.Run(t, func(*testing.T, map[string]int) lectern.VectorIndex {
			x := New(Options{})
			x.dot, x.simd = dotPlain, false
			return x
		})
	})
}
