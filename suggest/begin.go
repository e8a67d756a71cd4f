package suggest

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// After fadeLetters letters a list of titles has two sorts of places: for those of
// which the word tells most, in the order of their scores, and for those that begin
// with it. The share of the latter is beginShare, and of longWord letters and more
// longBeginShare: few words begin with so many letters, so that the former need
// fewer places.
const (
	beginShare     = 0.5
	longWord       = 6
	longBeginShare = 0.8
)

// leadLetters is how many letters of a title count against it as much as the least
// popularity against the greatest: of a short one more has been typed.
const leadLetters = 30

// makeLeads computes for every item, in the order of the keys, how likely it is to
// be meant by whoever types its first letters.
func (x *index) makeLeads() {
	x.leads = make([]float32, len(x.byKey))
	for i, item := range x.byKey {
		x.leads[i] = x.prior[item] - float32(utf8.RuneCountInString(x.keys[item]))/leadLetters
	}
}

// beginning returns the places in byKey of the items that begin with a key.
func (x *index) beginning(key string) (lo, hi int) {
	lo, _ = slices.BinarySearchFunc(x.byKey, key, func(i uint32, key string) int { return strings.Compare(x.keys[i], key) })
	n, _ := slices.BinarySearchFunc(x.byKey[lo:], key, func(i uint32, key string) int {
		if strings.HasPrefix(x.keys[i], key) {
			return -1
		}
		return 1
	})
	return lo, lo + n
}

// starters returns the likeliest titles that begin with the query, and are allowed.
func (s *search) starters(allowed func(uint32) bool) []uint32 {
	type starter struct {
		lead float32
		item uint32
	}
	var best []starter
	lo, hi := s.x.beginning(s.q.key)
	for at := lo; at < hi; at++ {
		one := starter{s.x.leads[at], s.x.byKey[at]}
		to, _ := slices.BinarySearchFunc(best, one, func(a, b starter) int {
			return cmp.Or(cmp.Compare(b.lead, a.lead), cmp.Compare(a.item, b.item))
		})
		if to == s.limit || !allowed(one.item) {
			continue
		}
		best = slices.Insert(best[:min(len(best), s.limit-1)], to, one)
	}
	out := make([]uint32, len(best))
	for i, b := range best {
		out[i] = b.item
	}
	return out
}

// share lets titles that begin with the query have their share of the places among
// the best. What is put before others gets a score between its neighbours'.
func (s *search) share(allowed func(uint32) bool) {
	if s.fade == 1 || s.fuzzy || s.partial {
		return
	}
	share := beginShare
	if s.readings[0].word.letters >= longWord {
		share = longBeginShare
	}
	starters := s.starters(allowed)
	if len(starters) == 0 {
		return
	}
	begins := func(item uint32) bool { return strings.HasPrefix(s.x.keys[item], s.q.key) }
	rest, out := s.best, make([]hit, 0, s.limit)
	begun := 0
	shown := func(item uint32) bool { return slices.ContainsFunc(out, func(h hit) bool { return h.item == item }) }
	for len(out) < s.limit {
		for len(rest) > 0 && shown(rest[0].item) {
			rest = rest[1:]
		}
		for len(starters) > 0 && shown(starters[0]) {
			starters = starters[1:]
		}
		own := len(rest) > 0 && begins(rest[0].item)
		switch {
		case len(rest) > 0 && (own || len(starters) == 0 || float64(begun+1) > share*float64(len(out)+1)):
			if own {
				begun++
			}
			out = append(out, rest[0])
		case len(starters) > 0:
			begun++
			out = append(out, s.between(out, rest, starters[0]))
		default:
			s.best = out
			return
		}
	}
	s.best = out
}

// between scores an item that is put behind out and before rest.
func (s *search) between(out, rest []hit, item uint32) hit {
	h, _ := s.score(item)
	if len(rest) > 0 {
		h.score = max(h.score, rest[0].score)
	}
	if len(out) > 0 {
		last := out[len(out)-1].score
		if len(rest) > 0 && h.score < last {
			h.score = (last + rest[0].score) / 2
		}
		h.score = min(h.score, last)
	}
	return h
}
