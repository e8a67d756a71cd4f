package ingest

import (
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// Kind is what a row describes.
type Kind string

// The kinds of row that can be written.
const (
	Courses  Kind = "courses"
	Reviews  Kind = "reviews"
	Ratings  Kind = "ratings"
	Learners Kind = "learners"
	Events   Kind = "events"
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{Courses, Reviews, Ratings, Learners, Events} }

// ParseKind returns the kind of that name. Errors: CodeInvalid, with the nearest
// kind as a suggestion.
func ParseKind(name string) (Kind, error) {
	if k := Kind(name); slices.Contains(Kinds(), k) {
		return k, nil
	}
	return "", lectern.Invalid("unknown kind of rows"+nearest.Hint(name, names(Kinds())),
		lectern.NewFieldError("kind", name, "is not a kind", strings.Join(names(Kinds()), ", ")))
}

// names turns a list of string-like values into strings.
func names[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}
