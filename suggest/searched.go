package suggest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// Searches is what people searched for. What may be shown of it, the
// implementation decides. It answers from memory.
type Searches interface {
	// Opened returns queries of which people opened what they found. The version
	// changes with them, and is not 0 once there are any.
	Opened() (version int64, queries []Searched)
	// Trending returns up to n queries that more ask these days than before.
	Trending(n int) []string
}

// Searched is one query.
type Searched struct {
	Text   string
	Weight float64 // how often something was opened, less with time; above 0
}

// Recents are the searches of single learners.
type Recents interface {
	// Recent returns up to n of a learner's latest searches that found something,
	// the newest first.
	Recent(ctx context.Context, ref lectern.LearnerRef, n int) ([]string, error)
}

// Synonyms tell in which other words a query can be asked.
type Synonyms interface {
	// Variants returns the query in other words, best first.
	Variants(query string) []Variant
}

// Variant is a query in other words.
type Variant struct {
	Query    string // the whole of it
	From, To string // what was put in place of what
}

// maxVariants is how many variants of a query are searched.
const maxVariants = 4

// searched is an index of what people searched for. Read only.
type searched struct {
	version int64
	queries []Searched
	index   *index // items are queries
}

// A query's prior, by its weight: the rarest is worth a common completion.
const (
	searchedPrior = 0.5
	searchedRange = 1.0
)

// tendSearched keeps the index of searches in step until ctx ends.
func (s *Suggester) tendSearched(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		s.ReadSearches()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ReadSearches takes in what people searched for, where it has changed. Run does
// so every second.
func (s *Suggester) ReadSearches() {
	if s.o.Searches == nil {
		return
	}
	version, queries := s.o.Searches.Opened()
	if version == s.searched.Load().version {
		return
	}
	s.searched.Store(newSearched(version, queries))
}

func newSearched(version int64, queries []Searched) *searched {
	out := &searched{version: version}
	analyzer := text.NewAnalyzer()
	most := 0.0
	for _, q := range queries {
		most = max(most, q.Weight)
	}
	var sources []source
	seen := make(map[string]bool, len(queries))
	for _, q := range queries {
		words := split(analyzer, q.Text, false)
		key := keyOf(words)
		if key == "" || seen[key] || !(q.Weight > 0) {
			continue
		}
		seen[key] = true
		out.queries = append(out.queries, q)
		sources = append(sources, source{
			key: key, words: placed(words, inTitle),
			prior: float32(searchedPrior + searchedRange*math.Log1p(q.Weight)/math.Log1p(most)),
		})
	}
	out.order(sources)
	out.index = newIndex(sources)
	return out
}

// order sorts queries and their sources by falling prior, as an index wants them.
func (s *searched) order(sources []source) {
	at := make([]int, len(sources))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int {
		return cmp.Or(cmp.Compare(sources[b].prior, sources[a].prior), cmp.Compare(sources[a].key, sources[b].key))
	})
	queries, from := slices.Clone(s.queries), slices.Clone(sources)
	for to, i := range at {
		s.queries[to], sources[to] = queries[i], from[i]
	}
}
