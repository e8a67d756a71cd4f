package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/internal/lease"
)

// reindexer runs one reindex at a time in the background, and tells of those
// that other processes run.
type reindexer struct {
	background context.Context // of the process, which a run must not outlive
	engine     *engine
	board      progressBoard

	mu     sync.Mutex
	status api.ReindexStatus // of the latest run of this process
}

var _ api.Reindexer = (*reindexer)(nil)

func newReindexer(background context.Context, e *engine) *reindexer {
	return &reindexer{
		background: background, engine: e, board: progressBoard{store: e.store},
		status: api.ReindexStatus{State: api.ReindexIdle},
	}
}

// StartReindex implements api.Reindexer.
func (r *reindexer) StartReindex(ctx context.Context, asked api.ReindexRequest) error {
	request := reindexRequest{embedder: asked.Embedder, rollback: asked.Rollback, to: asked.Generation}
	if err := request.check(ctx, r.engine); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.State == api.ReindexRunning {
		return lectern.Errorf(lectern.CodeConflict, "a reindex is under way: %d of %d courses", r.status.Done, r.status.Total)
	}
	// The run takes this lease again; that others are at it must be told at once.
	held, err := r.engine.store.AcquireLease(ctx, indexing.LeaseReindex, r.engine.holder, lease.TTL)
	if err != nil {
		return err
	}
	if !held {
		return lectern.Errorf(lectern.CodeConflict, "a reindex is under way in another process")
	}
	now := lectern.SystemClock()
	r.status = api.ReindexStatus{State: api.ReindexRunning, Process: r.engine.holder, Phase: string(indexing.StageMaking), StartedAt: &now}
	go r.run(request) // ends with the process's context
	return nil
}

func (r *reindexer) run(request reindexRequest) {
	err := r.board.during(r.background, func(tell indexing.Progress) error {
		return request.run(r.background, r.engine.pipeline, func(stage indexing.Stage, done, total int) {
			tell(stage, done, total)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.status.Phase, r.status.Done, r.status.Total = string(stage), int64(done), int64(total)
		})
	})
	if err != nil {
		r.engine.log.Error("the reindex failed", "error", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := lectern.SystemClock()
	r.status.FinishedAt = &now
	r.status.State, r.status.Phase = api.ReindexDone, ""
	if err != nil {
		r.status.State, r.status.Detail = api.ReindexFailed, shown(err)
	}
}

// shown is an error without what only the log may hold.
func shown(err error) string {
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// ReindexStatus implements api.Reindexer.
func (r *reindexer) ReindexStatus(ctx context.Context) (api.ReindexStatus, error) {
	r.mu.Lock()
	own := r.status
	r.mu.Unlock()
	if own.State == api.ReindexRunning {
		return own, nil
	}
	holder, err := r.engine.store.LeaseHolder(ctx, indexing.LeaseReindex)
	if err != nil {
		return own, err
	}
	other, err := r.board.read(ctx, holder)
	if err != nil {
		return own, err
	}
	if other.State == api.ReindexRunning || other.StartedAt != nil && (own.StartedAt == nil || other.StartedAt.After(own.StartedAt.Add(time.Second))) {
		return other, nil
	}
	return own, nil
}

// Generations implements api.Reindexer.
func (r *reindexer) Generations(ctx context.Context) ([]api.Generation, error) {
	all, err := r.engine.pipeline.Generations(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]api.Generation, len(all))
	for i, g := range all {
		out[i] = api.Generation{
			Version: g.Version, Active: g.Active, Embedder: g.Embedder, Fingerprint: g.Fingerprint, Dimension: g.Dim,
			CreatedAt: g.CreatedAt, Reason: g.Reason, Indexed: g.Indexed,
		}
	}
	return out, nil
}

// progressBoard is where processes see how far a reindex is that one of them
// runs. It is made of positions that the store keeps by name.
type progressBoard struct{ store lectern.LeaseStore }

// The names on the board.
const (
	boardStarted  = "reindex/started"  // microseconds since 1970
	boardFinished = "reindex/finished" // the same, 0 while it runs
	boardFailed   = "reindex/failed"   // 1 when it failed
	boardProgress = "reindex/progress" // see packProgress
)

const countBits = 30

func stages() []indexing.Stage {
	return []indexing.Stage{indexing.StageMaking, indexing.StageEmbedding, indexing.StageFilling, indexing.StageChecking, indexing.StageSwitching}
}

// packProgress writes a stage and two counts below 2³⁰ as one number.
func packProgress(stage indexing.Stage, done, total int) int64 {
	const most = 1<<countBits - 1
	n := int64(max(0, slices.Index(stages(), stage)))
	return n<<(2*countBits) | int64(min(max(done, 0), most))<<countBits | int64(min(max(total, 0), most))
}

func unpackProgress(n int64) (stage indexing.Stage, done, total int64) {
	const most = 1<<countBits - 1
	if i := int(n >> (2 * countBits)); i >= 0 && i < len(stages()) {
		stage = stages()[i]
	}
	return stage, n >> countBits & most, n & most
}

// during runs f and keeps the board up to date, once a second at most.
func (b progressBoard) during(ctx context.Context, f func(indexing.Progress) error) error {
	set := func(name string, n int64) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = b.store.SetFeedPosition(ctx, name, n) // only a note to others; the run itself matters
	}
	begun := false
	var last time.Time
	var at indexing.Stage
	err := f(func(stage indexing.Stage, done, total int) {
		if !begun { // not before: the run may find another one under way
			begun = true
			set(boardStarted, lectern.SystemClock().UnixMicro())
			set(boardFinished, 0)
			set(boardFailed, 0)
		}
		if now := time.Now(); stage != at || now.Sub(last) >= time.Second {
			at, last = stage, now
			set(boardProgress, packProgress(stage, done, total))
		}
	})
	if !begun {
		return err
	}
	if err != nil {
		set(boardFailed, 1)
	}
	set(boardFinished, lectern.SystemClock().UnixMicro())
	return err
}

// read tells of the latest run; holder is who holds the lease of reindexing.
func (b progressBoard) read(ctx context.Context, holder string) (api.ReindexStatus, error) {
	numbers := map[string]int64{}
	for _, name := range []string{boardStarted, boardFinished, boardFailed, boardProgress} {
		n, err := b.store.FeedPosition(ctx, name)
		if err != nil {
			return api.ReindexStatus{}, err
		}
		numbers[name] = n
	}
	moment := func(name string) *time.Time {
		if numbers[name] == 0 {
			return nil
		}
		t := time.UnixMicro(numbers[name]).UTC()
		return &t
	}
	out := api.ReindexStatus{State: api.ReindexIdle, StartedAt: moment(boardStarted), FinishedAt: moment(boardFinished)}
	stage, done, total := unpackProgress(numbers[boardProgress])
	switch {
	case holder != "" && out.FinishedAt == nil:
		out.State, out.Process, out.Phase, out.Done, out.Total = api.ReindexRunning, holder, string(stage), done, total
	case holder != "": // a training that nobody asked for, which keeps no board
		return api.ReindexStatus{State: api.ReindexRunning, Process: holder, Phase: string(indexing.StageMaking)}, nil
	case out.StartedAt == nil:
	case out.FinishedAt == nil:
		out.State, out.Detail, out.Done, out.Total = api.ReindexFailed, "the process that ran it is gone; what was in use before still is", done, total
	case numbers[boardFailed] != 0:
		out.State, out.Detail, out.Done, out.Total = api.ReindexFailed, "it ran in another process, whose log says why", done, total
	default:
		out.State, out.Done, out.Total = api.ReindexDone, done, total
	}
	return out, nil
}
