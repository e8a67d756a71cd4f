package sqlite

import (
	"context"
	"encoding/json"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/exposure"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

var _ lectern.ExperimentStore = (*Store)(nil)

// Experiments implements lectern.ExperimentStore.
func (s *Store) Experiments(ctx context.Context) ([]lectern.Experiment, int64, error) {
	revision, err := s.read.ExperimentRevision(ctx) // first: what is newer than it is found out by the next write
	if err != nil {
		return nil, 0, err
	}
	rows, err := s.read.Experiments(ctx)
	if err != nil {
		return nil, 0, err
	}
	held, err := s.read.ArtefactHolds(ctx)
	if err != nil {
		return nil, 0, err
	}
	out := make([]lectern.Experiment, len(rows))
	at := make(map[string]int, len(rows))
	for i, r := range rows {
		at[r.ID] = i
		out[i] = lectern.Experiment{
			ID: r.ID, Version: r.Version, State: lectern.ExperimentState(r.State), Body: json.RawMessage(r.Body),
			CreatedAt: fromMicros(r.CreatedAt), UpdatedAt: fromMicros(r.UpdatedAt),
		}
	}
	for _, h := range held {
		if i, ok := at[h.Experiment]; ok {
			out[i].Holds = append(out[i].Holds, lectern.ArtefactRef{Kind: h.Kind, Version: h.Version})
		}
	}
	return out, revision, nil
}

// ExperimentRevision implements lectern.ExperimentStore.
func (s *Store) ExperimentRevision(ctx context.Context) (int64, error) {
	return s.read.ExperimentRevision(ctx)
}

// PutExperiment implements lectern.ExperimentStore.
func (s *Store) PutExperiment(ctx context.Context, e lectern.Experiment, c lectern.ExperimentChange, revision int64) (int64, error) {
	if err := exposure.Check(e); err != nil {
		return 0, err
	}
	return s.changeExperiments(ctx, e, c, revision, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.PutExperiment(ctx, sqlcgen.PutExperimentParams{
			ID: e.ID, Version: e.Version, State: string(e.State), Body: string(e.Body),
			CreatedAt: micros(e.CreatedAt), UpdatedAt: micros(e.UpdatedAt),
		}); err != nil {
			return err
		}
		if err := tx.q.DropArtefactHolds(ctx, e.ID); err != nil {
			return err
		}
		for _, h := range e.Holds {
			n, err := tx.q.HoldArtefact(ctx, e.ID, h.Kind, h.Version)
			if err != nil {
				return err
			}
			if n == 0 {
				return exposure.NoArtefact(h)
			}
		}
		return nil
	})
}

// DeleteExperiment implements lectern.ExperimentStore.
func (s *Store) DeleteExperiment(ctx context.Context, c lectern.ExperimentChange, revision int64) (int64, error) {
	e := lectern.Experiment{ID: c.Experiment, Version: c.Version, Body: c.Body}
	return s.changeExperiments(ctx, e, c, revision, func(ctx context.Context, tx *writeTx) error {
		n, err := tx.q.DeleteExperiment(ctx, c.Experiment)
		if err == nil && n == 0 {
			return notFound("experiment")
		}
		return err
	})
}

// changeExperiments makes a change if nobody made another one since a revision, and
// writes it into the history.
func (s *Store) changeExperiments(ctx context.Context, e lectern.Experiment, c lectern.ExperimentChange, revision int64, change writeFunc) (int64, error) {
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.AddExperimentRevision(ctx); err != nil {
			return err
		}
		now, err := tx.q.ExperimentRevision(ctx)
		if err != nil {
			return err
		}
		if now != revision {
			return exposure.Moved(revision, now)
		}
		if err := change(ctx, tx); err != nil {
			return err
		}
		if err := tx.q.InsertExperimentChange(ctx, sqlcgen.InsertExperimentChangeParams{
			Experiment: e.ID, Version: e.Version, Action: c.Action, Author: c.Author, Comment: c.Comment,
			At: micros(c.At), Body: string(e.Body),
		}); err != nil {
			return err
		}
		return tx.q.SetExperimentRevision(ctx, revision+1)
	})
	if err != nil {
		return 0, err
	}
	return revision + 1, nil
}

// ExperimentChanges implements lectern.ExperimentStore.
func (s *Store) ExperimentChanges(ctx context.Context, id string) ([]lectern.ExperimentChange, error) {
	rows, err := s.read.ExperimentChanges(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make([]lectern.ExperimentChange, len(rows))
	for i, r := range rows {
		out[i] = lectern.ExperimentChange{
			Seq: r.Seq, Experiment: r.Experiment, Version: r.Version, Action: r.Action, Author: r.Author,
			Comment: r.Comment, At: fromMicros(r.At), Body: json.RawMessage(r.Body),
		}
	}
	return out, nil
}

// Exposures implements lectern.ExperimentStore.
func (s *Store) Exposures(ctx context.Context, ref lectern.LearnerRef) ([]lectern.Exposure, error) {
	who := identities(ref)
	if len(who) == 0 {
		return nil, nil
	}
	id, err := s.read.Identity(ctx, who[0].kind, who[0].externalID)
	if isNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := s.read.ExposuresOf(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make([]lectern.Exposure, len(rows))
	for i, r := range rows {
		out[i] = lectern.Exposure{
			Experiment: r.Experiment, Arm: r.Arm, Crossed: r.Crossed != 0, At: fromMicros(r.At),
			RankingID: r.RankingID, Segment: lectern.Segment(r.Segment),
		}
	}
	return out, nil
}

// putExposures notes who met which arm. rows are folded.
func (tx *writeTx) putExposures(ctx context.Context, rows []exposure.Row) error {
	for _, r := range rows {
		p := sqlcgen.PutExposureParams{
			Experiment: r.Experiment, LearnerID: r.Person, Arm: r.Arm, At: micros(r.At), RankingID: r.RankingID,
			Segment: string(r.Segment),
		}
		if r.Crossed {
			p.Crossed = 1
		}
		if err := tx.q.PutExposure(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
