package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/exposure"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

var (
	_ lectern.ExperimentStore   = (*Store)(nil)
	_ lectern.ExperimentWatcher = (*Store)(nil)
)

// experimentChannel is where processes are told that experiments have changed.
const experimentChannel = "lectern_experiments"

// Experiments implements lectern.ExperimentStore.
func (s *Store) Experiments(ctx context.Context) (out []lectern.Experiment, revision int64, err error) {
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		// First: what is newer than it is found out by the next write.
		if revision, err = q.ExperimentRevision(ctx); err != nil {
			return err
		}
		rows, err := q.Experiments(ctx)
		if err != nil {
			return err
		}
		held, err := q.ArtefactHolds(ctx)
		if err != nil {
			return err
		}
		out = make([]lectern.Experiment, len(rows))
		at := make(map[string]int, len(rows))
		for i, r := range rows {
			at[r.ID] = i
			out[i] = lectern.Experiment{
				ID: r.ID, Version: r.Version, State: lectern.ExperimentState(r.State), Body: r.Body,
				CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
			}
		}
		for _, h := range held {
			if i, ok := at[h.Experiment]; ok {
				out[i].Holds = append(out[i].Holds, lectern.ArtefactRef{Kind: h.Kind, Version: h.Version})
			}
		}
		return nil
	})
	return out, revision, err
}

// ExperimentRevision implements lectern.ExperimentStore.
func (s *Store) ExperimentRevision(ctx context.Context) (revision int64, err error) {
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		revision, err = q.ExperimentRevision(ctx)
		return err
	})
	return revision, err
}

// PutExperiment implements lectern.ExperimentStore.
func (s *Store) PutExperiment(ctx context.Context, e lectern.Experiment, c lectern.ExperimentChange, revision int64) (int64, error) {
	if err := exposure.Check(e); err != nil {
		return 0, err
	}
	if err := checkText("experiment", e.ID, string(e.State), string(e.Body)); err != nil {
		return 0, err
	}
	held := slices.SortedFunc(slices.Values(e.Holds), func(a, b lectern.ArtefactRef) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Version, b.Version))
	})
	return s.changeExperiments(ctx, e, c, revision, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.PutExperiment(ctx, sqlcgen.PutExperimentParams{
			ID: e.ID, Version: e.Version, State: string(e.State), Body: e.Body,
			CreatedAt: lectern.Timestamp(e.CreatedAt), UpdatedAt: lectern.Timestamp(e.UpdatedAt),
		}); err != nil {
			return err
		}
		if err := tx.q.DropArtefactHolds(ctx, e.ID); err != nil {
			return err
		}
		for _, h := range held {
			if err := tx.q.LockArtefactKind(ctx, h.Kind); err != nil { // whoever prunes has it, too
				return err
			}
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

// changeExperiments makes a change if nobody made another one since a revision,
// writes it into the history and tells.
func (s *Store) changeExperiments(ctx context.Context, e lectern.Experiment, c lectern.ExperimentChange, revision int64, change writeFunc) (int64, error) {
	if err := checkText("experiment", c.Author, c.Comment, string(c.Body)); err != nil {
		return 0, err
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.AddExperimentRevision(ctx); err != nil {
			return err
		}
		now, err := tx.q.LockExperiments(ctx)
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
			At: lectern.Timestamp(c.At), Body: e.Body,
		}); err != nil {
			return err
		}
		if err := tx.q.SetExperimentRevision(ctx, revision+1); err != nil {
			return err
		}
		_, err = tx.tx.Exec(ctx, notifyFeed, experimentChannel)
		return err
	})
	if err != nil {
		return 0, err
	}
	return revision + 1, nil
}

// ExperimentChanges implements lectern.ExperimentStore.
func (s *Store) ExperimentChanges(ctx context.Context, id string) (out []lectern.ExperimentChange, err error) {
	if !isText(id) {
		return nil, nil
	}
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.ExperimentChanges(ctx, id)
		out = make([]lectern.ExperimentChange, len(rows))
		for i, r := range rows {
			out[i] = lectern.ExperimentChange{
				Seq: r.Seq, Experiment: r.Experiment, Version: r.Version, Action: r.Action, Author: r.Author,
				Comment: r.Comment, At: r.At.UTC(), Body: r.Body,
			}
		}
		return err
	})
	return out, err
}

// Exposures implements lectern.ExperimentStore.
func (s *Store) Exposures(ctx context.Context, ref lectern.LearnerRef) (out []lectern.Exposure, err error) {
	name, named := rankingOf(ref)
	if !named || !isText(name.externalID) {
		return nil, nil
	}
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out = nil
		people, err := q.Identities(ctx, []int16{name.kind}, []string{name.externalID})
		if err != nil || len(people) == 0 {
			return err
		}
		rows, err := q.ExposuresOf(ctx, people[0].LearnerID)
		for _, r := range rows {
			out = append(out, lectern.Exposure{
				Experiment: r.Experiment, Arm: r.Arm, Crossed: r.Crossed, At: r.At.UTC(), RankingID: r.RankingID,
				Segment: lectern.Segment(r.Segment),
			})
		}
		return err
	})
	return out, err
}

// exposureRows lays folded exposures out for one statement.
func exposureRows(rows []exposure.Row) sqlcgen.PutExposuresParams {
	var p sqlcgen.PutExposuresParams
	for _, r := range rows {
		p.Experiments = append(p.Experiments, r.Experiment)
		p.LearnerIds = append(p.LearnerIds, r.Person)
		p.Arms = append(p.Arms, r.Arm)
		p.Crossed = append(p.Crossed, r.Crossed)
		p.Ats = append(p.Ats, r.At)
		p.RankingIds = append(p.RankingIds, r.RankingID)
		p.Segments = append(p.Segments, string(r.Segment))
	}
	return p
}

// WatchExperiments implements lectern.ExperimentWatcher, over a connection of its own.
func (s *Store) WatchExperiments(ctx context.Context, changed func()) error {
	return s.listen(ctx, listener{channel: experimentChannel, name: "lectern experiments", what: "experiments are"}, changed)
}
