package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

var (
	_ lectern.LearningStore  = (*Store)(nil)
	_ lectern.PosteriorStore = (*Store)(nil)
)

const microsPerHour = int64(time.Hour / time.Microsecond)

// hourOf returns the number of whole hours between 1970 and a time.
func hourOf(t time.Time) int64 {
	us := micros(t)
	h := us / microsPerHour
	if us%microsPerHour < 0 {
		h--
	}
	return h
}

// Learning implements lectern.LearningStore.
func (s *Store) Learning(ctx context.Context, run int64) (lectern.LearningState, error) {
	row, err := learningRow(ctx, s.read, run)
	if isNoRows(err) {
		return lectern.LearningState{}, notFound("run of learning")
	}
	if err != nil {
		return lectern.LearningState{}, err
	}
	return lectern.LearningState{
		Run: row.Run, Active: row.Active != 0, Position: row.Position, Revision: row.Revision, Features: row.Features,
		Posterior: row.Body, Published: row.Published, UpdatedAt: fromMicros(row.UpdatedAt),
	}, nil
}

func learningRow(ctx context.Context, q *sqlcgen.Queries, run int64) (sqlcgen.Learning, error) {
	if run == 0 {
		return q.ActiveLearning(ctx)
	}
	return q.Learning(ctx, run)
}

// StartLearning implements lectern.LearningStore.
func (s *Store) StartLearning(ctx context.Context, at time.Time) (lectern.LearningState, error) {
	var run int64
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		last, err := tx.q.LastLearningRun(ctx)
		if err != nil {
			return err
		}
		if err := tx.q.EndLearning(ctx); err != nil {
			return err
		}
		run = last + 1
		return tx.q.InsertLearning(ctx, run, micros(at))
	})
	if err != nil {
		return lectern.LearningState{}, err
	}
	return s.Learning(ctx, run)
}

// UseLearning implements lectern.LearningStore.
func (s *Store) UseLearning(ctx context.Context, run, revision int64) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		row, err := tx.q.Learning(ctx, run)
		switch {
		case isNoRows(err):
			return notFound("run of learning")
		case err != nil:
			return err
		case row.Revision != revision:
			return movedOn()
		}
		if err := tx.q.RestLearning(ctx, run); err != nil {
			return err
		}
		if err := tx.q.UseLearning(ctx, run); err != nil {
			return err
		}
		return tx.q.EndLearning(ctx)
	})
}

func movedOn() error {
	return lectern.Errorf(lectern.CodePrecondition, "learning has ended or moved on meanwhile: read how far it is, and go on from there")
}

// ApplyLearning implements lectern.LearningStore.
func (s *Store) ApplyLearning(ctx context.Context, step lectern.LearningStep) (int64, error) {
	var version int64
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
		version, err = tx.applyLearning(ctx, step)
		return err
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

func (tx *writeTx) applyLearning(ctx context.Context, step lectern.LearningStep) (version int64, err error) {
	published := int64(-1) // as it was
	if len(step.Credits) > 0 {
		published = 0
	}
	if step.Publish {
		version, err = tx.q.InsertPosterior(ctx, sqlcgen.InsertPosteriorParams{
			Features: step.Features, Position: step.Position, CreatedAt: micros(step.At), Body: bytesOf(step.Posterior),
		})
		if err != nil {
			return 0, err
		}
		published = version
	}
	moved, err := tx.q.MoveLearning(ctx, sqlcgen.MoveLearningParams{
		Position: step.Position, Features: step.Features, Body: bytesOf(step.Posterior), Published: published,
		UpdatedAt: micros(step.At), Run: step.Run, Revision: step.Revision,
	})
	switch {
	case err != nil:
		return 0, err
	case moved == 0:
		return 0, movedOn()
	}
	return version, tx.putCredits(ctx, step)
}

// bytesOf is never nil, which would be NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (tx *writeTx) putCredits(ctx context.Context, step lectern.LearningStep) error {
	courses := make([]string, len(step.Credits))
	for i, c := range step.Credits {
		courses[i] = c.CourseID
	}
	ids, err := lookUpCourses(ctx, tx, courses)
	if err != nil {
		return err
	}
	for _, c := range step.Credits {
		course, err := ids.ref(ctx, c.CourseID)
		if err != nil {
			return err
		}
		if err := tx.q.InsertReward(ctx, sqlcgen.InsertRewardParams{
			Run: step.Run, CourseID: course.id, Name: c.Name, Value: c.Value, At: micros(c.At), Explored: boolInt(c.Explored), Surface: string(c.Surface), RankingID: c.RankingID,
		}); err != nil {
			return err
		}
		if err := tx.q.AddExplorationCount(ctx, sqlcgen.AddExplorationCountParams{
			Run: step.Run, Hour: hourOf(c.Made), Position: int64(c.Position), Explored: boolInt(c.Explored), Name: c.Name, Surface: string(c.Surface), N: 1, Value: c.Value,
		}); err != nil {
			return err
		}
	}
	return nil
}

