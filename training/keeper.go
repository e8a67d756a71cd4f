package training

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/watch"
)

// Poll is how often a process looks for a model that came into use elsewhere.
const Poll = time.Second

// KeeperStore is what a Keeper reads.
type KeeperStore interface {
	ActiveArtefact(ctx context.Context, kind string) (lectern.Artefact, error)
	ArtefactBody(ctx context.Context, kind string, version int64) ([]byte, error)
}

// KeeperOptions are what a Keeper works with.
type KeeperOptions struct {
	Store  KeeperStore
	New    NewModel
	Scorer ScorerOptions
	Logger *slog.Logger
}

// Keeper has the model in use in memory. It is safe for concurrent use.
type Keeper struct {
	o       KeeperOptions
	current atomic.Pointer[Scorer]

	mu         sync.Mutex // one look at a time, so that no older version follows a newer one
	unreadable int64      // version that cannot be used
}

// NewKeeper returns a keeper that has not looked yet.
func NewKeeper(o KeeperOptions) *Keeper { return &Keeper{o: o} }

// Current returns the model in use, nil while there is none.
func (k *Keeper) Current() *Scorer { return k.current.Load() }

// Run looks for other versions until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	return watch.Loop{Every: Poll, Look: k.Look, What: "models", Stay: "the one in use stays", Logger: k.o.Logger}.Run(ctx)
}

// Look loads the version that the store says is in use, if it is not here yet, and
// puts it in place at once when it is complete. One that cannot be read is logged
// once, and the one before stays.
func (k *Keeper) Look(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	a, err := k.o.Store.ActiveArtefact(ctx, Kind)
	switch {
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		return nil
	case err != nil:
		return fmt.Errorf("find the model in use: %w", err)
	case a.Version == k.unreadable:
		return nil
	}
	if s := k.current.Load(); s != nil && s.Version() == a.Version {
		return nil
	}
	begin := time.Now()
	body, err := k.o.Store.ArtefactBody(ctx, Kind, a.Version)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil // pruned since: another one is in use
	}
	if err != nil {
		return fmt.Errorf("read model %d: %w", a.Version, err)
	}
	s, err := k.load(a, body)
	if err != nil {
		k.unreadable = a.Version
		k.o.Logger.ErrorContext(ctx, "the model in use cannot be read; the one before stays",
			slog.Int64("version", a.Version), slog.Any("err", err))
		return nil
	}
	k.current.Store(s)
	k.unreadable = 0
	k.o.Logger.InfoContext(ctx, "model in use", slog.Int64("version", a.Version), slog.String("model", s.Info().Selected),
		slog.Int("items", len(s.items)), slog.Duration("took", time.Since(begin)))
	return nil
}

func (k *Keeper) load(a lectern.Artefact, body []byte) (*Scorer, error) {
	items, models, err := decodeBody(body, k.o.New)
	if err != nil {
		return nil, err
	}
	return NewScorer(VersionOf(a), items, models, k.o.Scorer)
}
