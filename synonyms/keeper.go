package synonyms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/watch"
	"github.com/lectern-dev/lectern/text"
)

const (
	// Kind is that of the artefacts.
	Kind = "synonyms"
	// Kept is how many versions stay in the store, the one in use included.
	Kept = 10
	// Poll is how often a process looks for a version that another one stored.
	Poll = time.Second

	leaseName    = "synonyms"
	leaseTTL     = 15 * time.Second
	writeTimeout = 10 * time.Second // within the lease
	leaseRetry   = 50 * time.Millisecond
)

// Store is the part of a store that rules need.
type Store interface {
	PutArtefact(ctx context.Context, a lectern.Artefact, body []byte) (version int64, err error)
	ActiveArtefact(ctx context.Context, kind string) (lectern.Artefact, error)
	ArtefactBody(ctx context.Context, kind string, version int64) ([]byte, error)
	ActivateArtefact(ctx context.Context, kind string, version int64) error
	PruneArtefacts(ctx context.Context, kind string, keep int) (int, error)
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (held bool, err error)
	ReleaseLease(ctx context.Context, name, holder string) error
}

// Options are what a Keeper works with.
type Options struct {
	Store  Store
	Holder string                 // of leases: differs between processes
	Use    []func(*text.Synonyms) // called with every version that comes into use
	Clock  lectern.Clock
	Logger *slog.Logger
}

// Keeper reads and writes the rules. It is safe for concurrent use.
type Keeper struct {
	o Options

	mu         sync.Mutex // one look or write at a time, so that no older version follows a newer one
	version    int64      // in use
	unreadable int64      // version that cannot be used
}

// New returns a keeper that has not looked yet.
func New(o Options) *Keeper { return &Keeper{o: o} }

// Run looks for newer versions until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	return watch.Loop{Every: Poll, Look: k.Look, What: "synonyms", Stay: "those in use stay", Logger: k.o.Logger}.Run(ctx)
}

// Look puts the version that the store says is in use to use here, if it is not
// yet. One that cannot be read is logged once, and the one before stays.
func (k *Keeper) Look(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	a, err := k.o.Store.ActiveArtefact(ctx, Kind)
	switch {
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		return nil
	case err != nil:
		return fmt.Errorf("find the synonyms in use: %w", err)
	case a.Version == k.version || a.Version == k.unreadable:
		return nil
	}
	rules, err := k.read(ctx, a)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil // pruned since: there is a newer one
	}
	var compiled *text.Synonyms
	if err == nil {
		compiled, err = text.CompileSynonyms(rules)
	}
	switch lectern.ErrorCode(err) {
	case "":
	case lectern.CodeInvalid:
		k.unreadable = a.Version
		k.o.Logger.ErrorContext(ctx, "the synonyms in use cannot be read; those before stay", slog.Int64("version", a.Version), slog.Any("err", err))
		return nil
	default:
		return err
	}
	k.use(ctx, compiled)
	return nil
}

// use hands a version on; the caller holds the lock.
func (k *Keeper) use(ctx context.Context, s *text.Synonyms) {
	for _, f := range k.o.Use {
		f(s)
	}
	k.version, k.unreadable = s.Version(), 0
	k.o.Logger.InfoContext(ctx, "synonyms in use", slog.Int64("version", s.Version()), slog.Int("rules", s.Rules()))
}

// read returns the rules of an artefact.
func (k *Keeper) read(ctx context.Context, a lectern.Artefact) (lectern.SynonymRules, error) {
	body, err := k.o.Store.ArtefactBody(ctx, Kind, a.Version)
	if err != nil {
		return lectern.SynonymRules{}, fmt.Errorf("read synonyms %d: %w", a.Version, err)
	}
	var rules lectern.SynonymRules
	if err := json.Unmarshal(body, &rules); err != nil {
		return lectern.SynonymRules{}, lectern.Errorf(lectern.CodeInvalid, "synonyms %d are not the JSON they should be: %w", a.Version, err)
	}
	rules.Version = a.Version
	return rules, nil
}

// Synonyms returns the rules in use, as the store has them; version 0 without any
// when there have never been some.
func (k *Keeper) Synonyms(ctx context.Context) (lectern.SynonymRules, error) {
	for {
		a, err := k.o.Store.ActiveArtefact(ctx, Kind)
		if lectern.ErrorCode(err) == lectern.CodeNotFound {
			return lectern.SynonymRules{}, nil
		}
		if err != nil {
			return lectern.SynonymRules{}, fmt.Errorf("find the synonyms in use: %w", err)
		}
		rules, err := k.read(ctx, a)
		if lectern.ErrorCode(err) != lectern.CodeNotFound { // or it was pruned in between
			return rules, err
		}
		if err := ctx.Err(); err != nil {
			return lectern.SynonymRules{}, err
		}
	}
}

