package learner

import (
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("learner."+key, value, "is not allowed", allowed))
		}
	}
	s := c.Strengths
	check(finite(s.Click) && s.Click > 0, "strengths.click", s.Click, "over 0")
	check(finite(s.Save) && s.Save > s.Click, "strengths.save", s.Save, "over strengths.click")
	check(finite(s.Enrol) && s.Enrol > s.Save, "strengths.enrol", s.Enrol, "over strengths.save")
	check(finite(s.Progress) && s.Progress > s.Enrol, "strengths.progress", s.Progress, "over strengths.enrol")
	check(finite(s.Complete) && s.Complete > s.Progress, "strengths.complete", s.Complete, "over strengths.progress")
	check(finite(s.Rate) && s.Rate >= 0, "strengths.rate", s.Rate, "at least 0")
	check(finite(s.RateLow) && s.RateLow <= 0, "strengths.rate_low", s.RateLow, "at most 0")
	check(finite(s.Drop) && s.Drop <= 0, "strengths.drop", s.Drop, "at most 0")
	check(finite(s.Dismiss) && s.Dismiss <= 0, "strengths.dismiss", s.Dismiss, "at most 0")
	check(finite(s.More) && s.More >= s.Save, "strengths.more", s.More, "at least strengths.save")
	check(c.HalfLife >= time.Hour, "half_life", c.HalfLife, "at least 1h")
	check(finite(c.MaxCourseWeight) && c.MaxCourseWeight > 0, "max_course_weight", c.MaxCourseWeight, "over 0")
	check(finite(c.PushAway) && c.PushAway >= 0, "push_away", c.PushAway, "at least 0")
	check(c.ReviewsShare >= 0 && c.ReviewsShare <= 1, "reviews_share", c.ReviewsShare, "0 to 1")
	check(finite(c.InterestWeight) && c.InterestWeight >= 0, "interest_weight", c.InterestWeight, "at least 0")
	check(finite(c.GoalWeight) && c.GoalWeight >= 0, "goal_weight", c.GoalWeight, "at least 0")
	check(finite(c.ClusterDistance) && c.ClusterDistance > 0, "cluster_distance", c.ClusterDistance, "over 0")
	check(c.SameInterest > 0 && c.SameInterest <= 1, "same_interest", c.SameInterest, "over 0, at most 1")
	check(c.MinShare >= 0 && c.MinShare < 1, "min_share", c.MinShare, "0 to below 1")
	check(c.MaxVectors >= 1, "max_vectors", c.MaxVectors, "at least 1")
	check(c.SessionGap > 0, "session_gap", c.SessionGap, "over 0")
	check(c.SessionLength >= c.SessionGap, "session_length", c.SessionLength, "at least learner.session_gap")
	check(c.StudyGap >= week, "study_gap", c.StudyGap, "at least 168h")
	check(c.MaxHours > 0 && c.MaxHours <= 168, "max_hours", c.MaxHours, "over 0, at most 168")
	check(c.SteadyHours > 0 && finite(c.SteadyHours), "steady_hours", c.SteadyHours, "over 0")
	check(c.IntensiveHours > c.SteadyHours && finite(c.IntensiveHours), "intensive_hours", c.IntensiveHours, "over learner.steady_hours")
	check(c.LevelUp >= 0 && c.LevelUp <= 1, "level_up", c.LevelUp, "0 to 1")
	check(c.MinEvidence >= 1, "min_evidence", c.MinEvidence, "at least 1")
	check(c.MaxEvents >= 0, "max_events", c.MaxEvents, "at least 0; 0 reads none")
	check(c.MaxEntries >= 1, "max_entries", c.MaxEntries, "at least 1")
	check(c.MaxLiked >= 0 && c.MaxLiked <= c.MaxEntries, "max_liked", c.MaxLiked, "0 to learner.max_entries")
	check(c.MaxCited >= 0, "max_cited", c.MaxCited, "at least 0")
	check(c.MaxSkills >= 0, "max_skills", c.MaxSkills, "at least 0")
	check(c.MaxInterests >= 0, "max_interests", c.MaxInterests, "at least 0")
	check(c.CacheSize >= 1, "cache_size", c.CacheSize, "at least 1")
	check(c.CacheTTL > 0, "cache_ttl", c.CacheTTL, "over 0")
	if len(bad) > 0 {
		return lectern.Invalid("the learner settings are not usable", bad...)
	}
	return nil
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
