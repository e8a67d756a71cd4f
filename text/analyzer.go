package text

import (
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"
	"golang.org/x/text/unicode/norm"
)

// Version names the rules by which text becomes terms. It changes whenever the
// same text may yield other terms, because vectors made under different rules
// must not meet.
const Version = "text/2"

// Token is one word of a text.
type Token struct {
	Surface string // the word as written, folded: lower case, no accents
	Term    string // what it counts as: folded and stemmed
	Stop    bool   // carries grammar rather than meaning
}

// Analyzer turns text into tokens. It remembers the words it has seen, and is
// safe for concurrent use.
type Analyzer struct{ memory atomic.Pointer[memory] }

// NewAnalyzer returns an analyzer with an empty memory.
func NewAnalyzer() *Analyzer {
	a := &Analyzer{}
	a.memory.Store(newMemory())
	return a
}

// recall returns the memory to read a document with, a new one once it is full.
func (a *Analyzer) recall() *memory {
	m := a.memory.Load()
	if m.full() {
		a.memory.CompareAndSwap(m, newMemory())
		m = a.memory.Load()
	}
	return m
}

// Terms returns the terms of s in order, with repetitions. lang is the BCP 47
// tag of the language, "" when unknown. Stop words are left out unless there is
// nothing else.
func (a *Analyzer) Terms(s, lang string) []string {
	words := contentWords(a.recall().read(nil, s, lang))
	out := make([]string, len(words))
	for i, x := range words {
		out[i] = x.Term
	}
	return out
}

// contentWords drops the stop words, in place, unless there is nothing else.
func contentWords(words []*lexeme) []*lexeme {
	isStop := func(x *lexeme) bool { return x.Stop }
	if !slices.ContainsFunc(words, func(x *lexeme) bool { return !x.Stop }) {
		return words
	}
	return slices.DeleteFunc(words, isStop)
}

// Terms is Analyzer.Terms without a memory, for the occasional text.
func Terms(s, lang string) []string { return NewAnalyzer().Terms(s, lang) }

// Tokens returns every word of s in order, stop words included. A dotted name
// such as node.js yields itself and its parts, so that "node js" finds it; a run
// of Chinese, Japanese, Korean or Thai yields its overlapping pairs of letters.
func (a *Analyzer) Tokens(s, lang string) []Token {
	words := a.recall().read(nil, s, lang)
	if len(words) == 0 {
		return nil
	}
	out := make([]Token, len(words))
	for i, x := range words {
		out[i] = x.Token
	}
	return out
}

// addWord adds the lexemes of one word that is not of a run.
func (r *reader) addWord(text string) {
	text = strings.Trim(text, "_'")
	if strings.IndexByte(text, '_') >= 0 {
		for part := range strings.SplitSeq(text, "_") {
			if part != "" {
				r.addWord(part)
			}
		}
		return
	}
	switch {
	case text == "":
	case strings.IndexByte(text, '.') > 0:
		r.addDotted(text)
	default:
		r.addPlain(text)
	}
}

// addDotted handles words with inner full stops: node.js, u.s, 3.14, and
// "end.Start" where a space was forgotten.
func (r *reader) addDotted(text string) {
	parts := strings.Split(text, ".")
	forgottenSpace, longPart, letters := false, false, false
	for i, p := range parts {
		first, _ := utf8.DecodeRuneInString(p)
		letters = letters || unicode.IsLetter(first)
		longPart = longPart || utf8.RuneCountInString(p) > 1
		if i > 0 && isCapitalised(p) && !isUpper(parts[i-1]) {
			forgottenSpace = true
		}
	}
	if !forgottenSpace {
		r.add(cutLong(text), foldedOnly)
	}
	if forgottenSpace || longPart && letters {
		for _, p := range parts {
			if p != "" {
				r.addPlain(p)
			}
		}
	}
}

// addPlain adds one plain word.
func (r *reader) addPlain(w string) { r.add(cutLong(cutElision(w)), r.stems) }

// maxWordBytes is where words are cut: longer ones are no words of a language.
const maxWordBytes = 64

// cutLong cuts w to maxWordBytes between letters.
func cutLong(w string) string {
	if len(w) <= maxWordBytes {
		return w
	}
	end := maxWordBytes
	for !utf8.RuneStart(w[end]) {
		end--
	}
	return w[:end]
}

// word is a piece of text between boundaries.
type word struct {
	text  string
	run   bool // of a script that writes without spaces
	start int  // in bytes of the text
}

