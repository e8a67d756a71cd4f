package demo

import (
	"math/rand/v2"
	"strings"
)

// query is what a learner types to find the topic.
func (s *session) query(t *topic) string {
	if s.p.lang != nil {
		for _, lt := range s.p.lang.topics {
			if lt.topic == t && chance(s.r, 0.75) {
				return pick(s.r, []string{lt.name, lt.name, pick(s.r, lt.units)})
			}
		}
	}
	var base string
	switch u := s.r.Float64(); {
	case u < 0.4:
		base = t.name
	case u < 0.75:
		base = pick(s.r, t.skills)
	case u < 0.92:
		base = pick(s.r, t.units)
	default:
		base = pick(s.r, t.projects)
	}
	switch u := s.r.Float64(); {
	case u < 0.08:
		base = "learn " + base
	case u < 0.15:
		base += " course"
	case u < 0.22:
		base += " for beginners"
	case u < 0.26:
		base = "advanced " + base
	case u < 0.31:
		base = misspell(base, s.r)
	}
	if chance(s.r, 0.8) {
		base = strings.ToLower(base)
	}
	return base
}

// misspell swaps, drops or doubles a letter of one longer word.
func misspell(s string, r *rand.Rand) string {
	words := strings.Split(s, " ")
	k := r.IntN(len(words))
	w := []rune(words[k])
	if len(w) < 5 {
		return s
	}
	i := 1 + r.IntN(len(w)-2)
	switch r.IntN(3) {
	case 0:
		w[i], w[i+1] = w[i+1], w[i]
	case 1:
		w = append(w[:i], w[i+1:]...)
	default:
		w = append(w[:i+1], w[i:]...)
	}
	words[k] = string(w)
	return strings.Join(words, " ")
}
