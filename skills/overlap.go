package skills

import (
	"github.com/lectern-dev/lectern"
)

// Overlap compares what Tag finds with the skill tags that a platform gave its
// courses. Neither is the truth: platforms tag what is not in the text and leave
// out what is.
type Overlap struct {
	Courses int // with a text and at least one tag of the platform's

	Tags       int // the platform's, once a course
	Known      int // of these: the graph has them, by name, alias or phrase
	Distinct   int // different tags of the platform's
	DistinctIn int // of these: the graph has them

	Found  int // what Tag found
	Agreed int // of what Tag found: the platform's tags say it, too
	Near   int // of what Tag found: they say it, or what is directly broader or narrower
	Wanted int // skills of the graph that the platform's tags say
}

// Precision is the share of what was found that the platform's tags say, too.
func (o Overlap) Precision() float64 { return share(o.Agreed, o.Found) }

// NearPrecision is Precision where a neighbour up or down counts as agreement.
func (o Overlap) NearPrecision() float64 { return share(o.Near, o.Found) }

// Recall is the share of what the platform's tags say, in words of the graph,
// that was found.
func (o Overlap) Recall() float64 { return share(o.Agreed, o.Wanted) }

// Coverage is the share of the platform's tags that the graph has.
func (o Overlap) Coverage() float64 { return share(o.Known, o.Tags) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Overlap tags courses by their text and compares that with their skill tags,
// for tags of at least the given confidence. Courses without skill tags are left
// out.
func (m *Matcher) Overlap(courses []lectern.Course, confidence float64) Overlap {
	var o Overlap
	distinct := make(map[string]bool)
	for _, c := range courses {
		wanted := make(map[string]bool)
		own := make(map[string]bool)
		for _, tag := range c.Skills {
			key := keyOf(m.reader.text, tag)
			if key == "" || own[key] {
				continue
			}
			own[key] = true
			ids := m.graph.Find(tag)
			distinct[key] = len(ids) > 0
			o.Tags++
			if len(ids) > 0 {
				o.Known++
			}
			for _, id := range ids {
				wanted[id] = true
			}
		}
		if len(own) == 0 {
			continue
		}
		o.Courses++
		o.Wanted += len(wanted)
		for _, x := range m.Tag(c) {
			if x.Confidence < confidence {
				continue
			}
			o.Found++
			if wanted[x.SkillID] {
				o.Agreed++
			}
			if m.nearAny(x.SkillID, wanted) {
				o.Near++
			}
		}
	}
	o.Distinct = len(distinct)
	for _, in := range distinct {
		if in {
			o.DistinctIn++
		}
	}
	return o
}

// nearAny reports whether a skill, or one directly above or below, is in a set.
func (m *Matcher) nearAny(id string, set map[string]bool) bool {
	if set[id] {
		return true
	}
	s, _ := m.graph.Skill(id)
	for _, n := range s.Broader {
		if set[n] {
			return true
		}
	}
	for _, n := range m.graph.Narrower(id) {
		if set[n] {
			return true
		}
	}
	return false
}
