package retrieve

import (
	"math"

	"github.com/lectern-dev/lectern"
)

// catalogueSums add up what a course is held against: the means of the catalogue.
type catalogueSums struct {
	stars, starWeights          float64
	sentiment, sentimentWeights float64
	views                       float64
	open                        int // courses that lists may show
	starters, finishers         float64
}

// fewRatings is how many ratings or reviews a course needs to weigh half of what a
// course weighs at most, so that neither one huge course nor many hardly rated ones
// decide the catalogue's means.
const fewRatings = 10

// add counts a course, or with sign −1 takes it back.
func (s *catalogueSums) add(e *entry, sign float64) {
	if n := e.facts.RatingWeight; n > 0 {
		w := sign * n / (n + fewRatings)
		s.stars += w * e.facts.RatingMean
		s.starWeights += w
	}
	if n := e.facts.SentimentWeight; n > 0 {
		w := sign * n / (n + fewRatings)
		s.sentiment += w * e.facts.Sentiment
		s.sentimentWeights += w
	}
	s.starters += sign * e.finishers.started
	s.finishers += sign * e.finishers.finished
	if e.payload.Status == lectern.StatusOpen {
		s.views += sign * e.facts.Views
		s.open += int(sign)
	}
}

// catalogueMeans are 0 where nothing is known.
type catalogueMeans struct {
	rating     float64 // stars
	sentiment  float64 // in [0, 1]
	finishRate float64 // share of starters who finish
	views      float64 // of a course that lists may show, decayed
}

// means are rounded, because sums come in any order.
func (s *catalogueSums) means() catalogueMeans {
	over := func(sum, weights float64) float64 {
		if weights < 1e-9 {
			return 0
		}
		return math.Round(sum/weights*1e6) / 1e6
	}
	return catalogueMeans{
		rating: over(s.stars, s.starWeights), sentiment: over(s.sentiment, s.sentimentWeights),
		finishRate: over(s.finishers, s.starters), views: over(s.views, float64(s.open)),
	}
}
