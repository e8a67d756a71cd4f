package lectern

import (
	"context"
	"time"
)

// Search is one query as it was answered.
type Search struct {
	RankingID string // UUID of the list, which events cite
	At        time.Time
	Learner   LearnerRef // nobody is fine
	Surface   Surface    // SurfaceSearch or SurfaceAutocomplete
	Query     string     // as typed, spaces collapsed; at most MaxSearchQuery bytes
	Folded    string     // queries with the same folded form count as one
	Results   int        // courses found, up to the depth of a list
	Degraded  bool       // a part did not take part
}

// MaxSearchQuery is how much of a query the search log keeps, in bytes.
const MaxSearchQuery = 256

// SearchOrder is what searches are listed by, the largest first.
type SearchOrder string

// The orders of searches.
const (
	SearchesByCount   SearchOrder = "count"   // Searches
	SearchesByZero    SearchOrder = "zero"    // Zero; only those with any
	SearchesByMissed  SearchOrder = "missed"  // Missed; only those with any
	SearchesByWeight  SearchOrder = "weight"  // Weight; only those with any
	SearchesByGrowing SearchOrder = "growing" // (Searches − Before) / √(Before + 1): a rise beyond what chance would bring
)

// SearchCountQuery selects and groups searches.
type SearchCountQuery struct {
	From, To   time.Time // From ≤ Search.At < To
	HalfLife   time.Duration
	MinOpeners int // leave out queries that fewer distinct learners opened a result of
	Order      SearchOrder
	Limit      int
}

// SearchCount is the searches of one folded query within a period. A search is
// opened when an event of type click, save, enrol, progress or complete cites its
// list and did not happen, by its own word, over a day before it. Only
// SurfaceSearch is counted: a query of SurfaceAutocomplete is what had been typed
// so far, and is there only when something was opened, so that it would pass for
// a phrase that always succeeds.
type SearchCount struct {
	Folded   string
	Query    string // its newest spelling
	Searches int
	Zero     int     // that found nothing
	Opened   int     // of which something was opened
	Missed   int     // that found something of which nothing was opened
	Openers  int     // distinct learners and visitors who opened something
	Before   int     // searches in the period of the same length before; SearchesByGrowing only
	Position float64 // mean 0-based position of what was opened; 0 when unknown
	Results  int     // of the newest search
	Weight   float64 // opened searches, each counting 2^(−age/HalfLife), age up to To
	Last     time.Time
}

// Reformulation is a query that was followed by another of the same learner
// before anything of it was opened. Like SearchCount it knows only SurfaceSearch.
type Reformulation struct {
	From, To string // newest spellings
	Count    int    // times
	Learners int    // distinct
	Opened   int    // times that something of the second was opened
	FromZero int    // times that the first had found nothing
}

// SearchStore keeps the search log.
type SearchStore interface {
	// PutSearches stores searches by RankingID; one that exists is left as it is.
	// The search of a learner or visitor whom the store does not know is kept
	// without their name. Errors: CodeInvalid, with nothing stored.
	PutSearches(ctx context.Context, searches []Search) error
	// RecentSearches returns a learner's newest searches with results, one per
	// folded query, newest first, of SurfaceSearch alone: what was being typed is no
	// search of its own. Nobody the store knows has none.
	RecentSearches(ctx context.Context, ref LearnerRef, limit int) ([]Search, error)
	// SearchCounts returns searches by folded query.
	SearchCounts(ctx context.Context, q SearchCountQuery) ([]SearchCount, error)
	// Reformulations returns, for searches in the period (both of them), the pairs
	// of queries that followed one another within a time, most learners first and
	// then most times.
	// Both are of SurfaceSearch.
	Reformulations(ctx context.Context, from, to time.Time, within time.Duration, limit int) ([]Reformulation, error)
	// ForgetSearchers drops the learner from searches before t, and returns how many.
	ForgetSearchers(ctx context.Context, before time.Time) (int, error)
	// DeleteSearchesBefore removes searches before t, and returns how many.
	DeleteSearchesBefore(ctx context.Context, t time.Time) (int, error)
}
