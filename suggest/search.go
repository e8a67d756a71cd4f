package suggest

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern/text"
)

// maxQueryWords is how many words of a query are looked at.
const maxQueryWords = 12

// query is what was typed so far.
type query struct {
	key   string
	words []queryWord
}

// queryWord is one word of a query.
type queryWord struct {
	folded  string
	letters int
	last    bool    // unfinished: it also stands for words that it begins
	loose   bool    // grammar: it need not be there
	stop    bool    // grammar as it stands, though what it begins may be none
	known   bool    // the catalogue has it, or words that it begins: it is no misspelling
	weight  float32 // the rarer, the more; those of a query sum to 1
}

// newQuery reads a query. The last word counts as unfinished even with a space
// after it: while typing, the space says little.
func newQuery(a *text.Analyzer, s string) *query { return queryOf(split(a, s, true)) }

// queryOf is newQuery of words that were split with stop words told.
func queryOf(all []word) *query {
	q := &query{key: keyOf(all)}
	for _, w := range all {
		if !w.part {
			q.words = append(q.words, queryWord{folded: w.folded, letters: utf8.RuneCountInString(w.folded), loose: w.stop, stop: w.stop, weight: 1})
		}
	}
	if len(q.words) > maxQueryWords {
		q.words = append(q.words[:maxQueryWords-1], q.words[len(q.words)-1])
	}
	if n := len(q.words); n > 0 {
		q.words[n-1].last, q.words[n-1].loose = true, false
	}
	return q
}

// weigh gives the words their shares of the sum of their inverse document
// frequencies over several indexes.
func (q *query) weigh(indexes ...*index) {
	var sum float32
	for i := range q.words {
		w := &q.words[i]
		found, items := 0, 0
		for _, x := range indexes {
			items += len(x.keys)
			if w.last {
				found += x.count(x.dict.prefix(w.folded))
			} else if n, ok := x.dict.find(w.folded); ok {
				found += x.count(n, n+1)
			}
		}
		w.weight = float32(math.Log1p(float64(items) / float64(1+found)))
		w.weight = max(w.weight, 0.1)
		sum += w.weight
	}
	for i := range q.words {
		q.words[i].weight /= sum
	}
}

// maxEdits is the most errors in any word. After those with errors come the words
// that hold one inside.
const (
	maxEdits   = 2
	insideWord = maxEdits + 1
)

// edits is how many errors a word of so many letters may hold.
func edits(letters int) int {
	switch {
	case letters >= 8:
		return maxEdits
	case letters >= 4:
		return 1
	}
	return 0
}

// reading is what a query word stands for in one index.
type reading struct {
	word   *queryWord
	exact  int32 // number of the word itself, −1 for none
	ranges []near
	fuzzy  bool
	count  int // occurrences of all of it
}

// read looks a word up. With fuzzy, words with errors in them count too, and so
// do longer words that the word begins, wherever in the query it stands.
func (x *index) read(w *queryWord, fuzzy bool) reading {
	r := reading{word: w, exact: -1, fuzzy: fuzzy}
	if n, ok := x.dict.find(w.folded); ok {
		r.exact = n
	}
	k := edits(w.letters)
	switch {
	case fuzzy && k > 0 && !w.known && w.letters <= maxLetters:
		r.ranges = withInside(x.misspelt(w, k), x.dict.inside(w.folded))
	case fuzzy && k > 0 && w.letters <= maxLetters:
		r.ranges = withInside(x.begunBy(w.folded), x.dict.inside(w.folded))
	case w.last || fuzzy && w.letters >= 3:
		r.ranges = x.begunBy(w.folded)
	case r.exact >= 0:
		r.ranges = []near{{lo: r.exact, hi: r.exact + 1}}
	}
	if b := bare(w.folded); b != "" && !w.last && !fuzzy {
		if n, ok := x.dict.find(b); ok {
			r.ranges = union(r.ranges, []near{{lo: n, hi: n + 1}})
		}
	}
	if stem, ok := strings.CutSuffix(w.folded, "ies"); ok && len(r.ranges) == 0 {
		if n, ok := x.dict.find(stem + "y"); ok { // other endings are beginnings, or a letter away
			r.ranges = []near{{lo: n, hi: n + 1}}
		}
	}
	for _, n := range r.ranges {
		r.count += x.count(n.lo, n.hi)
	}
	return r
}

// Words of fewer letters than firstLetter are not taken for words with another first
// letter, which mostly are other words, unless it was swapped with the second.
const firstLetter = 6

