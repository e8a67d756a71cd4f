package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// Posterior implements lectern.PosteriorStore.
func (s *Store) Posterior(ctx context.Context, version int64) (lectern.PosteriorVersion, error) {
	var row sqlcgen.Posterior
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) (err error) {
		if version == 0 {
			row, err = q.NewestPosterior(ctx)
		} else {
			row, err = q.Posterior(ctx, version)
		}
		if isNoRows(err) {
			return notFound("posterior")
		}
		return err
	})
	if err != nil {
		return lectern.PosteriorVersion{}, err
	}
	return lectern.PosteriorVersion{
		Version: row.Version, Features: row.Features, Position: row.Position, CreatedAt: row.CreatedAt.UTC(), Body: row.Body,
	}, nil
}

// Posteriors implements lectern.PosteriorStore.
func (s *Store) Posteriors(ctx context.Context, limit int) ([]lectern.PosteriorVersion, error) {
	var out []lectern.PosteriorVersion
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.Posteriors(ctx, rowLimit(max(0, limit)))
		out = make([]lectern.PosteriorVersion, len(rows))
		for i, r := range rows {
			out[i] = lectern.PosteriorVersion{Version: r.Version, Features: r.Features, Position: r.Position, CreatedAt: r.CreatedAt.UTC()}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// PruneLearning implements lectern.PosteriorStore.
func (s *Store) PruneLearning(ctx context.Context, t time.Time) (int, error) {
	if err := checkTime("before", t); err != nil {
		return 0, err
	}
	t = lectern.Timestamp(t)
	gone, err := s.prune(ctx, func(ctx context.Context, q *sqlcgen.Queries) (int64, error) {
		return q.DeletePosteriors(ctx, t, pruneBatch)
	})
	if err != nil {
		return gone, err
	}
	if _, err := s.prune(ctx, func(ctx context.Context, q *sqlcgen.Queries) (int64, error) {
		return q.DeleteEndedRewards(ctx, pruneBatch)
	}); err != nil {
		return gone, err
	}
	if err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		return errors.Join(tx.q.DeleteEndedCounts(ctx), tx.q.DeleteEndedSurfaceCounts(ctx))
	}); err != nil {
		return gone, err
	}
	_, err = s.prune(ctx, func(ctx context.Context, q *sqlcgen.Queries) (int64, error) {
		return q.DeleteLostRewards(ctx, t, pruneBatch)
	})
	return gone, err
}
