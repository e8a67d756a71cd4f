package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/irish"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/turkish"
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
	case "de":
		return generated(german.Stem)
	case "pt":
		return generated(portuguese.Stem)
	case "it":
		return generated(italian.Stem)
	case "nl":
		return generated(dutch.Stem)
	case "da":
		return generated(danish.Stem)
	case "fi":
		return generated(finnish.Stem)
	case "ro":
		return generated(romanian.Stem)
	case "tr":
		return generated(turkish.Stem)
	case "ga":
		return generated(irish.Stem)
	}
	return nil
}

// generated adapts a stemmer that was generated from Snowball's own sources.
func generated(stem func(*snowballstem.Env) bool) stemmer {
	return func(word string, _ bool) string {
		env := snowballstem.NewEnv(word)
		stem(env)
		return env.Current()
	}
}

// baseLanguage returns the primary subtag of a BCP 47 tag in lower case.
func baseLanguage(tag string) string {
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	return strings.ToLower(tag)
}

// stemWord returns the folded stem of a word. The script decides where it can:
// Cyrillic words are stemmed as Russian and Arabic ones as Arabic whatever the
// language says, so that queries, whose language is seldom known, meet the
// documents.
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

// The affixes that the light stemmer of Arabic knows, after folding: the article
// with what is written onto it, and the endings in the order in which they go.
func arabicPrefixes() [6]string {
	return [...]string{"وال", "بال", "كال", "فال", "لل", "ال"}
}
func arabicSuffixes() [8]string {
	return [...]string{"ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي"}
}

// stemArabic is light10 (Larkey, Ballesteros and Connell, 2007), which keeps more
// of short words than its authors do: three letters before an article and after
// an ending goes. Snowball's own stemmer takes the first letter of بيانات for a
// preposition, and so parts it from البيانات.
func stemArabic(w string) string {
	for _, p := range arabicPrefixes() {
		if rest, ok := strings.CutPrefix(w, p); ok && utf8.RuneCountInString(rest) >= 3 {
			w = rest
			break
		}
	}
	for _, s := range arabicSuffixes() {
		if rest, ok := strings.CutSuffix(w, s); ok && utf8.RuneCountInString(rest) >= 3 {
			w = rest
		}
	}
	return w
}
