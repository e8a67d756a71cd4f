package skills

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plainDistance is the definition, without a limit.
func plainDistance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// TestFixFindsTheNearest compares the lookup with a look at every word.
func TestFixFindsTheNearest(t *testing.T) {
	letters := rapid.StringMatching(`[a-e]{4,12}`)
	rapid.Check(t, func(rt *rapid.T) {
		known := make(map[string]spelling)
		for _, w := range rapid.SliceOfN(letters, 1, 30).Draw(rt, "known") {
			known[w] = spelling{id: int32(len(known))}
		}
		s := newSpeller(known)
		w := letters.Draw(rt, "typed")
		if rapid.Bool().Draw(rt, "edited") {
			w = rapid.SampledFrom(slices.Sorted(maps.Keys(known))).Draw(rt, "of")
			at := rapid.IntRange(0, len(w)-2).Draw(rt, "at")
			w = w[:at] + w[at+1:at+2] + w[at:at+1] + w[at+2:]
		}
		most := 0
		switch {
		case len(w) >= twoEditsFrom:
			most = 2
		case len(w) >= oneEditFrom:
			most = 1
		}
		want := most + 1
		for k := range known {
			want = min(want, plainDistance(w, k))
		}
		got, edits, ok := s.fix(w)
		if ok != (most > 0 && want <= most) || ok && (edits != want || plainDistance(w, got.surface) != want) {
			rt.Fatalf("%s became %s by %d edits (%v), want %d of at most %d", w, got.surface, edits, ok, want, most)
		}
	})
}
