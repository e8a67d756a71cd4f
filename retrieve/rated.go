package retrieve

import (
	"context"
	"slices"
	"sort"

	"github.com/lectern-dev/lectern"
)

// ratedIndex adds the filter on ratings to an index. Ratings change without the
// course, and memory has them as they are now, so no index keeps them.
type ratedIndex struct {
	lectern.VectorIndex
	catalog *Catalog
	rated   []*entry // best first
	size    int      // of the catalogue
}

var _ lectern.VectorIndex = (*ratedIndex)(nil)

// fewRated is how many courses are named to the index one by one. Where more are
// rated well enough, it is asked for more hits than are needed, and those that
// are not are dropped.
const fewRated = 4000

// Search answers every query in full: as many hits as it asks for, unless the index
// has no more with the rating.
func (x *ratedIndex) Search(ctx context.Context, queries []lectern.VectorQuery) ([][]lectern.Hit, error) {
	asked := slices.Clone(queries)
	var open []int // queries that are asked for more than they need
	for i := range asked {
		f := &asked[i].Filter
		if f.MinRating == nil {
			continue
		}
		enough := sort.Search(len(x.rated), func(j int) bool { return x.rated[j].payload.Rating < *f.MinRating })
		if enough <= fewRated {
			f.OnlyIDs = namesOf(x.rated[:enough], f.OnlyIDs)
			continue
		}
		asked[i].K = asked[i].K*max(x.size, enough)/enough + asked[i].K/2
		open = append(open, i)
	}
	out, err := x.VectorIndex.Search(ctx, asked)
	if err != nil {
		return nil, err
	}
	for len(open) > 0 {
		var again []int
		for _, i := range open {
			all := out[i]
			kept := x.keep(all, *queries[i].Filter.MinRating)
			if len(kept) < queries[i].K && len(all) == asked[i].K {
				asked[i].K *= 4
				again = append(again, i)
				continue
			}
			out[i] = kept[:min(len(kept), queries[i].K)]
		}
		if err := x.repeat(ctx, asked, again, out); err != nil {
			return nil, err
		}
		open = again
	}
	return out, nil
}

// repeat asks some of the queries once more.
func (x *ratedIndex) repeat(ctx context.Context, asked []lectern.VectorQuery, which []int, out [][]lectern.Hit) error {
	if len(which) == 0 {
		return nil
	}
	queries := make([]lectern.VectorQuery, len(which))
	for j, i := range which {
		queries[j] = asked[i]
	}
	answers, err := x.VectorIndex.Search(ctx, queries)
	if err != nil {
		return err
	}
	for j, i := range which {
		out[i] = answers[j]
	}
	return nil
}

// keep returns the hits that are rated well enough.
func (x *ratedIndex) keep(hits []lectern.Hit, least float64) []lectern.Hit {
	out := make([]lectern.Hit, 0, len(hits))
	for i, en := range x.catalog.lookup(idsOf(hits)) {
		if en != nil && en.payload.Rating > 0 && en.payload.Rating >= least {
			out = append(out, hits[i])
		}
	}
	return out
}

// namesOf lists the courses, of those in only where that is not nil.
func namesOf(entries []*entry, only []string) []string {
	var within map[string]bool
	if only != nil {
		within = setOf(only)
	}
	out := make([]string, 0, len(entries))
	for _, en := range entries {
		if within == nil || within[en.facts.ID] {
			out = append(out, en.facts.ID)
		}
	}
	return out
}
