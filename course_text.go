package lectern

import (
	"slices"
	"strings"
)

// TextSection is the text of one field of a course.
type TextSection struct {
	Field CourseField
	Text  string
}

// Sections returns the course's searchable text field by field, most telling
// first, without the fields in leaveOut and without empty ones.
func (c Course) Sections(leaveOut ...CourseField) []TextSection {
	all := []TextSection{
		{FieldTitle, c.Title},
		{FieldSkills, strings.Join(c.Skills, "; ")},
		{FieldCategories, strings.Join(c.Categories, "; ")},
		{FieldDescription, c.Description},
		{FieldSyllabus, strings.Join(c.Syllabus, "; ")},
		{FieldProvider, c.Provider},
		{FieldInstructors, strings.Join(c.Instructors, "; ")},
	}
	return slices.DeleteFunc(all, func(s TextSection) bool {
		return strings.TrimSpace(s.Text) == "" || slices.Contains(leaveOut, s.Field)
	})
}

// EmbeddingText is the text that is embedded as VectorContent: the title on the
// first line, then skills, categories, description and syllabus, a line each.
// Names of people and providers are left to the words side. Its HashContent is
// the course's content hash.
func (c Course) EmbeddingText(leaveOut ...CourseField) string {
	leaveOut = append([]CourseField{FieldProvider, FieldInstructors}, leaveOut...)
	sections := c.Sections(leaveOut...)
	size := 0
	for _, s := range sections {
		size += len(s.Text) + 1
	}
	var b strings.Builder
	b.Grow(size)
	for i, s := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		first := true
		for word := range strings.FieldsSeq(s.Text) {
			if !first {
				b.WriteByte(' ')
			}
			first = false
			b.WriteString(word)
		}
	}
	return b.String()
}
