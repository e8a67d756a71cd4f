package ingest

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the known name that name was most likely meant to be, or ""
// when none is near. Case, dashes and underscores do not count.
func Nearest(name string, known []string) string {
	want := plainName(name)
	if want == "" || len(want) > 100 {
		return ""
	}
	best, bestDistance := "", len(want)/3+1
	for _, k := range known {
		plain := plainName(k)
		d := levenshtein.ComputeDistance(want, plain)
		if d > 0 && len(want) >= 4 && (strings.HasPrefix(plain, want) || strings.HasSuffix(plain, want)) {
			d = 1
		}
		if d < bestDistance || (d == bestDistance && best == "" && d <= 2) {
			best, bestDistance = k, d
		}
	}
	return best
}

// DidYouMean is a clause that suggests the nearest known name, or "".
func DidYouMean(name string, known []string) string {
	if n := Nearest(name, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

func plainName(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// allowedList joins allowed values for people.
func allowedList(values []string) string { return strings.Join(values, ", ") }
