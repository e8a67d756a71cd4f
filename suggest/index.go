package suggest

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// field says where in an item a word stands.
type field uint8

const (
	inTitle field = 1 << iota // or in a phrase
	inSkill
	inProvider
	inGeneric // in another name, where it tells that name from few others
)

// weight is what a word counts in its best field.
func (f field) weight() float32 {
	switch {
	case f&inTitle != 0:
		return 1
	case f&inSkill != 0:
		return 0.6
	case f&inProvider != 0:
		return 0.5
	}
	return 0.3
}

// occurrence is a word of an item.
type occurrence struct {
	word     int32
	place    uint16 // first place in the title, noPlace for none
	in       field
	specific uint8 // of 255: how much of what tells this title from others is in the word
}

const noPlace = math.MaxUint16

// source is an item before it is indexed.
type source struct {
	key   string // of the whole text, see keyOf
	prior float32
	words []sourceWord
}

type sourceWord struct {
	folded string
	place  uint16
	in     field
}

// index finds items by words. Read only.
type index struct {
	dict  *dictionary
	keys  []string  // of items
	prior []float32 // falling
	byKey []uint32  // items by rising key
	leads []float32 // of titles, by place in byKey: see makeLeads
	// The items that hold word w are items[starts[w]:starts[w+1]], rising.
	starts []uint32
	items  []uint32
	// The words of item i are held[offsets[i]:offsets[i+1]], rising.
	offsets []uint32
	held    []occurrence
	// tops are the best items of beginnings that many words share.
	tops  map[string][]uint32
	marks *sync.Pool // of *marks, for searches
	// titles says that items are titles rather than names: people look for them
	// by any word that tells them from others, not only by how they begin.
	titles bool
}

// newIndex indexes names, which must stand by falling prior; their order breaks
// the last ties.
func newIndex(sources []source) *index { return buildIndex(sources, false, nil) }

// newTitleIndex indexes titles in the same way. The function tells which share of
// all courses hold a word anywhere.
func newTitleIndex(sources []source, share func(word string) float64) *index {
	return buildIndex(sources, true, share)
}

func buildIndex(sources []source, titles bool, share func(word string) float64) *index {
	x := &index{keys: make([]string, len(sources)), prior: make([]float32, len(sources)), titles: titles}
	n := len(sources) // not the sources, which the pool would keep alive
	x.marks = &sync.Pool{New: func() any { return &marks{seen: newBits(n), held: newBits(n)} }}
	x.dict = newDictionary(distinctWords(sources))
	number := make(map[string]int32, len(x.dict.words))
	for i, w := range x.dict.words {
		number[w] = int32(i)
	}
	x.starts = make([]uint32, len(x.dict.words)+1)
	x.offsets = make([]uint32, 1, len(sources)+1)
	var own []occurrence
	for i := range sources {
		s := &sources[i]
		x.keys[i], x.prior[i] = s.key, s.prior
		own = own[:0]
		for _, w := range s.words {
			own = append(own, occurrence{word: number[w.folded], place: w.place, in: w.in})
		}
		x.held = append(x.held, merged(own)...)
		x.offsets = append(x.offsets, uint32(len(x.held)))
		for _, o := range x.held[x.offsets[i]:] {
			x.starts[o.word+1]++
		}
	}
	x.held = slices.Clip(x.held)
	for w := range x.dict.words {
		x.starts[w+1] += x.starts[w]
	}
	x.items = make([]uint32, len(x.held))
	next := slices.Clone(x.starts)
	for i := range sources {
		for _, o := range x.heldBy(uint32(i)) {
			x.items[next[o.word]] = uint32(i)
			next[o.word]++
		}
	}
	if titles {
		x.specify(share)
	}
	x.byKey = make([]uint32, len(sources))
	for i := range x.byKey {
		x.byKey[i] = uint32(i)
	}
	slices.SortStableFunc(x.byKey, func(a, b uint32) int { return strings.Compare(x.keys[a], x.keys[b]) })
	if titles {
		x.makeLeads()
	}
	x.makeTops()
	return x
}

func distinctWords(sources []source) []string {
	seen := make(map[string]struct{})
	var out []string
	for i := range sources {
		for _, w := range sources[i].words {
			if _, ok := seen[w.folded]; !ok {
				seen[w.folded] = struct{}{}
				out = append(out, w.folded)
			}
		}
	}
	slices.Sort(out)
	return out
}

