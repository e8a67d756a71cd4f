package retrieve

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
)

// Finisher adds to a list what is to be stored with it but was not waited for when it
// was made. It replaces what it changes: the list's parts are shared. lectern.Explorer
// is one.
type Finisher interface {
	Finish(ctx context.Context, r *lectern.Ranking) error
}

// FinishBy has lists that explore finished before they are stored. Call it before the
// first list is recorded.
func (r *Recorder) FinishBy(f Finisher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finisher = f
}

// finishFor bounds how long lists are finished before what is finished is stored: other
// processes wait for young lists, see young.
const finishFor = young / 8

const (
	// calm is how many lists may wait before each of them is finished with fewer draws.
	calm = 64
	// leastDraws is what it never goes below.
	leastDraws = 100
)

// hurried is how many draws a list gets while so many wait: what is asked for, or so
// much less that a queue takes no longer than a calm one did. What a list got is
// recorded with it, and so is the error that comes of it.
func hurried(draws, waiting int) int {
	if waiting <= calm || draws <= leastDraws {
		return draws
	}
	return max(leastDraws, draws*calm/waiting)
}

// finish finishes the lists of a batch that need it and returns the beginning of the
// batch that is done. What cannot be finished is stored as it is: propensities of 0 are
// not known.
func (r *Recorder) finish(ctx context.Context, batch []lectern.Ranking) []lectern.Ranking {
	began := time.Now()
	for i := range batch {
		r.mu.Lock()
		finisher, done, waiting := r.finisher, r.finished[batch[i].ID], len(r.waiting)
		r.mu.Unlock()
		x := batch[i].Exploration
		if finisher == nil || done || x == nil {
			continue
		}
		if n := hurried(x.Draws, waiting); n != x.Draws {
			few := *x // the list is shared
			few.Draws = n
			batch[i].Exploration = &few
		}
		if err := finisher.Finish(ctx, &batch[i]); err != nil {
			r.logger.WarnContext(ctx, "a list is stored without propensities", "ranking", batch[i].ID, "error", err)
		}
		r.keepFinished(&batch[i])
		if time.Since(began) > finishFor {
			return batch[:i+1]
		}
	}
	return batch
}

// keepFinished puts a finished list in the place of the one that waits: it may have to
// be stored again, or be asked for.
func (r *Recorder) keepFinished(ranking *lectern.Ranking) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.waiting {
		if r.waiting[i].ID == ranking.ID {
			r.waiting[i] = *ranking
			r.finished[ranking.ID] = true
			break
		}
	}
	if el, ok := r.recent[ranking.ID]; ok {
		kept := *ranking
		el.Value = &remembered{&kept, el.Value.(*remembered).since}
	}
}
