package embed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// Local is an embedder learnt from a catalogue. It is immutable and safe for
// concurrent use.
type Local struct {
	extractor extractor
	dim       int
	ids       []uint64       // features, rising
	at        map[uint64]int // feature → row
	weights   []float32      // inverse document frequency times the kind's weight
	scales    []float32      // [features]: what one step of a row is worth
	rows      []int8         // [features * dim], the projection in 8 bits
	queryMap  []float32      // [dim * dim], nil when queries stay as they are
	print     string
}

var _ lectern.Embedder = (*Local)(nil)

// Dim is the length of every vector.
func (l *Local) Dim() int { return l.dim }

// Fingerprint identifies the artefact's bytes, the text rules and the dimension.
func (l *Local) Fingerprint() string { return l.print }

// KnowsCatalogueOnly implements lectern.CatalogueBound.
func (l *Local) KnowsCatalogueOnly() bool { return true }

// Features returns how many features the embedder knows.
func (l *Local) Features() int { return len(l.ids) }

// Embed projects texts, on all processors when there are many. Unknown features
// are passed over; a text without a known one yields nil. It returns
// CodeDeadline when ctx ends.
func (l *Local) Embed(ctx context.Context, kind lectern.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	inBlocks(len(texts), runtime.GOMAXPROCS(0), func(from, to int) {
		for i := from; i < to && ctx.Err() == nil; i++ {
			if kind == lectern.EmbedQuery {
				out[i] = l.embedQuery(texts[i])
			} else {
				out[i] = l.embed(texts[i])
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, lectern.Errorf(lectern.CodeDeadline, "embedding %d texts was cut short: %w", len(texts), err)
	}
	return out, nil
}

// embed projects one text, as a document.
func (l *Local) embed(s string) []float32 {
	v := l.sum(l.extractor.features(s))
	if !normalise(v) {
		return nil
	}
	return v
}

// embedQuery projects one text and moves it to where its documents are.
func (l *Local) embedQuery(s string) []float32 {
	v := l.embed(s)
	if v == nil || l.queryMap == nil {
		return v
	}
	moved := make([]float32, l.dim)
	for i := range moved {
		moved[i] = vek32.Dot(v, l.queryMap[i*l.dim:(i+1)*l.dim])
	}
	if !normalise(moved) {
		return v
	}
	return moved
}

// sum adds up the rows of known features; it is zero when none is known.
func (l *Local) sum(features []feature) []float32 {
	sum := make([]float32, l.dim)
	for _, f := range features {
		if row, ok := l.at[f.id]; ok {
			addScaled(sum, l.rows[row*l.dim:(row+1)*l.dim], sublinear(f.count)*l.weights[row]*l.scales[row])
		}
	}
	return sum
}

// addScaled adds scale·row to sum.
func addScaled(sum []float32, row []int8, scale float32) {
	row = row[:len(sum)]
	for i, v := range row {
		sum[i] += scale * float32(v)
	}
}

// normalise scales v to unit length; it reports false for a vector of no length.
func normalise(v []float32) bool {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if !(sum > 1e-24) {
		return false
	}
	inv := float32(1 / math.Sqrt(sum))
	for i := range v {
		v[i] *= inv
	}
	return true
}

// quantise stores the projection in 8 bits with a scale a row.
func (l *Local) quantise(projection *dense) {
	l.scales = make([]float32, projection.rows)
	l.rows = make([]int8, projection.rows*l.dim)
	for r := range projection.rows {
		row := projection.row(r)
		top := float32(0)
		for _, v := range row {
			top = max(top, float32(math.Abs(float64(v))))
		}
		if top == 0 {
			continue
		}
		l.scales[r] = top / 127
		for i, v := range row {
			l.rows[r*l.dim+i] = int8(math.RoundToEven(float64(v / l.scales[r])))
		}
	}
}

// finish builds the lookup of features, and the fingerprint from the artefact.
func (l *Local) finish() error {
	l.at = make(map[uint64]int, len(l.ids))
	for i, id := range l.ids {
		l.at[id] = i
	}
	h := sha256.New()
	if err := l.write(h); err != nil {
		return fmt.Errorf("fingerprint: %w", err)
	}
	fmt.Fprintf(h, "%s %d", text.Version, l.dim)
	l.print = "local-" + hex.EncodeToString(h.Sum(nil))[:32]
	return nil
}

// sortedRows reports whether the features rise strictly, as lookups expect.
func (l *Local) sortedRows() bool {
	for i := 1; i < len(l.ids); i++ {
		if l.ids[i-1] >= l.ids[i] {
			return false
		}
	}
	return slices.IsSorted(l.ids)
}
