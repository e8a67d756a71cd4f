package text

import (
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// term is what words count as. Within one memory there is one of each text, so
// that terms may be compared by address.
type term struct {
	text string
	id   uint32 // TermID(text)
}

// lexeme is a word as someone wrote it, after analysis.
type lexeme struct {
	Token
	term *term
	// listed says that the lexicon that owns the analyzer has this word in its
	// vocabulary, so that it need not look again.
	listed atomic.Bool
}

// maxLexemes bounds a memory; past it a new one takes its place.
const maxLexemes = 400_000

// memory keeps analysed words: folding and stems are dear to compute, and a
// catalogue uses the same words over and over.
type memory struct {
	mu      sync.RWMutex
	lexemes map[reading]map[string]*lexeme // nil for words of nothing but marks
	terms   map[string]*term
	size    int
}

func newMemory() *memory {
	return &memory{lexemes: make(map[reading]map[string]*lexeme), terms: make(map[string]*term)}
}

// full reports whether the memory has reached its bound.
func (m *memory) full() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.size >= maxLexemes
}

// reading says how a word is to be analysed: asWritten, foldedOnly, or the base
// language whose stemmer it goes through.
type reading string

const (
	asWritten  reading = "="
	foldedOnly reading = "~"
)

// reader gathers the lexemes of one text.
type reader struct {
	known  map[reading]map[string]*lexeme // the memory's, while its lock is held
	stems  reading
	out    []*lexeme
	missed []missedWord
}

// missedWord is a word that was not in memory, and its place in the text.
type missedWord struct {
	at   int
	how  reading
	word string
}

// read appends the words of s in order, stop words included. Words that are not
// in memory are left open while its lock is held, and analysed after that.
func (m *memory) read(out []*lexeme, s, lang string) []*lexeme {
	r := reader{stems: reading(baseLanguage(lang)), out: out}
	if r.stems == "" {
		r.stems = "en"
	}
	s = normalise(s)
	m.lookUp(&r, s)
	if len(r.missed) == 0 {
		return r.out
	}
	vanished := 0
	for _, w := range r.missed {
		x := m.learn(w.word, w.how)
		r.out[w.at] = x
		if x == nil {
			vanished++
		}
	}
	if vanished == 0 {
		return r.out
	}
	kept := r.out[:len(out)]
	for _, x := range r.out[len(out):] {
		if x != nil {
			kept = append(kept, x)
		}
	}
	return kept
}

// lookUp reads all words of a text under one lock.
func (m *memory) lookUp(r *reader, s string) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	r.known = m.lexemes
	for w := range splitWords(s) {
		if w.run {
			r.addPairs(w.text)
			continue
		}
		r.addWord(w.text)
	}
}

// add looks one word up.
func (r *reader) add(w string, how reading) {
	x, ok := r.known[how][w]
	switch {
	case !ok:
		r.missed = append(r.missed, missedWord{len(r.out), how, w})
	case x == nil:
		return
	}
	r.out = append(r.out, x)
}

// learn analyses a word and remembers it; nil means that nothing is left of it.
func (m *memory) learn(w string, how reading) *lexeme {
	w = strings.Clone(w) // it may be a part of a long text, which it must not keep alive
	x := &lexeme{}
	switch how {
	case asWritten:
		x.Surface, x.Term = w, w
	case foldedOnly:
		x.Surface = foldWord(w)
		x.Term = x.Surface
	default:
		x.Surface = foldWord(w)
		if x.Surface == "" {
			break
		}
		spelling := w
		if how == "en" {
			spelling = x.Surface // English has no accents to lose
		}
		x.Term = stemWord(spelling, string(how))
		// IT, US and the like in capitals are names; lower-case queries still find
		// them because query analysis weighs stop words down instead of dropping them.
		acronym := utf8.RuneCountInString(w) == 2 && isUpper(w)
		x.Stop = !acronym && isStopWord(x.Surface)
	}
	if x.Surface == "" {
		x = nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.lexemes[how][w]; ok {
		return old
	}
	if x != nil {
		x.term = m.intern(x.Term)
		x.Term = x.term.text
	}
	if m.lexemes[how] == nil {
		m.lexemes[how] = make(map[string]*lexeme)
	}
	m.lexemes[how][w] = x
	m.size++
	return x
}

// intern returns the term with this text; the caller holds the lock.
func (m *memory) intern(text string) *term {
	t, ok := m.terms[text]
	if !ok {
		t = &term{text: strings.Clone(text), id: TermID(text)}
		m.terms[t.text] = t
	}
	return t
}