// PutSynonyms stores rules in place of those before and puts them to use, here at
// once and in other processes within Poll. base is the version that the change
// was made from, nil for whichever there is. Rules that are in use already are no
// change, so that a call may be repeated. It returns the rules under their
// version, and what is doubtful about them. Errors: CodeInvalid naming every bad
// rule; CodeConflict naming the version in use when it is not base; CodeUnavailable
// when other changes take too long.
func (k *Keeper) PutSynonyms(ctx context.Context, rules lectern.SynonymRules, base *int64) (lectern.SynonymRules, []lectern.FieldError, error) {
	compiled, err := text.CompileSynonyms(rules)
	if err != nil {
		return lectern.SynonymRules{}, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	k.mu.Lock()
	defer k.mu.Unlock()
	release, err := k.lease(ctx)
	if err != nil {
		return lectern.SynonymRules{}, nil, err
	}
	defer release()
	now, err := k.Synonyms(ctx)
	if err != nil && lectern.ErrorCode(err) != lectern.CodeInvalid { // unreadable ones may be replaced
		return lectern.SynonymRules{}, nil, err
	}
	body, same, err := encode(rules, now)
	if err != nil {
		return lectern.SynonymRules{}, nil, err
	}
	if same {
		return now, compiled.Warnings(), nil
	}
	if base != nil && *base != now.Version {
		return lectern.SynonymRules{}, nil, stale(*base, now.Version)
	}
	if rules.Version, err = k.store(ctx, rules, body); err != nil {
		return lectern.SynonymRules{}, nil, err
	}
	k.use(ctx, compiled.At(rules.Version))
	return rules, compiled.Warnings(), nil
}

// stale says that rules were changed by somebody else.
func stale(base, now int64) error {
	return &lectern.Error{
		Code:    lectern.CodeConflict,
		Message: fmt.Sprintf("the synonyms were changed since version %d: they are at version %d now; read them again and repeat the change", base, now),
		Fields:  []lectern.FieldError{lectern.NewFieldError("version", base, "is not the version in use", strconv.FormatInt(now, 10))},
	}
}

// encode returns the stored form of rules, and whether it is that of others.
func encode(rules, now lectern.SynonymRules) (body []byte, same bool, err error) {
	stored := now.Version > 0
	rules.Version, now.Version = 0, 0
	if len(rules.Rules) == 0 {
		rules.Rules = []lectern.SynonymRule{}
	}
	if body, err = json.Marshal(rules); err != nil {
		return nil, false, fmt.Errorf("encode synonyms: %w", err)
	}
	other, err := json.Marshal(now)
	if err != nil {
		return nil, false, fmt.Errorf("encode synonyms: %w", err)
	}
	return body, stored && bytes.Equal(body, other), nil
}

// store writes a new version and makes it the one in use.
func (k *Keeper) store(ctx context.Context, rules lectern.SynonymRules, body []byte) (int64, error) {
	sum := sha256.Sum256(body)
	version, err := k.o.Store.PutArtefact(ctx, lectern.Artefact{
		Kind: Kind, Fingerprint: hex.EncodeToString(sum[:]), CreatedAt: lectern.Timestamp(k.o.Clock()),
		Meta: map[string]string{"rules": strconv.Itoa(len(rules.Rules))},
	}, body)
	if err != nil {
		return 0, fmt.Errorf("store synonyms: %w", err)
	}
	if err := k.o.Store.ActivateArtefact(ctx, Kind, version); err != nil {
		return 0, fmt.Errorf("put synonyms %d to use: %w", version, err)
	}
	if _, err := k.o.Store.PruneArtefacts(ctx, Kind, Kept-1); err != nil {
		k.o.Logger.WarnContext(ctx, "old synonyms are not deleted", slog.Any("err", err))
	}
	return version, nil
}

// lease waits for the right to change the rules, which one process at a time has.
func (k *Keeper) lease(ctx context.Context) (release func(), err error) {
	tick := time.NewTicker(leaseRetry)
	defer tick.Stop()
	for {
		held, err := k.o.Store.AcquireLease(ctx, leaseName, k.o.Holder, leaseTTL)
		if err != nil {
			return nil, fmt.Errorf("lock the synonyms: %w", err)
		}
		if held {
			break
		}
		select {
		case <-ctx.Done():
			return nil, lectern.Errorf(lectern.CodeUnavailable, "another change of the synonyms is under way; try again")
		case <-tick.C:
		}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := k.o.Store.ReleaseLease(ctx, leaseName, k.o.Holder); err != nil {
			k.o.Logger.WarnContext(ctx, "the lock of the synonyms runs out by itself", slog.Any("err", err))
		}
	}, nil
}
