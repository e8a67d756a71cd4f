package main

import (
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/skills"
)

// TestLearnerSkills asks the skill graph what courses teach and goals take.
func TestLearnerSkills(t *testing.T) {
	x, err := newSkills(skills.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	course := lectern.Course{
		ID: "c", Title: "SQL for Beginners", Skills: []string{"structured query language", "Our Own Thing"},
		Description: "Queries, joins and relational databases with SQL.",
	}
	if err := x.Apply(t.Context(), []lectern.Course{course}, nil, true); err != nil {
		t.Fatal(err)
	}
	if err := x.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := newLearnerSkills(x)
	taught := s.Taught(learner.CourseFacts{ID: course.ID, Title: course.Title, Skills: course.Skills})
	find := func(list []learner.SkillAmount, name string) learner.SkillAmount {
		i := slices.IndexFunc(list, func(a learner.SkillAmount) bool { return a.Name == name })
		if i < 0 {
			return learner.SkillAmount{}
		}
		return list[i]
	}
	sql := find(taught, "SQL")
	if sql.ID == "" || sql.Amount != 1 {
		t.Errorf("SQL, which the platform tags by another name: %+v of %+v", sql, taught)
	}
	if own := find(taught, "Our Own Thing"); own.ID != "" || own.Amount != 1 {
		t.Errorf("a tag that the graph does not know: %+v", own)
	}
	seen := map[string]bool{}
	for _, a := range taught {
		if a.ID != "" && seen[a.ID] {
			t.Errorf("%s twice", a.ID)
		}
		seen[a.ID] = true
	}
	for _, goal := range []string{"data analyst", "I want to work as a data analyst"} {
		asked := s.Asked(goal)
		if a := find(asked, "SQL"); a.Amount <= 0 || a.Amount > 1 || len(asked) < 3 {
			t.Errorf("%q takes %+v", goal, asked)
		}
	}
	if asked := s.Asked("learn sql"); find(asked, "SQL").Amount != 1 {
		t.Errorf("a sentence asks for %+v", asked)
	}
	if newLearnerSkills(nil) != nil {
		t.Error("skills that are switched off answer")
	}
}
