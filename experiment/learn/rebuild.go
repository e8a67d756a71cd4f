package learn

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// rebuilding is what this process does about rebuilding.
type rebuilding struct {
	mu       sync.Mutex
	running  bool
	position int64
	started  time.Time
	failed   string // why the last one did not end well
}

// Rebuilding says how a rebuild of this process does.
type Rebuilding struct {
	Running  bool
	Position int64     // in the log of events
	Started  time.Time // the last one; zero: none yet
	Failed   string    // why the last one did not end well
}

// Rebuilding says how a rebuild of this process does.
func (l *Learner) Rebuilding() Rebuilding {
	l.rebuilding.mu.Lock()
	defer l.rebuilding.mu.Unlock()
	r := &l.rebuilding
	return Rebuilding{r.running, r.position, r.started, r.failed}
}

// Rebuild learns everything anew from the log of events, beside what is in use, which
// goes on meanwhile; then it takes its place at once. progress, which may be nil, is
// told the place in the log. Errors: CodeConflict while this process rebuilds already;
// CodePrecondition when another process has begun to rebuild meanwhile.
func (l *Learner) Rebuild(ctx context.Context, progress func(position int64)) (err error) {
	r := &l.rebuilding
	r.mu.Lock()
	if r.running {
		r.mu.Unlock()
		return lectern.Errorf(lectern.CodeConflict, "learning everything anew is under way: ask how far it is")
	}
	r.running, r.position, r.started, r.failed = true, 0, l.Clock(), ""
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.running = false; err != nil {
			r.failed = err.Error()
		}
	}()
	return l.rebuild(ctx, func(position int64) {
		r.mu.Lock()
		r.position = position
		r.mu.Unlock()
		if progress != nil {
			progress(position)
		}
	})
}

func (l *Learner) rebuild(ctx context.Context, progress func(position int64)) error {
	state, err := l.Store.StartLearning(ctx, l.Clock())
	if err != nil {
		return err
	}
	cfg, _ := l.Settings.Current()
	never := func(context.Context) (bool, error) { return false, nil }
	for moved := true; moved; progress(state.Position) {
		if moved, state, err = l.advance(ctx, state, cfg, never); err != nil {
			return err
		}
	}
	if err := l.Store.UseLearning(ctx, state.Run, state.Revision); err != nil {
		return err
	}
	l.Log.Info("everything was learnt anew", slog.Int64("position", state.Position), slog.Int64("run", state.Run))
	// What is in use changes for all at once: no replica waits for the next version.
	if state, err = l.Store.Learning(ctx, state.Run); err == nil {
		always := func(context.Context) (bool, error) { return true, nil }
		_, _, err = l.advance(ctx, state, cfg, always)
	}
	if err != nil && lectern.ErrorCode(err) != lectern.CodePrecondition { // else the leader has gone on, and publishes
		return err
	}
	_, err = l.Store.PruneLearning(ctx, time.Unix(0, 0)) // what the run before leaves behind
	return err
}
