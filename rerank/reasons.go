package rerank

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// The codes of reasons, with the parameters each carries.
const (
	ReasonSimilarToCourse = "similar_to_course" // course_id, title
	ReasonMatchesInterest = "matches_interest"  // interest
	ReasonMatchesGoal     = "matches_goal"      // goal
	ReasonMatchesQuery    = "matches_query"     // terms: words of the query, separated by ", "
	ReasonMentionsQuery   = "mentions_query"    // query: words of it that the text has, separated by ", "
	ReasonCloseToQuery    = "close_to_query"    // query; close in meaning without a shared word
	ReasonCloseToReviews  = "close_to_reviews"  // query; what learners say is close, and nothing else
	ReasonTeachesSkill    = "teaches_skill"     // skill: its name
	ReasonPopular         = "popular"           //
	ReasonNewCourse       = "new_course"        //
	ReasonHighlyRated     = "highly_rated"      // rating (one decimal), count
	ReasonFitsLevel       = "fits_level"        // level
	ReasonFitsTime        = "fits_time"         // hours
	ReasonFitsLanguage    = "fits_language"     // language
	ReasonSimilarLearners = "similar_learners"  // the collaborative model ranks it high for the learner
	ReasonTakenByLikeYou  = "taken_by_similar_learners"
	ReasonTakenTogether   = "taken_together"    // course_id, title: the course asked about
	ReasonNextAfter       = "next_after_course" // course_id, title
	ReasonTrending        = "trending"          //
	ReasonInProgress      = "in_progress"       //
	ReasonUnlikeOthers    = "something_different"
)

// ReasonCodes lists every code that a list may carry.
func ReasonCodes() []string {
	return []string{
		ReasonSimilarToCourse, ReasonMatchesInterest, ReasonMatchesGoal, ReasonMatchesQuery,
		ReasonMentionsQuery, ReasonCloseToQuery, ReasonCloseToReviews, ReasonTeachesSkill, ReasonPopular, ReasonNewCourse, ReasonHighlyRated,
		ReasonFitsLevel, ReasonFitsTime, ReasonFitsLanguage,
		ReasonSimilarLearners, ReasonTakenByLikeYou, ReasonTakenTogether, ReasonNextAfter, ReasonTrending,
		ReasonInProgress, ReasonUnlikeOthers,
	}
}

// addReasons gives every item its reasons: for each term that speaks for the
// course the reason it stands for, the term that weighed most first.
func (l *Linear) addReasons(req Request, part surfaceTerms, candidates []Candidate, items []Scored) {
	if l.cfg.Reasons.Max == 0 {
		return
	}
	shared := l.params.Get().(sharedParams)
	defer func() {
		clear(shared)
		l.params.Put(shared)
	}()
	most := l.cfg.Reasons.Max
	backing := make([]lectern.Reason, len(items)*most) // one block for all items
	var room [termCount]int
	for i := range items {
		item := &items[i]
		c := &candidates[item.Index]
		item.Reasons = backing[i*most : i*most : (i+1)*most]
		if c.Lead != nil {
			item.Reasons = append(item.Reasons, *c.Lead)
		}
		for _, j := range part.bySay(item.Values, room[:0]) {
			if len(item.Reasons) == l.cfg.Reasons.Max {
				break
			}
			r, ok := l.reason(part.index[j], item.Values[j], &req, c, shared)
			if ok && !slices.ContainsFunc(item.Reasons, func(have lectern.Reason) bool { return have.Code == r.Code }) {
				item.Reasons = append(item.Reasons, r)
			}
		}
		if len(item.Reasons) == 0 {
			item.Reasons = lastResort(c)
		}
	}
}

// bySay returns the places of the terms, the one that says most first.
func (p surfaceTerms) bySay(values []float64, order []int) []int {
	var says [termCount]float64
	for j := range p.index { // few: insertion is the fastest stable sort of them
		says[j] = p.say(j, values[j])
		at := len(order)
		for order = append(order, j); at > 0 && says[order[at-1]] < says[j]; at-- {
			order[at] = order[at-1]
		}
		order[at] = j
	}
	return order
}

// say is how much a term says for a course: its contribution beyond that of a
// neutral value. Relevance and skills have no neutral value; without them a search
// finds nothing.
func (p surfaceTerms) say(j int, value float64) float64 {
	switch p.index[j] {
	case termRelevance, termSkill:
		return p.terms[j].Weight * value
	case termLanguage: // true of most courses, so it comes after what tells one from another
		return p.terms[j].Weight * (value - Neutral) / 100
	}
	return p.terms[j].Weight * (value - Neutral)
}

