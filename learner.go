package lectern

import "time"

// Consent is what a learner allows. The zero value allows nothing; a learner
// created without a word on consent gets DefaultConsent.
type Consent struct {
	Personalisation bool `json:"personalisation"` // use my behaviour to rank lists
	Exploration     bool `json:"exploration"`     // show me things to learn what I like
}

// DefaultConsent is what holds until a learner says otherwise.
func DefaultConsent() Consent { return Consent{Personalisation: true, Exploration: true} }

// Learner is a person known to the platform, or an anonymous visitor.
type Learner struct {
	ID             string    `json:"id"`                  // external id, or the anonymous id
	Anonymous      bool      `json:"anonymous,omitempty"` // ID is an anonymous id
	Interests      []string  `json:"interests,omitempty"` // free words or skills
	Goal           string    `json:"goal,omitempty"`      // an occupation or a sentence
	WeeklyHours    *float64  `json:"weekly_hours,omitempty"`
	PreferredLevel Level     `json:"preferred_level,omitempty"`
	Languages      []string  `json:"languages,omitempty"` // BCP 47, best first
	Region         string    `json:"region,omitempty"`
	Organisations  []string  `json:"organisations,omitempty"`
	Minor          bool      `json:"minor,omitempty"`   // a child: nothing is tried out on them
	Consent        *Consent  `json:"consent,omitempty"` // nil on a write means unchanged
	CreatedAt      time.Time `json:"created_at,omitzero"`
	UpdatedAt      time.Time `json:"updated_at,omitzero"`
}

// LearnerRef names a learner by external id, or a visitor by anonymous id. The
// zero value is nobody we know.
type LearnerRef struct {
	ID          string
	AnonymousID string
}

// IsZero reports whether the reference names nobody.
func (r LearnerRef) IsZero() bool { return r.ID == "" && r.AnonymousID == "" }

// CourseState is what a learner has done with a course, as a bit set.
type CourseState uint16

// The states that a learner's events leave behind.
const (
	StateClicked CourseState = 1 << iota
	StateSaved
	StateEnrolled
	StateProgressed
	StateCompleted
	StateDropped
	StateDismissed
	StateRated
	// StateLeftOut is never stored: feedback keeps the course out of every list but
	// searches, see Feedback.
	StateLeftOut
)

// StateSeen are the states that keep a course out of "what next" lists: the
// learner has taken it, or has said no to it.
const StateSeen = StateEnrolled | StateProgressed | StateCompleted | StateDropped | StateDismissed | StateRated | StateLeftOut

// ProfileEntry is what one course weighs in one learner's profile.
type ProfileEntry struct {
	CourseID string        // external id
	Weight   float64       // as of WeightAt; negative pushes away
	WeightAt time.Time     // UTC
	HalfLife time.Duration // with which the store decays Weight when it adds to it, > 0
	State    CourseState   // what the learner did
	LastAt   time.Time     // latest event, UTC
	Progress float64       // greatest share done that was reported, in [0, 1]
}

// ProfileDelta is what one event adds to a profile. The store adds it to the
// entry of the event's learner and course, decaying the older of the two to the
// newer one's time, so that the order of arrival does not matter.
type ProfileDelta struct {
	Weight   float64
	HalfLife time.Duration // > 0
	State    CourseState
	Progress float64 // share done, in [0, 1]; the store keeps the greatest
}

// Profile is all that ranking needs to know of a learner. Vectors are derived
// from it, so that it survives a change of embedder.
type Profile struct {
	Learner     Learner
	Version     int64 // rises with every change
	Entries     []ProfileEntry
	Corrections Corrections
	Feedback    []Feedback // that holds, newest first, see HoldingFeedback; without comments
}