// splitWords yields the words of s by Unicode word segmentation (UAX 29), with
// names such as c++, c# and .net kept whole and neighbouring letters of scripts
// without spaces joined into runs. s must be normalised.
func splitWords(s string) iter.Seq[word] {
	return func(yield func(word) bool) {
		segments := words.FromString(s)
		runStart, runEnd := -1, -1
		skipTo := 0
		prev := ' ' // last rune before the segment
		for segments.Next() {
			start, end := segments.Start(), segments.End()
			text := s[start:end]
			first, _ := utf8.DecodeRuneInString(text)
			last, _ := utf8.DecodeLastRuneInString(text)
			before := prev
			prev = last
			if start < skipTo {
				continue
			}
			if isRunRune(first) {
				if runEnd != start {
					if runStart >= 0 && !yield(word{s[runStart:runEnd], true, runStart}) {
						return
					}
					runStart = start
				}
				runEnd = end
				continue
			}
			if runStart >= 0 {
				if !yield(word{s[runStart:runEnd], true, runStart}) {
					return
				}
				runStart, runEnd = -1, -1
			}
			if !unicode.IsLetter(first) && !unicode.IsNumber(first) && first != '_' {
				continue
			}
			text, skipTo = attachSigns(s, start, end, before)
			if !yield(word{text: text, start: skipTo - len(text)}) {
				return
			}
		}
		if runStart >= 0 {
			yield(word{s[runStart:runEnd], true, runStart})
		}
	}
}

// attachSigns widens the word s[start:end] by the signs that belong to its name,
// and returns it with the position from which to go on.
func attachSigns(s string, start, end int, before rune) (string, int) {
	text := s[start:end]
	if before == '.' && strings.EqualFold(text, "net") {
		// ".net" but not the end of "example.net", which is one segment anyway.
		if start == 1 || s[start-2] <= ' ' || s[start-2] == '(' || s[start-2] == '/' {
			return s[start-1 : end], end
		}
	}
	if utf8.RuneCountInString(text) > 2 {
		return text, end
	}
	rest := s[end:]
	switch {
	case strings.HasPrefix(rest, "++"):
		return s[start : end+2], end + 2
	case strings.HasPrefix(rest, "#") && !followedByWord(rest[1:]):
		return s[start : end+1], end + 1
	}
	return text, end
}

// followedByWord reports whether s starts with a letter or digit.
func followedByWord(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// normalise returns s as valid UTF-8 in NFKC with plain apostrophes, without what
// cannot be seen.
func normalise(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	s = strings.ToValidUTF8(s, " ")
	s = norm.NFKC.String(s)
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u2019', '\u2018', '\u02bc', '\u0060', '\u00b4':
			return '\''
		}
		if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Me, r) {
			return -1 // soft hyphens, zero-width and direction marks, keycaps
		}
		return r
	}, s)
}

// isRunRune reports whether a rune belongs to a script written without spaces,
// or, for Korean, with particles stuck to the words.
func isRunRune(r rune) bool {
	if r < 0x0e00 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) || r == 'ー'
}

// addPairs adds the overlapping pairs of letters of a run; a single letter
// stands alone.
func (r *reader) addPairs(run string) {
	run = strings.ToLower(run)
	prev, at := -1, 0 // where the last two letters start
	for i := range run {
		if prev >= 0 {
			r.add(run[prev:i], asWritten)
		}
		if i > 0 {
			prev = at
		}
		at = i
	}
	if prev < 0 {
		prev = at
	}
	r.add(run[prev:], asWritten)
}

// cutElision drops the elided article or pronoun of French, Catalan and Italian
// words such as l'analyse.
func cutElision(w string) string {
	i := strings.IndexByte(w, '\'')
	if i < 1 || i > 2 || len(w)-i <= 3 {
		return w
	}
	switch strings.ToLower(w[:i]) {
	case "l", "d", "j", "m", "t", "s", "n", "c", "qu":
		return w[i+1:]
	}
	return w
}

// isUpper reports whether w has letters and all of them are capitals.
func isUpper(w string) bool {
	letters := false
	for _, r := range w {
		if unicode.IsLower(r) {
			return false
		}
		letters = letters || unicode.IsUpper(r)
	}
	return letters
}

// isCapitalised reports whether w starts with a capital and goes on in small
// letters, as the first word of a sentence does.
func isCapitalised(w string) bool {
	r, size := utf8.DecodeRuneInString(w)
	return unicode.IsUpper(r) && !isUpper(w[size:])
}

// TermID hashes a term to its place in a sparse vector (FNV-1a, then the
// finaliser of MurmurHash3, because the low bits of FNV alone are weak).
func TermID(term string) uint32 {
	h := uint32(2166136261)
	for i := range len(term) {
		h = (h ^ uint32(term[i])) * 16777619
	}
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}