// reason returns what a term's value has to say for a candidate, if anything.
func (l *Linear) reason(term int, value float64, req *Request, c *Candidate, shared sharedParams) (lectern.Reason, bool) {
	cfg, f := l.cfg.Reasons, c.Course
	switch term {
	case termRelevance:
		if len(c.MatchedTerms) > 0 {
			return oneParam(shared, ReasonMatchesQuery, "terms", strings.Join(c.MatchedTerms, ", ")), true
		}
		if len(c.Mentioned) > 0 {
			return oneParam(shared, ReasonMentionsQuery, "query", strings.Join(c.Mentioned, ", ")), true
		}
		if len(c.Sources) == 1 && c.Sources[0] == SourceReviews {
			return oneParam(shared, ReasonCloseToReviews, "query", req.Query), true
		}
		return oneParam(shared, ReasonCloseToQuery, "query", req.Query), c.Relevance.Known
	case termSimilarity:
		if c.NearestID != "" && c.NearestSim >= cfg.SimilarFrom {
			return aboutCourse(shared, ReasonSimilarToCourse, c.NearestID, c.NearestTitle), true
		}
		return interestReason(shared, c, cfg.SimilarFrom)
	case termInterest:
		return interestReason(shared, c, cfg.SimilarFrom)
	case termSkill:
		if c.Skill == "" || c.Skills.Value < cfg.SkillFrom {
			return lectern.Reason{}, false
		}
		return oneParam(shared, ReasonTeachesSkill, "skill", c.Skill), true
	case termQuality:
		ok := f.RatingMean >= cfg.RatedFrom && f.RatingCount >= cfg.RatedCount
		if !ok {
			return lectern.Reason{}, false
		}
		return lectern.Reason{Code: ReasonHighlyRated, Params: l.ratings.of(f.RatingMean, f.RatingCount)}, true
	case termPopularity:
		return lectern.Reason{Code: ReasonPopular}, f.Popularity.Known && value >= cfg.PopularFrom
	case termFreshness:
		age := req.At.Sub(f.PublishedAt)
		return lectern.Reason{Code: ReasonNewCourse}, !f.PublishedAt.IsZero() && age >= 0 && age <= days(cfg.NewDays)
	case termLevel:
		if value != 1 || req.LevelAssumed {
			return lectern.Reason{}, false
		}
		return oneParam(shared, ReasonFitsLevel, "level", string(f.Level)), true
	case termTime:
		if value < 1 || f.Hours == nil || req.HoursAssumed {
			return lectern.Reason{}, false
		}
		return oneParam(shared, ReasonFitsTime, "hours", strconv.FormatFloat(*f.Hours, 'f', -1, 64)), true
	case termLanguage:
		if value != 1 || req.LanguagesAssumed {
			return lectern.Reason{}, false
		}
		return oneParam(shared, ReasonFitsLanguage, "language", f.Language), true
	case termCollaborative:
		return l.othersReason(value, req, c, shared)
	case termTrend:
		return lectern.Reason{Code: ReasonTrending}, c.Trend.Known && value >= cfg.TrendFrom
	case termComplement:
		if c.FollowsID == "" || value <= Neutral {
			return lectern.Reason{}, false
		}
		return aboutCourse(shared, ReasonNextAfter, c.FollowsID, c.FollowsTitle), true
	}
	return lectern.Reason{}, false
}

// othersReason says what others' behaviour has to say for a candidate.
func (l *Linear) othersReason(value float64, req *Request, c *Candidate, shared sharedParams) (lectern.Reason, bool) {
	switch {
	case !c.Collaborative.Known || value < l.cfg.Reasons.OthersFrom:
		return lectern.Reason{}, false
	case req.Surface == lectern.SurfaceSimilar:
		return aboutCourse(shared, ReasonTakenTogether, c.NearestID, c.NearestTitle), c.NearestID != ""
	case slices.Contains(c.Sources, SourceNeighbours):
		return lectern.Reason{Code: ReasonTakenByLikeYou}, true
	}
	return lectern.Reason{Code: ReasonSimilarLearners}, true
}

func interestReason(shared sharedParams, c *Candidate, from float64) (lectern.Reason, bool) {
	if !c.Interest.Known || c.InterestText == "" || c.Interest.Value < from {
		return lectern.Reason{}, false
	}
	if c.InterestGoal {
		return oneParam(shared, ReasonMatchesGoal, "goal", c.InterestText), true
	}
	return oneParam(shared, ReasonMatchesInterest, "interest", c.InterestText), true
}

// lastResort is for courses that no term speaks for strongly: what brought them.
func lastResort(c *Candidate) []lectern.Reason {
	for _, s := range c.Sources {
		if s == SourcePopular && c.Course.Popularity.Value >= Neutral {
			return []lectern.Reason{{Code: ReasonPopular}}
		}
		if s == SourceTrending {
			return []lectern.Reason{{Code: ReasonTrending}}
		}
		if s == SourceNew && c.Course.FreshAt.Equal(c.Course.PublishedAt) {
			return []lectern.Reason{{Code: ReasonNewCourse}}
		}
	}
	return nil
}

// Candidate sources that reasons look at.
const (
	SourceWords   = "words"
	SourceReviews = "reviews"
	SourcePopular = "popular"
	SourceNew     = "new"

	SourceNeighbours = "neighbours"
	SourceTrending   = "trending"
)
