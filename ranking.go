package lectern

import (
	"context"
	"time"
)

// Surface is where a list is shown.
type Surface string

// The surfaces that Lectern makes lists for.
const (
	SurfaceHome     Surface = "home"
	SurfaceSearch   Surface = "search"
	SurfaceSimilar  Surface = "similar"
	SurfaceNext     Surface = "next"     // what to take after a course
	SurfaceTrending Surface = "trending" // what gains on its own past
)

// SurfaceAutocomplete is the suggestions under the search bar. They are no ranked
// list with pages, but events cite them as they cite lists.
const SurfaceAutocomplete Surface = "autocomplete"

// Surfaces lists every surface that ranked lists are made for.
func Surfaces() []Surface {
	return []Surface{SurfaceHome, SurfaceSearch, SurfaceSimilar, SurfaceNext, SurfaceTrending}
}

// ListRequest asks for one page of a ranked list.
type ListRequest struct {
	Surface  Surface
	Learner  LearnerRef // nobody is fine
	Query    string     // SurfaceSearch only
	CourseID string     // SurfaceSimilar and SurfaceNext; of home, the course that RowBecause and RowNext are about ("" chooses)
	Row      Row        // SurfaceHome only: one row of the page; "" is the list of recommendations
	FitTime  bool       // SurfaceHome only: only courses whose hours fit the learner's weekly budget
	Filter   Filter     // the caller's own filters; eligibility is added by the pipeline
	Limit    int        // items on the page, ≥ 1
	Cursor   string     // "" is the first page
	Explain  bool       // fill Item.Terms and, of a search, Item.Retrieval

	// The rest is for SurfaceSearch only.
	Sort   Sort    // "" is by relevance
	Exact  bool    // take the words as they were typed: complete and correct none
	Facets []Facet // to be counted, on the first page
}

// List is one page of a ranked list.
type List struct {
	RankingID     string // the whole list's, the same on every page
	Items         []Item
	NextCursor    string   // "" on the last page
	Total         int      // items in the whole list, bounded by its depth
	Degraded      []string // names of parts that did not take part, for example "semantic"
	ConfigVersion string   // which rerank settings made it
	Model         int64    // version of the collaborative model that took part, 0 for none
	Timings       []Timing

	// Of a search, on its first page only.
	Corrected  string              // the spelling that the answer was made for; "" for the query itself
	Suggestion *SpellingSuggestion // nil when no other spelling finds far more
	Facets     *FacetCounts        // nil when none were asked for
	Fallback   *Fallback           // nil unless nothing was found
}

// Item is one course in a list.
type Item struct {
	Course   Course
	Position int      // 0-based in the whole list
	Score    float64  // the sum of the terms' contributions
	Sources  []string // candidate sources that brought it, best first
	Terms    []Term   // only when explained
	Reasons  []Reason // most important first

	Progress float64 // of a course under way: the greatest share done that was reported, in [0, 1]; 0 where none was

	Pinned     string   // the rule that put it in its place; "" for its score
	Duplicates []string // ids of courses that teach the same and were left out for it

	Highlight *Highlight    // of a search
	Retrieval []SourceScore // of a search, when its first page was explained
}

// Term is one part of a score: Contribution = Weight × Value.
type Term struct {
	Name         string  `json:"name"`
	Value        float64 `json:"value"` // in [0, 1]
	Weight       float64 `json:"weight"`
	Contribution float64 `json:"contribution"`
}

// Reason says why an item is in a list: a stable code with parameters. It is
// turned into a sentence at the edge.
type Reason struct {
	Code   string            `json:"code"`
	Params map[string]string `json:"params,omitempty"`
}

// Timing is how long one stage took.
type Timing struct {
	Stage    string
	Duration time.Duration
}

// Ranking is the record of a list that was made: what events cite and what
// later pages are cut from.
type Ranking struct {
	ID            string       `json:"id"` // UUID
	Learner       LearnerRef   `json:"-"`  // stored by reference, never inside the blob
	Surface       Surface      `json:"surface"`
	Row           Row          `json:"row,omitempty"`
	Query         string       `json:"query,omitempty"`
	Sort          Sort         `json:"sort,omitempty"`     // "" is by relevance
	Filtered      bool         `json:"filtered,omitempty"` // the caller narrowed it
	CourseID      string       `json:"course_id,omitempty"`
	RequestHash   string       `json:"request_hash"` // of everything but cursor and limit
	CreatedAt     time.Time    `json:"created_at"`
	ConfigVersion string       `json:"config_version"`
	Model         int64        `json:"model,omitempty"` // version of the collaborative model that took part
	Degraded      []string     `json:"degraded,omitempty"`
	Weights       []TermWeight `json:"weights,omitempty"` // of the terms, in the order of RankedItem.Terms
	Segment       Segment      `json:"segment,omitempty"`
	Served        int          `json:"served,omitempty"`      // items on the first page
	Arms          []ArmRef     `json:"arms,omitempty"`        // of the experiments that it is part of
	Exploration   *Exploration `json:"exploration,omitempty"` // nil: nothing was explored
	Items         []RankedItem `json:"items"`                 // in order, the whole depth
}

// TermWeight is a term with its weight in one list.
type TermWeight struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"`
}

// RankedItem is one slot of a recorded ranking.
type RankedItem struct {
	CourseID   string  `json:"course_id"`
	Score      float64 `json:"score"`
	Propensity float64 `json:"propensity"` // probability that this slot held this course; 1 without exploration
	// PropensityError is the standard error of a propensity found by Monte Carlo; 0 is exact.
	PropensityError float64   `json:"propensity_error,omitempty"`
	Team            int       `json:"team,omitempty"` // of an interleaved list: 1 or 2, whose course it is
	Sources         []string  `json:"sources,omitempty"`
	Terms           []float64 `json:"terms,omitempty"`      // values in the order of Ranking.Weights
	Adjusted        []Term    `json:"adjusted,omitempty"`   // what rules added to the terms' sum
	Pinned          string    `json:"pinned,omitempty"`     // the rule that put it in its place
	Duplicates      []string  `json:"duplicates,omitempty"` // ids of courses that were left out for it
	Reasons         []Reason  `json:"reasons,omitempty"`

	Retrieval []SourceScore `json:"retrieval,omitempty"` // only where it was asked for
}

// TraceRequest asks what became of one course for one learner.
type TraceRequest struct {
	Learner  LearnerRef
	CourseID string
	Surface  Surface // SurfaceHome when empty
	Query    string
	Filter   Filter
}

// Trace says how far a course came on the way into a list.
type Trace struct {
	CourseID string
	// ConfigVersion is which rerank settings ranked it.
	ConfigVersion string

	Outcome  string       // "ranked" or the stage that lost it
	Position *int         // 0-based, when ranked
	Score    float64      // when it was scored
	Stages   []TraceStage // in order, up to the one that lost it
	Terms    []Term       // when it was scored
}

// TraceStage is one stage's verdict.
type TraceStage struct {
	Stage  string `json:"stage"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"` // a sentence with the numbers behind the verdict
}

// Ranker makes lists. The same object serves and is evaluated.
type Ranker interface {
	// List returns one page. Errors: CodeInvalid, CodeNotFound (SurfaceSimilar,
	// unknown course), CodeCursorMismatch, CodeCursorExpired, CodeUnavailable.
	List(ctx context.Context, req ListRequest) (List, error)
	// Trace follows one course. Errors: CodeNotFound for an unknown course.
	Trace(ctx context.Context, req TraceRequest) (Trace, error)
}
