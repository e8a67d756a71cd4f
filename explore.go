package lectern

import (
	"context"
	"time"
)

// Segment is what kind of caller a list is made for.
type Segment string

// The segments.
const (
	SegmentNobody  Segment = "nobody"  // neither learner nor visitor is named
	SegmentVisitor Segment = "visitor" // not signed in
	SegmentNew     Segment = "new"     // a learner of whom little is known
	SegmentActive  Segment = "active"  // any other learner
)

// Segments lists every segment.
func Segments() []Segment {
	return []Segment{SegmentNobody, SegmentVisitor, SegmentNew, SegmentActive}
}

// ExploreRequest lays a list out as it is without exploration.
type ExploreRequest struct {
	Learner LearnerRef
	Surface Surface
	Row     Row
	About   string // the course or the query that the list is about
	Segment Segment
	At      time.Time
	Allowed bool   // the learner allows personal lists and exploration, and is no minor
	Served  int    // items on the first page
	Policy  string // of an experiment's arm; "" is as set
	// PerProvider courses of one provider may stand among the first LimitedPlaces; 0
	// is no limit.
	PerProvider   int
	LimitedPlaces int
	Terms         []TermWeight
	Items         []ExploreItem // the whole depth, in order
}

// ExploreItem is one course of a list before exploration.
type ExploreItem struct {
	CourseID string
	Provider string // folded
	Score    float64
	Values   []float64 // in the order of ExploreRequest.Terms; read only
	Fixed    bool      // a rule pins it: it keeps its place
	Held     bool      // may not rise: waits for a prerequisite, or is near what was turned down
	Age      float64   // days since publication; below 0 is unknown
	Evidence float64   // ratings and recent views that tell how good it is
}

// Exploration says how the places of a list that explore were filled: with the items
// of the ranking, all that it takes to fill them again.
type Exploration struct {
	Policy    string `json:"policy"`
	Settings  string `json:"settings"`            // name of the exploration settings
	Posterior int64  `json:"posterior,omitempty"` // version that the policy chose by; 0 is none
	// Strength is how much the policy tries out: of thompson and linucb the standard
	// deviations, in those of one reward; of epsilon_greedy the share.
	Strength float64 `json:"strength,omitempty"`
	Features string  `json:"features"` // names how feature rows are made
	Segment  Segment `json:"segment"`
	Seed     uint64  `json:"seed,string"`
	Floor    float64 `json:"floor"`     // share of choices that are uniform over the pool
	NewShare float64 `json:"new_share"` // share that is uniform over Owed, where there are any
	Places   []int   `json:"places"`    // that explore, 0-based, rising
	// Slate is the list before exploration as far as exploration may change it:
	// Slate[i] is the index into Ranking.Items of what stood at place i.
	Slate    []int     `json:"slate"`
	Age      []float64 `json:"age"`             // beside Slate
	Evidence []float64 `json:"evidence"`        // beside Slate
	Provider []int     `json:"provider"`        // beside Slate: the same number is the same provider; 0 is unknown
	Fixed    []int     `json:"fixed,omitempty"` // places that a rule pins
	Pool     []int     `json:"pool"`            // indices into Slate of what may be put at the places
	Owed     []int     `json:"owed,omitempty"`  // indices into Slate of new courses that are owed impressions

	PerProvider   int `json:"per_provider,omitempty"`
	LimitedPlaces int `json:"limited_places,omitempty"`

	By    []string `json:"by"`    // beside Places: "policy", "floor" or "new"
	Draws int      `json:"draws"` // Monte Carlo replays behind the propensities; 0 is exact
}

// Explorer fills the places of a list that explore. It is safe for concurrent use.
type Explorer interface {
	// Explore returns the order of a list with its exploring places filled, as
	// indices into req.Items, and how that came about; nil, nil where nothing is
	// explored. Exploration.Slate then refers to the new order. The request is the
	// caller's to change afterwards, but for its strings.
	Explore(req *ExploreRequest) (order []int, x *Exploration)
	// Finish sets the propensities of a recorded list from what was recorded alone.
	// Errors: CodeNotFound where the posterior is no longer kept.
	Finish(ctx context.Context, r *Ranking) error
}

// Reward is one reward that a list earned.
type Reward struct {
	RankingID string
	CourseID  string
	Name      string // of the reward, as in the exploration settings
	Value     float64
	At        time.Time // of the event
}

// Outcome is an event with the list that it is put down to.
type Outcome struct {
	Seq    int64 // place in the log of events, rising
	Event  Event
	Person int64 // stands for the learner or visitor
	// List is what the event cites or, where it cites none, the latest list that an
	// event of the same person about the same course cited before it; its first items
	// only. nil is none.
	List   *Ranking
	Direct bool // the event itself cites List
	// Silent is set where the person allows no personal lists: nothing is learnt from it.
	Silent bool
}

// RankedList is a recorded list in the order of recording.
type RankedList struct {
	Seq     int64
	Person  int64   // stands for the learner or visitor; 0 is nobody
	Ranking Ranking // without its learner; its first items only
}

// FirstPage stands, in the place of a number of items, for those of a list's first page.
const FirstPage = -1

// OutcomeLog reads what lists led to, in the order in which it was recorded: what is
// read once is complete up to there.
type OutcomeLog interface {
	// ScanOutcomes returns up to limit events after a place in the log (0 at first), and
	// the place to go on from (after itself where there are none yet). An event without a
	// list is put down to one that was cited within the given time before it. Lists come
	// with their first items.
	ScanOutcomes(ctx context.Context, after int64, limit int, within time.Duration, items int) ([]Outcome, int64, error)
	// ScanRankings returns up to limit recorded lists after a place in their log (0 at
	// first), and the place to go on from. items may be FirstPage.
	ScanRankings(ctx context.Context, after int64, limit, items int) ([]RankedList, int64, error)
}
