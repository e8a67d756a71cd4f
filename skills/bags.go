package skills

import (
	"cmp"
	"math"
	"slices"
)

// bags are names and phrases as sets of words, for queries that put them in other
// words: "speak without fear" for "speak in front of people without fear".
type bags struct {
	all   []bag
	with  [][]int32 // by word: the bags that hold it
	idf   []float64 // by word
	most  float64   // of a word that no bag holds
	pools pools
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
	b.pools.add(x, ids)
	if len(ids) > 1 {
		b.all = append(b.all, bag{x, ids})
	}
}

// bagged reports whether a word may tell names apart. Near stands in queries for a
// place, not for a skill. Better and good are wishes,
// but also what is wished for: "sleep better".
func bagged(w word) bool {
	return !w.stop && w.surface != "near" && (!isWish(w.surface) || w.surface == "better" || w.surface == "good")
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
	b.pools.settle()
}

// The shares of the information that must be in common, and how many skills are
// taken.
const (
	bagQuery   = 0.6
	bagName    = 0.5
	bagSkills  = 2
	bagRare    = 100 // names that hold a word, up to which all of them are looked at
	hintNames  = 12  // that may hold a word which is all that a name and a query have in common
	hintQuery  = 0.48
	hintSkills = 4    // that such names may belong to
	bagLimit   = 1000 // names that hold a word, past which it tells nothing and costs much
)

// describe enters the skills that have most words in common with the query.
func (e *expander) describe() {
	b := &e.m.bags
	asked := 0.0
	var ids []int32
	common := make(map[int32]overlap)
	for _, w := range e.q.words {
		if !bagged(w) || slices.Contains(ids, w.id) && w.id != unknown {
			continue
		}
		says := !isIntent(w.surface)
		if w.id == unknown {
			if says {
				asked += b.most
			}
			continue
		}
		id := w.id
		ids = append(ids, id)
		if says {
			asked += b.idf[id]
		}
	}
	// The rarer words say which names come into question, the others only which of
	// them: a common word is in too many names to look at each.
	slices.SortStableFunc(ids, func(x, y int32) int { return cmp.Compare(len(b.with[x]), len(b.with[y])) })
	for n, id := range ids {
		if len(b.with[id]) > bagLimit {
			break
		}
		for _, i := range b.with[id] {
			c, ok := common[i]
			if !ok && n > 0 && len(b.with[id]) > bagRare {
				continue
			}
			common[i] = overlap{c.sum + b.idf[id], c.words + 1}
		}
	}
	if asked == 0 {
		return
	}
	best := make(map[int32]described)
	for i, c := range common {
		shared := c.sum
		if c.words < 2 || shared < bagQuery*asked {
			continue
		}
		whole := 0.0
		for _, w := range b.all[i].words {
			whole += b.idf[w]
		}
		if shared < bagName*whole {
			continue
		}
		d := described{&b.all[i].target, i, min(1, shared/asked) * (shared / whole)}
		if old, ok := best[d.target.owner]; !ok || compareDescribed(d, old) < 0 {
			best[d.target.owner] = d
		}
	}
	if len(best) == 0 {
		if !e.pool() {
			e.hint(asked)
		}
		return
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

// hint enters the skills whose names and phrases alone hold a word that carries
// most of what is asked, as rome does of "why did rome fall".
func (e *expander) hint(asked float64) {
	b := &e.m.bags
	for _, w := range e.q.words {
		if !bagged(w) || isIntent(w.surface) || w.id == unknown || len(b.with[w.id]) > hintNames || b.idf[w.id] < hintQuery*asked {
			continue
		}
		var owners []int32
		first := make(map[int32]int32)
		for _, i := range b.with[w.id] {
			owner := b.all[i].target.owner
			if !slices.Contains(owners, owner) {
				owners = append(owners, owner)
				first[owner] = i
			}
		}
		if len(owners) == 0 || len(owners) > hintSkills {
			continue
		}
		weight := trustHint * min(1, b.idf[w.id]/asked) / float64(len(owners)) * e.q.trust(w.at, w.at+1)
		for _, owner := range owners {
			x := &b.all[first[owner]].target
			e.enter(owner, weight, Why{Kind: kinds[x.form], Name: x.text, Misspelt: e.q.trust(w.at, w.at+1) < 1})
		}
	}
}

// overlap is what a name has in common with a query.
type overlap struct {
	sum   float64
	words int
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
