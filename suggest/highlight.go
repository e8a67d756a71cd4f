package suggest

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// highlight returns the parts of a text that answer to a search's words.
func (s *search) highlight(a *text.Analyzer, t string) []lectern.Span {
	return highlight(a, t, func(w word) (start, end int) { return s.marked(t, w) })
}

// highlight returns the parts of a query's words that stand in a text that was found
// by something else.
func (q *query) highlight(a *text.Analyzer, t string) []lectern.Span {
	return highlight(a, t, func(w word) (start, end int) {
		for i := range q.words {
			if r := &q.words[i]; !r.loose && !r.isLetter() {
				if from := r.standsIn(w.folded); from >= 0 {
					return w.letters(t, w.folded[:from], r.folded)
				}
			}
		}
		return 0, 0
	})
}

// standsIn returns where in a folded word a word of a query stands, -1 for nowhere:
// at its beginning or after its article, and of a compound word inside.
func (w *queryWord) standsIn(folded string) int {
	article := 0
	if b := bare(folded); b != "" {
		article = len(folded) - len(b)
	}
	switch {
	case folded == w.folded, (w.last || w.letters >= tailLetters) && strings.HasPrefix(folded, w.folded):
		return 0
	case strings.HasPrefix(folded[article:], w.folded) && (w.last || folded[article:] == w.folded):
		return article
	case w.letters >= tailLetters && utf8.RuneCountInString(folded) >= compoundLetters:
		return insideOf(folded, w.folded)
	}
	return -1
}

// insideOf returns where a tail of a compound word begins with w, -1 for nowhere.
func insideOf(compound, w string) int {
	letters := 0
	for at := range compound {
		if letters >= tailLetters && strings.HasPrefix(compound[at:], w) {
			return at
		}
		letters++
	}
	return -1
}

// letters returns the part of a word of a text that answers to some of its folded
// letters, with those before.
func (w word) letters(t, before, folded string) (start, end int) {
	if utf8.RuneCountInString(t[w.start:w.end]) != utf8.RuneCountInString(w.folded) {
		return w.start, w.end // folding has changed how many letters there are
	}
	skip := func(at, letters int) int {
		for range letters {
			_, size := utf8.DecodeRuneInString(t[at:])
			at += size
		}
		return at
	}
	start = skip(w.start, utf8.RuneCountInString(before))
	return start, skip(start, utf8.RuneCountInString(folded))
}

// highlight returns what is marked of the words of a text.
func highlight(a *text.Analyzer, t string, mark func(w word) (start, end int)) []lectern.Span {
	var spans []lectern.Span
	units, at := 0, 0 // UTF-16 units before the byte at
	until := func(end int) int {
		for at < end {
			r, size := utf8.DecodeRuneInString(t[at:])
			units += max(utf16.RuneLen(r), 1)
			at += size
		}
		return units
	}
	for _, w := range split(a, t, false) {
		if w.part {
			continue
		}
		if start, end := mark(w); end > start {
			span := lectern.Span{Start: until(start), End: until(end)}
			if n := len(spans); n > 0 && spans[n-1].End == span.Start {
				spans[n-1].End = span.End // letters of a script without spaces
				continue
			}
			spans = append(spans, span)
		}
	}
	return spans
}

// marked returns the part of a word of a text that is marked: of a word that the
// query's word begins, or that holds it inside, only those letters.
func (s *search) marked(t string, w word) (start, end int) {
	number, ok := s.x.dict.find(w.folded)
	if !ok {
		return 0, 0
	}
	other, article := int32(-1), 0
	if b := bare(w.folded); b != "" {
		if n, ok := s.x.dict.find(b); ok {
			other, article = n, len(w.folded)-len(b)
		}
	}
	for i := range s.readings {
		r := &s.readings[i]
		n := r.match(number)
		if n == nil && other >= 0 {
			if n = r.match(other); n == nil {
				continue
			}
			if typed := r.word.folded; other != r.exact && n.edits == 0 && strings.HasPrefix(w.folded[article:], typed) {
				if _, stop := w.letters(t, w.folded[:article], typed); stop > end {
					start, end = w.start, stop
				}
				continue
			}
			return w.start, w.end
		}
		if n == nil {
			continue
		}
		if n.edits == insideWord {
			if from := insideOf(w.folded, r.word.folded); from >= 0 && end == 0 {
				start, end = w.letters(t, w.folded[:from], r.word.folded)
			}
			continue
		}
		if number == r.exact || n.edits > 0 || !strings.HasPrefix(w.folded, r.word.folded) {
			return w.start, w.end
		}
		if from, stop := w.letters(t, "", r.word.folded); stop > end || from < start {
			start, end = from, stop
		}
	}
	return start, end
}