// misspelt returns the words that w may begin with k errors in it.
func (x *index) misspelt(w *queryWord, k int) []near {
	all := x.dict.fuzzy(w.folded, k)
	if w.letters >= firstLetter {
		return all
	}
	_, one := utf8.DecodeRuneInString(w.folded)
	_, two := utf8.DecodeRuneInString(w.folded[one:])
	lo, hi := x.dict.prefix(w.folded[:one])
	swappedLo, swappedHi := x.dict.prefix(w.folded[one:one+two] + w.folded[:one])
	out := make([]near, 0, len(all))
	for _, n := range all {
		if same := (near{max(n.lo, lo), min(n.hi, hi), n.edits}); same.lo < same.hi {
			out = append(out, same)
		}
		if swapped := (near{max(n.lo, swappedLo), min(n.hi, swappedHi), n.edits}); swapped.lo < swapped.hi && swappedLo != lo {
			out = append(out, swapped)
		}
	}
	slices.SortFunc(out, func(a, b near) int { return cmp.Compare(a.lo, b.lo) })
	return out
}

// begunBy returns the words that w begins, with its article or without.
func (x *index) begunBy(w string) []near {
	var out []near
	if lo, hi := x.dict.prefix(w); lo < hi {
		out = []near{{lo: lo, hi: hi}}
	}
	if b := bare(w); b != "" {
		out = union(out, x.begunBy(b))
	}
	return out
}

// end is the number after the last word of all ranges.
func (r *reading) end() int32 {
	if len(r.ranges) == 0 {
		return 0
	}
	return r.ranges[len(r.ranges)-1].hi
}

