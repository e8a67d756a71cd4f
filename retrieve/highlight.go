package retrieve

import (
	"math/bits"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// The bounds of snippets.
const (
	snippetLength = 200  // characters
	snippetLead   = 50   // characters kept before the first word that answers
	snippetWithin = 4000 // bytes of a description that are looked at
)

// highlighter marks in texts what answers to a query: its words, whatever their
// form, what they were corrected or completed to, and what stands for them.
type highlighter struct {
	analyzer *text.Analyzer
	terms    map[uint32]uint64            // TermID → words of the query, as bits
	known    map[string]map[string]uint64 // words met so far, by language
	first    [utf8.RuneSelf][2]uint64     // by first letter of a word in ASCII, which second ones it may have
}

// highlighter prepares for the courses of a page.
func (e *Engine) highlighter(p *pass) *highlighter {
	h := &highlighter{
		analyzer: e.Catalog.analyzer, terms: make(map[uint32]uint64), known: make(map[string]map[string]uint64),
	}
	for i, w := range p.understood.Words {
		h.begin(w.Surface)
		h.begin(w.Read)
		for _, t := range w.Terms {
			h.terms[t] |= 1 << min(i, 63)
		}
	}
	for i, s := range p.understood.Synonyms {
		for _, t := range h.analyzer.Tokens(s.To, p.language()) {
			h.begin(t.Surface)
		}
		for _, t := range e.Catalog.termIDs(s.To, p.language()) {
			h.terms[t] |= 1 << min(len(p.understood.Words)+i, 63)
		}
	}
	return h
}

// begin notes what words that count as this one begin with: of a word in ASCII,
// stemmers leave the first letter alone, and of the second make i out of y at most,
// as of dying.
func (h *highlighter) begin(folded string) {
	for i := range len(folded) {
		if !isWordByte(folded[i]) {
			continue
		}
		next := wordByte(folded, i+1)
		h.allow(folded[i], next)
		switch next {
		case 'i':
			h.allow(folded[i], 'y')
		case 'y':
			h.allow(folded[i], 'i')
		}
		return
	}
}

func (h *highlighter) allow(first, second byte) { h.first[first][second/64] |= 1 << (second % 64) }

// isWordByte reports whether c is a letter or digit of ASCII.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z'
}

// wordByte is the letter or digit at i, in lower case, 0 for anything else.
func wordByte(s string, i int) byte {
	if i >= len(s) || !isWordByte(s[i]) {
		return 0
	}
	if 'A' <= s[i] && s[i] <= 'Z' {
		return s[i] | 0x20
	}
	return s[i]
}

// mayAnswer reports whether a piece of text may hold a word that answers, so that
// most need no look.
func (h *highlighter) mayAnswer(s string) bool {
	inside := false
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return true
		}
		c := wordByte(s, i)
		if c != 0 && !inside {
			next := wordByte(s, i+1)
			if h.first[c][next/64]&(1<<(next%64)) != 0 {
				return true
			}
		}
		inside = c != 0
	}
	return false
}

// course marks what a list shows of a course.
func (h *highlighter) course(c *lectern.Course) *lectern.Highlight {
	out := &lectern.Highlight{Title: spansOf(c.Title, h.marks(c.Title, c.Language))}
	out.Snippet, out.SnippetSpans = h.snippet(c.Description, c.Language)
	return out
}

// mark is a word that answers, by its bytes.
type mark struct {
	start, end int
	words      uint64 // of the query
}

// marks finds the words of s that answer.
func (h *highlighter) marks(s, language string) []mark {
	if len(h.terms) == 0 {
		return nil
	}
	known := h.known[language]
	if known == nil {
		known = make(map[string]uint64)
		h.known[language] = known
	}
	var out []mark
	for at := 0; at < len(s); {
		end := at + strings.IndexByte(s[at:], ' ')
		if end < at {
			end = len(s)
		}
		if piece := s[at:end]; h.mayAnswer(piece) {
			for w := range text.Words(piece) {
				w.Start += at
				out = h.appendWord(out, w, known, language)
			}
		}
		at = end + 1
	}
	return out
}

// appendWord marks a word if it answers.
func (h *highlighter) appendWord(out []mark, w text.Word, known map[string]uint64, language string) []mark {
	if w.Run {
		return h.appendRun(out, w, language)
	}
	words, ok := known[w.Text]
	if !ok {
		words = h.words(w.Text, language)
		known[w.Text] = words
	}
	if words == 0 {
		return out
	}
	return append(out, mark{w.Start, w.Start + len(w.Text), words})
}

