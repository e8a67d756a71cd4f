package sentiment

import (
	"fmt"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Near-identical texts are found by MinHash (Broder, 1997): texts that agree in all
// rows of a band are compared by their word pairs.
const (
	copyBands  = 16
	copyRows   = 2
	copyBucket = 64 // texts of a bucket that each is compared with, at most
)

// printed is a text as a set of hashed word pairs.
type printed struct {
	at    int // in the reviews
	words int
	pairs []uint32 // sorted, each once
}

// copies holds texts that several authors have nearly alike within a short time, and
// those that one-off accounts have at whatever distance: people who praise a course
// with the same few words years apart are no campaign. Short texts are left alone, and
// so are those of established authors unless they are long.
func copies(all []judged, c BombingConfig, found map[string]lectern.HeldReview) {
	prints := make([]printed, 0, len(all))
	for i := range all {
		if p, ok := fingerprint(all[i].review.Text, c.CopyWords); ok {
			if all[i].established && p.words < 2*c.CopyWords {
				continue
			}
			p.at = i
			prints = append(prints, p)
		}
	}
	together := func(i, j int) bool { return together(&all[prints[i].at], &all[prints[j].at], c.CopyWithin) }
	for _, members := range alike(prints, c.CopyShare, together) {
		same := make([]*judged, len(members))
		for i, m := range members {
			same[i] = &all[prints[m].at]
		}
		campaigns(same, c, found)
	}
}

// together reports whether two reviews can be of one campaign.
func together(a, b *judged, within time.Duration) bool {
	return a.oneOff && b.oneOff || near(a, b, within)
}

// near reports whether two reviews are of the same time, as two of unknown time are.
func near(a, b *judged, within time.Duration) bool {
	if a.at.IsZero() || b.at.IsZero() {
		return a.at.IsZero() && b.at.IsZero()
	}
	return a.at.Sub(b.at).Abs() <= within
}

// campaigns holds those of the reviews with nearly the same text, in order of time,
// that have enough authors in some span of CopyWithin, or enough one-off accounts.
func campaigns(same []*judged, c BombingConfig, found map[string]lectern.HeldReview) {
	var oneOffs []*judged
	for _, j := range same {
		if j.oneOff {
			oneOffs = append(oneOffs, j)
		}
	}
	if n := countAuthors(oneOffs); n >= c.CopyAuthors {
		holdCopies(oneOffs, fmt.Sprintf("%d reviews by %d accounts with nothing else have nearly the same text.", len(oneOffs), n), found)
	}
	inSpan := map[string]int{} // reviews by author
	last, done := 0, 0
	for first := range same {
		for last < len(same) && near(same[first], same[last], c.CopyWithin) {
			inSpan[same[last].author()]++
			last++
		}
		if len(inSpan) >= c.CopyAuthors && last > done {
			holdCopies(same[first:last], fmt.Sprintf("%d reviews by %d authors within %s have nearly the same text.", last-first, len(inSpan), days(c.CopyWithin)), found)
			done = last
		}
		if a := same[first].author(); inSpan[a] > 1 {
			inSpan[a]--
		} else {
			delete(inSpan, a)
		}
	}
}

// author tells writers apart: unknown ones are taken for different ones.
func (j *judged) author() string {
	if j.review.LearnerID == "" {
		return "review " + j.review.ID
	}
	return "learner " + j.review.LearnerID
}

func countAuthors(js []*judged) int {
	authors := map[string]bool{}
	for _, j := range js {
		authors[j.author()] = true
	}
	return len(authors)
}

func holdCopies(js []*judged, detail string, found map[string]lectern.HeldReview) {
	for _, j := range js {
		hold(found, j.review, RuleCopies, detail)
	}
}

func fingerprint(s string, least int) (printed, bool) {
	var p printed
	prev := uint32(0)
	for _, t := range tokenize(s) {
		if t.kind != kindWord {
			continue
		}
		h := hashWord(t.word)
		if p.words > 0 {
			p.pairs = append(p.pairs, mix(prev, h))
		}
		prev = h
		p.words++
	}
	slices.Sort(p.pairs)
	p.pairs = slices.Compact(p.pairs)
	return p, p.words >= least && len(p.pairs)*2 >= least
}

// alike groups prints by single linkage of those with at least share of their pairs
// in common, where together allows it. Groups of one are left out.
func alike(prints []printed, share float64, together func(i, j int) bool) [][]int {
	parent := make([]int, len(prints))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for band := range copyBands {
		buckets := map[uint32][]int{}
		for i, p := range prints {
			key := uint32(band)
			for row := range copyRows {
				key = mix(key, leastHash(p.pairs, uint32(band*copyRows+row+1)))
			}
			b := buckets[key]
			for _, j := range b[max(0, len(b)-copyBucket):] {
				if find(i) != find(j) && together(i, j) && jaccard(p.pairs, prints[j].pairs) >= share {
					parent[find(i)] = find(j)
				}
			}
			buckets[key] = append(b, i)
		}
	}
	groups := map[int][]int{}
	for i := range prints {
		groups[find(i)] = append(groups[find(i)], i)
	}
	var out [][]int
	for i := range prints {
		if g := groups[find(i)]; len(g) > 1 && g[0] == i {
			out = append(out, g)
		}
	}
	return out
}

func leastHash(pairs []uint32, salt uint32) uint32 {
	least := ^uint32(0)
	for _, p := range pairs {
		least = min(least, mix(p, salt*0x9e3779b9))
	}
	return least
}

// jaccard is the share of two sorted sets that they have in common.
func jaccard(a, b []uint32) float64 {
	i, j, common := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			common++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return float64(common) / float64(len(a)+len(b)-common)
}