// firstIn is the place of the first occurrence that any range may hold.
// Occurrences rise by word.
func (r *reading) firstIn(held []occurrence) int {
	if len(r.ranges) == 0 {
		return 0
	}
	first, lo, hi := r.ranges[0].lo, 0, len(held)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); held[mid].word < first {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// match finds the range that holds a word, nil for none.
func (r *reading) match(word int32) *near {
	if len(r.ranges) == 1 {
		if n := &r.ranges[0]; n.lo <= word && word < n.hi {
			return n
		}
		return nil
	}
	at, found := slices.BinarySearchFunc(r.ranges, word, func(n near, w int32) int {
		switch {
		case n.hi <= w:
			return -1
		case n.lo > w:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return &r.ranges[at]
}

// quality is how well a word of the dictionary answers to a query word, in (0, 1].
func (r *reading) quality(d *dictionary, word int32, n *near) float32 {
	if word == r.exact {
		return 1
	}
	found := d.words[word]
	q := 0.7 + 0.2*min(1, float32(len(r.word.folded))/float32(len(found)))
	if !r.word.last {
		q *= 0.8 // the word was finished as something shorter
	}
	q *= nearness(n.edits)
	if n.edits > 0 && n.edits != insideWord {
		a, _ := utf8.DecodeRuneInString(found)
		b, _ := utf8.DecodeRuneInString(r.word.folded)
		if a != b {
			q *= 0.6 // people rarely miss the first letter
		}
	}
	return q
}

// nearness is what the quality of a word is multiplied by for the errors in it.
func nearness(edits uint8) float32 { return [...]float32{1, 0.6, 0.4, insideWord: 0.4}[edits] }

// hit is an item with its score.
type hit struct {
	item  uint32
	score float32
	typo  bool
	part  bool // some words are missing
}

// search is one run over one index.
type search struct {
	x        *index
	q        *query
	readings []reading
	limit    int
	fuzzy    bool
	partial  bool    // any one word suffices
	fade     float32 // of where in the text the words stand
	budget   int     // items that are scored at most
	each     int     // of them, those of any one word
	left     int     // items that may still be scored
	best     []hit
}

func newSearch(x *index, q *query, fuzzy bool, limit int) *search {
	s := &search{x: x, q: q, limit: limit, fuzzy: fuzzy, fade: fade(x, q), readings: make([]reading, len(q.words)), budget: maxScored, each: maxScored}
	if fuzzy {
		s.budget, s.each = maxMisspelt, maxOfWord
	}
	for i := range q.words {
		s.readings[i] = x.read(&q.words[i], fuzzy)
	}
	return s
}

// run returns the best items that are allowed, best first.
func (s *search) run(allowed func(uint32) bool) []hit {
	s.best = s.best[:0]
	if len(s.readings) == 0 {
		return nil
	}
	s.look(allowed)
	s.share(allowed)
	return s.best
}

// look finds the items with the best scores.
func (s *search) look(allowed func(uint32) bool) {
	if top, ok := s.x.tops[s.q.key]; ok && len(s.readings) == 1 && !s.readings[0].fuzzy {
		for _, item := range top {
			s.offer(item, allowed)
		}
		if len(s.best) >= s.limit || len(top) < topItems {
			return
		}
		s.best = s.best[:0]
	}
	if s.partial {
		s.scanAny(allowed)
		return
	}
	rarest := -1
	for i := range s.readings {
		r := &s.readings[i]
		if r.word.loose {
			continue
		}
		if r.count == 0 {
			return
		}
		if rarest < 0 || r.count < s.readings[rarest].count {
			rarest = i
		}
	}
	marks := s.x.borrow()
	defer s.x.marks.Put(marks)
	s.left = s.budget
	s.scanKeys(marks, allowed)
	s.narrow(marks, rarest)
	s.left = s.budget
	s.scan(&s.readings[rarest], marks, allowed)
}

// scanKeys offers the items that begin with the whole query. They go first
// because their boost is what the bound of the others leaves out.
func (s *search) scanKeys(m *marks, allowed func(uint32) bool) {
	from, to := s.x.beginning(s.q.key)
	for _, item := range s.x.byKey[from:to] {
		if s.left == 0 {
			return
		}
		if m.seen.add(item) {
			s.left--
			s.offer(item, allowed)
		}
	}
}

// narrow marks what lacks one of the other words as seen: to walk through the
// items of a word is so much quicker than to score them that it pays for words
// that are narrowing times as common.
func (s *search) narrow(m *marks, rarest int) {
	for i := range s.readings {
		r := &s.readings[i]
		if i == rarest || r.word.loose || r.count > narrowing*s.readings[rarest].count {
			continue
		}
		clear(m.held)
		for _, n := range r.ranges {
			for _, item := range s.x.items[s.x.starts[n.lo]:s.x.starts[n.hi]] {
				m.held[item/64] |= 1 << (item % 64)
			}
		}
		for j, has := range m.held {
			m.seen[j] |= ^has
		}
	}
}

// bound is the most that the words of any item can score.
func (s *search) bound() float32 {
	var sum float32
	for i := range s.readings {
		r := &s.readings[i]
		most := float32(1)
		if r.exact < 0 {
			nearest := float32(0)
			for _, n := range r.ranges {
				nearest = max(nearest, nearness(n.edits))
			}
			most = 0.9 * nearest
		}
		sum += (wordsWeight*most + orderWeight*s.fade) * r.word.weight
	}
	if s.x.titles {
		sum += specificWeight
	}
	if s.fuzzy {
		sum += meantWeight
	}
	return sum + 1e-3 // more than rounding
}

// scan offers the items that hold a word, as far as they may be among the best:
// those without errors first, and of a word's the most popular first.
func (s *search) scan(r *reading, m *marks, allowed func(uint32) bool) {
	most := s.bound()
	for edits := range uint8(insideWord + 1) {
		for _, n := range r.ranges {
			if n.edits != edits {
				continue
			}
			for w := n.lo; w < n.hi; w++ {
				each := s.each
				for _, item := range s.x.items[s.x.starts[w]:s.x.starts[w+1]] {
					if len(s.best) == s.limit && s.best[s.limit-1].score > most+priorWeight*s.x.prior[item] {
						break // items stand by falling prior: none of this word's can follow
					}
					if !m.seen.add(item) {
						continue
					}
					if s.left == 0 {
						return
					}
					if each == 0 {
						break
					}
					s.left, each = s.left-1, each-1
					s.offer(item, allowed)
				}
			}
		}
	}
}

// How many items are scored at most: as many as keep an answer quick, the nearest
// and the most popular first. A few hundred would do for most queries. Misspelt words
// stand for many others, of which the rare ones tell most: no common one takes it all.
const (
	maxScored   = 5_000
	maxMisspelt = 1_500 // of those that hold words in other spellings, or lack some
	maxOfWord   = 150   // of them, with any one word
	narrowing   = 64
)

// scanAny offers items with any of the words, rare words first.
func (s *search) scanAny(allowed func(uint32) bool) {
	order := make([]*reading, 0, len(s.readings))
	for i := range s.readings {
		if r := &s.readings[i]; r.count > 0 && !r.word.loose {
			order = append(order, r)
		}
	}
	slices.SortStableFunc(order, func(a, b *reading) int { return cmp.Compare(a.count, b.count) })
	marks := s.x.borrow()
	defer s.x.marks.Put(marks)
	s.left = s.budget
	s.scanKeys(marks, allowed)
	for _, r := range order {
		s.scan(r, marks, allowed)
	}
}

// offer scores an item and keeps it if it is among the best.
func (s *search) offer(item uint32, allowed func(uint32) bool) {
	h, ok := s.score(item)
	if !ok || len(s.best) == s.limit && !better(h, s.best[len(s.best)-1]) || !allowed(item) {
		return
	}
	at, _ := slices.BinarySearchFunc(s.best, h, func(a, b hit) int {
		if better(a, b) {
			return -1
		}
		return 1
	})
	if len(s.best) == s.limit {
		s.best = s.best[:s.limit-1]
	}
	s.best = slices.Insert(s.best, at, h)
}

// better orders hits of one index: by score, then as the items stand.
func better(a, b hit) bool {
	if a.score != b.score {
		return a.score > b.score
	}
	return a.item < b.item
}
