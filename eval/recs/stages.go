package recs

// StageScore is what one stage of the pipeline offers: a candidate source, all of
// them together, or the list at the end.
type StageScore struct {
	Name   string    `json:"name"`
	Kind   StageKind `json:"kind"`
	Recall float64   `json:"recall"` // of everything that the stage offers
	// At the cut-off, in the stage's own order.
	RecallAt float64 `json:"recall_at_k"`
	NDCGAt   float64 `json:"ndcg_at_k"`
	Offered  float64 `json:"offered"`  // mean courses
	Answered int     `json:"answered"` // cases in which it offered any
}

// StageKind is what a stage does.
type StageKind string

// The kinds of stages.
const (
	StageSource StageKind = "source" // offers candidates
	StageUnion  StageKind = "union"  // all candidates, in the order of their fusion
	StageList   StageKind = "list"   // what is shown
)

// Fault is a stage that makes lists worse.
type Fault struct {
	Stage  string  `json:"stage"`
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Before string  `json:"before"` // the best stage before it
	Best   float64 `json:"best"`
	Reason string  `json:"reason"`
}
