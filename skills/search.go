package skills

import (
	"cmp"
	"slices"
	"strings"
)

// listed is a name as SearchSkills and SearchOccupations look through it.
type listed struct {
	key   string // its words, with a space before each
	owner int32
	form  form
}

// listing folds all names of one sort.
func (m *Matcher) listing(n int, names func(i int) []named) []listed {
	var out []listed
	for i := range n {
		for _, name := range names(i) {
			out = append(out, listed{m.searchKey(name.text), int32(i), name.form})
		}
	}
	return out
}

// searchKey folds a text for looking through names.
func (m *Matcher) searchKey(s string) string {
	var b strings.Builder
	for _, w := range m.reader.read(nil, s) {
		b.WriteByte(' ')
		b.WriteString(american(w.surface))
	}
	return b.String()
}

// How well a name answers, best first. Forms come between.
const (
	fitWhole = iota * 3
	fitStart
	fitWords
	fitNot
)

// fit says how well a name answers what was typed, whose last word may be
// unfinished.
func (l listed) fit(typed string) int {
	switch at := strings.Index(l.key, typed); {
	case l.key == typed:
		return fitWhole + int(l.form)
	case at == 0:
		return fitStart + int(l.form)
	case at > 0:
		return fitWords + int(l.form)
	}
	for w := range strings.FieldsSeq(typed) { // in another order
		if !strings.Contains(l.key, " "+w) {
			return fitNot
		}
	}
	return fitWords + int(l.form)
}

// fits returns the best fit of each owner.
func fits(names []listed, typed string) map[int32]int {
	best := make(map[int32]int)
	for _, l := range names {
		f := l.fit(typed)
		if old, ok := best[l.owner]; f < fitNot && (!ok || f < old) {
			best[l.owner] = f
		}
	}
	return best
}

// SearchSkills returns the skills whose name, alias or phrase is, starts with or
// holds what was typed, in this order and names first, then those with most
// courses; after them what Expand makes of it. Without a query, it returns the
// skills with most courses.
func (x *Index) SearchSkills(query string, limit int) []Named {
	m := x.matcher
	typed := m.searchKey(cutQuery(query))
	found := fits(m.skillNames(), typed)
	if typed == "" {
		clear(found)
		for i := range m.graph.skills {
			if x.courses[i].Load() > 0 {
				found[int32(i)] = 0
			}
		}
	}
	for n, t := range m.Expand(query) {
		i := m.graph.skillAt[t.SkillID]
		if _, ok := found[i]; !ok {
			found[i] = fitNot + n
		}
	}
	out := make([]Named, 0, len(found))
	for i := range found {
		s := &m.graph.skills[i]
		out = append(out, Named{s.ID, s.Name, s.Aliases, s.Phrases, int(x.courses[i].Load())})
	}
	slices.SortFunc(out, func(a, b Named) int {
		return cmp.Or(
			cmp.Compare(found[m.graph.skillAt[a.ID]], found[m.graph.skillAt[b.ID]]),
			cmp.Compare(b.Courses, a.Courses), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), max(limit, 0))]
}

// SearchOccupations does for occupations what SearchSkills does for skills;
// without a query it returns them by name.
func (x *Index) SearchOccupations(query string, limit int) []Occupation {
	m := x.matcher
	typed := m.searchKey(cutQuery(query))
	found := fits(m.occupationNames(), typed)
	out := make([]Occupation, 0, len(found))
	for i := range found {
		out = append(out, m.graph.occupations[i])
	}
	slices.SortFunc(out, func(a, b Occupation) int {
		fit := 0
		if typed != "" {
			fit = cmp.Compare(found[m.graph.occAt[a.ID]], found[m.graph.occAt[b.ID]])
		}
		return cmp.Or(fit, cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), max(limit, 0))]
}

// Need is an occupation that takes a skill.
type Need struct {
	Occupation Occupation
	Importance float64 // in (0, 1]
}

// NeededBy returns the occupations that take a skill, those that take it most
// first.
func (g *Graph) NeededBy(skillID string) []Need {
	var out []Need
	for _, o := range g.occupations {
		if w := o.Skills[skillID]; w > 0 {
			out = append(out, Need{o, w})
		}
	}
	slices.SortStableFunc(out, func(a, b Need) int { return cmp.Compare(b.Importance, a.Importance) })
	return out
}