// Rewards implements lectern.LearningStore.
func (s *Store) Rewards(ctx context.Context, run int64, rankingIDs []string) ([]lectern.Reward, error) {
	if len(rankingIDs) == 0 {
		return nil, ctx.Err()
	}
	state, err := learningRow(ctx, s.read, run)
	if isNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := s.read.Rewards(ctx, state.Run, jsonText(distinct(rankingIDs)))
	if err != nil {
		return nil, err
	}
	out := make([]lectern.Reward, len(rows))
	for i, r := range rows {
		out[i] = lectern.Reward{RankingID: r.RankingID, CourseID: r.Course, Name: r.Name, Value: r.Value, At: fromMicros(r.At)}
	}
	return out, nil
}

// ExplorationCounts implements lectern.LearningStore.
func (s *Store) ExplorationCounts(ctx context.Context, since time.Time) ([]lectern.ExplorationCount, error) {
	state, err := s.read.ActiveLearning(ctx)
	if isNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	pooled, err := s.read.PooledExplorationCounts(ctx, state.Run, hourOf(since))
	if err != nil {
		return nil, err
	}
	rows, err := s.read.ExplorationCounts(ctx, state.Run, hourOf(since))
	if err != nil {
		return nil, err
	}
	var out []lectern.ExplorationCount
	for _, r := range pooled {
		out = append(out, lectern.ExplorationCount{Position: int(r.Position), Explored: r.Explored != 0, Name: r.Name, N: r.N, Value: r.Value})
	}
	for _, r := range rows {
		out = append(out, lectern.ExplorationCount{
			Surface: lectern.Surface(r.Surface), Position: int(r.Position), Explored: r.Explored != 0, Name: r.Name, N: r.N, Value: r.Value,
		})
	}
	reports, err := s.read.ExplorationReports(ctx, hourOf(since)*microsPerHour, state.Run)
	for _, r := range reports {
		out = append(out, lectern.ExplorationCount{Surface: lectern.Surface(r.Surface), Explored: r.Explored != 0, Name: lectern.CountReports, N: r.N})
	}
	return out, err
}

// Posterior implements lectern.PosteriorStore.
func (s *Store) Posterior(ctx context.Context, version int64) (lectern.PosteriorVersion, error) {
	var row sqlcgen.Posterior
	var err error
	if version == 0 {
		row, err = s.read.NewestPosterior(ctx)
	} else {
		row, err = s.read.Posterior(ctx, version)
	}
	if isNoRows(err) {
		return lectern.PosteriorVersion{}, notFound("posterior")
	}
	if err != nil {
		return lectern.PosteriorVersion{}, err
	}
	return lectern.PosteriorVersion{
		Version: row.Version, Features: row.Features, Position: row.Position, CreatedAt: fromMicros(row.CreatedAt), Body: row.Body,
	}, nil
}

// Posteriors implements lectern.PosteriorStore.
func (s *Store) Posteriors(ctx context.Context, limit int) ([]lectern.PosteriorVersion, error) {
	rows, err := s.read.Posteriors(ctx, int64(max(0, limit)))
	if err != nil {
		return nil, err
	}
	out := make([]lectern.PosteriorVersion, len(rows))
	for i, r := range rows {
		out[i] = lectern.PosteriorVersion{Version: r.Version, Features: r.Features, Position: r.Position, CreatedAt: fromMicros(r.CreatedAt)}
	}
	return out, nil
}

// PruneLearning implements lectern.PosteriorStore.
func (s *Store) PruneLearning(ctx context.Context, t time.Time) (int, error) {
	gone, err := s.prune(ctx, func(ctx context.Context, tx *writeTx) (int64, error) {
		return tx.q.DeletePosteriors(ctx, micros(t), pruneBatch)
	})
	if err != nil {
		return gone, err
	}
	if _, err := s.prune(ctx, func(ctx context.Context, tx *writeTx) (int64, error) {
		return tx.q.DeleteEndedRewards(ctx, pruneBatch)
	}); err != nil {
		return gone, err
	}
	if err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		return errors.Join(tx.q.DeleteEndedCounts(ctx), tx.q.DeleteEndedSurfaceCounts(ctx))
	}); err != nil {
		return gone, err
	}
	_, err = s.prune(ctx, func(ctx context.Context, tx *writeTx) (int64, error) {
		return tx.q.DeleteLostRewards(ctx, micros(t), pruneBatch)
	})
	return gone, err
}
