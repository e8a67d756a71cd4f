package rerank

import (
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// The terms, in the order in which values are computed and summed.
const (
	termRelevance = iota
	termSimilarity
	termInterest
	termQuality
	termPopularity
	termFreshness
	termLevel
	termTime
	termLanguage
	termReadiness
	termSkill
	termCollaborative
	termNotDismissed
	termTrend
	termComplement
	termSentiment
	termGoalProgress
	termNovelty
	termCompletion
	termExposure
	termCount
)

// Neutral is the value of a term whose signal is missing: neither for nor
// against the course.
const Neutral = 0.5

// exactTitleLead is how far below 1 the best fused score is held, so that the
// course whose title was typed stands above every other.
const exactTitleLead = 0.1

var termNames = [termCount]string{
	"relevance", "similarity", "interest_match", "quality", "popularity",
	"freshness", "level_fit", "time_fit", "language_fit", "readiness", "skill_match",
	"collaborative", "not_dismissed", "trend", "complement",
	"sentiment", "goal_progress", "novelty", "completion", "creator_exposure",
}

// TermNames lists every term.
func TermNames() []string { return slices.Clone(termNames[:]) }

// scoring is one request as the terms see it.
type scoring struct {
	*Linear
	req   *Request
	level lectern.Level // wanted, moved by what the learner wants of challenge
	rated *Facts        // whose quality stars is
	stars float64

	decayedAt time.Time // ratings of which weigh decayedBy
	decayedBy float64
}

func (l *Linear) scoring(req *Request) scoring {
	return scoring{Linear: l, req: req, level: l.cfg.Preferences.wantedLevel(req)}
}

// value computes one term, rounded to six decimals: fine enough to tell
// candidates apart, and short in the record of the list.
func (s *scoring) value(term int, c *Candidate) float64 {
	var v float64
	switch term {
	case termRelevance:
		v = relevance(c)
	case termSimilarity:
		v = matchTerm(c.Similarity)
	case termInterest:
		v = matchTerm(c.Interest)
	case termQuality:
		v = s.quality(c.Course)
	case termPopularity:
		v = orNeutral(c.Course.Popularity)
	case termFreshness:
		v = freshness(c.Course.FreshAt, s.req.At, s.freshFor)
	case termLevel:
		v = levelFit(s.level, c.Course.Level)
	case termTime:
		v = timeFit(hoursLeft(c), s.req.WeeklyHours, s.cfg.Terms.ComfortableWeeks)
	case termLanguage:
		v = languageFit(s.req.Languages, s.req.Likely, c.Course.Languages)
	case termReadiness:
		v = orNeutral(c.Readiness)
	case termSkill:
		v = skillMatch(c)
	case termCollaborative:
		v = orNeutral(c.Collaborative)
	case termNotDismissed:
		v = notDismissed(c.Away)
	case termTrend:
		v = orNeutral(c.Trend)
	case termComplement:
		v = orNeutral(c.Complement)
	case termSentiment:
		v = s.sentiment(c.Course)
	case termGoalProgress:
		v = goalProgress(c.Goal)
	case termNovelty:
		v = orNeutral(c.Novelty)
	case termCompletion:
		v = completion(c.Starters, c.Finishers, s.req.FinishRate, s.cfg.Terms.CompletionPrior)
	case termExposure:
		v = s.exposure(c.Course)
	}
	if v < 0 { // min and max are slower: they mind the sign of zero
		v = 0
	} else if v > 1 {
		v = 1
	}
	return float64(int64(v*1e6+0.5)) / 1e6
}

// days is a number of days as a duration.
func days(n float64) time.Duration { return time.Duration(n * 24 * float64(time.Hour)) }

func orNeutral(s Signal) float64 {
	if !s.Known {
		return Neutral
	}
	return s.Value
}

// matchTerm is (1 + cosine)/2: a course that has nothing in common with what was
// asked stands at ½, where one of which nothing is known stands too.
func matchTerm(m Match) float64 {
	if !m.Known {
		return Neutral
	}
	return (1 + m.Value) / 2
}

// relevance is 1 for the course whose title is the query, and 0.9 × the fused
// score of words and meaning for every other.
func relevance(c *Candidate) float64 {
	if c.ExactTitle {
		return 1
	}
	if !c.Relevance.Known {
		return Neutral
	}
	return (1 - exactTitleLead) * c.Relevance.Value
}

// skillMatch is 1 for the course whose title is the query, and 0.9 × how well any
// other teaches the skills that the query asks for. Where it asks for none,
// relevance stands in, so that the order and the height of scores are those of
// words and meaning.
func skillMatch(c *Candidate) float64 {
	switch {
	case c.ExactTitle:
		return 1
	case !c.Skills.Known:
		return relevance(c)
	}
	return (1 - exactTitleLead) * c.Skills.Value
}

// notDismissed is 1 − the cosine to what the learner turned down, and 1 for what is
// not near it at all.
func notDismissed(m Match) float64 {
	if !m.Known {
		return Neutral
	}
	return 1 - max(0, m.Value)
}

// freshness is 2^(−age / half-life); what lies ahead counts as new.
func freshness(at, now time.Time, halfLife time.Duration) float64 {
	if at.IsZero() {
		return Neutral
	}
	return decay(now.Sub(at), halfLife)
}

// decay is 2^(−age / half-life); what lies ahead has no age.
func decay(age, halfLife time.Duration) float64 {
	if age <= 0 {
		return 1
	}
	return math.Exp2(-float64(age) / float64(halfLife))
}

// levelFit is 1 for the wanted level, .75 for a course of mixed level, .4 for a
// neighbouring level and 0 for one two steps away.
func levelFit(want, have lectern.Level) float64 {
	w, h := levelStep(want), levelStep(have)
	switch {
	case w == 0:
		return Neutral
	case have == lectern.LevelMixed:
		return 0.75
	case h == 0:
		return Neutral
	case w == h:
		return 1
	case max(w-h, h-w) == 1:
		return 0.4
	}
	return 0
}

// levelStep numbers the levels that have an order; 0 is none.
func levelStep(l lectern.Level) int {
	switch l {
	case lectern.LevelBeginner:
		return 1
	case lectern.LevelIntermediate:
		return 2
	case lectern.LevelAdvanced:
		return 3
	}
	return 0
}

// timeFit is 1 when the course fits into the comfortable number of weeks, and
// halves with every further such span: 2^(−(weeks − c)/c).
func timeFit(hours, weekly *float64, comfortable float64) float64 {
	if hours == nil || weekly == nil || *weekly <= 0 {
		return Neutral
	}
	weeks := *hours / *weekly
	if weeks <= comfortable {
		return 1
	}
	return math.Exp2(-(weeks - comfortable) / comfortable)
}

// hoursLeft is the work that a course still is.
func hoursLeft(c *Candidate) *float64 {
	if c.HoursLeft != nil {
		return c.HoursLeft
	}
	return c.Course.Hours
}

// languageFit is 1 when the course is in a wanted language and 0 otherwise. While
// no language is wanted it is ½ in the likely one and ¼ in another.
func languageFit(want, likely, have []string) float64 {
	switch {
	case len(have) == 0:
		return Neutral
	case len(want) == 0 && (len(likely) == 0 || shareOne(likely, have)):
		return Neutral
	case len(want) == 0:
		return Neutral / 2
	case shareOne(want, have):
		return 1
	}
	return 0
}

// shareOne reports whether two short lists share a member.
func shareOne(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

// LevelsUp is how many levels one level is above another; 0 where either has no place
// in their order.
func LevelsUp(from, to lectern.Level) int {
	a, b := levelStep(from), levelStep(to)
	if a == 0 || b == 0 {
		return 0
	}
	return b - a
}
