package learner

import (
	"cmp"
	"slices"

	"github.com/lectern-dev/lectern"
)

// skill is one that a learner has or wants.
type skill struct {
	SkillAmount
	courses []string // that taught it, by id
}

// skillKey names a skill: by its place in the graph, or as the platform writes it.
func skillKey(s SkillAmount) string {
	if s.ID != "" {
		return s.ID
	}
	return "=" + lectern.FoldKey(s.Name)
}

// gained are the skills of the courses that the learner completed, those with most
// amount first: 1 − Π (1 − what each course is sure to teach).
func (s Sources) gained(entries []weighted, facts []CourseFacts) []skill {
	if s.Skills == nil {
		return nil
	}
	at := make(map[string]int)
	var out []skill
	for i, e := range entries {
		if e.state&lectern.StateCompleted == 0 || facts[i].ID == "" {
			continue
		}
		for _, t := range s.Skills.Taught(facts[i]) {
			key := skillKey(t)
			j, ok := at[key]
			if !ok {
				j = len(out)
				at[key] = j
				out = append(out, skill{SkillAmount: SkillAmount{ID: t.ID, Name: t.Name}})
			}
			out[j].Amount = 1 - (1-out[j].Amount)*(1-min(t.Amount, 1))
			if !slices.Contains(out[j].courses, e.id) {
				out[j].courses = append(out[j].courses, e.id)
			}
		}
	}
	for i := range out {
		slices.Sort(out[i].courses)
	}
	sortSkills(out)
	return out
}

// wanted are the skills that a goal takes, less what the learner has of them, most
// important first. A skill of which less than a tenth is left is no longer wanted.
func (s Sources) wanted(goal string, gained []skill) []skill {
	if s.Skills == nil || goal == "" {
		return nil
	}
	have := make(map[string]float64, len(gained))
	for _, g := range gained {
		have[skillKey(g.SkillAmount)] = g.Amount
	}
	var out []skill
	for _, a := range s.Skills.Asked(goal) {
		left := 1 - have[skillKey(a)]
		if left < leastWanted {
			continue
		}
		a.Amount *= left
		out = append(out, skill{SkillAmount: a})
	}
	sortSkills(out)
	return out
}

const leastWanted = 0.1

// sortSkills puts the largest amounts first.
func sortSkills(s []skill) {
	slices.SortFunc(s, func(a, b skill) int {
		return cmp.Or(cmp.Compare(b.Amount, a.Amount), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}
