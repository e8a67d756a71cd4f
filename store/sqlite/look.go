package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/exposure"
)

var _ lectern.ExperimentLooks = (*Store)(nil)

// ExperimentLook implements lectern.ExperimentLooks.
func (s *Store) ExperimentLook(ctx context.Context, experiment string) (lectern.ExperimentLook, error) {
	l := lectern.ExperimentLook{Experiment: experiment}
	var body string
	var at int64
	err := s.stmts.QueryRowContext(ctx, "SELECT revision, body, at FROM experiment_looks WHERE experiment = ?", experiment).Scan(&l.Revision, &body, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return l, nil
	}
	l.Body, l.At = json.RawMessage(body), fromMicros(at)
	return l, err
}

// PutExperimentLook implements lectern.ExperimentLooks.
func (s *Store) PutExperimentLook(ctx context.Context, l lectern.ExperimentLook) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		done, err := tx.stmts.ExecContext(ctx, exposure.PutLook(l.Revision, numbered),
			l.Revision+1, string(l.Body), micros(l.At), l.Experiment)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err == nil && n == 0 {
			err = exposure.LookMoved()
		}
		return err
	})
}
