package rerank

import (
	"math"
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
	ReasonStepUp          = "wanted_step_up"       // level: above theirs, and they asked for more challenging courses
	ReasonStepDown        = "wanted_step_down"     // level: below theirs, and they asked for less challenging courses
	ReasonHoursLeft       = "fits_time_left"       // hours: of a course under way
	ReasonWellReviewed    = "well_reviewed"        //
	ReasonGoalSkills      = "adds_goal_skills"     // skills: names, separated by ", "
	ReasonFinished        = "often_finished"       // most who start it finish it
	ReasonFinishedAlike   = "finished_by_similar"  // ... of the similar learners
	ReasonUnlikeKnown     = "unlike_what_you_know" //
	ReasonNewCreator      = "new_from_creator"     // new, and well liked already
	ReasonLittleKnown     = "little_known"         // seldom shown, and well liked
	ReasonFeatured        = "featured"             // a rule put it in its place
	ReasonExploring       = "exploring"            // it was put there to find out
)

// ReasonCodes lists every code that a list may carry.
func ReasonCodes() []string {
	return []string{
		ReasonSimilarToCourse, ReasonMatchesInterest, ReasonMatchesGoal, ReasonMatchesQuery,
		ReasonMentionsQuery, ReasonCloseToQuery, ReasonCloseToReviews, ReasonTeachesSkill, ReasonPopular, ReasonNewCourse, ReasonHighlyRated,
		ReasonFitsLevel, ReasonFitsTime, ReasonFitsLanguage,
		ReasonSimilarLearners, ReasonTakenByLikeYou, ReasonTakenTogether, ReasonNextAfter, ReasonTrending,
		ReasonInProgress, ReasonUnlikeOthers,
		ReasonStepUp, ReasonStepDown, ReasonHoursLeft, ReasonWellReviewed, ReasonGoalSkills,
		ReasonFinished, ReasonFinishedAlike, ReasonUnlikeKnown, ReasonNewCreator, ReasonLittleKnown, ReasonFeatured, ReasonExploring,
	}
}

// addReasons gives every item its reasons: for each term that speaks for the
// course the reason it stands for, the term that weighed most first. What put the
// course there beside its score comes before them.
func (s *scoring) addReasons(set *termSet, candidates []Candidate, items []Scored) {
	if s.cfg.Reasons.Max == 0 {
		return
	}
	shared := s.params.Get().(sharedParams)
	defer func() {
		clear(shared)
		s.params.Put(shared)
	}()
	most := s.cfg.Reasons.Max
	backing := make([]lectern.Reason, len(items)*most) // one block for all items
	var room [termCount]int
	for i := range items {
		item := &items[i]
		c := &candidates[item.Index]
		item.Reasons = backing[i*most : i*most : (i+1)*most]
		if item.Pinned != "" {
			item.Reasons = append(item.Reasons, lectern.Reason{Code: ReasonFeatured})
		}
		if c.Lead != nil && len(item.Reasons) < most {
			item.Reasons = append(item.Reasons, *c.Lead)
		}
		for _, j := range set.bySay(item.Values, room[:0]) {
			if len(item.Reasons) == most {
				break
			}
			r, ok := s.reason(set.index[j], item.Values[j], c, shared)
			if ok && !said(item.Reasons, r.Code) {
				item.Reasons = append(item.Reasons, r)
			}
		}
		if len(item.Reasons) == 0 {
			item.Reasons = lastResort(c)
		}
	}
}

// said reports whether reasons hold a code, or one that says as much.
func said(reasons []lectern.Reason, code string) bool {
	for _, r := range reasons {
		switch {
		case r.Code == code:
			return true
		case code == ReasonNewCourse && r.Code == ReasonNewCreator, code == ReasonNewCreator && r.Code == ReasonNewCourse:
			return true
		}
	}
	return false
}

