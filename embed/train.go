package embed

import (
	"cmp"
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// Options steer training. Start from DefaultOptions.
type Options struct {
	Dim         int     // length of the vectors
	MaxWords    int     // words kept, the commonest first
	MaxPairs    int     // word pairs kept
	MaxNgrams   int     // letter n-grams kept
	MaxDocs     int     // documents learnt from; of more, a seeded sample
	Seed        uint64  // of the sample and of the decomposition
	Iterations  int     // power iterations of the decomposition
	Workers     int     // goroutines; all processors by default
	TitleWeight float64 // how often the first line counts
	PairWeight  float64 // weight of word pairs against words
	CharsWeight float64 // weight of letter n-grams against words
	IDFPower    float64 // how much rare features count over common ones
	Whitening   float64 // 0 keeps the singular values' scale, 1 evens it out
	MapRidge    float64 // regularisation of the query map; below 0 leaves it out
	MaxShare    float64 // features in more than this share of documents are dropped
	MinChars    int     // shortest letter n-gram
	MaxChars    int     // longest letter n-gram; 0 leaves them out
}

// DefaultOptions are the choices of docs/measured/search.md.
func DefaultOptions() Options {
	return Options{
		Dim: 256, MaxWords: 100_000, MaxPairs: 60_000, MaxNgrams: 80_000, MaxDocs: 12_000, Seed: 1, Iterations: 2, Workers: runtime.GOMAXPROCS(0),
		TitleWeight: 4, PairWeight: 0.7, CharsWeight: 0.25, IDFPower: 1.5, Whitening: 0.25, MapRidge: 3, MaxShare: 0.3, MinChars: 3, MaxChars: 5,
	}
}

// Train learns an embedder from documents, whose first line is their title. The
// same documents in the same order with the same options give the same artefact.
// Errors: CodeInvalid when no document has a word; CodeDeadline when ctx ends.
func Train(ctx context.Context, docs iter.Seq[string], o Options) (*Local, error) {
	rng := rand.New(rand.NewPCG(o.Seed, 0x1ec7e29))
	sample := reservoir(docs, o.MaxDocs, rng)
	x := extractor{analyzer: text.NewAnalyzer(), titleWeight: float32(o.TitleWeight), minChars: o.MinChars, maxChars: o.MaxChars}
	bags := make([][]feature, len(sample))
	inBlocks(len(sample), o.Workers, func(from, to int) {
		for i := from; i < to && ctx.Err() == nil; i++ {
			bags[i] = slices.Clone(x.features(sample[i]))
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, lectern.Errorf(lectern.CodeDeadline, "training was cut short: %w", err)
	}
	bags = slices.DeleteFunc(bags, func(b []feature) bool { return len(b) == 0 })
	if len(bags) == 0 {
		return nil, lectern.Errorf(lectern.CodeInvalid, "an embedder cannot be trained: none of the %d documents has a word", len(sample))
	}
	l := &Local{extractor: x, dim: o.Dim}
	l.choose(bags, o)
	matrix := l.matrix(bags)
	found, err := truncatedSVD(ctx, matrix, o.Dim, o.Iterations, o.Workers, rng)
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeDeadline, "training was cut short: %w", err)
	}
	if len(found.values) == 0 {
		return nil, lectern.Errorf(lectern.CodeInternal, "the decomposition of %d documents failed", len(bags))
	}
	l.quantise(projection(found, o))
	l.learnQueryMap(sample, o.MapRidge, o.Workers)
	return l, l.finish()
}

// projection widens the right singular vectors to the dimension with zeros and
// scales each by its singular value to the power −Whitening.
func projection(s svd, o Options) *dense {
	p := newDense(s.right.rows, o.Dim)
	factor := make([]float32, len(s.values))
	for k, v := range s.values {
		factor[k] = float32(math.Pow(v/s.values[0], -o.Whitening))
	}
	for r := range p.rows {
		for k, v := range s.right.row(r) {
			p.row(r)[k] = v * factor[k]
		}
	}
	return p
}

// reservoir returns up to n of the documents, each with the same chance
// (algorithm R; Vitter, 1985), in a seeded order.
func reservoir(docs iter.Seq[string], n int, rng *rand.Rand) []string {
	var sample []string
	seen := 0
	for d := range docs {
		if strings.TrimSpace(d) == "" {
			continue
		}
		seen++
		if len(sample) < n {
			sample = append(sample, d)
		} else if i := rng.IntN(seen); i < n {
			sample[i] = d
		}
	}
	return sample
}

// choose keeps the features worth learning, and sets their weights.
func (l *Local) choose(bags [][]feature, o Options) {
	df := make(map[uint64]int32)
	for _, b := range bags {
		for _, f := range b {
			df[f.id]++
		}
	}
	n := len(bags)
	least, most := int32(2), int32(max(o.MaxShare*float64(n), 20))
	if n < 20 { // too few to tell chance from habit
		least = 1
	}
	type candidate struct {
		id uint64
		df int32
	}
	var cs []candidate
	for id, d := range df {
		if d >= least && d <= most {
			cs = append(cs, candidate{id, d})
		}
	}
	if len(cs) == 0 { // every text says something else: learn from all of it
		for id, d := range df {
			cs = append(cs, candidate{id, d})
		}
	}
	slices.SortFunc(cs, func(a, b candidate) int { return cmp.Or(cmp.Compare(b.df, a.df), cmp.Compare(a.id, b.id)) })
	left := map[kind]int{kindWord: o.MaxWords, kindPair: o.MaxPairs, kindChars: o.MaxNgrams}
	cs = slices.DeleteFunc(cs, func(c candidate) bool {
		left[kindOf(c.id)]--
		return left[kindOf(c.id)] < 0
	})
	slices.SortFunc(cs, func(a, b candidate) int { return cmp.Compare(a.id, b.id) })
	l.ids = make([]uint64, len(cs))
	l.weights = make([]float32, len(cs))
	l.at = make(map[uint64]int, len(cs))
	for i, c := range cs {
		l.ids[i] = c.id
		l.at[c.id] = i
		w := math.Pow(math.Log(1+float64(n)/float64(c.df)), o.IDFPower)
		switch kindOf(c.id) {
		case kindPair:
			w *= o.PairWeight
		case kindChars:
			w *= o.CharsWeight
		}
		l.weights[i] = float32(w)
	}
}

// matrix weighs the documents' features, each document to unit length.
func (l *Local) matrix(bags [][]feature) *sparseMatrix {
	m := &sparseMatrix{rows: len(bags), cols: len(l.ids), start: make([]int, 1, len(bags)+1)}
	for _, b := range bags {
		from := len(m.value)
		for _, f := range b {
			if c, ok := l.at[f.id]; ok {
				m.index = append(m.index, int32(c))
				m.value = append(m.value, sublinear(f.count)*l.weights[c])
			}
		}
		normalise(m.value[from:])
		m.start = append(m.start, len(m.value))
	}
	return m
}
