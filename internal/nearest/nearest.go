// Package nearest finds the known word that a mistyped one was meant to be.
package nearest

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Of returns the candidate with the fewest edits to word, when that is close
// enough to be a likely slip: one edit up to three letters, from then on two
// edits (letters swapped) or a third of the longer word, or one of the two being
// a prefix of the other. Ties go to the first in order.
func Of(word string, candidates []string) (string, bool) {
	word = strings.ToLower(word)
	sorted := slices.Sorted(slices.Values(candidates))
	best, bestEdits := "", -1
	for _, c := range sorted {
		edits := levenshtein.ComputeDistance(word, strings.ToLower(c))
		if bestEdits < 0 || edits < bestEdits {
			best, bestEdits = c, edits
		}
	}
	longer := max(len(word), len(best))
	limit := max(2, longer/3)
	if longer <= 3 {
		limit = 1
	}
	if bestEdits >= 0 && bestEdits <= limit {
		return best, true
	}
	for _, c := range sorted {
		lower := strings.ToLower(c)
		if len(word) >= 3 && (strings.HasPrefix(lower, word) || strings.HasPrefix(word, lower)) {
			return c, true
		}
	}
	return "", false
}

// Hint returns `; did you mean "x"?` for Of's answer, or the empty string.
func Hint(word string, candidates []string) string {
	if c, ok := Of(word, candidates); ok {
		return `; did you mean "` + c + `"?`
	}
	return ""
}
