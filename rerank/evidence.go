package rerank

import (
	"math"
	"slices"
	"time"
)

// exposureGate is by how much a course must lead the catalogue to be worth showing for
// its own sake: at 1/exposureGate above the neutral value, a quarter of a star, in full.
const exposureGate = 8

// quality is the course's ratings against those of the catalogue, those of late
// weighing more: see ratingFit.
func (s *scoring) quality(f *Facts) float64 {
	if s.rated == f { // creator_exposure asks again
		return s.stars
	}
	mean, weight := f.RatingMean, f.RatingWeight
	if s.recent >= 0 && f.Recent[s.recent].Weight > 0 {
		r := f.Recent[s.recent]
		mean, weight = r.Mean, r.Weight
		if !f.RecentAt.IsZero() {
			weight *= s.ratingDecay(f.RecentAt)
		}
	}
	s.rated, s.stars = f, ratingFit(mean, weight, s.req.RatingMean, s.cfg.Terms.RatingPrior)
	return s.stars
}

// ratingDecay is what ratings as of some time still weigh. Most of a catalogue is as of
// the same.
func (s *scoring) ratingDecay(at time.Time) float64 {
	if at != s.decayedAt {
		s.decayedAt, s.decayedBy = at, decay(s.req.At.Sub(at), s.ratedFor)
	}
	return s.decayedBy
}

// recentOf returns which of Facts.Recent a half-life in days stands for; -1 is none.
func recentOf(halfLife float64) int { return max(slices.Index(RatingHalfLives(), halfLife), 0) - 1 }

// ratingFit is ½ + (b − m)/2, where m is the catalogue's mean and b the Bayesian
// mean (prior·m + n·mean)/(prior + n) in stars: an unrated course stands at ½,
// one that is a whole star above the catalogue at 1.
func ratingFit(mean, n, m, prior float64) float64 {
	if m == 0 || n == 0 {
		return Neutral
	}
	b := (prior*m + n*mean) / (prior + n)
	return Neutral + (b-m)/2
}

// sentiment is what the course's reviews say against those of the catalogue.
func (s *scoring) sentiment(f *Facts) float64 {
	return sentimentFit(f.Sentiment, f.SentimentWeight, s.req.SentimentMean, s.cfg.Terms.SentimentPrior)
}

// sentimentFit is b(1 − m)/(b(1 − m) + m(1 − b)), where m is the catalogue's mean and
// b the damped mean (prior·m + n·mean)/(prior + n): the odds of b over those of m, as
// a share. The catalogue's mean, and a course without reviews, stand at ½, a course
// whose reviews are all bad at 0, and one whose reviews are all good at 1. Most reviews
// are good, so plain differences would tell courses above the mean hardly apart.
func sentimentFit(mean, n, m, prior float64) float64 {
	if m == 0 || n == 0 {
		return Neutral
	}
	b := (prior*m + n*mean) / (prior + n)
	up, down := b*(1-m), m*(1-b)
	if up+down <= 0 || b == m {
		return Neutral
	}
	return up / (up + down)
}

// goalProgress is ½ + ½·√share: what adds nothing stands where it would without a goal,
// and the first skills count most, as hardly a course teaches a tenth of a goal.
func goalProgress(share Signal) float64 {
	if !share.Known {
		return Neutral
	}
	return Neutral + math.Sqrt(share.Value)/2
}

// completion is b/(b + m), where m is the share of starters in the catalogue who
// finish, and b the damped share (prior·m + finishers)/(prior + starters) of those of
// the course: the catalogue's share stands at ½.
func completion(starters, finishers, m, prior float64) float64 {
	if m <= 0 || starters <= 0 {
		return Neutral
	}
	b := (prior*m + finishers) / (prior + starters)
	return b / (b + m)
}

// exposure is ½ + ½·g·need. g is how sure it is that the course is good, min(1, 8 ×
// what the better of quality and sentiment has beyond ½), and 0 where either is below
// ½. need is the greater of newness, 1 − age/exposure_days, and of what it lacks in
// views, 1 − views/exposure_views. So what is shown enough, what is not known to be good
// and what nothing is known of all stand at ½: the term lifts, and never lowers.
func (s *scoring) exposure(f *Facts) float64 {
	need := max(s.newness(f), s.unseen(f))
	if need == 0 {
		return Neutral
	}
	return Neutral + s.proven(f)*need/2
}

// proven is how sure it is that a course is good, in [0, 1].
func (s *scoring) proven(f *Facts) float64 {
	q, r := s.quality(f), s.sentiment(f)
	if q < Neutral || r < Neutral {
		return 0
	}
	return min(1, exposureGate*(max(q, r)-Neutral))
}

// newness falls from 1 on the day of publication to 0 exposure_days later.
func (s *scoring) newness(f *Facts) float64 {
	if f.PublishedAt.IsZero() {
		return 0
	}
	age := s.req.At.Sub(f.PublishedAt).Hours() / 24
	return min(max(0, 1-age/s.cfg.Terms.ExposureDays), 1)
}

// unseen falls from 1 for a course that was never shown of late to 0 for one with
// exposure_views, where what was shown is logged.
func (s *scoring) unseen(f *Facts) float64 {
	if s.req.ViewsMean <= 0 {
		return 0
	}
	return max(0, 1-f.Views/s.cfg.Terms.ExposureViews)
}
