package lectern

import "context"

// SuggestRequest asks for suggestions while a query is typed.
type SuggestRequest struct {
	Query  string
	Limit  int // items of each group; 0 means the implementation's default
	Filter Filter
}

// SuggestionType says what a suggestion is.
type SuggestionType string

// The types of suggestions.
const (
	SuggestCompletion SuggestionType = "completion"
	SuggestCourse     SuggestionType = "course"
	SuggestSkill      SuggestionType = "skill"
	SuggestCategory   SuggestionType = "category"
	SuggestProvider   SuggestionType = "provider"
)

// SuggestReason says why something is suggested.
type SuggestReason string

// The reasons of suggestions, the strongest first.
const (
	SuggestExact   SuggestReason = "exact"   // the text is the query
	SuggestPrefix  SuggestReason = "prefix"  // the text begins with the query
	SuggestWords   SuggestReason = "words"   // every word of the query is found
	SuggestTypo    SuggestReason = "typo"    // every word is found, some in another spelling
	SuggestPartial SuggestReason = "partial" // some words are found
	SuggestPopular SuggestReason = "popular" // nothing is typed yet
)

// Span is a range of a text in UTF-16 code units, as the strings of browsers
// count; End is exclusive.
type Span struct{ Start, End int }

// Suggestion is one item.
type Suggestion struct {
	Type      SuggestionType
	ID        string // of a course, "" for other types
	Text      string
	Highlight []Span // rising, without overlap
	Reason    SuggestReason
}

// Suggestions are groups of items, best first.
type Suggestions struct {
	Completions []Suggestion
	Courses     []Suggestion
	Skills      []Suggestion
	Categories  []Suggestion
	Providers   []Suggestion
	Degraded    []string // what could not be asked, such as "semantic"
}

// Suggester completes queries. Implementations are safe for concurrent use.
type Suggester interface {
	Suggest(ctx context.Context, r SuggestRequest) (Suggestions, error)
}