// words says which words of the query a word answers.
func (h *highlighter) words(word, language string) uint64 {
	all := uint64(0)
	for _, t := range h.analyzer.Tokens(word, language) {
		all |= h.terms[text.TermID(t.Term)]
	}
	return all
}

// appendRun marks the pairs of letters of a text without spaces.
func (h *highlighter) appendRun(out []mark, w text.Word, language string) []mark {
	first, size := 0, 0
	for at := range w.Text {
		if size = at - first; size == 0 {
			continue
		}
		_, next := utf8.DecodeRuneInString(w.Text[at:])
		pair := w.Text[first : at+next]
		if words := h.words(pair, language); words != 0 {
			m := mark{w.Start + first, w.Start + at + next, words}
			if n := len(out); n > 0 && out[n-1].end >= m.start {
				out[n-1].end, out[n-1].words = m.end, out[n-1].words|m.words
			} else {
				out = append(out, m)
			}
		}
		first = at
	}
	if size == 0 && w.Text != "" { // a single letter
		if words := h.words(w.Text, language); words != 0 {
			out = append(out, mark{w.Start, w.Start + len(w.Text), words})
		}
	}
	return out
}

// snippet is the passage of a description that answers most words of the query,
// the first of several; the beginning where none answers any.
func (h *highlighter) snippet(description, language string) (string, []lectern.Span) {
	s := description[:runeStart(description, min(len(description), snippetWithin))]
	marks := h.marks(s, language)
	from, to := best(s, marks)
	passage, cut := clip(s, from, to, len(s) < len(description))
	var inside []mark
	for _, m := range marks {
		if m.start >= cut.from && m.end <= cut.to {
			inside = append(inside, mark{m.start - cut.from + cut.lead, m.end - cut.from + cut.lead, m.words})
		}
	}
	return passage, spansOf(passage, inside)
}

// best chooses the marks that one snippet shows: as many different words as can
// be within its length, then as many marks.
func best(s string, marks []mark) (from, to int) {
	top, many := 0, 0
	for i := range marks {
		words, n := uint64(0), 0
		left := snippetLength - snippetLead/2
		for j := i; j < len(marks); j++ {
			at := marks[i].start
			if j > i {
				at = marks[j-1].end
			}
			if left -= utf8.RuneCountInString(s[at:marks[j].end]); left < 0 {
				break
			}
			words |= marks[j].words
			n++
		}
		if different := bits.OnesCount64(words); different > top || different == top && n > many {
			top, many = different, n
			from, to = marks[i].start, marks[i+n-1].end
		}
	}
	return from, to
}

// passageCut is which bytes of a text a passage shows, and how many bytes stand
// before them in the passage.
type passageCut struct{ from, to, lead int }

const ellipsis = "…"

// clip cuts a passage out of s that holds s[from:to], at the ends of words where
// there are any, with an ellipsis where something is missing. more says that the
// text goes on after s.
func clip(s string, from, to int, more bool) (string, passageCut) {
	room := snippetLength - 2*utf8.RuneCountInString(ellipsis) - utf8.RuneCountInString(s[from:to])
	start := from
	for n := min(snippetLead, room); n > 0 && start > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:start])
		start -= size
		room--
	}
	if start > 0 {
		if i := strings.IndexAny(s[start:from], " \t\n\r"); i >= 0 {
			room += utf8.RuneCountInString(s[start : start+i+1])
			start += i + 1
		}
	}
	end := to
	for ; room > 0 && end < len(s); room-- {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	if end < len(s) || more {
		if i := strings.LastIndexAny(s[to:end], " \t\n\r"); i > 0 {
			end = to + i
		}
	}
	cut := passageCut{from: start, to: end}
	out := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return r
	}, s[start:end])
	if start > 0 {
		out, cut.lead = ellipsis+out, len(ellipsis)
	}
	if end < len(s) || more {
		out += ellipsis
	}
	return out, cut
}

// runeStart is the last boundary between characters up to n.
func runeStart(s string, n int) int {
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// spansOf turns marks into UTF-16 offsets; marks that touch become one.
func spansOf(s string, marks []mark) []lectern.Span {
	if len(marks) == 0 {
		return nil
	}
	out := make([]lectern.Span, 0, len(marks))
	units, at := 0, 0
	until := func(end int) int {
		for _, r := range s[at:end] {
			units += max(utf16.RuneLen(r), 1)
		}
		at = end
		return units
	}
	for _, m := range marks {
		out = append(out, lectern.Span{Start: until(m.start), End: until(m.end)})
	}
	return slices.Clip(out)
}
