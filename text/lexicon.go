package text

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"sync/atomic"

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
	synonyms atomic.Pointer[Synonyms]
	counts   sync.Pool // *counted

	mu     sync.RWMutex
	docs   map[string]docEntry
	ids    map[uint32]int32 // term id → ordinal
	terms  []uint32         // ordinal → term id
	df     []int32          // by ordinal
	length float64          // sum over live documents
	vocab  vocabulary
	// languages are those of documents, ever, whose words are stemmed in a way of
	// their own.
	languages []string
}

// docEntry is what a live document contributed, to be able to take it back.
type docEntry struct {
	terms  []byte // ordinals, rising, as varint differences
	length float32
}

// NewLexicon returns an empty lexicon.
func NewLexicon(p Params) *Lexicon {
	l := &Lexicon{
		params:   p,
		analyzer: NewAnalyzer(),
		docs:     make(map[string]docEntry),
		ids:      make(map[uint32]int32),
		vocab:    newVocabulary(),
	}
	l.counts.New = func() any { return new(counted) }
	return l
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

// counted is a document after analysis. It is reused from one to the next.
type counted struct {
	words  []*lexeme // of the section being read
	uses   []use
	keys   []uint64
	length float64 // weighted
}

// use is one occurrence of a word with the weight of its field.
type use struct {
	word   *lexeme
	weight float64
}

// count analyses a document. It takes no lock.
func (l *Lexicon) count(c *counted, d Document) {
	m := l.analyzer.recall() // one for all sections, so that equal terms are the same
	c.uses, c.length = c.uses[:0], 0
	for _, s := range d.Sections {
		w, ok := l.params.Weights[s.Field]
		if !ok {
			w = l.params.DefaultWeight
		}
		if w == 0 {
			continue
		}
		c.words = m.read(c.words[:0], s.Text, d.Language)
		if s.Field == lectern.FieldTitle {
			c.title(w)
		}
		for _, x := range contentWords(c.words) {
			c.uses = append(c.uses, use{x, w})
			c.length += w
		}
	}
}

// title keeps the stop words of a title, beside its length and its vocabulary.
func (c *counted) title(weight float64) {
	for _, x := range c.words {
		if x.titled != nil {
			c.uses = append(c.uses, use{x.titled, weight})
		}
	}
}

// vector is the document side of BM25. Occurrences are sorted by term, and those
// of one term are added up in the order of the text.
func (l *Lexicon) vector(c *counted) lectern.SparseVector {
	p := l.params
	norm := p.K1 * (1 - p.B + p.B*c.length/max(p.AverageLength, 1))
	c.keys = c.keys[:0]
	for i, u := range c.uses {
		c.keys = append(c.keys, uint64(u.word.term.id)<<32|uint64(i))
	}
	slices.Sort(c.keys)
	distinct := 0
	for i, k := range c.keys {
		distinct += one(i == 0 || k>>32 != c.keys[i-1]>>32)
	}
	v := lectern.SparseVector{Indices: make([]uint32, 0, distinct), Values: make([]float32, 0, distinct)}
	for keys := c.keys; len(keys) > 0; {
		id := keys[0] >> 32
		n := 1
		for n < len(keys) && keys[n]>>32 == id {
			n++
		}
		v.Indices = append(v.Indices, uint32(id))
		v.Values = append(v.Values, c.weight(keys[:n], func(tf float64) float32 {
			return float32(tf * (p.K1 + 1) / (tf + norm))
		}))
		keys = keys[n:]
	}
	return v
}

// weight adds up the occurrences of one term id and returns its weight; of terms
// that share an id the weights are added, largest first, so that the order of
// the text does not show.
func (c *counted) weight(keys []uint64, of func(tf float64) float32) float32 {
	first, tf, shared := c.uses[uint32(keys[0])].word.term, 0.0, false
	for _, k := range keys {
		u := &c.uses[uint32(k)]
		shared = shared || u.word.term != first
		tf += u.weight
	}
	if !shared {
		return of(tf)
	}
	counts := make(map[*term]float64)
	for _, k := range keys {
		u := &c.uses[uint32(k)]
		counts[u.word.term] += u.weight
	}
	var weights []float32
	for _, tf := range counts {
		weights = append(weights, of(tf))
	}
	slices.SortFunc(weights, func(a, b float32) int { return cmp.Compare(b, a) })
	sum := float32(0)
	for _, w := range weights {
		sum += w
	}
	return sum
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// DocVector returns the document side of BM25 without counting the document.
func (l *Lexicon) DocVector(d Document) lectern.SparseVector {
	c := l.counts.Get().(*counted)
	defer l.counts.Put(c)
	l.count(c, d)
	return l.vector(c)
}

// Put counts a document under an id, in place of what was there, and returns its
// vector.
func (l *Lexicon) Put(id string, d Document) lectern.SparseVector {
	c := l.counts.Get().(*counted)
	defer l.counts.Put(c)
	l.count(c, d)
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
	for _, u := range c.uses {
		u.word.uses++
		if !u.word.listed.Load() {
			l.vocab.add(u.word.Surface, l.ids[u.word.term.id])
			u.word.listed.Store(true)
		}
	}
	l.vocab.settle(len(l.vocab.sorted)/4 + 1024)
	l.speaks(d.Language)
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
