package main

import (
	"context"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/skills"
)

// newTastes wires what is known of learners.
func newTastes(e *engine) (*learner.Profiles, error) {
	from := learner.Sources{
		Courses: e.courseFacts, Skills: newLearnerSkills(e.skills), Events: e.store, Corrections: e.store,
	}
	return learner.NewProfilesFrom(e.store, from, e.config.Learner, lectern.SystemClock)
}

// factsSink hands what the pipeline read on to what profiles ask about courses.
type factsSink struct{ courses *learner.Catalogue }

var _ indexing.Sink = factsSink{}

func (s factsSink) Apply(ctx context.Context, b indexing.Batch) error {
	courses := make([]lectern.Course, len(b.Upserts))
	for i, u := range b.Upserts {
		courses[i] = u.Course
	}
	return s.courses.Apply(ctx, courses, b.Deletes, b.Reset)
}

// countedProfiles are profiles with their learners' feedback, and without what they
// removed, for suggestions, which make a taste of their own.
type countedProfiles struct {
	lectern.LearnerStore
	courses *learner.Catalogue
	config  learner.Config
}

// Profile returns what of a profile counts.
func (c countedProfiles) Profile(ctx context.Context, ref lectern.LearnerRef) (lectern.Profile, error) {
	p, err := c.LearnerStore.Profile(ctx, ref)
	if err != nil {
		return p, err
	}
	return learner.Sources{Courses: c.courses}.Counted(c.config.Fold(p, lectern.SystemClock())), nil
}

// learnerSkills lets profiles ask the skill graph.
type learnerSkills struct{ index *skills.Index }

var _ learner.Skills = learnerSkills{}

// newLearnerSkills is nil where skills are switched off.
func newLearnerSkills(x *skills.Index) learner.Skills {
	if x == nil {
		return nil
	}
	return learnerSkills{x}
}

// Taught returns the platform's own tags, under the graph's name where it knows
// one, and what the course's text speaks of.
func (s learnerSkills) Taught(c learner.CourseFacts) []learner.SkillAmount {
	graph := s.index.Matcher().Graph()
	var out []learner.SkillAmount
	add := func(a learner.SkillAmount) {
		i := slices.IndexFunc(out, func(o learner.SkillAmount) bool {
			return a.ID != "" && o.ID == a.ID || lectern.FoldKey(o.Name) == lectern.FoldKey(a.Name)
		})
		if i < 0 {
			out = append(out, a)
			return
		}
		out[i].Amount = max(out[i].Amount, a.Amount)
	}
	for _, name := range c.Skills {
		a := learner.SkillAmount{Name: name, Amount: 1}
		if ids := graph.Find(name); len(ids) == 1 {
			known, _ := graph.Skill(ids[0])
			a.ID, a.Name = known.ID, known.Name
		}
		add(a)
	}
	for _, t := range s.index.Tags(c.ID) {
		if known, ok := graph.Skill(t.SkillID); ok {
			add(learner.SkillAmount{ID: known.ID, Name: known.Name, Amount: t.Confidence})
		}
	}
	return out
}

// Asked returns the skills that an occupation takes, with their importance, where
// the goal is one or speaks of one; else what the goal's words ask for, the first
// with amount 1.
func (s learnerSkills) Asked(goal string) []learner.SkillAmount {
	m := s.index.Matcher()
	ids := occupationsIn(m.Graph(), goal)
	var terms []skills.Term
	if len(ids) == 0 {
		terms = m.Expand(goal)
	}
	amounts := make(map[string]float64)
	for _, id := range ids {
		o, _ := m.Graph().Occupation(id)
		for skill, importance := range o.Skills {
			amounts[skill] = max(amounts[skill], importance)
		}
	}
	for _, t := range terms {
		amounts[t.SkillID] = t.Weight / terms[0].Weight
	}
	out := make([]learner.SkillAmount, 0, len(amounts))
	for id, amount := range amounts {
		known, _ := m.Graph().Skill(id)
		out = append(out, learner.SkillAmount{ID: id, Name: known.Name, Amount: amount})
	}
	return out
}

// How much of a goal is looked through for an occupation.
const (
	goalWords       = 40
	occupationWords = 6
)

// occupationsIn returns the occupations with the longest name in a goal: "I want to
// work as a data analyst" names one.
func occupationsIn(g *skills.Graph, goal string) []string {
	words := strings.Fields(goal)
	words = words[:min(len(words), goalWords)]
	for n := min(len(words), occupationWords); n > 0; n-- {
		for i := range len(words) - n + 1 {
			if ids := g.FindOccupations(strings.Join(words[i:i+n], " ")); len(ids) > 0 {
				return ids
			}
		}
	}
	return nil
}
