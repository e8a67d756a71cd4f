package lectern

import (
	"encoding/json"
	"time"
)

// MaxIDBytes bounds every external id (course, learner, review, event).
const MaxIDBytes = 128

// Level is how demanding a course is. The empty level means unknown.
type Level string

// The levels a course can have.
const (
	LevelBeginner     Level = "beginner"
	LevelIntermediate Level = "intermediate"
	LevelAdvanced     Level = "advanced"
	LevelMixed        Level = "mixed" // for learners of any level
)

// Levels lists every known level in rising order; LevelMixed comes last.
func Levels() []Level {
	return []Level{LevelBeginner, LevelIntermediate, LevelAdvanced, LevelMixed}
}

// Status says whether lists may show a course.
type Status string

// The statuses of a course. Only StatusOpen courses appear in lists.
const (
	StatusOpen     Status = "open"
	StatusUnlisted Status = "unlisted" // reachable by id, in no list
	StatusRetired  Status = "retired"  // no longer offered
)

// Statuses lists every known status.
func Statuses() []Status { return []Status{StatusOpen, StatusUnlisted, StatusRetired} }

// Availability is when, where and to whom a course is offered. Zero times are
// open ends; empty lists mean no restriction.
type Availability struct {
	Status        Status     `json:"status,omitempty"` // "" is stored as open
	EnrolFrom     *time.Time `json:"enrol_from,omitempty"`
	EnrolUntil    *time.Time `json:"enrol_until,omitempty"`
	Regions       []string   `json:"regions,omitempty"`       // ISO 3166 codes, as the platform writes them
	Organisations []string   `json:"organisations,omitempty"` // the platform's organisation ids
}

// StatedStats are totals that a platform states about a course without giving
// the single ratings or enrolments behind them.
type StatedStats struct {
	RatingMean  float64 `json:"rating_mean,omitempty"`  // stars in [1, 5]; 0 means not stated
	RatingCount int     `json:"rating_count,omitempty"` // 0 means not stated
	Enrolments  int     `json:"enrolments,omitempty"`   // 0 means not stated
}

// Course is one course of the platform's catalogue.
type Course struct {
	ID            string                     `json:"id"`
	Title         string                     `json:"title"`
	Description   string                     `json:"description,omitempty"`
	Language      string                     `json:"language,omitempty"` // BCP 47, for example en or pt-BR
	Provider      string                     `json:"provider,omitempty"`
	Instructors   []string                   `json:"instructors,omitempty"`
	Categories    []string                   `json:"categories,omitempty"` // broad first
	Skills        []string                   `json:"skills,omitempty"`
	Level         Level                      `json:"level,omitempty"`
	WorkloadHours *float64                   `json:"workload_hours,omitempty"` // total hours; nil is unknown
	Syllabus      []string                   `json:"syllabus,omitempty"`
	Prerequisites []string                   `json:"prerequisites,omitempty"` // course ids
	PublishedAt   *time.Time                 `json:"published_at,omitempty"`
	UpdatedAt     *time.Time                 `json:"updated_at,omitempty"` // last substantial update of the course itself
	Availability  Availability               `json:"availability,omitzero"`
	URL           string                     `json:"url,omitempty"`
	ImageURL      string                     `json:"image_url,omitempty"`
	Stated        StatedStats                `json:"stated,omitzero"`
	Extra         map[string]json.RawMessage `json:"extra,omitempty"` // anything else the platform wants back
}

// CourseField names one field of a Course, as its JSON key.
type CourseField string

