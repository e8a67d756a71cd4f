package preview

import "github.com/lectern-dev/lectern"

// Report is what a draft would change.
type Report struct {
	Old      string          `json:"old"` // version of the settings in use
	New      string          `json:"new"` // version of the draft
	Surface  lectern.Surface `json:"surface"`
	Row      lectern.Row     `json:"row,omitempty"`
	Query    string          `json:"query,omitempty"`
	CourseID string          `json:"course_id,omitempty"`
	K        int             `json:"k"`
	Depth    int             `json:"depth"` // down to where positions are known
	Seed     uint64          `json:"seed"`

	// Partial says that time was up before everybody was compared.
	Partial bool     `json:"partial"`
	TookMS  int64    `json:"took_ms"`
	Unknown []string `json:"unknown"` // learners who were named and are not known
	// Failed are lists that could not be made, with why, for the first of them.
	Failed  int    `json:"failed"`
	Failure string `json:"failure,omitempty"`
	// Degraded says of how many of the lists that were compared some part is missing,
	// by the name of the part.
	Degraded map[string]int `json:"degraded,omitempty"`

	Overall Group    `json:"overall"` // everybody who was compared, each once
	Groups  []Group  `json:"groups"`  // given, everybody, nobody, and the segments
	Details []Detail `json:"details"`
}

// Estimate is a mean over lists. Low and High are a 95 % interval for what it is over
// all learners whom the sample stands for (normal approximation); nil with fewer than
// two lists.
type Estimate struct {
	Mean float64  `json:"mean"`
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
}

// Shift is a mean under the settings in use, under the draft, and the difference,
// paired by list.
type Shift struct {
	Old    float64  `json:"old"`
	New    float64  `json:"new"`
	Change Estimate `json:"change"`
}

// Group is how the lists of some learners change.
type Group struct {
	Name           string `json:"name"`
	Wanted         int    `json:"wanted"`          // learners asked for
	Learners       int    `json:"learners"`        // compared
	WithoutConsent int    `json:"without_consent"` // of these: their lists are those of nobody in particular
	// Looked is how many learners were looked at to find those of a segment, and All
	// that these were all there are.
	Looked int  `json:"looked,omitempty"`
	All    bool `json:"all,omitempty"`

	Overlap   *Estimate      `json:"overlap"`   // share of the first k that both lists have
	RBO       *Estimate      `json:"rbo"`       // rank-biased overlap of the first k, p = 0.9: 1 is the same order
	Changed   *Estimate      `json:"changed"`   // share of the lists that are not the same in every place
	Move      *Estimate      `json:"mean_move"` // places by which courses of either list move; depth where one is out of reach
	Entered   []Count        `json:"entered"`   // courses, the most frequent first
	Left      []Count        `json:"left"`      //
	Diverse   *Shift         `json:"diversity"` // mean of 1 − cosine over the pairs of the first k
	Cover     Pair[int]      `json:"coverage"`  // distinct courses over all lists
	Gini      *Pair[float64] `json:"gini"`      // how unevenly the places are shared among these courses: 0 is evenly
	Age       *Age           `json:"age_days"`  // since publication or the last substantial update
	Providers []Share        `json:"providers"` // the biggest changes first
	Terms     []TermShift    `json:"terms"`     // mean value of each term over the first k
}

// Pair is a number under the settings in use and under the draft.
type Pair[T any] struct {
	Old T `json:"old"`
	New T `json:"new"`
}

// Count is how often a course entered or left.
type Count struct {
	CourseID string `json:"course_id"`
	Title    string `json:"title"`
	Lists    int    `json:"lists"`
}

// Age is how old the courses in the lists are, in days.
type Age struct {
	Mean   *Shift        `json:"mean"`
	Median Pair[float64] `json:"median"` // over all places
}

// Share is a provider's share of all places.
type Share struct {
	Provider string  `json:"provider"` // folded; "" is none
	Old      float64 `json:"old"`
	New      float64 `json:"new"`
}

// TermShift is the mean value of a term; nil where it takes no part.
type TermShift struct {
	Name      string   `json:"name"`
	Old       *float64 `json:"old"`
	New       *float64 `json:"new"`
	OldWeight float64  `json:"old_weight"` // mean, as preferences change weights
	NewWeight float64  `json:"new_weight"`
}

// Detail is one learner's lists side by side.
type Detail struct {
	Learner        string  `json:"learner,omitempty"` // "" is nobody
	Visitor        bool    `json:"visitor,omitempty"`
	WithoutConsent bool    `json:"without_consent,omitempty"`
	Overlap        float64 `json:"overlap"`
	RBO            float64 `json:"rbo"`
	Old            []Place `json:"old"`
	New            []Place `json:"new"`
}

// Place is one course in one of the lists. Positions are 0-based; Other is the one in
// the other list, nil where it is out of reach there.
type Place struct {
	Position int     `json:"position"`
	Other    *int    `json:"other"`
	CourseID string  `json:"course_id"`
	Title    string  `json:"title"`
	Score    float64 `json:"score"`
	// Change is what became of it: same, up, down, entered or left.
	Change string `json:"change"`
	// Moved names what moved it most: a term, rule:<id>, pin:<id>, duplicate, hidden, or
	// list_making where its score is not what moved it; "" where it stands still. Rule is
	// the id of the rule where one did: it hides, pins, boosts or buries the course. By is
	// how much that changed its score beyond the change of its neighbours.
	Moved string  `json:"moved_by,omitempty"`
	Rule  string  `json:"rule,omitempty"`
	By    float64 `json:"by,omitempty"`
}
