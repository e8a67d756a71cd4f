package skills

import (
	"cmp"
	"math/bits"
	"slices"
)

// How many edits a misspelt word is forgiven, and how far what it was taken for
// is trusted.
const (
	oneEditFrom  = 5 // letters
	twoEditsFrom = 9
	maxFixes     = 4 // words of one query that are looked at
)

// trustFixed is by edits.
var trustFixed = [...]float64{1, 0.8, 0.6}

// speller knows how the words of all names are spelt.
type speller struct {
	byLength [][]spelling // by letters
}

// spelling is a word that names are made of.
type spelling struct {
	letters uint64 // see lettersOf
	surface string
	id      int32
	uses    int32
}

// newSpeller takes words of a to z only, with how often names use them.
func newSpeller(uses map[string]spelling) speller {
	var s speller
	for w, x := range uses {
		if len(w) < oneEditFrom-1 || !plain(w) {
			continue
		}
		for len(s.byLength) <= len(w) {
			s.byLength = append(s.byLength, nil)
		}
		x.surface, x.letters = w, lettersOf(w)
		s.byLength[len(w)] = append(s.byLength[len(w)], x)
	}
	for _, words := range s.byLength {
		slices.SortFunc(words, func(a, b spelling) int { return cmp.Compare(a.surface, b.surface) })
	}
	return s
}

func plain(w string) bool {
	for i := range len(w) {
		if w[i] < 'a' || w[i] > 'z' {
			return false
		}
	}
	return true
}

// lettersOf is a set of the letters of a word, each also for its second
// occurrence. An edit changes at most two bits of it.
func lettersOf(w string) uint64 {
	var set uint64
	for i := range len(w) {
		bit := uint64(1) << (w[i] - 'a')
		if set&bit != 0 {
			bit <<= 26
		}
		set |= bit
	}
	return set
}

// fix returns what a word that no name has was meant to be, and the edits between
// them: the nearest word, of equally near ones one with the same first letter, and
// of those the one that most names have.
func (s *speller) fix(w string) (spelling, int, bool) {
	if len(w) < oneEditFrom || !plain(w) {
		return spelling{}, 0, false
	}
	most := 1
	if len(w) >= twoEditsFrom {
		most = 2
	}
	set := lettersOf(w)
	var best spelling
	edits := most + 1
	for n := len(w) - most; n <= len(w)+most && n < len(s.byLength); n++ {
		for _, x := range s.byLength[n] {
			if bits.OnesCount64(set^x.letters) > 2*most {
				continue
			}
			if d := distance(w, x.surface, most); d < edits || d == edits && d <= most && s.likelier(w, x, best) {
				best, edits = x, d
			}
		}
	}
	return best, edits, edits <= most
}

func (s *speller) likelier(w string, a, b spelling) bool {
	sameA, sameB := a.surface[0] == w[0], b.surface[0] == w[0]
	if sameA != sameB {
		return sameA
	}
	return a.uses > b.uses
}

// maxFixed bounds the words that distance compares.
const maxFixed = 40

// distance counts the edits between two words: letters put in, left out, put in
// place of another, and neighbours exchanged (optimal string alignment, Damerau
// 1964). Past most it returns more than most.
func distance(a, b string, most int) int {
	if len(a) > maxFixed || len(b) > maxFixed {
		return most + 1
	}
	var rows [3][maxFixed + 1]int8
	for j := 0; j <= len(b); j++ {
		rows[0][j] = int8(j)
	}
	for i := 1; i <= len(a); i++ {
		row, up, upper := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		row[0] = int8(i)
		least := row[0]
		for j := 1; j <= len(b); j++ {
			cost := int8(1)
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(row[j-1]+1, up[j]+1, up[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, upper[j-2]+1)
			}
			row[j] = d
			least = min(least, d)
		}
		if int(least) > most+1 { // an exchange may still look one row further back
			return most + 1
		}
	}
	return int(rows[len(a)%3][len(b)])
}
