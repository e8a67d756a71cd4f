package retrieve

import (
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
)

// reviewsQuery asks for the courses whose reviews are near a query's vector.
func (e *Engine) reviewsQuery(v []float32) asked {
	q := lectern.VectorQuery{Vector: lectern.VectorReviews, Dense: v}
	return asked{name: SourceReviews, unit: "cosine", weight: e.cfg.ReviewsWeight, query: q}
}

// usuallySaid is the mean cosine of the reviews that the index found, near or not:
// how much anybody's reviews are like the query.
func usuallySaid(questions []asked, answers [][]lectern.Hit) float64 {
	for i, q := range questions {
		if q.name != SourceReviews || len(answers[i]) == 0 {
			continue
		}
		sum := 0.0
		for _, h := range answers[i] {
			sum += float64(h.Score)
		}
		return sum / float64(len(answers[i]))
	}
	return 0
}

// addReviews lets what learners say speak for a course: its fused score f
// becomes f + w·r·(1 − f), where r is by how much the cosine of its reviews is
// above that of reviews at large, over the highest cosine that the query has to
// anything. The first makes a sum of chances rather than of shares: nothing falls,
// so a course that nobody reviewed keeps exactly the score it had. The second
// leaves out what all reviews have in common, which is praise: without it a course
// gains by being reviewed, whatever is said (docs/measured/reviews.md).
//
// It comes after feedback, which follows content alone.
func (e *Engine) addReviews(p *pass) {
	reviews := p.source(SourceReviews)
	if reviews == nil {
		return
	}
	scale := highestCosine(reviews, p.source(SourceMeaning))
	reviews.hits = slices.DeleteFunc(reviews.hits, func(h lectern.Hit) bool {
		return float64(h.Score) <= max(p.usual, 0)
	})
	at := make(map[string]int, len(p.fused))
	for i, h := range p.fused {
		at[h.ID] = i
	}
	want := p.wantedLanguages()
	for i, en := range e.Catalog.lookup(idsOf(reviews.hits)) {
		h := reviews.hits[i]
		r := (float64(h.Score) - max(p.usual, 0)) / scale
		j, found := at[h.ID]
		if !found {
			j = len(p.fused)
			p.fused = append(p.fused, lectern.Hit{ID: h.ID})
		}
		f := float64(p.fused[j].Score)
		p.fused[j].Score = float32(f + e.cfg.ReviewsWeight*p.keeps(en, want, h.ID)*r*(1-f))
	}
	slices.SortFunc(p.fused, fusion.ByScore)
	p.fused = p.fused[:min(len(p.fused), 2*e.cfg.PerSource)]
}

// highestCosine is that of the query to any course, by content or by reviews.
func highestCosine(sources ...*source) float64 {
	top := 0.0
	for _, s := range sources {
		if s != nil && len(s.hits) > 0 {
			top = max(top, float64(s.hits[0].Score))
		}
	}
	return top
}
