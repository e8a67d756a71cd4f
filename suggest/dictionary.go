package suggest

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// dictionary is a sorted list of words with a trie over it. The trie's nodes
// stand in preorder, so that the words below a node are a range of numbers and a
// subtree is left by one jump. Read only.
type dictionary struct {
	words []string // rising
	nodes []node
	tails []tail // of long words, by rising text
}

// node is one letter of one or more words.
type node struct {
	letter rune
	skip   int32  // the next node that is not below this one
	first  int32  // number of the first word that begins with these letters
	depth  uint16 // letters before this one
	ends   bool   // first is exactly these letters
}

// newDictionary takes rising, distinct words that are not empty.
func newDictionary(sorted []string) *dictionary {
	d := &dictionary{words: sorted}
	var open []int32 // nodes of the word before
	var before []rune
	for number, w := range sorted {
		letters := []rune(w)
		shared := 0
		for shared < len(letters) && shared < len(before) && letters[shared] == before[shared] {
			shared++
		}
		for _, n := range open[shared:] {
			d.nodes[n].skip = int32(len(d.nodes))
		}
		open = open[:shared]
		for depth := shared; depth < len(letters); depth++ {
			open = append(open, int32(len(d.nodes)))
			d.nodes = append(d.nodes, node{letter: letters[depth], first: int32(number), depth: uint16(depth), ends: depth == len(letters)-1})
		}
		before = letters
	}
	for _, n := range open {
		d.nodes[n].skip = int32(len(d.nodes))
	}
	d.nodes = slices.Clip(d.nodes)
	d.makeTails()
	return d
}

// find returns the number of a word.
func (d *dictionary) find(w string) (int32, bool) {
	at, ok := slices.BinarySearch(d.words, w)
	return int32(at), ok
}

// prefix returns the range of the words that begin with p.
func (d *dictionary) prefix(p string) (lo, hi int32) {
	at, _ := slices.BinarySearch(d.words, p)
	n := sort.Search(len(d.words)-at, func(i int) bool { return !strings.HasPrefix(d.words[at+i], p) })
	return int32(at), int32(at + n)
}

// near is a range of words at one distance from what was looked for.
type near struct {
	lo, hi int32
	edits  uint8
}

// maxLetters is the longest word that is searched with errors.
const maxLetters = 32

// fuzzy returns the words of which a beginning is at most k edits from w, with
// the least number of edits of any beginning: disjoint ranges, rising. An edit
// adds, drops or replaces a letter, or swaps two neighbours, and no letter is
// edited twice (optimal string alignment).
func (d *dictionary) fuzzy(w string, k int) []near {
	want := []rune(w)
	m := len(want)
	if m == 0 || m > maxLetters || !utf8.ValidString(w) {
		return nil
	}
	f := fuzzyWalk{want: want, k: k}
	for j := range m + 1 {
		f.rows[0][j] = uint8(min(j, k+1))
	}
	f.best[0] = uint8(k + 1)
	var out []near
	for i := int32(0); i < int32(len(d.nodes)); {
		n := &d.nodes[i]
		depth := int(n.depth)
		least := f.step(depth, n.letter)
		best := f.best[depth+1]
		if least < best {
			// Something below may still be nearer.
			if n.ends && int(best) <= k {
				out = extend(out, n.first, n.first+1, best)
			}
			i++
			continue
		}
		if int(best) <= k {
			out = extend(out, n.first, d.firstOf(n.skip), best)
		}
		i = n.skip
	}
	return out
}

// firstOf is the number of the first word at or after a node.
func (d *dictionary) firstOf(n int32) int32 {
	if int(n) == len(d.nodes) {
		return int32(len(d.words))
	}
	return d.nodes[n].first
}

// extend adds a range, joined to the one before where it goes on.
func extend(out []near, lo, hi int32, edits uint8) []near {
	if last := len(out) - 1; last >= 0 && out[last].hi == lo && out[last].edits == edits {
		out[last].hi = hi
		return out
	}
	return append(out, near{lo, hi, edits})
}

// fuzzyWalk holds the rows of the distance table for the letters on the way
// down; only cells within k of the diagonal are filled.
type fuzzyWalk struct {
	want []rune
	k    int
	path [maxLetters + 4]rune
	rows [maxLetters + 4][maxLetters + 4]uint8
	best [maxLetters + 4]uint8 // least distance of any beginning so far
}

// step fills the row below depth for a letter and returns its least cell.
func (f *fuzzyWalk) step(depth int, letter rune) uint8 {
	m, far := len(f.want), uint8(f.k+1)
	i := depth + 1
	f.path[i] = letter
	above, row := &f.rows[i-1], &f.rows[i]
	lo, hi := max(i-f.k, 0), min(i+f.k, m)
	least := far
	if lo > 0 {
		row[lo-1] = far
	}
	for j := lo; j <= hi; j++ {
		if j == 0 {
			row[0] = uint8(min(i, int(far)))
			least = min(least, row[0])
			continue
		}
		cost := above[j-1]
		if f.want[j-1] != letter {
			cost++
		}
		cost = min(cost, row[j-1]+1, above[j]+1)
		if i > 1 && j > 1 && f.want[j-1] == f.path[i-1] && f.want[j-2] == letter {
			cost = min(cost, f.rows[i-2][j-2]+1)
		}
		row[j] = min(cost, far)
		least = min(least, row[j])
	}
	row[hi+1] = far
	f.best[i] = f.best[i-1]
	if hi == m && lo <= m {
		f.best[i] = min(f.best[i], row[m])
	}
	return least
}
