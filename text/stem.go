package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
	"github.com/kljensen/snowball/french"
	"github.com/kljensen/snowball/hungarian"
	"github.com/kljensen/snowball/norwegian"
	"github.com/kljensen/snowball/russian"
	"github.com/kljensen/snowball/spanish"
	"github.com/kljensen/snowball/swedish"
)

// stemmer cuts inflections off a word in lower case.
type stemmer func(word string, stemStopWords bool) string

// stemmerFor returns the stemmer of a language tag, nil where there is none.
// Words of the Latin script without a stated language are taken for English.
func stemmerFor(lang string) stemmer {
	switch baseLanguage(lang) {
	case "", "en":
		return english.Stem
	case "es":
		return spanish.Stem
	case "fr":
		return french.Stem
	case "ru":
		return russian.Stem
	case "sv":
		return swedish.Stem
	case "no", "nb", "nn":
		return norwegian.Stem
	case "hu":
		return hungarian.Stem
	}
	return nil
}

// baseLanguage returns the primary subtag of a BCP 47 tag in lower case.
func baseLanguage(tag string) string {
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	return strings.ToLower(tag)
}

// stemWord returns the folded stem of a word. The script decides where it can:
// Cyrillic words are stemmed as Russian and Arabic ones lose their article
// whatever the language says, so that queries, whose language is seldom known,
// meet the documents.
func stemWord(word, lang string) string {
	folded := foldWord(word)
	if !stemmable(folded) {
		return folded
	}
	r, _ := utf8.DecodeRuneInString(folded)
	switch {
	case unicode.Is(unicode.Cyrillic, r):
		return russian.Stem(folded, true)
	case unicode.Is(unicode.Arabic, r):
		return stemArabic(folded)
	case unicode.Is(unicode.Latin, r):
		stem := stemmerFor(lang)
		if stem == nil || baseLanguage(lang) == "ru" {
			return folded
		}
		// Accents are evidence for some stemmers, so they are folded afterwards.
		if s := foldWord(stem(strings.ToLower(word), true)); s != "" {
			return s
		}
	}
	return folded
}

// stemmable reports whether a word has letters only (apostrophes aside), and
// enough of them.
func stemmable(w string) bool {
	n := 0
	for _, r := range w {
		if !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) && r != '\'' {
			return false
		}
		n++
	}
	return n > 2
}

// arabicPrefixes are the article with what is written onto it, longest first.
var arabicPrefixes = [...]string{"وال", "بال", "كال", "فال", "لل", "ال"}

// stemArabic removes the definite article when three letters remain (the
// prefix step of the light stemmers of Larkey, Ballesteros and Connell, 2002).
func stemArabic(w string) string {
	for _, p := range arabicPrefixes {
		if rest, ok := strings.CutPrefix(w, p); ok && utf8.RuneCountInString(rest) >= 3 {
			return rest
		}
	}
	return w
}
