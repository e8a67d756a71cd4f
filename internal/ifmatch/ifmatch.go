// Package ifmatch reads the header by which a writer says what it changes.
package ifmatch

import (
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Match is what an If-Match asks for.
type Match struct {
	Any  bool     // whatever is in use
	tags []string // quoted
}

// Fits reports whether a quoted ETag is one of those asked for.
func (m Match) Fits(tag string) bool { return m.Any || slices.Contains(m.tags, tag) }

// Parse reads If-Match (RFC 9110, section 13.1.1). A tag may come without its quotes; a
// weak one never fits; no header asks for any. Errors: CodeInvalid.
func Parse(header string) (Match, error) {
	header = strings.TrimSpace(header)
	if header == "" || header == "*" {
		return Match{Any: true}, nil
	}
	var m Match
	for part := range strings.SplitSeq(header, ",") {
		tag := strings.TrimSpace(part)
		plain := strings.TrimPrefix(tag, "W/")
		weak := plain != tag
		if len(plain) > 1 && plain[0] == '"' && plain[len(plain)-1] == '"' {
			plain = plain[1 : len(plain)-1]
		}
		if plain == "" || strings.ContainsAny(plain, "\" \t") {
			return Match{}, lectern.Invalid("the header If-Match is not as described",
				lectern.NewFieldError("If-Match", header, "is not an ETag", `the ETag of an answer, such as "v3"`))
		}
		if !weak {
			m.tags = append(m.tags, `"`+plain+`"`)
		}
	}
	return m, nil
}
