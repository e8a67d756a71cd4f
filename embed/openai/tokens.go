package openai

import (
	"strings"
	"unicode"
)

// specialTokens are put around each text by most models.
const specialTokens = 2

// estimateTokens guesses how many tokens a model makes of s, without its
// vocabulary: a word of Latin letters is one token for each five letters begun,
// a number one for each two digits, a word of another alphabet one for each two
// letters, and each ideograph, syllable, punctuation mark or symbol is a token of
// its own. For English that is rather too many than too few; a server that finds
// a text too long nevertheless is met with a shorter one.
func estimateTokens(s string) int {
	n, _ := countTokens(s, -1)
	return n
}

// cutTokens returns the longest beginning of s that is estimated to have at most
// limit tokens, and that estimate.
func cutTokens(s string, limit int) (string, int) {
	n, end := countTokens(s, limit)
	return strings.TrimRightFunc(s[:end], unicode.IsSpace), n
}

// countTokens counts tokens up to limit, or all when limit is negative, and says
// where it stopped.
func countTokens(s string, limit int) (tokens, end int) {
	kind, length := classSpace, 0
	for i, r := range s {
		k := classOf(r)
		if k != kind || k.size() == 1 {
			kind, length = k, 0
		}
		length++
		if k == classSpace || length%k.size() != 1%k.size() {
			continue // within a token
		}
		if tokens == limit {
			return tokens, i
		}
		tokens++
	}
	return tokens, len(s)
}

// class says how a rune shares a token with its neighbours.
type class int

const (
	classSpace class = iota
	classLatin
	classDigit
	classLetter // of another alphabet
	classAlone
)

// size is how many runes of a class are a token.
func (c class) size() int {
	switch c {
	case classLatin:
		return 5
	case classDigit, classLetter:
		return 2
	default:
		return 1
	}
}

func classOf(r rune) class {
	switch {
	case unicode.IsSpace(r):
		return classSpace
	case r < 0x250 && unicode.IsLetter(r): // Basic Latin to Latin Extended-B
		return classLatin
	case unicode.IsDigit(r):
		return classDigit
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
		return classAlone
	case unicode.IsLetter(r), unicode.IsMark(r):
		return classLetter
	}
	return classAlone
}
