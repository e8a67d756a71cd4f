package ingest

import (
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/lectern-dev/lectern/internal/nearest"
)

// LanguageTag returns the canonical form of a BCP 47 tag, which is the one that
// is stored ("EN-gb" gives "en-GB"), or the reason why s is none. A language that
// is named instead, in English or in itself, has its tag in the reason.
func LanguageTag(s string) (tag, reason string) {
	t, err := language.Parse(s)
	if err != nil || t == language.Und {
		reason = "is not a BCP 47 language tag"
		if meant := languageNamed(s); meant != "" {
			reason += `; did you mean "` + meant + `"?`
		}
		return "", reason
	}
	return t.String(), ""
}

// languageNamed returns the tag of the language with this name, or one close to
// it, and "" when there is none.
func languageNamed(name string) string {
	const shortest = 4 // shorter words are close to too many names
	name = strings.ToLower(strings.TrimSpace(name))
	if len(name) < shortest {
		return ""
	}
	english, tags := display.English.Languages(), map[string]string{}
	var names []string
	for _, t := range display.Supported.Tags() { // a language before its regions
		for _, n := range []string{english.Name(t), display.Self.Name(t)} {
			if n = strings.ToLower(n); n == name {
				return t.String()
			} else if _, again := tags[n]; !again && len(n) >= shortest {
				tags[n] = t.String()
				names = append(names, n)
			}
		}
	}
	near, _ := nearest.Of(name, names)
	return tags[near]
}
