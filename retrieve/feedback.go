package retrieve

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
)

// feedback lets the leading courses of a search say what the query meant: the
// query's vector is moved towards theirs, and meaning is searched again
// (pseudo-relevance feedback; Rocchio, 1971). What it brings is in
// docs/measured/search.md. When the index does not answer in time the first
// answer stands.
func (e *Engine) feedback(ctx context.Context, p *pass, questions []asked) {
	if e.cfg.Feedback == 0 || len(p.fused) == 0 || p.away {
		return
	}
	for i, q := range questions {
		if q.name != SourceMeaning {
			continue
		}
		moved := e.movedQuery(ctx, p, q.query.Dense)
		if moved == nil {
			return
		}
		q.query = denseQuery(moved)
		answers, err := e.search(ctx, p, []asked{q})
		if err != nil {
			e.Logger.WarnContext(ctx, "feedback left out", "error", err)
			p.degrade(DegradedIndex)
			return
		}
		p.sources[i].hits = e.nearEnough(answers[0])
		e.fuse(p)
		return
	}
}

// movedQuery is the query's vector after feedback, nil when there is none.
func (e *Engine) movedQuery(ctx context.Context, p *pass, query []float32) []float32 {
	leading := e.leading(p)
	leading = leading[:min(e.cfg.Feedback, len(leading))]
	ids := make([]string, len(leading))
	for i, h := range leading {
		ids[i] = h.ID
	}
	vectors, err := p.index.Vectors(ctx, lectern.VectorContent, ids)
	if err != nil {
		e.Logger.WarnContext(ctx, "feedback left out", "error", err)
		p.degrade(DegradedIndex)
		return nil
	}
	return fusion.Feedback(query, leading, vectors, e.cfg.FeedbackWeight)
}
