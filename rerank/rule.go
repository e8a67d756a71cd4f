package rerank

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// RuleAction is what a rule does with the courses it is about.
type RuleAction string

// The actions, the stronger first where two rules are about the same course.
const (
	RuleHide  RuleAction = "hide"  // never in a list
	RulePin   RuleAction = "pin"   // at Position
	RuleBury  RuleAction = "bury"  // lower: score × (1 − Strength)
	RuleBoost RuleAction = "boost" // higher: score + Strength × (1 − score)
)

// Rule is a decision of an administrator about some courses: those that match every
// selector that is set (of each, any of its values).
type Rule struct {
	ID         string            `json:"id"`
	Action     RuleAction        `json:"action"`
	Courses    []string          `json:"courses,omitempty"`    // ids
	Skills     []string          `json:"skills,omitempty"`     // names
	Categories []string          `json:"categories,omitempty"` // names
	Providers  []string          `json:"providers,omitempty"`  // names
	Surfaces   []lectern.Surface `json:"surfaces,omitempty"`   // none is every surface
	Rows       []lectern.Row     `json:"rows,omitempty"`       // of home; none is every row and the list
	Audience   Audience          `json:"audience,omitzero"`
	From       *time.Time        `json:"from,omitempty"`     // inclusive
	Until      *time.Time        `json:"until,omitempty"`    // exclusive
	Position   int               `json:"position,omitempty"` // pin: 0-based place of the first course, in the order of Courses, else by score
	Count      int               `json:"count,omitempty"`    // pin by anything but Courses: how many of the best; 0 is 1
	Strength   float64           `json:"strength,omitempty"` // boost, bury: over 0, at most 1; 0 is DefaultStrength
	Off        bool              `json:"off,omitempty"`      // kept, but without effect
	Note       string            `json:"note,omitempty"`     // why, for people
}

// Audience is a part of all who see lists: those who meet every condition that is
// set (of each, any of its values). The zero value is everybody.
type Audience struct {
	SignedIn      *bool           `json:"signed_in,omitempty"`   // learners; false: visitors and nobody
	MinCourses    int             `json:"min_courses,omitempty"` // courses they did something with, at least
	MaxCourses    *int            `json:"max_courses,omitempty"` // ... at most
	Languages     []string        `json:"languages,omitempty"`   // BCP 47; en means en-GB too
	Regions       []string        `json:"regions,omitempty"`
	Organisations []string        `json:"organisations,omitempty"`
	Levels        []lectern.Level `json:"levels,omitempty"`
}

// Who is whom a list is for, as rules and segments tell people apart.
type Who struct {
	SignedIn      bool
	Courses       int      // that they did something with
	Languages     []string // as lectern.LanguageKeys
	Region        string
	Organisations []string
	Level         lectern.Level
}
