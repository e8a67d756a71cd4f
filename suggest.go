package lectern

import "context"

// SuggestRequest asks for suggestions while a query is typed.
type SuggestRequest struct {
	Query   string
	Learner LearnerRef // nobody is fine
	Limit   int        // items of each group; 0 means the implementation's default
	Filter  Filter
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

// The reasons of suggestions to what was typed, the strongest first.
const (
	SuggestExact    SuggestReason = "exact"    // the text is the query
	SuggestPrefix   SuggestReason = "prefix"   // the text begins with the query
	SuggestWords    SuggestReason = "words"    // every word of the query is found
	SuggestSearched SuggestReason = "searched" // others searched for it and opened what they found
	SuggestSynonym  SuggestReason = "synonym"  // every word is found, some by a synonym
	SuggestTypo     SuggestReason = "typo"     // every word is found, some in another spelling
	SuggestMeaning  SuggestReason = "meaning"  // near in meaning, or taught by it
	SuggestPartial  SuggestReason = "partial"  // some words are found
)

// The reasons of suggestions before anything is typed.
const (
	SuggestRecent     SuggestReason = "recent"     // the learner searched for it lately
	SuggestUnfinished SuggestReason = "unfinished" // the learner has begun it
	SuggestTrending   SuggestReason = "trending"   // many search for it these days
	SuggestPopular    SuggestReason = "popular"    // many take it
)

// Span is a range of a text in UTF-16 code units, as the strings of browsers
// count; End is exclusive.
type Span struct{ Start, End int }

// Suggestion is one item.
type Suggestion struct {
	Type      SuggestionType
	ID        string // of a course, or of a skill of the skill graph; "" for the rest
	Text      string
	Highlight []Span // rising, without overlap
	Reason    SuggestReason
	Via       string // what stands between query and item: the skill or the synonym, "" for nothing
}

// Suggestions are groups of items, best first.
type Suggestions struct {
	RankingID   string // what events cite; signed, and stored nowhere before one does
	Completions []Suggestion
	Courses     []Suggestion
	Skills      []Suggestion
	Categories  []Suggestion
	Providers   []Suggestion
	Degraded    []string // what could not be asked, such as "semantic" or "personal"
}

// Suggester completes queries. Implementations are safe for concurrent use.
type Suggester interface {
	Suggest(ctx context.Context, r SuggestRequest) (Suggestions, error)
}

// SynonymRules are the admin's: words and phrases that stand for one another.
type SynonymRules struct {
	Version int64         `json:"version"` // 0 for none yet; rises with every change
	Rules   []SynonymRule `json:"rules"`
}

// SynonymRule is a group of equals, or one way: who asks for From means To too,
// and not the other way round.
type SynonymRule struct {
	ID       string   `json:"id,omitempty"`
	Synonyms []string `json:"synonyms,omitempty"` // two or more equals
	From     string   `json:"from,omitempty"`     // one way
	To       []string `json:"to,omitempty"`
	Language string   `json:"language,omitempty"` // BCP 47; "" for every language
}
