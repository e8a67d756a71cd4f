package retrieve

import (
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
)

// reviewsQuery asks for the courses whose reviews are near a query's vector.
func (e *Engine) reviewsQuery(v []float32) asked {
	q := lectern.VectorQuery{Vector: lectern.VectorReviews, Dense: v}
	return asked{SourceReviews, "cosine", e.cfg.ReviewsWeight, q}
}

// scaleOf is the highest cosine that the query has to any course, by content or
// by reviews: what the others are measured by.
func scaleOf(lists ...*source) float64 {
	top := 0.0
	for _, s := range lists {
		if s != nil && len(s.hits) > 0 {
			top = max(top, float64(s.hits[0].Score))
		}
	}
	return top
}

// addReviews lets what learners say speak for a course: its fused score f
// becomes f + w·r·(1 − f), where r is the cosine of its reviews over the highest
// that the query has to anything. A sum of chances rather than of shares: nothing
// falls, so a course that nobody reviewed keeps exactly the score it had. It comes
// after feedback, which follows content alone.
func (e *Engine) addReviews(p *pass) {
	reviews := p.source(SourceReviews)
	if reviews == nil || len(reviews.hits) == 0 {
		return
	}
	scale := scaleOf(reviews, p.source(SourceMeaning))
	if scale <= 0 {
		return
	}
	at := make(map[string]int, len(p.fused))
	for i, h := range p.fused {
		at[h.ID] = i
	}
	want := p.wantedLanguages()
	for i, en := range e.Catalog.lookup(idsOf(reviews.hits)) {
		h := reviews.hits[i]
		if h.Score <= 0 {
			continue
		}
		r := e.cfg.ReviewsWeight * p.keeps(en, want, h.ID) * float64(h.Score) / scale
		j, found := at[h.ID]
		if !found {
			j = len(p.fused)
			p.fused = append(p.fused, lectern.Hit{ID: h.ID})
		}
		f := float64(p.fused[j].Score)
		p.fused[j].Score = float32(f + r*(1-f))
	}
	slices.SortFunc(p.fused, fusion.ByScore)
	p.fused = p.fused[:min(len(p.fused), 2*e.cfg.PerSource)]
}
