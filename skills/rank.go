package skills

import "slices"

// Scored is a course with how well it fits.
type Scored struct {
	CourseID string
	Score    float64 // in (0, 1]
}

// MaxCourses bounds what Courses returns.
const MaxCourses = 200

// Courses returns the open courses on a skill, at most MaxCourses, best first:
// by the confidence of the tag, then by prior, then by id. A course on a narrower
// skill counts with .7 of its confidence for each of at most two steps up, where
// at least MinConfidence is left.
func (x *Index) Courses(skillID string) []Scored {
	i, ok := x.matcher.graph.skillAt[skillID]
	if !ok {
		return nil
	}
	s := x.view.Load()
	list := *s.lists[i]
	out := make([]Scored, 0, min(len(list), MaxCourses))
	for _, p := range list {
		if len(out) == MaxCourses {
			break
		}
		if e := s.entry(p.slot); !e.gone.Load() {
			out = append(out, Scored{e.id, float64(p.score)})
		}
	}
	return out
}

// sums holds a query's scores by slot while it is answered.
type sums struct {
	bySlot []float32
	slots  []int32 // whose score is not zero
}

// Rank returns the k best open courses for the terms of an expanded query, best
// first. The score of a course is the sum, over the terms, of weight × how well
// the course fits the skill (see Courses), at most 1. allow, if not nil, says which
// courses may be returned.
func (x *Index) Rank(terms []Term, k int, allow func(courseID string) bool) []Scored {
	if k <= 0 {
		return nil
	}
	s := x.view.Load()
	if len(terms) == 1 {
		return x.rankOne(s, terms[0], k, allow)
	}
	sum := x.sums.Get().(*sums)
	defer x.sums.Put(sum)
	if len(sum.bySlot) < s.slots() {
		sum.bySlot = make([]float32, s.slots())
	}
	for _, t := range terms {
		i, ok := x.matcher.graph.skillAt[t.SkillID]
		if !ok || t.Weight <= 0 {
			continue
		}
		weight := float32(t.Weight)
		for _, p := range *s.lists[i] {
			if sum.bySlot[p.slot] == 0 {
				sum.slots = append(sum.slots, p.slot)
			}
			sum.bySlot[p.slot] += weight * p.score
		}
	}
	best := top{limit: k}
	for _, slot := range sum.slots {
		score := min(sum.bySlot[slot], 1)
		sum.bySlot[slot] = 0
		if best.full() && score < best.worst() {
			continue
		}
		e := s.entry(slot)
		if e.gone.Load() || allow != nil && !allow(e.id) {
			continue
		}
		best.add(e, score)
	}
	sum.slots = sum.slots[:0]
	return best.scored()
}

// rankOne is Rank for a single skill, whose courses are in order already.
func (x *Index) rankOne(s *snapshot, t Term, k int, allow func(courseID string) bool) []Scored {
	i, ok := x.matcher.graph.skillAt[t.SkillID]
	if !ok || t.Weight <= 0 {
		return nil
	}
	var out []Scored
	weight := float32(t.Weight)
	for _, p := range *s.lists[i] {
		e := s.entry(p.slot)
		if e.gone.Load() || allow != nil && !allow(e.id) {
			continue
		}
		if out = append(out, Scored{e.id, float64(min(weight*p.score, 1))}); len(out) == k {
			break
		}
	}
	return out
}

// top keeps the best entries, as a heap with the worst of them first.
type top struct {
	limit int
	heap  []candidate
}

type candidate struct {
	entry *entry
	score float32
}

func (a candidate) worse(b candidate) bool { return compare(a.entry, b.entry, a.score, b.score) > 0 }

func (t *top) full() bool     { return len(t.heap) >= t.limit }
func (t *top) worst() float32 { return t.heap[0].score }

func (t *top) add(e *entry, score float32) {
	c := candidate{e, score}
	if !t.full() {
		t.heap = append(t.heap, c)
		for i := len(t.heap) - 1; i > 0; {
			up := (i - 1) / 2
			if !t.heap[i].worse(t.heap[up]) {
				break
			}
			t.heap[i], t.heap[up] = t.heap[up], t.heap[i]
			i = up
		}
		return
	}
	if !t.heap[0].worse(c) {
		return
	}
	t.heap[0] = c
	for i := 0; ; {
		worst := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < len(t.heap) && t.heap[down].worse(t.heap[worst]) {
				worst = down
			}
		}
		if worst == i {
			return
		}
		t.heap[i], t.heap[worst] = t.heap[worst], t.heap[i]
		i = worst
	}
}

func (t *top) scored() []Scored {
	slices.SortFunc(t.heap, func(a, b candidate) int { return compare(a.entry, b.entry, a.score, b.score) })
	out := make([]Scored, len(t.heap))
	for i, c := range t.heap {
		out[i] = Scored{c.entry.id, float64(c.score)}
	}
	return out
}
