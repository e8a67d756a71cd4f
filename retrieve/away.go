package retrieve

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
)

// patience is the index as one request asks it: all calls share one budget, and
// once one of them has failed the rest fail at once, so that a slow or dead index
// costs a request its budget once.
type patience struct {
	lectern.VectorIndex
	left   time.Duration
	failed error
}

var _ lectern.VectorIndex = (*patience)(nil)

// Search answers every query while there is time left.
func (x *patience) Search(ctx context.Context, queries []lectern.VectorQuery) (out [][]lectern.Hit, err error) {
	err = x.call(ctx, func(ctx context.Context) error {
		out, err = x.VectorIndex.Search(ctx, queries)
		return err
	})
	return out, err
}

// Vectors reads vectors while there is time left.
func (x *patience) Vectors(ctx context.Context, vector string, ids []string) (out [][]float32, err error) {
	err = x.call(ctx, func(ctx context.Context) error {
		out, err = x.VectorIndex.Vectors(ctx, vector, ids)
		return err
	})
	return out, err
}

// viewer is an index whose vectors can be read in place: the embedded one is.
type viewer interface {
	View(ctx context.Context, vector string, ids []string) ([][]float32, error)
}

// view is Vectors for as long as a request takes, without a copy where the index has its
// vectors in memory. Read only.
func (x *patience) view(ctx context.Context, vector string, ids []string) (out [][]float32, err error) {
	in, ok := x.VectorIndex.(viewer)
	if !ok {
		return x.Vectors(ctx, vector, ids)
	}
	err = x.call(ctx, func(ctx context.Context) error {
		out, err = in.View(ctx, vector, ids)
		return err
	})
	return out, err
}

// glance is view for what a list can do without: it takes half of what is left at most,
// and that it failed is forgotten.
func (x *patience) glance(ctx context.Context, vector string, ids []string) ([][]float32, error) {
	if x.failed != nil {
		return nil, x.failed
	}
	kept := x.left / 2
	x.left -= kept
	out, err := x.view(ctx, vector, ids)
	x.left += kept
	x.failed = nil
	return out, err
}

// call makes one call within what is left. It reads the machine's own clock: what
// is measured is the index, not the ranking.
func (x *patience) call(ctx context.Context, ask func(context.Context) error) error {
	if x.failed != nil {
		return x.failed
	}
	bounded, cancel := context.WithTimeout(ctx, x.left)
	defer cancel()
	begin := time.Now()
	x.failed = ask(bounded)
	x.left -= time.Since(begin)
	return x.failed
}

// lose notes that the index does not answer: from here on memory does.
func (e *Engine) lose(ctx context.Context, p *pass, err error) {
	e.Logger.WarnContext(ctx, "index not searched; listing what memory holds", "error", err)
	p.away = true
	p.degrade(DegradedIndex)
}

// remember answers the questions by words from what memory holds of every course;
// those by vectors stay unanswered. A list of similar courses asks for the words of
// its course instead.
func (e *Engine) remember(p *pass, questions []asked) ([]asked, [][]lectern.Hit) {
	p.degrade(DegradedIndex)
	switch p.req.Surface {
	case lectern.SurfaceSimilar, lectern.SurfaceNext:
		if p.req.Surface == lectern.SurfaceSimilar {
			p.taste.Vectors = nil
		}
		questions = e.seedWords(p)
	}
	answers := make([][]lectern.Hit, len(questions))
	for i, q := range questions { // what rows are about has words
		if seed := p.seedOf(q.name); q.query.Dense != nil && seed != nil {
			v := e.wordsOf(seed)
			questions[i].query = sparseQuery(v)
		}
	}
	for i := range questions {
		if v := questions[i].query.Sparse; v != nil {
			questions[i].unit = "words in memory"
			answers[i] = e.recall(p, *v)
		}
	}
	return questions, answers
}

// seedOf is the course that a source of a home page is about, nil for none.
func (p *pass) seedOf(name string) *entry {
	switch name {
	case SourceContent:
		return p.because
	case SourceLevelUp:
		return p.after
	}
	return nil
}

// recall finds the courses that the request allows whose title, skills or
// categories share words with a query. The score is the sum of the weights that
// shared words have in the query; of equal ones the popular come first. Where a
// search finds few so, those come after that have its words in their texts only. It
// looks at every open course, which is why it only stands in for an index.
func (e *Engine) recall(p *pass, query lectern.SparseVector) []lectern.Hit {
	var out []lectern.Hit
	found := make(map[string]bool)
	for _, en := range p.view.popular { // all open courses
		score := float32(0)
		for i, term := range query.Indices {
			if en.holds(term) {
				score += query.Values[i]
			}
		}
		if score > 0 && p.mayRecall(en) {
			out = append(out, lectern.Hit{ID: en.facts.ID, Score: score})
			found[en.facts.ID] = true
		}
	}
	if p.req.Surface == lectern.SurfaceSearch && len(out) < e.cfg.PerSource {
		out = append(out, e.recallTexts(p, found)...)
	}
	slices.SortStableFunc(out, func(a, b lectern.Hit) int { return cmp.Compare(b.Score, a.Score) })
	out = slices.Clip(out[:min(len(out), e.cfg.PerSource)])
	slices.SortFunc(out, fusion.ByScore)
	return out
}

const (
	textWord  = 0.5    // what a word in the text of a course counts, against one in its title
	textsMost = 20_000 // texts that are looked at: reading takes longer than titles do
	textsHeld = 256    // of them at a time, before others get at the words
)

// recallTexts finds the courses, but for those found already, that have words of the
// query anywhere, among the most popular.
func (e *Engine) recallTexts(p *pass, found map[string]bool) []lectern.Hit {
	if p.understood.Known() == 0 {
		return nil
	}
	var ids []string
	for _, en := range p.view.popular {
		if len(ids) == textsMost {
			break
		}
		if !found[en.facts.ID] && p.mayRecall(en) {
			ids = append(ids, en.facts.ID)
		}
	}
	var out []lectern.Hit
	for part := range slices.Chunk(ids, textsHeld) {
		for i, held := range e.Words.Held(p.understood, part) {
			score := 0.0
			for j, w := range p.understood.Words {
				if held.Any&(1<<j) != 0 {
					score += textWord * w.Trust * w.IDF
				}
			}
			if score > 0 {
				out = append(out, lectern.Hit{ID: part[i], Score: float32(score)})
			}
		}
	}
	return out
}

// mayRecall reports whether a course may be in the list.
func (p *pass) mayRecall(en *entry) bool {
	id := en.facts.ID
	_, seen := p.seen[id]
	return !seen && p.match.admits(en) && (p.seed == nil || p.seed.facts.ID != id)
}
