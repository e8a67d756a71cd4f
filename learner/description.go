package learner

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Description is what is known of a learner, in words.
type Description struct {
	// Personalisation is whether the learner lets behaviour count. Without it only
	// Stated, RemovedInterests, Preferences, Feedback and what is stated of level, pace
	// and hours are here: nothing else is worked out.
	Personalisation bool   `json:"personalisation"`
	Stated          Stated `json:"stated"`
	// Interests are what lists are made from, heaviest first, at most
	// learner.max_vectors, then what is stated beyond those, with weight 0.
	Interests []InterestNote `json:"interests"`
	Recent    *TopicNote     `json:"recent,omitempty"` // what the last session was about
	// TurnedDown is what the learner dismissed, dropped or rated badly, without what
	// they like more in other courses of the same interest.
	TurnedDown       []TopicNote `json:"turned_down"`
	SkillsGained     []SkillNote `json:"skills_gained"` // from completed courses, surest first
	SkillsWanted     []SkillNote `json:"skills_wanted"` // that the goal takes beyond those, most important first
	Level            LevelNote   `json:"level"`
	Pace             PaceNote    `json:"pace"`
	WeeklyHours      HoursNote   `json:"weekly_hours"`
	RemovedInterests []string    `json:"removed_interests"` // as they are compared: folded
	Courses          int         `json:"courses"`           // that the learner did something with
	// Preferences say what lists should have more or fewer of.
	Preferences []PreferenceNote `json:"preferences"`
	// Feedback is what the learner said about suggestions and holds, newest first.
	Feedback []FeedbackNote `json:"feedback"`
	// EventsCounted are the events that say something about the learner, among the
	// newest learner.max_events.
	EventsCounted int       `json:"events_counted"`
	UpdatedAt     time.Time `json:"updated_at,omitzero"` // of what is stated, or of the last event
}

// Stated is what the learner said, or the platform in their name.
type Stated struct {
	Interests      []string      `json:"interests"`
	Goal           string        `json:"goal,omitempty"`
	WeeklyHours    *float64      `json:"weekly_hours,omitempty"`
	PreferredLevel lectern.Level `json:"preferred_level,omitempty"`
	Languages      []string      `json:"languages,omitempty"`
}

// InterestNote is one interest.
type InterestNote struct {
	// Name is what the learner stated, or else the skill or category that the
	// interest's courses share most beyond what courses have anyway. No two
	// interests have the same.
	Name   string  `json:"name"`
	Weight float64 `json:"weight"` // share of the learner's attention; the weights sum to 1
	Source Source  `json:"source"` // stated, goal or behaviour, the first of them that holds
	// Courses speak for it, heaviest first, at most learner.max_cited.
	Courses []CourseNote `json:"courses"`
	LastAt  time.Time    `json:"last_at,omitzero"` // of the latest event
}

// TopicNote is a subject that courses have in common.
type TopicNote struct {
	Name    string       `json:"name"`
	Courses []CourseNote `json:"courses"`
}

// CourseNote is a course that speaks for something.
type CourseNote struct {
	ID     string  `json:"id"`
	Title  string  `json:"title,omitempty"` // "" for a course that is gone
	Weight float64 `json:"weight"`          // decayed; below 0 where the learner said no
}

// SkillNote is a skill that a learner has or wants.
type SkillNote struct {
	ID     string  `json:"id,omitempty"` // of the skill graph
	Name   string  `json:"name"`
	Amount float64 `json:"amount"` // in (0, 1]
	// Courses are those that taught it; of a skill that is wanted, none.
	Courses []string `json:"courses,omitempty"`
}

// PreferenceNote is one thing that a learner wants more or less of.
type PreferenceNote struct {
	Name    lectern.Preference `json:"name"`
	Leaning lectern.Leaning    `json:"leaning"`
	Text    string             `json:"text"` // in words
}

// FeedbackNote is one thing that a learner said about a suggestion.
type FeedbackNote struct {
	ID       string               `json:"id"`
	Kind     lectern.FeedbackKind `json:"kind"`
	CourseID string               `json:"course_id"`
	Title    string               `json:"title,omitempty"` // "" for a course that is gone
	At       time.Time            `json:"at"`
	Until    *time.Time           `json:"until,omitempty"`
	Text     string               `json:"text"` // in words
}

// LevelNote is how demanding courses may be for the learner.
type LevelNote struct {
	Value    lectern.Level `json:"value,omitempty"`
	Source   Source        `json:"source"`   // stated, estimated or unknown
	Evidence int           `json:"evidence"` // courses that an estimate is made from, or would be
}

// PaceNote is how intensively the learner studies.
type PaceNote struct {
	Value    lectern.Pace `json:"value,omitempty"`
	Source   Source       `json:"source"`   // stated, estimated or unknown
	Evidence int          `json:"evidence"` // weeks with study
}

// HoursNote is how many hours a week the learner has.
type HoursNote struct {
	Value    *float64 `json:"value,omitempty"`
	Source   Source   `json:"source"`   // stated, estimated or unknown
	Evidence int      `json:"evidence"` // weeks with study
}
