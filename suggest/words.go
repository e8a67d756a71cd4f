package suggest

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"
	"golang.org/x/text/unicode/norm"

	"github.com/lectern-dev/lectern/text"
)

// word is a word of a text with its place in it.
type word struct {
	folded     string
	start, end int  // bytes of the original
	stop       bool // carries grammar rather than meaning; only where asked for
	part       bool // of the dotted name before it: js of node.js
}

// split returns the words of s by Unicode word segmentation, folded as package
// text folds them. Unlike there, a letter of a script without spaces is a word of
// its own: a prefix of such a text is then a prefix of its words. The analyzer
// tells stop words when withStops is set. s must be valid UTF-8.
func split(a *text.Analyzer, s string, withStops bool) []word {
	out := make([]word, 0, 8)
	segments := words.FromString(s)
	done := 0
	for segments.Next() {
		start, end := segments.Start(), segments.End()
		if start < done {
			continue
		}
		first, _ := utf8.DecodeRuneInString(s[start:])
		if !unicode.IsLetter(first) && !unicode.IsNumber(first) && first != '_' {
			continue
		}
		start, end = withSigns(s, start, end)
		done = end
		out = appendWord(out, a, s, start, end, withStops)
	}
	return out
}

// withSigns widens a word by the signs of its name: c++, c#, .net.
func withSigns(s string, start, end int) (int, int) {
	if start > 0 && s[start-1] == '.' && (start == 1 || s[start-2] <= ' ') {
		if w := strings.ToLower(s[start:end]); w == "net" || end == len(s) && strings.HasPrefix("net", w) {
			return start - 1, end // also while it is being typed
		}
	}
	if utf8.RuneCountInString(s[start:end]) > 2 {
		return start, end
	}
	rest := s[end:]
	switch {
	case strings.HasPrefix(rest, "++"):
		return start, end + 2
	case strings.HasPrefix(rest, "#"):
		if next, _ := utf8.DecodeRuneInString(rest[1:]); !unicode.IsLetter(next) && !unicode.IsNumber(next) {
			return start, end + 1
		}
	}
	return start, end
}

// appendWord folds one segment.
func appendWord(out []word, a *text.Analyzer, s string, start, end int, withStops bool) []word {
	segment := s[start:end]
	if segment[0] == '.' {
		return append(out, word{folded: strings.ToLower(segment), start: start, end: end}) // .net, or its beginning
	}
	if !withStops {
		if lower, ok := plainASCII(segment); ok {
			return append(out, word{folded: lower, start: start, end: end})
		}
	}
	if first, _ := utf8.DecodeRuneInString(segment); isScriptWithoutSpaces(first) {
		folded := strings.ToLower(norm.NFKC.String(segment))
		if len(folded) > maxWordBytes {
			folded = folded[:cutAt(folded, maxWordBytes)]
		}
		return append(out, word{folded: folded, start: start, end: end})
	}
	dotted := false
	for i, t := range a.Tokens(segment, "") {
		dotted = dotted || i == 0 && strings.Contains(t.Surface, ".")
		out = append(out, word{folded: t.Surface, start: start, end: end, stop: withStops && t.Stop, part: dotted && i > 0})
	}
	return out
}

// maxWordBytes is where words are cut, as in package text.
const maxWordBytes = 64

// cutAt is the last boundary between letters up to n bytes.
func cutAt(s string, n int) int {
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// plainASCII lowers a word of ASCII letters and digits; ok is false for others.
func plainASCII(w string) (string, bool) {
	if len(w) > maxWordBytes {
		return "", false
	}
	for i := range len(w) {
		c := w[i] | 0x20
		if ('a' > c || c > 'z') && ('0' > w[i] || w[i] > '9') {
			return "", false
		}
	}
	return strings.ToLower(w), true
}

func isScriptWithoutSpaces(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// keyOf is the form in which texts are compared as a whole.
func keyOf(ws []word) string {
	var b strings.Builder
	for _, w := range ws {
		if w.part {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.folded)
	}
	return b.String()
}
