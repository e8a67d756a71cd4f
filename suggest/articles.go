package suggest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Words of some scripts carry their article, and what is written together with it.
// Such a word is kept by what it is without them too: people type either.

// bareLetters is what must be left of a word. A word that is being typed keeps its
// article until as much follows it.
const bareLetters = 3

// bare returns a folded word without its article, "" when it has none.
func bare(w string) string {
	if len(w) < 2*bareLetters || w[0] < 0xD7 || w[0] > 0xDB {
		return "" // neither Hebrew nor Arabic
	}
	for _, article := range [...]string{"وال", "بال", "كال", "فال", "ال", "لل", "ה"} {
		if rest, ok := strings.CutPrefix(w, article); ok && utf8.RuneCountInString(rest) >= bareLetters {
			return rest
		}
	}
	return ""
}

// withBare adds to the words of a text those that they are without articles.
func withBare(ws []sourceWord) []sourceWord {
	for _, w := range ws {
		if b := bare(w.folded); b != "" {
			ws = append(ws, sourceWord{b, w.place, w.in})
		}
	}
	return ws
}

// union joins rising ranges. Where they overlap, the words of a count once.
func union(a, b []near) []near {
	if len(a) == 0 {
		return b
	}
	for _, n := range b {
		for _, m := range a {
			if m.hi <= n.lo || n.hi <= m.lo {
				continue
			}
			if n.lo < m.lo {
				a = append(a, near{n.lo, m.lo, n.edits})
			}
			n.lo = min(m.hi, n.hi)
		}
		if n.lo < n.hi {
			a = append(a, n)
		}
	}
	slices.SortFunc(a, func(x, y near) int { return int(x.lo - y.lo) })
	return a
}
