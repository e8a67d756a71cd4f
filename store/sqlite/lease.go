package sqlite

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
)

// AcquireLease implements lectern.LeaseStore. The store's clock is Options.Clock.
// Errors: CodeInvalid without a name, a holder or a time to live.
func (s *Store) AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	if name == "" || holder == "" || ttl <= 0 {
		return false, lectern.Invalid("a lease needs a name, a holder and a time to live")
	}
	held := false
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.DropOldLease(ctx, name, micros(tx.now)); err != nil {
			return err
		}
		n, err := tx.q.AcquireLease(ctx, name, holder, micros(tx.now.Add(ttl)))
		held = n > 0
		return err
	})
	return held && err == nil, err
}

// ReleaseLease implements lectern.LeaseStore.
func (s *Store) ReleaseLease(ctx context.Context, name, holder string) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		return tx.q.ReleaseLease(ctx, name, holder)
	})
}

// FeedPosition implements lectern.LeaseStore.
func (s *Store) FeedPosition(ctx context.Context, name string) (int64, error) {
	seq, err := s.read.FeedPosition(ctx, name)
	if isNoRows(err) {
		return 0, nil
	}
	return seq, err
}

// SetFeedPosition implements lectern.LeaseStore.
func (s *Store) SetFeedPosition(ctx context.Context, name string, seq int64) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if seq < 0 {
			return tx.q.DeleteFeedPosition(ctx, name)
		}
		return tx.q.PutFeedPosition(ctx, name, seq)
	})
}
