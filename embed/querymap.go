package embed

import (
	"strings"

	"gonum.org/v1/gonum/mat"
)

// The bounds of what the query map is learnt from.
const (
	maxMapDocs   = 6000 // documents
	maxPieces    = 24   // pieces of one document
	minMapPairs  = 500  // fewer pairs than this teach nothing reliable
	pieceSharers = 20   // a piece that more documents share says little about any
	pieceWords   = 8    // longer pieces are no queries
)

// A query is short and a document is long, and a projection that was fitted to
// documents serves queries less well. The catalogue holds pairs of both kinds,
// though: a title, a skill or a heading of the syllabus is the kind of thing
// that people type, and the rest of its document is what they should find. A
// ridge regression from the vectors of such pieces to the vectors of what is
// left of their documents moves queries to where documents are.

// piece is a query-like part of a document.
type piece struct {
	doc, line int
	text      string
}

// piecesOf returns the title and the short items of listing lines.
func piecesOf(docs []string) []piece {
	var all []piece
	sharers := make(map[string]int)
	for d, doc := range docs {
		n := 0
		for i, line := range strings.Split(doc, "\n") {
			items := strings.Split(line, "; ")
			if i > 0 && len(items) == 1 && len(strings.Fields(line)) > pieceWords {
				continue // prose
			}
			for _, item := range items {
				words := len(strings.Fields(item))
				if words == 0 || i > 0 && words > pieceWords || n == maxPieces {
					continue
				}
				n++
				sharers[item]++
				all = append(all, piece{d, i, item})
			}
		}
	}
	kept := all[:0]
	for _, p := range all {
		if sharers[p.text] <= pieceSharers {
			kept = append(kept, p)
		}
	}
	return kept
}

// learnQueryMap fits the map on the given documents. It leaves queries as they
// are when the catalogue is too small to tell.
func (l *Local) learnQueryMap(docs []string, lambda float64, workers int) {
	docs = docs[:min(len(docs), maxMapDocs)]
	pieces := piecesOf(docs)
	if len(pieces) < minMapPairs || lambda <= 0 {
		return
	}
	lines := make([]map[int]bool, len(docs)) // that pieces come from
	for _, p := range pieces {
		if lines[p.doc] == nil {
			lines[p.doc] = make(map[int]bool)
		}
		lines[p.doc][p.line] = true
	}
	rest := make([][][]float32, len(docs)) // by document and line
	inBlocks(len(docs), workers, func(from, to int) {
		for d := from; d < to; d++ {
			rest[d] = l.withoutLines(docs[d], lines[d])
		}
	})
	in, out := newDense(len(pieces), l.dim), newDense(len(pieces), l.dim)
	inBlocks(len(pieces), workers, func(from, to int) {
		for i := from; i < to; i++ {
			p := pieces[i]
			target := rest[p.doc][p.line]
			if query := l.embed(p.text); query != nil && target != nil {
				copy(in.row(i), query)
				copy(out.row(i), target)
			}
		}
	})
	gram := in.gram(workers)
	for i := range l.dim {
		gram.SetSym(i, i, gram.At(i, i)+lambda)
	}
	var chol mat.Cholesky
	if !chol.Factorize(gram) {
		return
	}
	var m mat.Dense
	if err := chol.SolveTo(&m, in.crossGram(out, workers)); err != nil {
		return
	}
	l.queryMap = make([]float32, l.dim*l.dim)
	for i := range l.dim {
		for j := range l.dim {
			l.queryMap[j*l.dim+i] = float32(m.At(i, j)) // transposed: a row makes one output
		}
	}
}

// withoutLines returns, for each of the wanted lines of a document, the unit
// vector of the document less that line, nil where nothing is left.
func (l *Local) withoutLines(doc string, wanted map[int]bool) [][]float32 {
	lines := strings.Split(doc, "\n")
	out := make([][]float32, len(lines))
	if len(lines) == 1 || len(wanted) == 0 {
		return out
	}
	whole := l.sum(l.extractor.features(doc))
	for i, line := range lines {
		if !wanted[i] {
			continue
		}
		weight := float32(1)
		if i == 0 {
			weight = l.extractor.titleWeight
		}
		// The dampening of counts is not additive, so this is an estimate; taking
		// the line out of the text and starting over costs several times as much.
		less := l.sum(l.extractor.lineFeatures(line, weight))
		for k := range less {
			less[k] = whole[k] - less[k]
		}
		if normalise(less) {
			out[i] = less
		}
	}
	return out
}
