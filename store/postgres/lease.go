package postgres

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// AcquireLease implements lectern.LeaseStore. The store's clock is the server's,
// so processes whose clocks differ still agree. Errors: CodeInvalid without a
// name, a holder or a time to live.
func (s *Store) AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	if name == "" || holder == "" || ttl < time.Microsecond {
		return false, lectern.Invalid("a lease needs a name, a holder and a time to live")
	}
	if err := checkText("name", name, holder); err != nil {
		return false, err
	}
	held := false
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		n, err := tx.q.AcquireLease(ctx, name, holder, ttl.Microseconds())
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
	var seq int64
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) (err error) {
		seq, err = q.FeedPosition(ctx, name)
		return err
	})
	if isNoRows(err) {
		return 0, nil
	}
	return seq, err
}

// SetFeedPosition implements lectern.LeaseStore.
func (s *Store) SetFeedPosition(ctx context.Context, name string, seq int64) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if seq < 0 {
			return tx.q.ForgetFeedPosition(ctx, name)
		}
		return tx.q.SetFeedPosition(ctx, name, seq)
	})
}
