package lectern

import "time"

// Touch is what one course means to one learner: what collaborative models read.
type Touch struct {
	CourseID string
	Weight   float64 // implicit strength, decayed; negative where the learner said no
	At       time.Time
}

// Pace is how intensively somebody learns.
type Pace string

// The paces, in hours of study a week while a course is under way. The bounds are
// in the learner settings.
const (
	PaceRelaxed   Pace = "relaxed"
	PaceSteady    Pace = "steady"
	PaceIntensive Pace = "intensive"
)

// Paces lists every known pace, rising.
func Paces() []Pace { return []Pace{PaceRelaxed, PaceSteady, PaceIntensive} }

// Corrections are what a learner said about what is known of them, beside their
// stated facts. They hold until the learner takes them back.
type Corrections struct {
	RemovedInterests []string `json:"removed_interests,omitempty"` // folded with FoldKey; courses about these make no taste
	Pace             Pace     `json:"pace,omitempty"`              // "" is as estimated

	// Preferences say what lists should have more or fewer of, within the bounds of
	// the rerank settings.
	Preferences map[Preference]Leaning `json:"preferences,omitempty"`
}

// Preference is one thing that a learner may want more or less of.
type Preference string

// The preferences.
const (
	PreferPopular     Preference = "popular"     // courses that many take
	PreferNew         Preference = "new"         // recent courses
	PreferDifferent   Preference = "different"   // unlike what they know
	PreferShort       Preference = "short"       // that fit the time
	PreferChallenging Preference = "challenging" // above or below their level
)

// Preferences lists every preference.
func Preferences() []Preference {
	return []Preference{PreferPopular, PreferNew, PreferDifferent, PreferShort, PreferChallenging}
}

// Leaning is which way a preference goes.
type Leaning string

// The leanings.
const (
	LeanLess Leaning = "less"
	LeanMore Leaning = "more"
)

// ProfileChange is one entry of the feed of profiles: look the profile up to see
// how it is now.
type ProfileChange struct {
	Seq int64
	// Key stands for the learner where no external id may stand, such as in an
	// index. It stays the same for a learner's life.
	Key int64
	// Ref is zero for a learner who is gone, or has become part of another.
	Ref  LearnerRef
	Gone bool
}
