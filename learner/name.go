package learner

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

// label is a skill or category that courses share.
type label struct {
	key   string  // folded
	text  string  // as the heaviest course writes it
	share float64 // of the weight of the courses
	score float64 // see labels
}

// How labels are weighed against each other.
const (
	usualRate    = 0.01 // added to a label's rate: of two rare labels neither says much more
	categorySays = 1.25 // how much more a category says than a skill: it is made to name what a course is about
)

// labels ranks what courses have in common beyond what courses have anyway: the
// share of them with a skill or category × the logarithm of how much that is more
// than in the whole catalogue.
func (s Sources) labels(points []point, facts map[string]CourseFacts) []label {
	byKey := make(map[string]*label)
	category := make(map[string]bool)
	total := 0.0
	for _, p := range points {
		f, ok := facts[p.id]
		if !ok || f.ID == "" {
			continue
		}
		w := abs(p.weight)
		total += w
		for key, text := range labelsOf(f) {
			l := byKey[key]
			if l == nil {
				l = &label{key: key, text: text}
				byKey[key] = l
			}
			l.share += w
		}
		for _, c := range f.Categories {
			category[lectern.FoldKey(c)] = true
		}
	}
	out := make([]label, 0, len(byKey))
	for key, l := range byKey {
		l.share /= total
		rate := usualRate
		if s.Courses != nil {
			rate += s.Courses.Rate(key)
		}
		l.score = l.share * math.Log(l.share/rate)
		if category[key] && l.score > 0 {
			l.score *= categorySays
		}
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b label) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.key, b.key))
	})
	return out
}

// name says in words what courses are about: the best label that no other interest
// has already, else the title of the heaviest; "" when nothing of them is known.
func (s Sources) name(points []point, facts map[string]CourseFacts, taken map[string]bool) string {
	for _, l := range s.labels(points, facts) {
		if !taken[l.key] {
			taken[l.key] = true
			return l.text
		}
	}
	for _, p := range points {
		if t := facts[p.id].Title; t != "" && !taken[lectern.FoldKey(t)] {
			taken[lectern.FoldKey(t)] = true
			return t
		}
	}
	return ""
}

// covering returns the words to remove so that most courses of an interest are about
// one of them: its name, then what the rest share most; three words at most.
func (s Sources) covering(name string, points []point, facts map[string]CourseFacts) []string {
	words := []string{name}
	rest := slices.Clone(points)
	for {
		removed := removals(lectern.Corrections{RemovedInterests: words})
		rest = slices.DeleteFunc(rest, func(p point) bool { return removed.course(facts[p.id]) })
		if len(rest)*2 < len(points) || len(points) == 0 || len(words) == 3 {
			return words
		}
		next := s.name(rest, facts, taken(words))
		if next == "" {
			return words
		}
		words = append(words, next)
	}
}

func taken(words []string) map[string]bool {
	out := make(map[string]bool, len(words))
	for _, w := range words {
		out[lectern.FoldKey(w)] = true
	}
	return out
}

// factsOf lays facts out by course.
func factsOf(facts []CourseFacts) map[string]CourseFacts {
	return maps.Collect(func(yield func(string, CourseFacts) bool) {
		for _, f := range facts {
			if f.ID != "" && !yield(f.ID, f) {
				return
			}
		}
	})
}
