package suggest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// What the terms of a score, each in [0, 1], weigh. No sum of the others reaches
// an exact text.
const (
	exactWeight    = 1000 // the query is the text
	meantWeight    = 4    // the text is the query but for errors in its words
	beginsWeight   = 4    // the text begins with the query, a word; fades, see below
	followsWeight  = 12   // the text begins with the query, several words
	wordsWeight    = 8    // how well the words of the query are found, the rarer ones the more
	orderWeight    = 4    // which of them stand right after the one before, or first; fades
	specificWeight = 8    // how much of what tells a title from others has been typed
	priorWeight    = 1.5  // popularity
)

// Up to fadeLetters letters of a first word say most of all how a title begins.
// With more of them it is a word that they ask for, wherever it stands.
const fadeLetters = 3

func fade(x *index, q *query) float32 {
	if !x.titles || len(q.words) != 1 || q.words[0].letters <= fadeLetters {
		return 1
	}
	share := float32(fadeLetters) / float32(q.words[0].letters)
	return share * share
}

// score adds up an item's words; ok is false when words are missing that must be
// there.
func (s *search) score(item uint32) (h hit, ok bool) {
	h.item = item
	held := s.x.heldBy(item)
	before := -1 // place of the word before; the first one is in order at the very start
	matched, wanted, whole := 0, 0, 0
	telling := false
	var specific float32
	for i := range s.readings {
		r := &s.readings[i]
		if !r.word.loose {
			wanted++
		}
		var best, share float32
		place, typo, full := -2, false, false
		var in field
		for j := r.firstIn(held); j < len(held); j++ {
			if held[j].word >= r.end() {
				break
			}
			n := r.match(held[j].word)
			if n == nil {
				continue
			}
			v := wordsWeight * r.quality(s.x.dict, held[j].word, n) * held[j].in.weight()
			at := int(held[j].place)
			next := held[j].place != noPlace && at == before+1
			if next {
				v += orderWeight * s.fade
			}
			own := specificWeight * float32(held[j].specific) / 255
			if v+own > best+share {
				best, share, place, typo = v, own, at, n.edits > 0 && n.edits != insideWord
				in, full = held[j].in, next && s.fuzzy && r.whole(s.x.dict.words[held[j].word])
			}
		}
		before = place
		if best == 0 {
			before = -2
			if !r.word.loose && !s.partial {
				return h, false
			}
			continue
		}
		if !r.word.loose {
			matched++
		}
		if full {
			whole++
		}
		telling = telling || in&^inGeneric != 0
		h.typo = h.typo || typo
		h.score += best * r.word.weight
		specific = max(specific, share)
	}
	if matched == 0 || !telling || s.partial && !s.coheres(item) {
		return h, false
	}
	h.score += specific
	h.part = s.partial
	if matched < wanted {
		h.score *= float32(matched) / float32(wanted)
	}
	key := s.x.keys[item]
	switch {
	case key == s.q.key:
		h.score += exactWeight
	case len(s.readings) > 1 && strings.HasPrefix(key, s.q.key):
		h.score += followsWeight
	case strings.HasPrefix(key, s.q.key):
		h.score += beginsWeight * s.fade
	case whole == len(s.readings) && strings.Count(key, " ") == whole-1:
		h.score += meantWeight
	}
	h.score += priorWeight * s.x.prior[item]
	return h, true
}

// whole reports whether a word of the dictionary may be all of what was meant,
// rather than go on from it.
func (r *reading) whole(found string) bool {
	extra := utf8.RuneCountInString(found) - r.word.letters
	return max(extra, -extra) <= edits(r.word.letters)
}

// coheres reports whether the words that an item has in common with the query may
// say something together. Single letters of a script without spaces say nothing:
// of these there must be two that are neighbours in both.
func (s *search) coheres(item uint32) bool {
	held, key := s.x.heldBy(item), s.x.keys[item]
	for i := range s.readings {
		r := &s.readings[i]
		if !r.word.loose && !r.word.isLetter() {
			if slices.ContainsFunc(held[r.firstIn(held):], func(o occurrence) bool { return r.match(o.word) != nil }) {
				return true
			}
			continue
		}
		if i > 0 && r.word.isLetter() && s.readings[i-1].word.isLetter() && strings.Contains(key, s.readings[i-1].word.folded+" "+r.word.folded) {
			return true
		}
	}
	return false
}

// isLetter reports a letter of a script without spaces, which is only a part of
// what others call a word.
func (w *queryWord) isLetter() bool {
	first, _ := utf8.DecodeRuneInString(w.folded)
	return w.letters == 1 && isScriptWithoutSpaces(first)
}
