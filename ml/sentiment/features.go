package sentiment

import (
	"cmp"
	"math"
	"slices"
)

// The features of a review: what the lexicon reads (dense, by place) and hashed
// n-grams of words and letters.
const (
	hashBits  = 18
	hashSpace = 1 << hashBits

	wordGrams    = 3 // words, at most
	shortestChar = 3 // letters, with the spaces around a word
	longestChar  = 5
	charWordMax  = 24 // letters of a word that letter n-grams are made of

	denseFeatures = 12
)

// group says what an n-gram is made of.
type group uint8

const (
	groupWords group = iota
	groupChars
	groups
)

// gram is a hashed n-gram: the group is its top bit.
type gram uint32

func (g gram) group() group { return group(g >> hashBits) }

// dense are the features that the lexicon gives, all of the order of 1.
func (g *reading) dense() [denseFeatures]float64 {
	praise, blame := g.sums(0, math.MaxInt)
	var strongest, weakest, first, last, pos, neg float64
	for i, h := range g.hits {
		strongest, weakest = max(strongest, h.strength), min(weakest, h.strength)
		if h.strength > 0 {
			pos++
		} else {
			neg++
		}
		if i == 0 {
			first = h.strength
		}
		last = h.strength
	}
	length := math.Log1p(float64(g.words))
	return [denseFeatures]float64{
		math.Log1p(praise), math.Log1p(blame),
		strongest / 3, weakest / 3, first / 3, last / 3,
		math.Log1p(float64(max(g.negators, 0))),
		math.Log1p(float64(g.contrasts + g.conceded)),
		math.Log1p(float64(g.irreal)),
		length / 3,
		min(float64(g.exclaims), 3) / 3,
		(pos - 2*neg) / (pos + neg + 3),
	}
}

// grams appends the hashed n-grams of a text, sorted, each once.
func (l *wordList) grams(out []gram, ts []token) []gram {
	marked := l.negated(ts)
	var window [wordGrams]uint32
	n := 0
	for i, t := range ts {
		if t.kind == kindStop {
			n = 0
			continue
		}
		if t.word == "" || t.kind == kindClause {
			continue
		}
		h := hashWord(t.word)
		if marked[i] {
			h = mix(h, '!')
		}
		copy(window[1:], window[:wordGrams-1])
		window[0] = h
		n = min(n+1, wordGrams)
		key := uint32(0)
		for k := range n {
			key = mix(key, window[k])
			out = append(out, gram(key%hashSpace))
		}
		if t.kind == kindWord {
			out = charGrams(out, t.word)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// negated marks the words that a negator before them turns.
func (l *wordList) negated(ts []token) []bool {
	out := make([]bool, len(ts))
	left := 0
	for i, t := range ts {
		switch {
		case t.kind == kindStop || t.kind == kindClause:
			left = 0
		case l.isNegator(t.word):
			left = negationScope
		case l.isContrast(t.word):
			left = 0
		case left > 0:
			out[i] = true
			left--
		}
	}
	return out
}

func (l *wordList) isContrast(w string) bool {
	for _, e := range l.byFirst[w] {
		if len(e.words) == 1 && e.effect == effectContrast {
			return true
		}
	}
	return false
}

// charGrams appends the letter n-grams of a word between spaces.
func charGrams(out []gram, w string) []gram {
	var buf [charWordMax + 2]byte
	buf[0] = ' '
	n := 1 + copy(buf[1:charWordMax+1], w)
	buf[n] = ' '
	b := buf[:n+1]
	for from := range b {
		h := uint32(2166136261)
		for k := from; k < len(b) && k < from+longestChar; k++ {
			h = (h ^ uint32(b[k])) * 16777619
			if k-from+1 >= shortestChar {
				out = append(out, gram(mix(h, uint32(k-from))%hashSpace)|hashSpace)
			}
		}
	}
	return out
}

// hashWord is FNV-1a.
func hashWord(w string) uint32 {
	h := uint32(2166136261)
	for i := range len(w) {
		h = (h ^ uint32(w[i])) * 16777619
	}
	return h
}

// mix combines two hashes, spreading all bits.
func mix(a, b uint32) uint32 {
	h := a*0x9e3779b1 ^ b
	h ^= h >> 15
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// vocabulary are the n-grams that a model weighs.
type vocabulary struct {
	grams []gram    // sorted
	idf   []float32 // beside grams
	index []int32   // place in grams by gram, -1 elsewhere
}

func newVocabulary(grams []gram, idf []float32) vocabulary {
	v := vocabulary{grams: grams, idf: idf, index: make([]int32, int(groups)*hashSpace)}
	for i := range v.index {
		v.index[i] = -1
	}
	for i, g := range grams {
		v.index[g] = int32(i)
	}
	return v
}

// course counts by course how often an n-gram occurs.
type gramCount struct {
	df      int
	courses int
	last    int     // course that it was last seen in
	current float64 // count there
	top     float64 // highest rate in a course
	sum     float64 // of rates
}

// What an n-gram needs to be a feature.
const (
	minGramReviews = 3
	minGramCourses = 2
	maxCourseShare = 0.8 // of its rates by course: more is the course's own vocabulary
)

// learnVocabulary keeps the n-grams that several reviews hold, of several courses
// where there are several: names of courses and of those who teach them must not
// stand for praise or blame. docs[i] are the n-grams of review i, of courses[i].
func learnVocabulary(docs [][]gram, courses []int) vocabulary {
	order := make([]int, len(docs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(courses[a], courses[b]) })
	counts := make([]gramCount, int(groups)*hashSpace)
	for i := range counts {
		counts[i].last = -1
	}
	sizes := map[int]int{}
	for _, c := range courses {
		sizes[c]++
	}
	for _, i := range order {
		c := courses[i]
		for _, g := range docs[i] {
			n := &counts[g]
			if n.last != c {
				n.close(sizes)
				n.last, n.courses = c, n.courses+1
			}
			n.df++
			n.current++
		}
	}
	var grams []gram
	var idf []float32
	for g := range counts {
		n := &counts[g]
		n.close(sizes)
		if n.df < minGramReviews || len(sizes) > 1 && (n.courses < minGramCourses || n.top > maxCourseShare*n.sum) {
			continue
		}
		grams = append(grams, gram(g))
		idf = append(idf, float32(1+math.Log(float64(len(docs)+1)/float64(n.df+1))))
	}
	return newVocabulary(grams, idf)
}

// close takes in the count of the course that is done.
func (n *gramCount) close(sizes map[int]int) {
	if n.last >= 0 && n.current > 0 {
		// Courses with few reviews say little about a rate.
		rate := n.current / float64(sizes[n.last]+10)
		n.top, n.sum = max(n.top, rate), n.sum+rate
	}
	n.current = 0
}

// sparse is a review as the model sees it.
type sparse struct {
	at []int32
	x  []float32
}

// weigh returns the known n-grams with their inverse document frequencies, each
// group of unit length, so that long reviews shout no louder.
func (v *vocabulary) weigh(grams []gram) sparse {
	s := sparse{at: make([]int32, 0, len(grams)), x: make([]float32, 0, len(grams))}
	var norm [groups]float64
	for _, g := range grams {
		i := v.index[g]
		if i < 0 {
			continue
		}
		w := v.idf[i]
		s.at, s.x = append(s.at, i), append(s.x, w)
		norm[g.group()] += float64(w) * float64(w)
	}
	for k, i := range s.at {
		s.x[k] /= float32(math.Sqrt(norm[v.grams[i].group()]))
	}
	return s
}
