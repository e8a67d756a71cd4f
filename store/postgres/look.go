package postgres

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/exposure"
)

var _ lectern.ExperimentLooks = (*Store)(nil)

// ExperimentLook implements lectern.ExperimentLooks.
func (s *Store) ExperimentLook(ctx context.Context, experiment string) (lectern.ExperimentLook, error) {
	l := lectern.ExperimentLook{Experiment: experiment}
	var body []byte
	err := s.pool.QueryRow(ctx, "SELECT revision, body, at FROM experiment_looks WHERE experiment = $1", experiment).Scan(&l.Revision, &body, &l.At)
	if isNoRows(err) {
		return l, nil
	}
	l.Body, l.At = body, l.At.UTC()
	return l, fail(err)
}

// PutExperimentLook implements lectern.ExperimentLooks.
func (s *Store) PutExperimentLook(ctx context.Context, l lectern.ExperimentLook) error {
	if err := checkText("experiment", l.Experiment); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		done, err := tx.tx.Exec(ctx, exposure.PutLook(l.Revision, param), l.Revision+1, string(l.Body), l.At, l.Experiment)
		if err == nil && done.RowsAffected() == 0 {
			err = exposure.LookMoved()
		}
		return err
	})
}
