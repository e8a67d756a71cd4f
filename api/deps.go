package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// Ingester decodes and writes rows; ingest.Service is one.
type Ingester interface {
	PutCourses(ctx context.Context, patches []lectern.CoursePatch) ([]lectern.WriteResult, error)
	PutReviews(ctx context.Context, reviews []lectern.Review) ([]lectern.WriteResult, error)
	PutLearners(ctx context.Context, patches []ingest.LearnerPatch) ([]lectern.WriteResult, error)
	AppendEvents(ctx context.Context, events []lectern.Event) ([]lectern.WriteResult, error)
	NDJSON(ctx context.Context, kind ingest.Kind, r io.Reader, limits ingest.Limits) ([]ingest.LineResult, error)
	Feed(ctx context.Context, r io.Reader, limits ingest.Limits, maxShare float64) (ingest.FeedResult, error)
}

var _ Ingester = ingest.Service{}

// Sealer signs what was suggested, so that an event may cite it though nothing is
// stored.
type Sealer interface {
	Seal(who lectern.LearnerRef, query string, courseIDs []string) string
}

// Reindexer rebuilds embeddings and index in the background.
type Reindexer interface {
	// StartReindex begins a run that outlives ctx. Errors: CodeConflict while one
	// is under way, wherever it runs; CodeNotFound for a generation that is not
	// kept; CodeInvalid for an embedder that is not usable.
	StartReindex(ctx context.Context, r ReindexRequest) error
	// ReindexStatus describes the run under way, or the latest one.
	ReindexStatus(ctx context.Context) (ReindexStatus, error)
	// Generations lists what there is a way to, newest first.
	Generations(ctx context.Context) ([]Generation, error)
}

// ReindexRequest says what to switch to. At most one field is set; none means a
// new generation of the configured embedder.
type ReindexRequest struct {
	Embedder   string // make a new generation with this sort of embedder
	Rollback   bool   // go back to the generation before the one in use
	Generation int64  // switch to this one, which is kept
}

// Generation is an embedder with its index.
type Generation struct {
	Version     int64
	Active      bool   // in use
	Embedder    string // sort of embedder, "" for words only
	Fingerprint string
	Dimension   int
	CreatedAt   time.Time
	Reason      string // why it was made
	Indexed     bool   // its index is kept; else switching fills it anew
}

// ReindexState is how a run stands.
type ReindexState string

// The states of a run.
const (
	ReindexIdle    ReindexState = "idle" // none since the start
	ReindexRunning ReindexState = "running"
	ReindexDone    ReindexState = "done"
	ReindexFailed  ReindexState = "failed"
)

// ReindexStatus is the progress of one run.
type ReindexStatus struct {
	State      ReindexState
	Process    string // that runs it, or ran it; "" where unknown
	Phase      string // what it is doing, for people
	Done       int64  // courses
	Total      int64  // courses
	StartedAt  *time.Time
	FinishedAt *time.Time
	Detail     string // why it failed
}

// Check asks one part whether it is ready; the error says what it waits for and
// is shown to anybody.
type Check struct {
	Name  string
	Ready func(ctx context.Context) error
}

// Deps are what the HTTP interface stands on.
type Deps struct {
	Ranker   lectern.Ranker
	Ingest   Ingester
	Courses  lectern.CourseStore
	Reviews  lectern.ReviewStore
	Learners lectern.LearnerStore
	Rankings lectern.RankingStore
	Keys     lectern.KeyStore
	Stats    lectern.StatsStore

	Home            lectern.HomeMaker                                     // nil: home pages are not available
	Profiles        Profiles                                              // nil: profiles cannot be looked at
	Opinions        Opinions                                              // nil: what reviews say is not told
	Feedback        Feedback                                              // nil: feedback is not taken
	Reports         Reports                                               // nil: reports cannot be looked at
	Experiments     Experiments                                           // nil: there are no experiments
	Replays         Replayer                                              // nil: lists are not replayed
	PlatformMetrics PlatformMetrics                                       // nil: metrics are not available
	Goals           Goals                                                 // nil: goals are not available
	Models          Models                                                // nil: there are no collaborative models
	RerankConfig    RerankConfig                                          // nil: the rerank settings are not available
	ExploreConfig   ExploreConfig                                         // nil: the exploration settings are not available
	Previews        Previews                                              // nil: drafts of the settings cannot be previewed
	Tuner           Tuner                                                 // nil: no weights are proposed
	Learning        Learning                                              // nil: nothing is learnt from what lists explore
	Estimates       Estimates                                             // nil: nothing is estimated from the log
	Suggester       lectern.Suggester                                     // nil: autocomplete is not available
	Synonyms        Synonyms                                              // nil: synonyms are not available
	Sealer          Sealer                                                // nil: suggestions cannot be cited
	Insights        InsightsReader                                        // nil: there are no insights into searches
	Reindexer       Reindexer                                             // nil: reindexing is not available
	Skills          Skills                                                // nil: skills are not available
	IndexStats      func(ctx context.Context) (lectern.IndexStats, error) // nil: not shown
	Checks          []Check                                               // of /readyz, beside the store's own

	Registry *prometheus.Registry // what /metrics shows; nil makes one
	Log      *slog.Logger
	Clock    lectern.Clock
	Random   io.Reader // for request ids, keys and secrets; crypto/rand.Reader
	Version  string    // of the build, shown at /
}

func (d Deps) check() error {
	for _, p := range []struct {
		name    string
		missing bool
	}{
		{"Ranker", d.Ranker == nil}, {"Ingest", d.Ingest == nil}, {"Courses", d.Courses == nil},
		{"Reviews", d.Reviews == nil}, {"Learners", d.Learners == nil}, {"Rankings", d.Rankings == nil},
		{"Keys", d.Keys == nil}, {"Stats", d.Stats == nil}, {"Log", d.Log == nil},
		{"Clock", d.Clock == nil}, {"Random", d.Random == nil},
	} {
		if p.missing {
			return errors.New("api: Deps." + p.name + " is missing")
		}
	}
	return nil
}
