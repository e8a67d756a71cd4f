package skills

import (
	"cmp"
	"math"
	"slices"
)

// pools are all words of all names and phrases of each skill, for queries of
// which no single name holds enough: "newborn keeps waking up at night" for who
// wrote of newborns in one phrase and of waking at night in another.
type pools struct {
	names []target
	with  [][]pooled // by word: the skills that hold it, ascending
	idf   []float64  // by word
	most  float64    // of a word that no skill holds
}

// pooled is a skill that holds a word, and the first of its names that does.
type pooled struct{ owner, name int32 }

// add enters the words of a name. The names of a skill come one after another.
func (p *pools) add(x target, words []int32) {
	p.names = append(p.names, x)
	for _, w := range words {
		for len(p.with) <= int(w) {
			p.with = append(p.with, nil)
		}
		if in := p.with[w]; len(in) == 0 || in[len(in)-1].owner != x.owner {
			p.with[w] = append(in, pooled{x.owner, int32(len(p.names) - 1)})
		}
	}
}

// settle prepares for questions, once all names are in.
func (p *pools) settle() {
	skills := 0
	for i, x := range p.names {
		if i == 0 || p.names[i-1].owner != x.owner {
			skills++
		}
	}
	p.idf = make([]float64, len(p.with))
	for w, in := range p.with {
		p.idf[w] = math.Log(1 + float64(skills)/float64(1+len(in)))
	}
	p.most = math.Log(1 + float64(skills))
}

// The share of a query's information that the words of a skill must hold, two of
// them at least, and how many skills are taken.
const (
	poolQuery  = 0.45
	poolSkills = 2
	poolLimit  = 250 // skills that hold a word, past which it tells nothing
)

// pool enters the skills whose names and phrases together hold most of the query,
// and reports whether there were any.
func (e *expander) pool() bool {
	p := &e.m.bags.pools
	asked := 0.0
	var seen []int32
	common := make(map[int32]inCommon)
	for _, w := range e.q.words {
		if !bagged(w) || isIntent(w.surface) {
			continue
		}
		if w.id == unknown || int(w.id) >= len(p.with) || len(p.with[w.id]) == 0 {
			asked += p.most
			continue
		}
		if slices.Contains(seen, w.id) {
			continue
		}
		seen = append(seen, w.id)
		asked += p.idf[w.id]
		if len(p.with[w.id]) > poolLimit {
			continue
		}
		for _, in := range p.with[w.id] {
			c := common[in.owner]
			c.words++
			c.sum += p.idf[w.id]
			if p.idf[w.id] > c.best {
				c.best, c.name = p.idf[w.id], in.name
			}
			common[in.owner] = c
		}
	}
	var all []inCommon
	for owner, c := range common {
		if c.words > 1 && c.sum >= poolQuery*asked {
			c.owner = owner
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b inCommon) int { return cmp.Or(cmp.Compare(b.sum, a.sum), cmp.Compare(a.owner, b.owner)) })
	spelt := e.q.trust(0, len(e.q.words))
	for _, c := range all[:min(len(all), poolSkills)] {
		x := &p.names[c.name]
		e.enter(c.owner, trustPooled*c.sum/asked*spelt, Why{Kind: kinds[x.form], Name: x.text, Misspelt: spelt < 1})
	}
	return len(all) > 0
}

// inCommon is what a skill has in common with a query.
type inCommon struct {
	owner, name int32 // name is the one with its most telling word
	words       int
	sum, best   float64
}
