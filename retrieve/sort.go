package retrieve

import (
	"cmp"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// The shares of the best result's relevance from which a result answers the query
// clearly: one that holds every word of it, and any other. A list by meaning has a
// long tail of what is near to it in some way; sorted by rating or date, that tail
// would come first.
const (
	clearlyWithWords = 0.25
	clearly          = 0.5
)

// ratingPrior is how many ratings of the catalogue's mean are added to a course's
// own before courses are sorted by rating: five stars of one learner are no 4.8 of
// thousands.
const ratingPrior = 10

// sorted orders a ranked list otherwise than by relevance, as far as its results
// answer the query clearly. Ties stay in the order of relevance.
func (p *pass) sorted(scored []rerank.Scored) []rerank.Scored {
	order := p.sortKey()
	if order == nil {
		return scored
	}
	best := 0.0
	for _, s := range scored {
		best = max(best, p.candidates[s.Index].Relevance.Value)
	}
	out := make([]rerank.Scored, 0, len(scored))
	for _, s := range scored {
		c, least := &p.candidates[s.Index], clearly
		if p.holdsAll(c.Course.ID) {
			least = clearlyWithWords
		}
		if c.ExactTitle || c.Relevance.Value >= least*best {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b rerank.Scored) int {
		return cmp.Compare(order(p.entries[b.Index]), order(p.entries[a.Index]))
	})
	return out
}

// sortKey is what the request sorts by, highest first; nil is relevance. What is
// not known comes last.
func (p *pass) sortKey() func(*entry) float64 {
	switch p.req.Sort {
	case lectern.SortRating:
		return func(en *entry) float64 {
			f := &en.facts
			if f.RatingWeight <= 0 {
				return -1
			}
			return (f.RatingWeight*f.RatingMean + ratingPrior*p.view.means.rating) / (f.RatingWeight + ratingPrior)
		}
	case lectern.SortNewest:
		return func(en *entry) float64 { return float64(en.facts.FreshAt.Unix()) } // the zero time is before all
	case lectern.SortPopular:
		return popularityOf
	}
	return nil
}