// bySay returns the places of the terms that have a weight, the one that says most
// first.
func (p *termSet) bySay(values []float64, order []int) []int {
	var says [termCount]float64
	for _, j := range p.weighs { // few: insertion is the fastest stable sort of them
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
func (p *termSet) say(j int, value float64) float64 {
	switch p.index[j] {
	case termRelevance, termSkill:
		return p.terms[j].Weight * value
	case termLanguage: // true of most courses, so it comes after what tells one from another
		return p.terms[j].Weight * (value - Neutral) / 100
	}
	return p.terms[j].Weight * (value - Neutral)
}

// reason returns what a term's value has to say for a candidate, if anything.
func (s *scoring) reason(term int, value float64, c *Candidate, shared sharedParams) (lectern.Reason, bool) {
	cfg, req, f := &s.cfg.Reasons, s.req, c.Course
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
		ok := f.RatingMean >= cfg.RatedFrom && f.RatingCount >= cfg.RatedCount && value > Neutral
		if !ok {
			return lectern.Reason{}, false
		}
		return lectern.Reason{Code: ReasonHighlyRated, Params: s.ratings.of(f.RatingMean, f.RatingCount)}, true
	case termPopularity:
		return lectern.Reason{Code: ReasonPopular}, f.Popularity.Known && value >= cfg.PopularFrom
	case termFreshness:
		age := req.At.Sub(f.PublishedAt)
		return lectern.Reason{Code: ReasonNewCourse}, !f.PublishedAt.IsZero() && age >= 0 && age <= days(cfg.NewDays)
	case termLevel:
		return s.levelReason(value, c, shared)
	case termTime:
		return s.timeReason(value, c, shared)
	case termLanguage:
		if value != 1 || req.LanguagesAssumed {
			return lectern.Reason{}, false
		}
		return oneParam(shared, ReasonFitsLanguage, "language", f.Language), true
	case termCollaborative:
		return s.othersReason(value, c, shared)
	case termTrend:
		return lectern.Reason{Code: ReasonTrending}, c.Trend.Known && value >= cfg.TrendFrom
	case termComplement:
		if c.FollowsID == "" || value <= Neutral {
			return lectern.Reason{}, false
		}
		return aboutCourse(shared, ReasonNextAfter, c.FollowsID, c.FollowsTitle), true
	case termSentiment:
		return lectern.Reason{Code: ReasonWellReviewed}, f.SentimentWeight >= float64(cfg.RatedCount) && f.Sentiment >= wellReviewedFrom && value >= wellReviewedValue
	case termGoalProgress:
		if !c.Goal.Known || c.Goal.Value == 0 || len(c.GoalSkills) == 0 {
			return lectern.Reason{}, false
		}
		return oneParam(shared, ReasonGoalSkills, "skills", strings.Join(c.GoalSkills[:min(len(c.GoalSkills), maxGoalSkills)], ", ")), true
	case termNovelty:
		return lectern.Reason{Code: ReasonUnlikeKnown}, c.Novelty.Known && value >= unlikeFrom
	case termCompletion:
		if c.Starters < finishedOf || c.Finishers < finishedShare*c.Starters || value <= Neutral {
			return lectern.Reason{}, false
		}
		if c.Alike {
			return lectern.Reason{Code: ReasonFinishedAlike}, true
		}
		return lectern.Reason{Code: ReasonFinished}, true
	case termExposure:
		return s.exposureReason(value, f)
	}
	return lectern.Reason{}, false
}

// From when on the newer terms are worth a reason.
const (
	wellReviewedFrom  = 0.75 // mean sentiment of the course, so that it is true whatever the catalogue's
	wellReviewedValue = 0.55 // value of the term: better than the catalogue too
	maxGoalSkills     = 3    // names in one sentence
	unlikeFrom        = 0.75 // novelty
	finishedOf        = 5    // starters
	finishedShare     = 0.5  // of them finished
	exposureFrom      = 0.75 // value of creator_exposure
)

// levelReason says that a course is on the level that the learner stated, or a step
// from it where they asked for that.
func (s *scoring) levelReason(value float64, c *Candidate, shared sharedParams) (lectern.Reason, bool) {
	level := c.Course.Level
	switch up := LevelsUp(s.req.Level, level); {
	case value != 1:
		return lectern.Reason{}, false
	case up > 0: // only then does another level fit best
		return oneParam(shared, ReasonStepUp, "level", string(level)), true
	case up < 0:
		return oneParam(shared, ReasonStepDown, "level", string(level)), true
	}
	return oneParam(shared, ReasonFitsLevel, "level", string(level)), !s.req.LevelAssumed
}

// timeReason says that a course, or what is left of it, fits the learner's weeks.
func (s *scoring) timeReason(value float64, c *Candidate, shared sharedParams) (lectern.Reason, bool) {
	left := hoursLeft(c)
	if value < 1 || left == nil || s.req.HoursAssumed {
		return lectern.Reason{}, false
	}
	if c.HoursLeft != nil {
		return oneParam(shared, ReasonHoursLeft, "hours", strconv.FormatFloat(math.Round(*left*10)/10, 'f', -1, 64)), true
	}
	return oneParam(shared, ReasonFitsTime, "hours", strconv.FormatFloat(*left, 'f', -1, 64)), true
}

// exposureReason says that a good course is new, or else that it is seldom shown.
func (s *scoring) exposureReason(value float64, f *Facts) (lectern.Reason, bool) {
	switch {
	case value < exposureFrom:
		return lectern.Reason{}, false
	case s.newness(f) > 0:
		return lectern.Reason{Code: ReasonNewCreator}, true
	case s.wellKnown(f):
		return lectern.Reason{}, false
	}
	return lectern.Reason{Code: ReasonLittleKnown}, true
}

// wellKnown reports whether a course is more popular than most, however seldom it is
// shown here.
func (s *scoring) wellKnown(f *Facts) bool {
	p, middle := f.Popularity, s.req.PopularityMiddle
	return p.Known && (p.Value >= s.cfg.Reasons.PopularFrom || middle > 0 && p.Value > middle)
}

// othersReason says what others' behaviour has to say for a candidate.
func (s *scoring) othersReason(value float64, c *Candidate, shared sharedParams) (lectern.Reason, bool) {
	switch {
	case !c.Collaborative.Known || value < s.cfg.Reasons.OthersFrom:
		return lectern.Reason{}, false
	case s.req.Surface == lectern.SurfaceSimilar:
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
