package learner

import (
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config tunes profiles.
type Config struct {
	Strengths       Strengths     `koanf:"strengths"`
	HalfLife        time.Duration `koanf:"half_life"`         // after which an event weighs half
	MaxCourseWeight float64       `koanf:"max_course_weight"` // bounds what one course weighs, for or against
	PushAway        float64       `koanf:"push_away"`         // how hard disliked courses push, against 1 for liked ones
	ReviewsShare    float64       `koanf:"reviews_share"`     // of a course's part in a taste that what learners say of it makes up, where they say something; 0 is its content alone
	InterestWeight  float64       `koanf:"interest_weight"`   // what one stated interest weighs; an enrolment weighs strengths.enrol
	GoalWeight      float64       `koanf:"goal_weight"`       // what the stated goal weighs
	ClusterDistance float64       `koanf:"cluster_distance"`  // up to which courses, and groups of courses, make one interest: 1 − cosine for two courses, Ward's cost for groups
	SameInterest    float64       `koanf:"same_interest"`     // cosine from which something belongs to an interest: what was turned down, and what is too little to be one
	MinShare        float64       `koanf:"min_share"`         // of a learner's attention below which a group of courses is no interest of its own; one that the learner stated always is
	MaxVectors      int           `koanf:"max_vectors"`       // interests that lists are made from, heaviest first
	SessionGap      time.Duration `koanf:"session_gap"`       // without an event, after which a session is over
	SessionLength   time.Duration `koanf:"session_length"`    // that a session has at most, back from the latest event
	MaxEntries      int           `koanf:"max_entries"`       // courses that make a taste, heaviest first
	MaxLiked        int           `koanf:"max_liked"`         // liked courses that reasons may cite
	MaxInterests    int           `koanf:"max_interests"`     // stated interests that are read
	CacheSize       int           `koanf:"cache_size"`        // learners kept in memory
	CacheTTL        time.Duration `koanf:"cache_ttl"`         // age at which a taste is made anew, as decay moves on
}

// Strengths say how much one event of each type weighs. View and search weigh
// nothing: one is the platform's act, the other names no course.
type Strengths struct {
	Click    float64 `koanf:"click"`    // what a click weighs
	Save     float64 `koanf:"save"`     // what a bookmark weighs
	Enrol    float64 `koanf:"enrol"`    // what an enrolment weighs
	Progress float64 `koanf:"progress"` // at share 1; between enrol and this below
	Complete float64 `koanf:"complete"` // what a completion weighs
	Rate     float64 `koanf:"rate"`     // at five stars; minus this at one star, 0 at three
	Drop     float64 `koanf:"drop"`     // ≤ 0
	Dismiss  float64 `koanf:"dismiss"`  // ≤ 0
}

// DefaultConfig returns settings in which commitment weighs more than interest.
func DefaultConfig() Config {
	return Config{
		Strengths: Strengths{
			Click: 1, Save: 2, Enrol: 3, Progress: 4, Complete: 6,
			Rate: 5, Drop: -5, Dismiss: -4,
		},
		HalfLife:        90 * 24 * time.Hour,
		MaxCourseWeight: 10,
		PushAway:        1,
		ReviewsShare:    0,
		InterestWeight:  3,
		GoalWeight:      3,
		ClusterDistance: 0.6,
		SameInterest:    0.4,
		MinShare:        0.05,
		MaxVectors:      5,
		SessionGap:      30 * time.Minute,
		SessionLength:   12 * time.Hour,
		MaxEntries:      100,
		MaxLiked:        10,
		MaxInterests:    10,
		CacheSize:       2000,
		CacheTTL:        10 * time.Minute,
	}
}

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
	check(finite(s.Drop) && s.Drop <= 0, "strengths.drop", s.Drop, "at most 0")
	check(finite(s.Dismiss) && s.Dismiss <= 0, "strengths.dismiss", s.Dismiss, "at most 0")
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
	check(c.MaxEntries >= 1, "max_entries", c.MaxEntries, "at least 1")
	check(c.MaxLiked >= 0 && c.MaxLiked <= c.MaxEntries, "max_liked", c.MaxLiked, "0 to learner.max_entries")
	check(c.MaxInterests >= 0, "max_interests", c.MaxInterests, "at least 0")
	check(c.CacheSize >= 1, "cache_size", c.CacheSize, "at least 1")
	check(c.CacheTTL > 0, "cache_ttl", c.CacheTTL, "over 0")
	if len(bad) > 0 {
		return lectern.Invalid("the learner settings are not usable", bad...)
	}
	return nil
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
