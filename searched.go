package lectern

// Sort is the order of a search's results.
type Sort string

// The orders. All but the first list those results alone that answer the query
// clearly, and break ties by relevance.
const (
	SortRelevance Sort = "relevance" // as ranked; also ""
	SortRating    Sort = "rating"    // by rating, few ratings counting towards the catalogue's mean
	SortNewest    Sort = "newest"    // latest publication or update first
	SortPopular   Sort = "popular"
)

// Sorts lists every order.
func Sorts() []Sort { return []Sort{SortRelevance, SortRating, SortNewest, SortPopular} }

// Facet is a property by which results are counted and filtered.
type Facet string

// The facets.
const (
	FacetLevel    Facet = "level"
	FacetLanguage Facet = "language" // without region: "pt" counts "pt-BR"
	FacetCategory Facet = "category"
	FacetProvider Facet = "provider"
	FacetHours    Facet = "hours"  // ranges of workload
	FacetRating   Facet = "rating" // least ratings, each counting those above too
)

// Facets lists every facet.
func Facets() []Facet {
	return []Facet{FacetLevel, FacetLanguage, FacetCategory, FacetProvider, FacetHours, FacetRating}
}

// MaxFacetValues is how many values of a facet are counted one by one.
const MaxFacetValues = 20

// FacetCounts says how many of a query's candidates have each value. A facet's
// counts are those without the request's own filter on it, as if another value of
// it could still be chosen.
type FacetCounts struct {
	Courses int // candidates that pass every filter
	Facets  []FacetCount
}

// FacetCount is one facet. Values come by falling count, ranges and ratings in an
// order of their own.
type FacetCount struct {
	Facet   Facet
	Courses int // candidates counted: those without the filter on this facet
	Values  []FacetValue
	Other   int // candidates that have none but further values
	Unknown int // candidates that state none
}

// FacetValue is one value of a facet.
type FacetValue struct {
	Value    string   // as a filter takes it; "2-10" or "40+" of hours
	Count    int      // candidates that have it
	Selected bool     // the request filters by it
	Min, Max *float64 // what to filter by, for hours and ratings; nil is open
}

// Highlight is what of a course answers to the query.
type Highlight struct {
	Title        []Span // of Course.Title
	Snippet      string // the best passage of the description, "" without one
	SnippetSpans []Span // of Snippet
}

// SourceScore is what one candidate source gave a result.
type SourceScore struct {
	Source   string  `json:"source"`
	Position int     `json:"position"` // 0-based in what the source offered
	Score    float64 `json:"score"`    // the source's own, in Unit
	Unit     string  `json:"unit"`     // "BM25", "cosine", …
	Share    float64 `json:"share"`    // of the retrieval score, in [0, 1]; they sum to 1 over a result's sources
}

// SpellingSuggestion is another spelling of a query that finds far more.
type SpellingSuggestion struct {
	Query   string
	Results int // that a search for it lists
}

// FallbackReason says why nothing was found.
type FallbackReason string

// The reasons.
const (
	FallbackNoMatch FallbackReason = "no_match" // no course answers the query
	FallbackFilters FallbackReason = "filters"  // courses do, but none of those passes
)

// Fallback is what a search offers in place of results that it has none of.
type Fallback struct {
	Reason FallbackReason
	Drop   []FilterDrop // FallbackFilters: what to drop, the most fruitful first
	// List, for FallbackNoMatch, is what SurfaceHome shows this learner under the
	// same filters. It is a list of its own, recorded as such.
	List *List
}

// FilterDrop is filters whose absence would help.
type FilterDrop struct {
	Filters []string // names of parameters, such as "level"
	Results int      // that the search would list without them
}
