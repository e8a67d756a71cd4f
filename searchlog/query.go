package searchlog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// Collapse returns a query with single spaces, without control characters and
// invalid bytes, cut to lectern.MaxSearchQuery bytes between letters.
func Collapse(query string) string {
	if collapsed(query) {
		return query
	}
	query = strings.ToValidUTF8(query, " ")
	query = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, query)
	return cut(strings.Join(strings.Fields(query), " "), lectern.MaxSearchQuery)
}

// collapsed reports a short query of plain letters that is as Collapse makes it:
// most are, and they come at every keystroke.
func collapsed(s string) bool {
	if len(s) > lectern.MaxSearchQuery {
		return false
	}
	before := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return s == "" || before != ' '
}

// Fold returns the form in which queries count as one: without difference of
// case, accents and spaces, and without the punctuation around words. Signs that
// make a name, as in c++, c# and .net, stay; nothing is stemmed.
func Fold(query string) string {
	return cut(bare(Collapse(text.Fold(query))), lectern.MaxSearchQuery)
}

// bare takes the punctuation from around the words of a collapsed text, unless
// there is nothing else.
func bare(s string) string {
	words := strings.Fields(s)
	kept := words[:0:0]
	for _, w := range words {
		if w = bareWord(w); w != "" {
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 {
		return s
	}
	return strings.Join(kept, " ")
}

// bareWord trims one word. A full stop before a letter begins a name.
func bareWord(w string) string {
	w = strings.TrimFunc(w, func(r rune) bool { return r != '.' && aroundWords(r) })
	w = strings.TrimRightFunc(w, aroundWords)
	if rest := strings.TrimLeft(w, "."); rest != w {
		if first, _ := utf8.DecodeRuneInString(rest); len(rest) == len(w)-1 && unicode.IsLetter(first) {
			return w
		}
		return strings.TrimLeftFunc(rest, aroundWords)
	}
	return w
}

// aroundWords reports punctuation, except the signs that end names.
func aroundWords(r rune) bool {
	switch r {
	case '#', '%', '&', '@':
		return false
	case '<', '>', '|', '=', '~', '^', '`', '$':
		return true
	}
	return unicode.IsPunct(r)
}

// cut cuts s to at most limit bytes between letters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strings.TrimSpace(s[:limit])
}

// shown is how a phrase is written for others: the newest spelling of its query,
// or the folded form where that spelling has marks piled upon its letters.
func shown(query, folded string) string {
	s := bare(Collapse(query))
	if utf8.RuneCountInString(s) > utf8.RuneCountInString(folded) || Fold(s) != folded {
		return folded
	}
	return s
}
