package ingest

import (
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

type course = lectern.Course

var courseSchema = newSchema(Courses, nil,
	binding[course]{idField("id", true), func(c *course, v value) { c.ID = v.text }},
	binding[course]{textField("title", MaxTitleChars), func(c *course, v value) { c.Title = v.text }},
	binding[course]{textField("description", MaxDescriptionChars), func(c *course, v value) { c.Description = v.text }},
	binding[course]{plainField("language", TypeLanguage), func(c *course, v value) { c.Language = v.text }},
	binding[course]{textField("provider", MaxNameChars), func(c *course, v value) { c.Provider = v.text }},
	binding[course]{listField("instructors", TypeTexts, MaxNameChars), func(c *course, v value) { c.Instructors = v.list }},
	binding[course]{listField("categories", TypeTexts, MaxNameChars), func(c *course, v value) { c.Categories = v.list }},
	binding[course]{listField("skills", TypeTexts, MaxNameChars), func(c *course, v value) { c.Skills = v.list }},
	binding[course]{wordField("level", lectern.Levels()), func(c *course, v value) { c.Level = lectern.Level(v.text) }},
	binding[course]{numberField("workload_hours", TypeNumber, 0, MaxHours), func(c *course, v value) { c.WorkloadHours = v.numberPtr() }},
	binding[course]{listField("syllabus", TypeTexts, MaxSyllabusChars), func(c *course, v value) { c.Syllabus = v.list }},
	binding[course]{listField("prerequisites", TypeIDs, 0), func(c *course, v value) { c.Prerequisites = v.list }},
	binding[course]{plainField("published_at", TypeTime), func(c *course, v value) { c.PublishedAt = v.timePtr() }},
	binding[course]{plainField("updated_at", TypeTime), func(c *course, v value) { c.UpdatedAt = v.timePtr() }},
	binding[course]{wordField("availability.status", lectern.Statuses()), func(c *course, v value) { c.Availability.Status = lectern.Status(v.text) }},
	binding[course]{plainField("availability.enrol_from", TypeTime), func(c *course, v value) { c.Availability.EnrolFrom = v.timePtr() }},
	binding[course]{plainField("availability.enrol_until", TypeTime), func(c *course, v value) { c.Availability.EnrolUntil = v.timePtr() }},
	binding[course]{listField("availability.regions", TypeTexts, MaxNameChars), func(c *course, v value) { c.Availability.Regions = v.list }},
	binding[course]{listField("availability.organisations", TypeTexts, MaxNameChars), func(c *course, v value) { c.Availability.Organisations = v.list }},
	binding[course]{Field{Name: "url", Type: TypeURL, Max: MaxURLChars}, func(c *course, v value) { c.URL = v.text }},
	binding[course]{Field{Name: "image_url", Type: TypeURL, Max: MaxURLChars}, func(c *course, v value) { c.ImageURL = v.text }},
	binding[course]{numberField("stated.rating_mean", TypeNumber, lectern.MinStars, lectern.MaxStars), func(c *course, v value) { c.Stated.RatingMean = v.number }},
	binding[course]{numberField("stated.rating_count", TypeInteger, 0, MaxCount), func(c *course, v value) { c.Stated.RatingCount = int(v.number) }},
	binding[course]{numberField("stated.enrolments", TypeInteger, 0, MaxCount), func(c *course, v value) { c.Stated.Enrolments = int(v.number) }},
	binding[course]{Field{Name: "extra", Type: TypeObject, Max: MaxObjectBytes}, func(c *course, v value) { c.Extra = v.object }},
)

// numberPtr is nil for null.
func (v value) numberPtr() *float64 {
	if v.null {
		return nil
	}
	return &v.number
}

// timePtr is nil for null.
func (v value) timePtr() *time.Time {
	if v.null {
		return nil
	}
	return &v.time
}

// DecodeCourse decodes canonical JSON as a patch of exactly the fields that are
// present; null clears a field.
func DecodeCourse(data []byte) (lectern.CoursePatch, error) { return Decoder{}.Course(data) }

// Course decodes canonical JSON.
func (d Decoder) Course(data []byte) (lectern.CoursePatch, error) {
	return decodeJSON(d, Courses, data, d.CourseRecord)
}

// CourseRecord decodes a record.
func (d Decoder) CourseRecord(rec Record) (lectern.CoursePatch, error) {
	rec, problems := d.withID(rec)
	patch := lectern.CoursePatch{Replace: d.Replace}
	present, more := courseSchema.read(rec, &patch.Course)
	problems = append(problems, more...)
	c := &patch.Course
	titled := slices.Contains(present, "title")
	switch {
	case titled && c.Title == "" && !named(problems, "title"):
		problems = append(problems, missing("title", "is empty", "a text"))
	case !titled && d.Replace:
		problems = append(problems, missing("title", "is required", "a text"))
	}
	if c.ID != "" && slices.Contains(c.Prerequisites, c.ID) {
		problems = append(problems, lectern.NewFieldError("prerequisites", c.ID, "names the course itself", "ids of other courses"))
	}
	if from, until := c.Availability.EnrolFrom, c.Availability.EnrolUntil; from != nil && until != nil && until.Before(*from) {
		problems = append(problems, lectern.NewFieldError("availability.enrol_until", until.Format(time.RFC3339), "lies before enrol_from", ""))
	}
	if err := invalid(Courses, problems); err != nil {
		return lectern.CoursePatch{}, err
	}
	if !d.Replace {
		for _, f := range present {
			if f != "id" {
				patch.Fields = append(patch.Fields, lectern.CourseField(f))
			}
		}
	}
	return patch, nil
}

func named(problems []lectern.FieldError, field string) bool {
	return slices.ContainsFunc(problems, func(p lectern.FieldError) bool { return p.Field == field })
}
