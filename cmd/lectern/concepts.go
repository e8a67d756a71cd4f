package main

import (
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/skills"
)

// concepts lets searches ask the skill graph.
type concepts struct{ index *skills.Index }

var _ retrieve.Concepts = concepts{}

// newConcepts is nil where skills are switched off.
func newConcepts(x *skills.Index) retrieve.Concepts {
	if x == nil {
		return nil
	}
	return concepts{x}
}

// Ready reports whether the catalogue is tagged.
func (c concepts) Ready() bool { return c.index.Ready() }

// Expand returns the skills that a query asks for.
func (c concepts) Expand(query string) []retrieve.Concept {
	terms := c.index.Matcher().Expand(query)
	if len(terms) == 0 {
		return nil
	}
	graph := c.index.Matcher().Graph()
	out := make([]retrieve.Concept, len(terms))
	for i, t := range terms {
		s, _ := graph.Skill(t.SkillID)
		out[i] = retrieve.Concept{ID: t.SkillID, Name: s.Name, Weight: t.Weight}
	}
	return out
}

// Rank returns the courses that teach what is asked for.
func (c concepts) Rank(asked []retrieve.Concept, k int, allow func(string) bool) []lectern.Hit {
	terms := make([]skills.Term, len(asked))
	for i, a := range asked {
		terms[i] = skills.Term{SkillID: a.ID, Weight: a.Weight}
	}
	found := c.index.Rank(terms, k, allow)
	out := make([]lectern.Hit, len(found))
	for i, s := range found {
		out[i] = lectern.Hit{ID: s.CourseID, Score: float32(s.Score)}
	}
	return out
}

// broaderSays is how much less a skill says for one that is broader, each step;
// see skills.Index.Courses.
const broaderSays = 0.7

// Taught names the skill of a course that says most for what is asked for: one of
// those asked for, or one that is narrower by a step or two.
func (c concepts) Taught(asked []retrieve.Concept, courseID string) string {
	graph := c.index.Matcher().Graph()
	best, name := 0.0, ""
	for _, t := range c.index.Tags(courseID) {
		s, ok := graph.Skill(t.SkillID)
		if !ok {
			continue
		}
		for _, a := range asked {
			if v := a.Weight * t.Confidence * above(graph, s, a.ID); v > best {
				best, name = v, s.Name
			}
		}
	}
	return name
}

// Teaching goes by the skill graph, and by the names that the platform gives where that
// knows none of them.
func (c concepts) Teaching(names []string) func(courseID string, stated []string, sure []float64) {
	graph := c.index.Matcher().Graph()
	byName, byID := make(map[string]int), make(map[string]int, len(names))
	for place, name := range names {
		byName[lectern.FoldKey(name)] = place
		ids := graph.Find(name)
		if len(ids) != 1 {
			continue
		}
		s, _ := graph.Skill(ids[0])
		byID[s.ID] = place
		for _, alias := range s.Aliases {
			if _, taken := byName[lectern.FoldKey(alias)]; !taken {
				byName[lectern.FoldKey(alias)] = place
			}
		}
	}
	return func(courseID string, stated []string, sure []float64) {
		clear(sure)
		for _, s := range stated {
			if place, ok := byName[s]; ok {
				sure[place] = 1
			}
		}
		for _, t := range c.index.Tags(courseID) {
			if place, ok := byID[t.SkillID]; ok {
				sure[place] = max(sure[place], t.Confidence)
			}
		}
	}
}

// above is how much a skill says for another: 1 for itself, less for what is
// broader, 0 for anything else.
func above(graph *skills.Graph, s skills.Skill, id string) float64 {
	if s.ID == id {
		return 1
	}
	if slices.Contains(s.Broader, id) {
		return broaderSays
	}
	for _, b := range s.Broader {
		if up, ok := graph.Skill(b); ok && slices.Contains(up.Broader, id) {
			return broaderSays * broaderSays
		}
	}
	return 0
}
