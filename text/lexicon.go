package text

import (
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"github.com/lectern-dev/lectern"
)

// Params are the constants of BM25 over fields. They belong to an index version:
// vectors made with different ones must not meet.
type Params struct {
	K1 float64 // how soon repetition stops counting
	B  float64 // how much long documents pay, in [0, 1]
	// AverageLength is the document length, in weighted terms, that pays nothing.
	// It is a constant of the index version rather than the running mean, so that
	// a document's vector does not change when others come and go.
	AverageLength float64
	// Weights multiply the term counts of each field; a field that is absent
	// counts DefaultWeight.
	Weights       map[lectern.CourseField]float64
	DefaultWeight float64
}

// DefaultParams were tuned on half of the skill queries in docs/measured/search.md.
func DefaultParams() Params {
	return Params{
		K1: 1.2, B: 0.5, AverageLength: 160,
		Weights: map[lectern.CourseField]float64{
			lectern.FieldTitle:      4,
			lectern.FieldSkills:     3,
			lectern.FieldCategories: 2,
		},
		DefaultWeight: 1,
	}
}

// Document is a text by fields in one language.
type Document struct {
	Sections []lectern.TextSection
	Language string // BCP 47, "" when unknown
}

// CourseDocument returns the searchable text of a course without the fields in
// leaveOut.
func CourseDocument(c lectern.Course, leaveOut ...lectern.CourseField) Document {
	return Document{Sections: c.Sections(leaveOut...), Language: c.Language}
}

// Lexicon counts in how many live documents each term occurs, and makes BM25
// vectors (Robertson and Zaragoza, 2009, with field weights on the term counts).
// It is safe for concurrent use; reads take a shared lock for microseconds.
type Lexicon struct {
	params   Params
	analyzer *Analyzer

	mu     sync.RWMutex
	docs   map[string]docEntry
	ids    map[uint32]int32 // term id → ordinal
	terms  []uint32         // ordinal → term id
	df     []int32          // by ordinal
	length float64          // sum over live documents
	vocab  vocabulary
}

// docEntry is what a live document contributed, to be able to take it back.
type docEntry struct {
	terms  []byte // ordinals, rising, as varint differences
	length float32
}

// NewLexicon returns an empty lexicon.
func NewLexicon(p Params) *Lexicon {
	return &Lexicon{
		params:   p,
		analyzer: NewAnalyzer(),
		docs:     make(map[string]docEntry),
		ids:      make(map[uint32]int32),
		vocab:    newVocabulary(),
	}
}

// LexiconStats describes a lexicon.
type LexiconStats struct {
	Documents  int
	Terms      int     // distinct, ever seen
	Words      int     // distinct folded forms, ever seen
	MeanLength float64 // of live documents, in weighted terms
}

// Stats counts what is known.
func (l *Lexicon) Stats() LexiconStats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := LexiconStats{Documents: len(l.docs), Terms: len(l.terms), Words: len(l.vocab.heads)}
	if len(l.docs) > 0 {
		s.MeanLength = l.length / float64(len(l.docs))
	}
	return s
}

// counted is a document after analysis.
type counted struct {
	freq   map[string]float64 // weighted term frequency
	words  map[string]string  // surface → term
	length float64
}

// count analyses a document. It takes no lock.
func (l *Lexicon) count(d Document) counted {
	c := counted{freq: make(map[string]float64), words: make(map[string]string)}
	for _, s := range d.Sections {
		w, ok := l.params.Weights[s.Field]
		if !ok {
			w = l.params.DefaultWeight
		}
		tokens := l.analyzer.Tokens(s.Text, d.Language)
		content := slices.ContainsFunc(tokens, func(t Token) bool { return !t.Stop })
		for _, t := range tokens {
			if t.Stop && content || w == 0 {
				continue
			}
			c.freq[t.Term] += w
			c.length += w
			c.words[t.Surface] = t.Term
		}
	}
	return c
}

// vector is the document side of BM25.
func (l *Lexicon) vector(c counted) lectern.SparseVector {
	p := l.params
	norm := p.K1 * (1 - p.B + p.B*c.length/max(p.AverageLength, 1))
	b := newSparseBuilder(len(c.freq))
	for term, tf := range c.freq {
		b.add(TermID(term), float32(tf*(p.K1+1)/(tf+norm)))
	}
	return b.vector()
}

// DocVector returns the document side of BM25 without counting the document.
func (l *Lexicon) DocVector(d Document) lectern.SparseVector { return l.vector(l.count(d)) }

// Put counts a document under an id, in place of what was there, and returns its
// vector.
func (l *Lexicon) Put(id string, d Document) lectern.SparseVector {
	c := l.count(d)
	v := l.vector(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(id)
	ordinals := make([]int32, 0, len(v.Indices))
	for _, t := range v.Indices {
		o, ok := l.ids[t]
		if !ok {
			o = int32(len(l.terms))
			l.ids[t] = o
			l.terms = append(l.terms, t)
			l.df = append(l.df, 0)
		}
		l.df[o]++
		ordinals = append(ordinals, o)
	}
	slices.Sort(ordinals)
	packed := make([]byte, 0, 2*len(ordinals))
	last := int32(0)
	for _, o := range ordinals {
		packed = binary.AppendUvarint(packed, uint64(o-last))
		last = o
	}
	for surface, term := range c.words {
		l.vocab.add(surface, l.ids[TermID(term)])
	}
	l.vocab.settle(len(l.vocab.sorted)/4 + 1024)
	l.docs[id] = docEntry{terms: slices.Clip(packed), length: float32(c.length)}
	l.length += float64(float32(c.length))
	return v
}

// Remove takes a document's counts back; an unknown id changes nothing.
func (l *Lexicon) Remove(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(id)
}

func (l *Lexicon) remove(id string) {
	e, ok := l.docs[id]
	if !ok {
		return
	}
	o := uint64(0)
	for b := e.terms; len(b) > 0; {
		delta, n := binary.Uvarint(b)
		o += delta
		l.df[o]--
		b = b[n:]
	}
	l.length -= float64(e.length)
	delete(l.docs, id)
}

// idf is the inverse document frequency of a term that df documents hold, never
// negative.
func (l *Lexicon) idf(df float64) float64 {
	n := float64(len(l.docs))
	return math.Log(1 + (max(n, df)-df+0.5)/(df+0.5))
}
