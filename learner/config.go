package learner

import "time"

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
	StudyGap        time.Duration `koanf:"study_gap"`         // without a word of progress, of which only the end is taken for time of study
	MaxHours        float64       `koanf:"max_hours"`         // a week that anybody is believed to study
	SteadyHours     float64       `koanf:"steady_hours"`      // a week of study from which a pace is steady; relaxed below
	IntensiveHours  float64       `koanf:"intensive_hours"`   // a week of study from which a pace is intensive
	LevelUp         float64       `koanf:"level_up"`          // by how much a completed course shows a higher level than its own; 1 is the next one
	MinEvidence     int           `koanf:"min_evidence"`      // courses for a level, weeks for hours, below which neither is estimated
	MaxEvents       int           `koanf:"max_events"`        // newest ones of a learner that are read for hours and sessions
	MaxEntries      int           `koanf:"max_entries"`       // courses that make a taste, heaviest first
	MaxLiked        int           `koanf:"max_liked"`         // liked courses that reasons may cite
	MaxCited        int           `koanf:"max_cited"`         // courses that a description cites for one thing
	MaxSkills       int           `koanf:"max_skills"`        // gained, and wanted, that a description lists
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
	Rate     float64 `koanf:"rate"`     // at five stars, 0 at three
	RateLow  float64 `koanf:"rate_low"` // at one star, 0 at three; ≤ 0. By default more than an enrolment and a completion
	Drop     float64 `koanf:"drop"`     // ≤ 0. By default as much as an enrolment and all of the progress
	Dismiss  float64 `koanf:"dismiss"`  // ≤ 0; "less like this" weighs as much
	More     float64 `koanf:"more"`     // what "more like this" weighs
}

// DefaultConfig returns settings in which commitment weighs more than interest.
func DefaultConfig() Config {
	return Config{
		Strengths: Strengths{
			Click: 1, Save: 2, Enrol: 3, Progress: 4, Complete: 6,
			Rate: 5, RateLow: -10, Drop: -7, Dismiss: -4, More: 4,
		},
		HalfLife:        90 * 24 * time.Hour,
		MaxCourseWeight: 10,
		PushAway:        3,
		ReviewsShare:    0,
		InterestWeight:  3,
		GoalWeight:      3,
		ClusterDistance: 0.8,
		SameInterest:    0.3,
		MinShare:        0.05,
		MaxVectors:      5,
		SessionGap:      30 * time.Minute,
		SessionLength:   12 * time.Hour,
		StudyGap:        14 * 24 * time.Hour,
		MaxHours:        60,
		SteadyHours:     2.5,
		IntensiveHours:  6,
		LevelUp:         0.7,
		MinEvidence:     2,
		MaxEvents:       500,
		MaxEntries:      100,
		MaxLiked:        10,
		MaxCited:        5,
		MaxSkills:       20,
		MaxInterests:    10,
		CacheSize:       2000,
		CacheTTL:        10 * time.Minute,
	}
}
