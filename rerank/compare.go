package rerank

import "slices"

// Comparison is what several rerankers make of one request: the same candidates,
// measured once, in the order of each.
type Comparison struct {
	Request    Request     // as every reranker was given it
	Candidates []Candidate // those of the sources, then those that some reranker pins
	// Lists stand beside the rerankers. Scored.Index and Scored.Duplicates are places in
	// Candidates.
	Lists []Ranked
	// Degraded are the parts that the candidates were made without.
	Degraded []string
}

// Compare puts candidates before several rerankers. Those from common on are there for
// rules alone: a reranker sees the ones among them that it pins itself.
func Compare(req Request, candidates []Candidate, common int, rerankers []Reranker) Comparison {
	out := Comparison{Request: req, Candidates: candidates, Lists: make([]Ranked, len(rerankers))}
	for i, r := range rerankers {
		out.Lists[i] = rankOwn(r, req, candidates, common)
	}
	return out
}

// rankOwn orders the common candidates with those that a reranker pins.
func rankOwn(r Reranker, req Request, candidates []Candidate, common int) Ranked {
	if common == len(candidates) {
		return r.Rerank(req, candidates)
	}
	pins := r.Pins(req)
	own := make([]int, 0, len(candidates)-common) // places
	for i := common; i < len(candidates); i++ {
		if slices.Contains(pins, candidates[i].Course.ID) {
			own = append(own, i)
		}
	}
	if common+len(own) == len(candidates) {
		return r.Rerank(req, candidates)
	}
	seen := append(make([]Candidate, 0, common+len(own)), candidates[:common]...)
	for _, i := range own {
		seen = append(seen, candidates[i])
	}
	ranked := r.Rerank(req, seen)
	place := func(i int) int {
		if i < common {
			return i
		}
		return own[i-common]
	}
	for i := range ranked.Items {
		item := &ranked.Items[i]
		item.Index = place(item.Index)
		for j, d := range item.Duplicates {
			item.Duplicates[j] = place(d)
		}
	}
	return ranked
}
