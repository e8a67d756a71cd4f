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
	// titled is a stop word as a title holds it; nil for other words.
	titled *lexeme
	// listed says that the lexicon that owns the analyzer has this word in its
	// vocabulary, so that it need not look again.
	listed atomic.Bool
	// uses is how often documents held it, as that lexicon counts under its lock.
	uses uint32
}

// titledTerm is what a stop word of a title counts as, for queries that hold
// nothing but stop words: who would look for How To must find it.
func titledTerm(surface string) string { return surface + "\x00title" }

// maxLexemes bounds a memory; past it a new one takes its place.
const maxLexemes = 400_000

// memory keeps analysed words: folding and stems are dear to compute, and a
// catalogue uses the same words over and over.
type memory struct {
	mu      sync.RWMutex
	lexemes map[reading]map[string]*lexeme // nil for words of nothing but marks
	terms   map[string]*term
	// written are the spellings, in lower case, of words that folding changes by
	// more than case: a few of each.
	written map[string][]string
	size    int
}

func newMemory() *memory {
	return &memory{lexemes: make(map[reading]map[string]*lexeme), terms: make(map[string]*term), written: make(map[string][]string)}
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
	where  []span // of out, in bytes of the text; gathered only when locate is set
	locate bool
}

// span is where a word stands in a text.
type span struct{ start, end int }

// missedWord is a word that was not in memory, and its place in the text.
type missedWord struct {
	at   int
	how  reading
	word string
}

// read appends the words of s in order, stop words included. Words that are not
// in memory are left open while its lock is held, and analysed after that.
func (m *memory) read(out []*lexeme, s, lang string) []*lexeme {
	r := reader{stems: stemming(lang), out: out}
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
		n := len(r.out)
		if w.run {
			r.addPairs(w.text)
		} else {
			r.addWord(w.text)
		}
		if r.locate {
			r.note(w, len(r.out)-n)
		}
	}
}

// note says where the last n words stand: all of a dotted name where the name
// does, and each pair of letters of a run where these do.
func (r *reader) note(w word, n int) {
	if !w.run || n < 2 {
		for range n {
			r.where = append(r.where, span{w.start, w.start + len(w.text)})
		}
		return
	}
	starts := make([]int, 0, n+2)
	for i := range w.text {
		starts = append(starts, w.start+i)
	}
	starts = append(starts, w.start+len(w.text))
	for i := range n {
		r.where = append(r.where, span{starts[i], starts[min(i+2, len(starts)-1)]})
	}
}

// located returns the words of a normalised text, and where each stands.
func (a *Analyzer) located(s, lang string) ([]Token, []span) {
	m := a.recall()
	r := reader{stems: stemming(lang), locate: true}
	m.lookUp(&r, s)
	for _, w := range r.missed {
		r.out[w.at] = m.learn(w.word, w.how)
	}
	tokens, at := make([]Token, 0, len(r.out)), r.where[:0]
	for i, x := range r.out {
		if x != nil {
			tokens, at = append(tokens, x.Token), append(at, r.where[i])
		}
	}
	return tokens, at
}

// stemming is how the plain words of a text in a language are analysed.
func stemming(lang string) reading { return reading(stemsAs(baseLanguage(lang))) }

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
	if x != nil && x.Stop {
		x.titled = &lexeme{Token: x.Token, term: m.intern(titledTerm(x.Surface))}
		x.titled.listed.Store(true) // it completes and corrects nothing
	}
	if m.lexemes[how] == nil {
		m.lexemes[how] = make(map[string]*lexeme)
	}
	m.lexemes[how][w] = x
	m.size++
	if x != nil && how != asWritten {
		m.spell(x.Surface, w)
	}
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