// The fields that a patch can name. "availability" and "stated" are replaced
// field by field below their own keys.
const (
	FieldTitle         CourseField = "title"
	FieldDescription   CourseField = "description"
	FieldLanguage      CourseField = "language"
	FieldProvider      CourseField = "provider"
	FieldInstructors   CourseField = "instructors"
	FieldCategories    CourseField = "categories"
	FieldSkills        CourseField = "skills"
	FieldLevel         CourseField = "level"
	FieldWorkloadHours CourseField = "workload_hours"
	FieldSyllabus      CourseField = "syllabus"
	FieldPrerequisites CourseField = "prerequisites"
	FieldPublishedAt   CourseField = "published_at"
	FieldUpdatedAt     CourseField = "updated_at"
	FieldStatus        CourseField = "availability.status"
	FieldEnrolFrom     CourseField = "availability.enrol_from"
	FieldEnrolUntil    CourseField = "availability.enrol_until"
	FieldRegions       CourseField = "availability.regions"
	FieldOrganisations CourseField = "availability.organisations"
	FieldURL           CourseField = "url"
	FieldImageURL      CourseField = "image_url"
	FieldRatingMean    CourseField = "stated.rating_mean"
	FieldRatingCount   CourseField = "stated.rating_count"
	FieldEnrolments    CourseField = "stated.enrolments"
	FieldExtra         CourseField = "extra" // merged key by key
)

// CourseFields lists every field a patch can name.
func CourseFields() []CourseField {
	return []CourseField{
		FieldTitle, FieldDescription, FieldLanguage, FieldProvider, FieldInstructors,
		FieldCategories, FieldSkills, FieldLevel, FieldWorkloadHours, FieldSyllabus,
		FieldPrerequisites, FieldPublishedAt, FieldUpdatedAt, FieldStatus, FieldEnrolFrom,
		FieldEnrolUntil, FieldRegions, FieldOrganisations, FieldURL, FieldImageURL,
		FieldRatingMean, FieldRatingCount, FieldEnrolments, FieldExtra,
	}
}

// CoursePatch is a write to one course. With Replace the stored course becomes
// Course exactly; without it only the named Fields change, and a course that
// does not exist yet is created from them.
type CoursePatch struct {
	Course  Course
	Fields  []CourseField // ignored with Replace
	Replace bool
}

// Apply returns base with the patch's fields laid over it. base may be the zero
// Course. It does not validate.
func (p CoursePatch) Apply(base Course) Course {
	if p.Replace {
		return p.Course
	}
	out := base
	out.ID = p.Course.ID
	for _, f := range p.Fields {
		out.set(f, p.Course)
	}
	return out
}

// set copies one field of from into c.
func (c *Course) set(f CourseField, from Course) {
	switch f {
	case FieldTitle:
		c.Title = from.Title
	case FieldDescription:
		c.Description = from.Description
	case FieldLanguage:
		c.Language = from.Language
	case FieldProvider:
		c.Provider = from.Provider
	case FieldInstructors:
		c.Instructors = from.Instructors
	case FieldCategories:
		c.Categories = from.Categories
	case FieldSkills:
		c.Skills = from.Skills
	case FieldLevel:
		c.Level = from.Level
	case FieldWorkloadHours:
		c.WorkloadHours = from.WorkloadHours
	case FieldSyllabus:
		c.Syllabus = from.Syllabus
	case FieldPrerequisites:
		c.Prerequisites = from.Prerequisites
	case FieldPublishedAt:
		c.PublishedAt = from.PublishedAt
	case FieldUpdatedAt:
		c.UpdatedAt = from.UpdatedAt
	case FieldStatus:
		c.Availability.Status = from.Availability.Status
	case FieldEnrolFrom:
		c.Availability.EnrolFrom = from.Availability.EnrolFrom
	case FieldEnrolUntil:
		c.Availability.EnrolUntil = from.Availability.EnrolUntil
	case FieldRegions:
		c.Availability.Regions = from.Availability.Regions
	case FieldOrganisations:
		c.Availability.Organisations = from.Availability.Organisations
	case FieldURL:
		c.URL = from.URL
	case FieldImageURL:
		c.ImageURL = from.ImageURL
	case FieldRatingMean:
		c.Stated.RatingMean = from.Stated.RatingMean
	case FieldRatingCount:
		c.Stated.RatingCount = from.Stated.RatingCount
	case FieldEnrolments:
		c.Stated.Enrolments = from.Stated.Enrolments
	case FieldExtra:
		merged := make(map[string]json.RawMessage, len(c.Extra)+len(from.Extra))
		for k, v := range c.Extra {
			merged[k] = v
		}
		for k, v := range from.Extra {
			merged[k] = v
		}
		c.Extra = merged
	}
}
