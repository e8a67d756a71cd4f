package recs

import "math"

// The measures of labels in a plot, in user units.
const (
	labelStep = 13.0 // height of a line
	labelChar = 6.6  // width of a letter, generously
	labelGap  = 9.0  // between a dot and its label
	labelDrop = 4.0  // from the middle of a line to its foot
	labelTry  = 20   // lines up and down that are tried
)

// spot is a dot with a name.
type spot struct {
	name string
	x, y float64
}

// label is where a name is written.
type label struct {
	x, y   float64
	anchor string
}

// box is the space that a label takes.
type box struct{ left, right, top, bottom float64 }

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

// placed finds a place for the name of every dot, as near to it as can be, where no
// two names overlap, nor a name and a dot, within the left, right and bottom of a plot.
func placed(spots []spot, left, right, bottom float64) []label {
	var taken []box
	for _, s := range spots {
		taken = append(taken, box{s.x - 5, s.x + 5, s.y - 5, s.y + 5})
	}
	out := make([]label, 0, len(spots))
	for _, s := range spots {
		l, b := s.place(taken, left, right, bottom)
		out, taken = append(out, l), append(taken, b)
	}
	return out
}

// place tries the lines beside the dot, nearest first. Where none is free, as in a
// plot of a hundred models, it takes the first.
func (s spot) place(taken []box, left, right, bottom float64) (label, box) {
	sides := []string{"start", "end"}
	if s.x > right*0.7 {
		sides = []string{"end", "start"}
	}
	for n := range 2*labelTry + 1 {
		dy := math.Ceil(float64(n)/2) * labelStep
		if n%2 == 1 {
			dy = -dy
		}
		for _, side := range sides {
			l, b := s.beside(side, dy)
			if b.left >= left && b.right <= right+20 && b.top >= 0 && b.bottom <= bottom && !meetsAny(b, taken) {
				return l, b
			}
		}
	}
	return s.beside(sides[0], 0)
}

// beside is the label on one side of the dot, some way down.
func (s spot) beside(side string, dy float64) (label, box) {
	l := label{s.x + labelGap, s.y + dy + labelDrop, side}
	width := labelChar * float64(len([]rune(s.name)))
	b := box{l.x, l.x + width, s.y + dy - labelStep/2, s.y + dy + labelStep/2}
	if side == "end" {
		l.x = s.x - labelGap
		b.left, b.right = l.x-width, l.x
	}
	return l, b
}

func meetsAny(b box, others []box) bool {
	for _, o := range others {
		if b.meets(o) {
			return true
		}
	}
	return false
}
