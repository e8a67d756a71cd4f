package learn

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// mostKept bounds the versions of the posterior in memory.
const mostKept = 16

// Keeper has the newest posterior at hand, and reads older ones when asked. It is safe
// for concurrent use.
type Keeper struct {
	store lectern.PosteriorStore
	log   *slog.Logger

	mu      sync.Mutex
	newest  int64 // 0: none yet
	kept    map[int64]*bandit.Posterior
	oldest  []int64 // in the order in which they came
	ignored int64   // newest version that cannot be used, which was said
}

var _ explore.Posteriors = (*Keeper)(nil)

// NewKeeper returns a keeper that knows nothing before the first Look.
func NewKeeper(store lectern.PosteriorStore, log *slog.Logger) *Keeper {
	return &Keeper{store: store, log: log, kept: map[int64]*bandit.Posterior{}}
}

// Run looks for newer versions until ctx ends.
func (k *Keeper) Run(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := k.Look(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("cannot look for a newer posterior", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Look reads the newest version, if it is a newer one.
func (k *Keeper) Look(ctx context.Context) error {
	list, err := k.store.Posteriors(ctx, 1)
	if err != nil || len(list) == 0 {
		return err
	}
	k.mu.Lock()
	known := list[0].Version <= max(k.newest, k.ignored)
	k.mu.Unlock()
	if known {
		return nil
	}
	if list[0].Features != bandit.F1Name {
		k.mu.Lock()
		k.ignored = list[0].Version
		k.mu.Unlock()
		k.log.Info("the newest posterior is of another build, and waits until everything is learnt anew",
			slog.Int64("version", list[0].Version), slog.String("features", list[0].Features))
		return nil
	}
	switch _, err := k.At(ctx, list[0].Version); {
	case lectern.ErrorCode(err) == lectern.CodeNotFound: // it will not get better: said once, and the one before stays
		k.mu.Lock()
		k.ignored = list[0].Version
		k.mu.Unlock()
		k.log.Warn("the newest posterior cannot be read", slog.Int64("version", list[0].Version), slog.Any("err", err))
		return nil
	case err != nil:
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.newest = max(k.newest, list[0].Version)
	return nil
}

// Current implements explore.Posteriors.
func (k *Keeper) Current() (*bandit.Posterior, int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept[k.newest], k.newest
}

// At implements explore.Posteriors.
func (k *Keeper) At(ctx context.Context, version int64) (*bandit.Posterior, error) {
	k.mu.Lock()
	p := k.kept[version]
	k.mu.Unlock()
	if p != nil {
		return p, nil
	}
	if version <= 0 {
		return nil, lectern.Errorf(lectern.CodeNotFound, "there is no posterior %d", version)
	}
	v, err := k.store.Posterior(ctx, version)
	if err != nil {
		return nil, err
	}
	if p, err = bandit.Decode(v.Body, bandit.F1()); lectern.ErrorCode(err) == lectern.CodeRefused {
		return nil, lectern.Errorf(lectern.CodeNotFound, "the posterior %d cannot be read any more: %w", version, err)
	}
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keep(version, p)
	return p, nil
}

// keep remembers a version in the place of the oldest one, but for the newest.
func (k *Keeper) keep(version int64, p *bandit.Posterior) {
	if k.kept[version] != nil {
		return
	}
	for i := 0; len(k.oldest) >= mostKept && i < len(k.oldest); i++ {
		if k.oldest[i] != k.newest {
			delete(k.kept, k.oldest[i])
			k.oldest = append(k.oldest[:i:i], k.oldest[i+1:]...)
			break
		}
	}
	k.kept[version] = p
	k.oldest = append(k.oldest, version)
}