// merged sorts occurrences in place and makes one of those of the same word.
func merged(own []occurrence) []occurrence {
	slices.SortFunc(own, func(a, b occurrence) int { return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.place, b.place)) })
	n := 0
	for _, o := range own {
		if n > 0 && own[n-1].word == o.word {
			own[n-1].in |= o.in
			continue
		}
		own[n] = o
		n++
	}
	return own[:n]
}

// specify compares the words of each title with the one of them that the fewest
// courses hold: the ratio of their inverse document frequencies, raised so that
// only words that are nearly as rare count. Numbers tell nothing.
func (x *index) specify(share func(word string) float64) {
	idf := make([]float64, len(x.dict.words))
	for w, word := range x.dict.words {
		if strings.ContainsFunc(word, unicode.IsLetter) {
			own := float64(x.count(int32(w), int32(w)+1)) / float64(len(x.keys))
			idf[w] = math.Log1p(1 / max(own, share(word)))
		}
	}
	for i := range x.keys {
		held := x.heldBy(uint32(i))
		most := 0.0
		for _, o := range held {
			if o.place != noPlace {
				most = max(most, idf[o.word])
			}
		}
		for j, o := range held {
			if o.place != noPlace && most > 0 {
				held[j].specific = uint8(255 * math.Pow(idf[o.word]/most, 5))
			}
		}
	}
}

// marks are what a search notes of items.
type marks struct {
	seen bits // not to be looked at again
	held bits
}

// borrow returns marks of nothing, to be put back.
func (x *index) borrow() *marks {
	m := x.marks.Get().(*marks)
	clear(m.seen)
	return m
}

// bits are a set of items.
type bits []uint64

func newBits(n int) bits { return make(bits, (n+63)/64) }

// add reports whether an item is new.
func (b bits) add(item uint32) bool {
	bit := uint64(1) << (item % 64)
	if b[item/64]&bit != 0 {
		return false
	}
	b[item/64] |= bit
	return true
}

func (x *index) heldBy(item uint32) []occurrence { return x.held[x.offsets[item]:x.offsets[item+1]] }

// count is how many occurrences the words of a range have.
func (x *index) count(lo, hi int32) int { return int(x.starts[hi] - x.starts[lo]) }

// Beginnings that more than topShare items share have their topItems best items
// computed ahead: the short ones, and the long ones of words that are everywhere.
const (
	topLetters = 16 // the longest of them
	topShare   = 400
	topItems   = 96
)

// makeTops computes them from the longest beginnings to the shorter ones: the
// best items of a beginning are among the best of those that go on from it.
func (x *index) makeTops() {
	x.tops = make(map[string][]uint32)
	nodes := x.dict.nodes
	known := make(map[int32][]uint32) // tops by node, until the node above has them
	for i := int32(len(nodes)) - 1; i >= 0; i-- {
		n := &nodes[i]
		if n.depth >= topLetters {
			continue
		}
		if x.count(n.first, x.dict.firstOf(n.skip)) <= topShare {
			continue
		}
		w := x.dict.words[n.first]
		size := 0
		for range n.depth + 1 {
			_, s := utf8.DecodeRuneInString(w[size:])
			size += s
		}
		q := &query{key: w[:size], words: []queryWord{{folded: w[:size], letters: int(n.depth) + 1, last: true, weight: 1}}}
		s := newSearch(x, q, false, topItems)
		seen := make(map[uint32]bool)
		offer := func(items []uint32) {
			for _, item := range items {
				if !seen[item] {
					seen[item] = true
					s.offer(item, func(uint32) bool { return true })
				}
			}
		}
		if n.ends {
			offer(x.items[x.starts[n.first]:x.starts[n.first+1]])
		}
		for child := i + 1; child < n.skip; child = nodes[child].skip {
			if top, ok := known[child]; ok {
				offer(top)
				delete(known, child)
				continue
			}
			offer(x.items[x.starts[nodes[child].first]:x.starts[x.dict.firstOf(nodes[child].skip)]])
		}
		top := make([]uint32, len(s.best))
		for j, h := range s.best {
			top[j] = h.item
		}
		x.tops[w[:size]], known[i] = top, top
	}
}
