package skills

import (
	"cmp"
	"math"
	"slices"
)

// bags are names and phrases as sets of words, for queries that put them in other
// words: "speak without fear" for "speak in front of people without fear".
type bags struct {
	all  []bag
	with [][]int32 // by word: the bags that hold it
	idf  []float64 // by word
	most float64   // of a word that no bag holds
}

type bag struct {
	target target
	words  []int32
}

// add enters a name. Those of occupations, weak ones and single words need to be
// met exactly.
func (b *bags) add(x target, words []word) {
	if x.occupation || x.weak {
		return
	}
	var ids []int32
	for _, w := range words {
		if bagged(w) && !slices.Contains(ids, w.id) {
			ids = append(ids, w.id)
		}
	}
	if len(ids) > 1 {
		b.all = append(b.all, bag{x, ids})
	}
}

// bagged reports whether a word may tell names apart. Better and good are wishes,
// but also what is wished for: "sleep better".
func bagged(w word) bool {
	return !w.stop && (!isWish(w.surface) || w.surface == "better" || w.surface == "good")
}

// settle prepares for questions, once all names are in.
func (b *bags) settle(words int) {
	b.with, b.idf = make([][]int32, words), make([]float64, words)
	for i, bag := range b.all {
		for _, w := range bag.words {
			b.with[w] = append(b.with[w], int32(i))
		}
	}
	for w, in := range b.with {
		b.idf[w] = math.Log(1 + float64(len(b.all))/float64(1+len(in)))
	}
	b.most = math.Log(1 + float64(len(b.all)))
}

// The shares of the information that must be in common, and how many skills are
// taken.
const (
	bagQuery  = 0.6
	bagName   = 0.5
	bagSkills = 2
	bagLimit  = 1000 // names that hold a word, past which it tells nothing and costs much
)

// describe enters the skills that have most words in common with the query.
func (e *expander) describe() {
	b := &e.m.bags
	asked := 0.0
	var ids []int32
	common := make(map[int32]float64)
	count := make(map[int32]int)
	for _, w := range e.q.words {
		if !bagged(w) || slices.Contains(ids, w.id) && w.id != unknown {
			continue
		}
		if w.id == unknown {
			asked += b.most
			continue
		}
		id := w.id
		ids = append(ids, id)
		asked += b.idf[id]
		if len(b.with[id]) > bagLimit {
			continue
		}
		for _, i := range b.with[id] {
			common[i] += b.idf[id]
			count[i]++
		}
	}
	best := make(map[int32]described)
	for i, shared := range common {
		if count[i] < 2 || shared < bagQuery*asked {
			continue
		}
		whole := 0.0
		for _, w := range b.all[i].words {
			whole += b.idf[w]
		}
		if shared < bagName*whole {
			continue
		}
		d := described{&b.all[i].target, i, (shared / asked) * (shared / whole)}
		if old, ok := best[d.target.owner]; !ok || compareDescribed(d, old) < 0 {
			best[d.target.owner] = d
		}
	}
	all := make([]described, 0, len(best))
	for _, d := range best {
		all = append(all, d)
	}
	slices.SortFunc(all, compareDescribed)
	spelt := e.q.trust(0, len(e.q.words))
	for _, d := range all[:min(len(all), bagSkills)] {
		e.enter(d.target.owner, trustDescribed*d.shares*spelt, Why{Kind: kinds[d.target.form], Name: d.target.text, Misspelt: spelt < 1})
	}
}

// described is a name that has words in common with a query.
type described struct {
	target *target
	bag    int32
	shares float64
}

func compareDescribed(a, b described) int {
	return cmp.Or(cmp.Compare(b.shares, a.shares), cmp.Compare(a.bag, b.bag))
}
