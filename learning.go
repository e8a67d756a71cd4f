package lectern

import (
	"context"
	"time"
)

// RewardSeen names the reward of nothing that a course earns by being seen. Names of
// rewards that begin with RewardEvent are events that count for guardrails alone.
const (
	RewardSeen  = "seen"
	RewardEvent = "event:"
)

// LearningState is how far a run of learning has come through the log of events. One
// run is in use; beside it another one may be learning everything anew.
type LearningState struct {
	Run       int64
	Active    bool   // it is the one in use
	Position  int64  // in the log of events
	Revision  int64  // rises with every step
	Features  string // names how rows of features are made; "" before the first step
	Posterior []byte // all that was learnt up to Position
	Published int64  // version of the posterior as it is; 0: it is not published
	UpdatedAt time.Time
}

// Credit is a reward with the place that earned it.
type Credit struct {
	Reward
	Surface  Surface   // whose places the list explores; "" is not known
	Position int       // 0-based
	Explored bool      // the place explores
	Made     time.Time // when the list was
}

// LearningStep is what a run learns from a stretch of the log. All of it is stored, or
// nothing.
type LearningStep struct {
	Run      int64
	Revision int64 // that it starts from
	Position int64 // where it ends
	// Credits are what had not counted before. Those of lists that are gone meanwhile
	// are left out.
	Credits   []Credit
	Features  string
	Posterior []byte
	Publish   bool // the posterior becomes a version
	At        time.Time
}

// ExplorationCount sums credits.
type ExplorationCount struct {
	Surface  Surface // whose places the lists explore; "" for what was counted before it was kept
	Position int     // 0 of reports
	Explored bool
	Name     string // of the reward
	N        int64
	Value    float64
}

// CountReports is the name under which ExplorationCounts tells of reports.
const CountReports = "report"

// LearningStore keeps what exploration learns from. Every reward of a course of a list
// counts once: credits, posterior and position move together, and only from the
// revision that was read before the credits were looked up.
type LearningStore interface {
	// Learning returns the state of a run, 0 being the one in use. Errors: CodeNotFound.
	Learning(ctx context.Context, run int64) (LearningState, error)
	// StartLearning begins a run from nothing, which is in use where there is no other;
	// any other that is not in use ends.
	StartLearning(ctx context.Context, at time.Time) (LearningState, error)
	// UseLearning puts a run into use, and ends the others. Errors: CodeNotFound;
	// CodePrecondition where the run has moved on from revision.
	UseLearning(ctx context.Context, run, revision int64) error
	// ApplyLearning stores a step, and returns the version that the posterior became
	// where it was to be published. Errors: CodePrecondition, with nothing stored, where
	// the run has ended or moved on from the step's revision.
	ApplyLearning(ctx context.Context, step LearningStep) (version int64, err error)
	// Rewards returns what these lists earned by a run, 0 being the one in use, ordered
	// by list, course and name.
	Rewards(ctx context.Context, run int64, rankingIDs []string) ([]Reward, error)
	// ExplorationCounts sums what the run in use counted for lists made since a time, by
	// whole hours, together with the reports about courses that were seen in them.
	ExplorationCounts(ctx context.Context, since time.Time) ([]ExplorationCount, error)
}

// PosteriorVersion is a posterior as policies choose by it. Versions are never changed.
type PosteriorVersion struct {
	Version   int64
	Features  string
	Position  int64 // in the log of events, up to which it was learnt
	CreatedAt time.Time
	Body      []byte
}

// PosteriorStore keeps the versions of the posterior.
type PosteriorStore interface {
	// Posterior returns one version, 0 being the newest. Errors: CodeNotFound.
	Posterior(ctx context.Context, version int64) (PosteriorVersion, error)
	// Posteriors lists up to limit versions, newest first, without their bodies.
	Posteriors(ctx context.Context, limit int) ([]PosteriorVersion, error)
	// PruneLearning deletes versions made before t, but for the newest and those that
	// kept lists were explored by, and what runs that ended and lists that are gone have
	// left behind. It returns how many versions went.
	PruneLearning(ctx context.Context, t time.Time) (int, error)
}
