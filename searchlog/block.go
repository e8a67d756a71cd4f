package searchlog

import (
	"strings"
	"unicode"
)

// blockList holds folded words and phrases.
type blockList []string

func newBlockList(entries []string) blockList {
	var out blockList
	for _, e := range entries {
		if f := Fold(e); f != "" {
			out = append(out, f)
		}
	}
	return out
}

// blocks reports whether a folded phrase holds an entry as whole words, or, in
// scripts that write without spaces, anywhere.
func (b blockList) blocks(folded string) bool {
	words := " " + strings.Map(wordOrSpace, folded) + " "
	for _, e := range b {
		if strings.Contains(words, " "+strings.Map(wordOrSpace, e)+" ") || strings.Contains(" "+folded+" ", " "+e+" ") {
			return true
		}
		if strings.ContainsFunc(e, spaceless) && strings.Contains(folded, e) {
			return true
		}
	}
	return false
}

// wordOrSpace parts words at hyphens and the like.
func wordOrSpace(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || r == '+' || r == '#' {
		return r
	}
	return ' '
}

// spaceless reports letters of scripts without spaces between words.
func spaceless(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
