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
		if end := s.marked(t, w); end > w.start {
			span := lectern.Span{Start: until(w.start), End: until(end)}
			if n := len(spans); n > 0 && spans[n-1].End == span.Start {
				spans[n-1].End = span.End // letters of a script without spaces
				continue
			}
			spans = append(spans, span)
		}
	}
	return spans
}

// marked returns the byte up to which a word of a text is marked, its start for
// none: of a word that the query's word begins, only that beginning.
func (s *search) marked(t string, w word) int {
	number, ok := s.x.dict.find(w.folded)
	if !ok {
		return w.start
	}
	end := w.start
	for i := range s.readings {
		r := &s.readings[i]
		n := r.match(number)
		if n == nil {
			continue
		}
		if number == r.exact || n.edits > 0 || !strings.HasPrefix(w.folded, r.word.folded) {
			return w.end
		}
		letters := utf8.RuneCountInString(t[w.start:w.end])
		if letters != utf8.RuneCountInString(w.folded) {
			return w.end // folding has changed how many letters there are
		}
		stop := w.start
		for range r.word.letters {
			_, size := utf8.DecodeRuneInString(t[stop:])
			stop += size
		}
		end = max(end, stop)
	}
	return end
}
