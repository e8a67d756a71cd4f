package main

import (
	"cmp"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/skills"
)

// skillDirectory shows an index of skills to the API.
type skillDirectory struct{ index *skills.Index }

var _ api.Skills = skillDirectory{}

// directoryOf is nil where skills are switched off.
func directoryOf(x *skills.Index) api.Skills {
	if x == nil {
		return nil
	}
	return skillDirectory{x}
}

func (d skillDirectory) graph() *skills.Graph { return d.index.Matcher().Graph() }

func (d skillDirectory) FindSkills(query string, limit int) []api.SkillEntry {
	found := d.index.SearchSkills(query, limit)
	out := make([]api.SkillEntry, len(found))
	for i, f := range found {
		out[i] = api.SkillEntry{ID: f.ID, Name: f.Name, Aliases: f.Aliases, Courses: f.Courses}
	}
	return out
}

func (d skillDirectory) Skill(id string) (api.SkillDetail, bool) {
	g := d.graph()
	s, ok := g.Skill(id)
	if !ok {
		return api.SkillDetail{}, false
	}
	out := api.SkillDetail{
		SkillEntry: d.entry(id), Phrases: s.Phrases, Broader: d.entries(s.Broader), Narrower: d.entries(g.Narrower(id)),
		Related: d.entries(s.Related), Prerequisites: d.entries(s.Requires),
	}
	for _, n := range g.NeededBy(id) {
		out.Occupations = append(out.Occupations, api.SkillNeed{ID: n.Occupation.ID, Name: n.Occupation.Name, Importance: n.Importance})
	}
	for _, c := range d.index.Courses(id) {
		out.Best = append(out.Best, api.SkillCourse{ID: c.CourseID, Confidence: c.Score})
	}
	return out, true
}

func (d skillDirectory) entry(id string) api.SkillEntry {
	s, _ := d.graph().Skill(id)
	return api.SkillEntry{ID: s.ID, Name: s.Name, Aliases: s.Aliases, Courses: d.index.Count(id)}
}

func (d skillDirectory) entries(ids []string) []api.SkillEntry {
	out := make([]api.SkillEntry, len(ids))
	for i, id := range ids {
		out[i] = d.entry(id)
	}
	return out
}

func (d skillDirectory) FindOccupations(query string, limit int) []api.OccupationEntry {
	found := d.index.SearchOccupations(query, limit)
	out := make([]api.OccupationEntry, len(found))
	for i, f := range found {
		out[i] = api.OccupationEntry{ID: f.ID, Name: f.Name, Aliases: f.Aliases}
	}
	return out
}

func (d skillDirectory) Occupation(id string) (api.OccupationDetail, bool) {
	o, ok := d.graph().Occupation(id)
	if !ok {
		return api.OccupationDetail{}, false
	}
	out := api.OccupationDetail{OccupationEntry: api.OccupationEntry{ID: o.ID, Name: o.Name, Aliases: o.Aliases}, Phrases: o.Phrases}
	for skill, weight := range o.Skills {
		out.Skills = append(out.Skills, api.OccupationSkill{SkillEntry: d.entry(skill), Importance: weight})
	}
	slices.SortFunc(out.Skills, func(a, b api.OccupationSkill) int {
		return cmp.Or(cmp.Compare(b.Importance, a.Importance), cmp.Compare(a.ID, b.ID))
	})
	return out, true
}

func (d skillDirectory) CourseSkills(c lectern.Course) []api.CourseSkill {
	tags := d.index.Matcher().Tag(c)
	out := make([]api.CourseSkill, len(tags))
	for i, t := range tags {
		s, _ := d.graph().Skill(t.SkillID)
		out[i] = api.CourseSkill{ID: s.ID, Name: s.Name, Confidence: t.Confidence}
		for _, e := range t.Evidence {
			out[i].Evidence = append(out[i].Evidence, api.SkillEvidence(e))
		}
	}
	return out
}
