package learner

import (
	"context"

	"github.com/lectern-dev/lectern"
)

// Sources is what a profile is made from beside the store's entries. Each may be
// nil: then what needs it stays unknown.
type Sources struct {
	Courses     Courses     // levels, removed interests, names of interests
	Skills      Skills      // skills gained and wanted
	Events      Events      // hours a week
	Corrections Corrections // lets learners correct what is known
}

// CourseFacts is what a profile needs to know of a course.
type CourseFacts struct {
	ID         string // "" for a course that is not known
	Title      string
	Skills     []string // as the platform writes them
	Categories []string
	Level      lectern.Level
	Hours      *float64 // of work in all; nil is unknown
}

// Courses knows the catalogue. *Catalogue is one.
type Courses interface {
	// Facts returns what is known of courses, in the order of ids.
	Facts(ids []string) []CourseFacts
	// Rate is the share of all courses that have a skill or category, folded with
	// lectern.FoldKey; in [0, 1].
	Rate(label string) float64
}

// SkillAmount is a skill with how much of it there is, in (0, 1]: how sure a course
// teaches it, or how much a goal takes it.
type SkillAmount struct {
	ID     string // of the skill graph; "" for a platform's own tag that the graph does not know
	Name   string
	Amount float64
}

// Skills knows what courses teach and what goals take.
type Skills interface {
	// Taught returns what a course teaches: the platform's own tags, and what is
	// read from its text.
	Taught(c CourseFacts) []SkillAmount
	// Asked returns what a goal takes: an occupation, or a sentence.
	Asked(goal string) []SkillAmount
}

// Events reads what learners did. lectern.EventStore is one.
type Events interface {
	LearnerEvents(ctx context.Context, ref lectern.LearnerRef, limit int) ([]lectern.Event, error)
}

// Corrections keeps what learners said about their profiles. lectern.ProfileStore
// is one.
type Corrections interface {
	PutCorrections(ctx context.Context, ref lectern.LearnerRef, c lectern.Corrections) error
}

var (
	_ Courses     = (*Catalogue)(nil)
	_ Events      = lectern.EventStore(nil)
	_ Corrections = lectern.ProfileStore(nil)
)

// facts returns what is known of courses, as long as ids in any case.
func (s Sources) facts(entries []weighted) []CourseFacts {
	if s.Courses == nil || len(entries) == 0 {
		return make([]CourseFacts, len(entries))
	}
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	return s.Courses.Facts(ids)
}
