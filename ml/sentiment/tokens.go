package sentiment

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-dev/lectern/text"
)

// maxTextBytes bounds what of a review is read: nobody writes more in earnest.
const maxTextBytes = 16 << 10

// tokenKind tells words from what stands between them.
type tokenKind uint8

const (
	kindWord   tokenKind = iota
	kindEmoji            // an emoji or a smiley, as it is written
	kindClause           // , ; : ( ) and dashes
	kindStop             // the end of a sentence
)

// token is a folded word or a mark.
type token struct {
	word     string // folded: lower case, no accents
	kind     tokenKind
	exclaims bool // a stop with an exclamation mark
	asks     bool // a stop with a question mark
}

// tokenize splits a text. Invalid bytes count as spaces.
func tokenize(s string) []token {
	if len(s) > maxTextBytes {
		s = s[:maxTextBytes]
	}
	out := make([]token, 0, len(s)/5+4)
	for i := 0; i < len(s); {
		r, size := decode(s[i:])
		switch {
		case isWordRune(r):
			end := wordEnd(s, i)
			out = append(out, token{word: foldWord(s[i:end])})
			i = end
			continue
		case r == '.' || r == '!' || r == '?' || r == '\n' || r == '。' || r == '！' || r == '？' || r == '…' || r == '¡' || r == '¿':
			out = appendStop(out, r)
		case r == ':' || r == ';' || r == '<':
			if n := smiley(s[i:]); n > 0 {
				out = append(out, token{word: s[i : i+n], kind: kindEmoji})
				i += n
				continue
			}
			out = append(out, token{kind: kindClause})
		case r == ',' || r == '(' || r == ')' || r == '，' || r == '、' || r == '–' || r == '—' || r == '-' && isDash(s, i):
			out = append(out, token{kind: kindClause})
		case r == '/' || r == '&' || r == '%':
			out = append(out, token{word: s[i : i+size]})
		case r >= 0x2190 && isPictograph(r):
			out = append(out, token{word: s[i : i+size], kind: kindEmoji})
		}
		i += size
	}
	return out
}

// decode returns the first rune and its size; an invalid byte is a space.
func decode(s string) (rune, int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return ' ', 1
	}
	return r, size
}

func appendStop(out []token, r rune) []token {
	if r == '¡' || r == '¿' {
		return out
	}
	if n := len(out); n > 0 && out[n-1].kind == kindStop {
		out[n-1].exclaims = out[n-1].exclaims || r == '!' || r == '！'
		out[n-1].asks = out[n-1].asks || r == '?' || r == '？'
		return out
	}
	return append(out, token{kind: kindStop, exclaims: r == '!' || r == '！', asks: r == '?' || r == '？'})
}

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) && r != 0xFE0F
}

// wordEnd is where the word that starts at i ends. Apostrophes between letters belong
// to it, and so do dots between digits.
func wordEnd(s string, i int) int {
	var prev rune
	for i < len(s) {
		r, size := decode(s[i:])
		if !isWordRune(r) {
			if i+size >= len(s) {
				return i
			}
			next, _ := decode(s[i+size:])
			inner := (r == '\'' || r == '’') && unicode.IsLetter(next) && unicode.IsLetter(prev) ||
				r == '.' && unicode.IsDigit(next) && unicode.IsDigit(prev)
			if !inner {
				return i
			}
		}
		prev = r
		i += size
	}
	return i
}

// isDash reports whether the hyphen at i stands alone.
func isDash(s string, i int) bool {
	return (i == 0 || s[i-1] == ' ' || s[i-1] == '-') && (i+1 == len(s) || s[i+1] == ' ' || s[i+1] == '-')
}

// isPictograph reports whether a rune is an emoji that may say something; modifiers
// and joiners are not.
func isPictograph(r rune) bool {
	if r >= 0x1F3FB && r <= 0x1F3FF || r == 0xFE0F || r == 0x200D {
		return false
	}
	return unicode.Is(unicode.So, r)
}

// smiley is the length of the smiley that s begins with, or 0.
func smiley(s string) int {
	for _, e := range [...]string{":-)", ":-(", ":-D", ":-/", ";-)", ":)", ":(", ":D", ";)", ":/", "<3"} {
		if strings.HasPrefix(s, e) && !strings.HasPrefix(s, "://") {
			return len(e)
		}
	}
	return 0
}

// foldWord lowers a word and drops accents and curly apostrophes.
func foldWord(w string) string {
	ascii, lower := true, true
	for i := range len(w) {
		ascii = ascii && w[i] < utf8.RuneSelf
		lower = lower && (w[i] < 'A' || w[i] > 'Z')
	}
	switch {
	case ascii && lower:
	case ascii:
		w = strings.ToLower(w)
	default:
		w = text.Fold(strings.ReplaceAll(w, "’", "'"))
	}
	if strings.HasSuffix(w, "n't") {
		w = w[:len(w)-2] + "t" // half of the people write dont
	}
	return unstretch(w)
}

// unstretch shortens a letter written three times or more to two: sooo is soo.
func unstretch(w string) string {
	for i := 2; i < len(w); i++ {
		if w[i] == w[i-1] && w[i] == w[i-2] && w[i] >= 'a' && w[i] <= 'z' {
			return squeeze(w, 2)
		}
	}
	return w
}

// squeeze leaves n of each run of the same letter at most.
func squeeze(w string, n int) string {
	b := make([]byte, 0, len(w))
	run := 0
	for i := range len(w) {
		if i > 0 && w[i] == w[i-1] && w[i] < utf8.RuneSelf {
			run++
		} else {
			run = 1
		}
		if run <= n {
			b = append(b, w[i])
		}
	}
	return string(b)
}
