package recs

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestLabelsDoNotOverlap: however close models are, every name can be read.
func TestLabelsDoNotOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const left, right, bottom = 44.0, 500.0, 240.0
		var spots []spot
		for i := range rapid.IntRange(1, 12).Draw(t, "models") {
			spots = append(spots, spot{
				fmt.Sprintf("model-%d", i),
				rapid.Float64Range(left, right).Draw(t, "x"), rapid.Float64Range(14, bottom).Draw(t, "y"),
			})
		}
		var boxes []box
		for i, l := range placed(spots, left, right, bottom) {
			_, b := spots[i].beside(l.anchor, l.y-labelDrop-spots[i].y)
			if meetsAny(b, boxes) {
				t.Fatalf("%s overlaps: %+v, %+v", spots[i].name, b, boxes)
			}
			boxes = append(boxes, b)
		}
	})
}
