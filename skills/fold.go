package skills

import (
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern/text"
)

// language is what all names and texts are read as. The graph's names are
// English, also where they stand in a text of another language, and they must be
// cut alike on both sides to meet.
const language = "en"

// keyOf is what a name is compared by: its words in order, folded, in the
// American spelling and in the singular. It is empty for a name without words.
func keyOf(a *text.Analyzer, name string) string {
	var b strings.Builder
	for i, t := range a.Tokens(name, language) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(canonical(t.Surface))
	}
	return b.String()
}

// keysOf returns the keys of names as a set.
func keysOf(a *text.Analyzer, names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	out := make(map[string]bool, len(names))
	for _, n := range names {
		out[keyOf(a, n)] = true
	}
	return out
}

// canonical is a folded word in the American spelling and in the singular.
func canonical(surface string) string { return singular(american(surface)) }

// singular cuts the plural off a folded English word, and nothing else: a full
// stemmer takes markets for marketing and engines for engineering. It extends the
// rules of Harman's S-stemmer (How effective is suffixing?, 1991).
func singular(w string) string {
	if len(w) < 4 {
		return w
	}
	if stem, ok := strings.CutSuffix(w, "ie"); ok && len(stem) > 1 {
		return stem + "y" // as of movies
	}
	if w[len(w)-1] != 's' {
		return w
	}
	switch w {
	case "news", "series", "species", "lens", "canvas", "pandas", "windows", "rails", // no plurals, or of another word
		"customs", "crafts", "sales", "savings":
		return w
	}
	for _, kept := range []string{"ss", "us", "is", "ics"} {
		if strings.HasSuffix(w, kept) {
			return w
		}
	}
	if stem, ok := strings.CutSuffix(w, "ies"); ok && len(stem) > 1 {
		if strings.HasSuffix(stem, "e") || strings.HasSuffix(stem, "a") {
			return w
		}
		return stem + "y"
	}
	for _, sibilant := range []string{"sses", "shes", "ches", "xes", "zzes"} {
		if strings.HasSuffix(w, sibilant) {
			return w[:len(w)-2]
		}
	}
	return w[:len(w)-1]
}

// isVerbForm reports whether one of two folded words is the other with -ing, as
// paint and painting are, cook and cooking, code and coding, plan and planning.
func isVerbForm(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	stem, ok := strings.CutSuffix(b, "ing")
	if !ok || len(stem) < 3 {
		return false
	}
	if a == stem || a == stem+"e" {
		return true
	}
	last := stem[len(stem)-1]
	return last == stem[len(stem)-2] && last < utf8.RuneSelf && a == stem[:len(stem)-1]
}
