package api

import (
	"math"

	"github.com/lectern-dev/lectern"
)

type skillListDTO struct {
	Skills []foundSkillDTO `json:"skills"`
}

type skillRefDTO struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Courses int    `json:"courses"`
}

type foundSkillDTO struct {
	skillRefDTO
	Aliases []string `json:"aliases"`
}

type skillDTO struct {
	foundSkillDTO
	Phrases       []string         `json:"phrases"`
	Broader       []skillRefDTO    `json:"broader"`
	Narrower      []skillRefDTO    `json:"narrower"`
	Related       []skillRefDTO    `json:"related"`
	Prerequisites []skillRefDTO    `json:"prerequisites"`
	Occupations   []needDTO        `json:"occupations"`
	TopCourses    []skillCourseDTO `json:"top_courses"`
}

type needDTO struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Importance float64 `json:"importance"`
}

type skillCourseDTO struct {
	CourseID   string  `json:"course_id"`
	Title      string  `json:"title"`
	Confidence float64 `json:"confidence"`
}

type occupationListDTO struct {
	Occupations []foundOccupationDTO `json:"occupations"`
}

type foundOccupationDTO struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

type occupationDTO struct {
	foundOccupationDTO
	Phrases []string             `json:"phrases"`
	Skills  []occupationSkillDTO `json:"skills"`
}

type occupationSkillDTO struct {
	skillRefDTO
	Importance float64 `json:"importance"`
}

type courseSkillsDTO struct {
	CourseID string           `json:"course_id"`
	Skills   []courseSkillDTO `json:"skills"`
}

type courseSkillDTO struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Confidence float64       `json:"confidence"`
	Evidence   []evidenceDTO `json:"evidence"`
}

type evidenceDTO struct {
	Field lectern.CourseField `json:"field"`
	Name  string              `json:"name"`
	Count int                 `json:"count"`
}

func skillRefOf(e SkillEntry) skillRefDTO { return skillRefDTO{e.ID, e.Name, e.Courses} }

func skillRefs(in []SkillEntry) []skillRefDTO {
	out := make([]skillRefDTO, len(in))
	for i, e := range in {
		out[i] = skillRefOf(e)
	}
	return out
}

// neverNull is a list that is never null.
func neverNull(in []string) []string {
	if in == nil {
		return []string{}
	}
	return in
}

// shownScore leaves out digits that say nothing.
func shownScore(x float64) float64 { return math.Round(x*1e4) / 1e4 }
