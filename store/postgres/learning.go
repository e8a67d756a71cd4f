package postgres

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

var (
	_ lectern.LearningStore  = (*Store)(nil)
	_ lectern.PosteriorStore = (*Store)(nil)
)

// learningLock is the name of the right to begin and end runs of learning among
// advisory locks.
const learningLock int64 = 7310579603206

// hourOf returns the number of whole hours between 1970 and a time.
func hourOf(t time.Time) int64 {
	return int64(math.Floor(float64(t.Unix()) / time.Hour.Seconds()))
}

// Learning implements lectern.LearningStore.
func (s *Store) Learning(ctx context.Context, run int64) (lectern.LearningState, error) {
	var out lectern.LearningState
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		row, err := learningRow(ctx, q, run)
		if isNoRows(err) {
			return notFound("run of learning")
		}
		out = lectern.LearningState{
			Run: row.Run, Active: row.Active, Position: row.Position, Revision: row.Revision, Features: row.Features,
			Posterior: row.Body, Published: row.Published, UpdatedAt: row.UpdatedAt.UTC(),
		}
		return err
	})
	if err != nil {
		return lectern.LearningState{}, err
	}
	return out, nil
}

func learningRow(ctx context.Context, q *sqlcgen.Queries, run int64) (sqlcgen.Learning, error) {
	if run == 0 {
		return q.ActiveLearning(ctx)
	}
	return q.Learning(ctx, run)
}

// StartLearning implements lectern.LearningStore.
func (s *Store) StartLearning(ctx context.Context, at time.Time) (lectern.LearningState, error) {
	if err := checkTime("at", at); err != nil {
		return lectern.LearningState{}, err
	}
	var run int64
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.AwaitTurn(ctx, learningLock); err != nil {
			return err
		}
		last, err := tx.q.LastLearningRun(ctx)
		if err != nil {
			return err
		}
		if err := tx.q.EndLearning(ctx); err != nil {
			return err
		}
		run = last + 1
		return tx.q.InsertLearning(ctx, run, lectern.Timestamp(at))
	})
	if err != nil {
		return lectern.LearningState{}, err
	}
	return s.Learning(ctx, run)
}

// UseLearning implements lectern.LearningStore.
func (s *Store) UseLearning(ctx context.Context, run, revision int64) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.AwaitTurn(ctx, learningLock); err != nil {
			return err
		}
		now, err := tx.q.LockLearning(ctx, run)
		switch {
		case isNoRows(err):
			return notFound("run of learning")
		case err != nil:
			return err
		case now != revision:
			return movedOn()
		}
		var line pipeline
		q := sqlcgen.New(&line)
		if err := errors.Join(q.RestLearning(ctx, run), q.UseLearning(ctx, run), q.EndLearning(ctx)); err != nil {
			return err
		}
		return line.send(ctx, tx.tx)
	})
}

func movedOn() error {
	return lectern.Errorf(lectern.CodePrecondition, "learning has ended or moved on meanwhile: read how far it is, and go on from there")
}

// ApplyLearning implements lectern.LearningStore. An answer to the commit that is lost
// is no reason to send the step again: it would be refused.
func (s *Store) ApplyLearning(ctx context.Context, step lectern.LearningStep) (int64, error) {
	if err := checkTime("at", step.At); err != nil {
		return 0, err
	}
	for _, c := range step.Credits {
		if err := errors.Join(checkID("course_id", c.CourseID), checkText("name", c.Name, c.RankingID, string(c.Surface)), checkTime("at", c.At), checkTime("made", c.Made)); err != nil {
			return 0, err
		}
	}
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
	courses := make([]string, len(step.Credits))
	for i, c := range step.Credits {
		courses[i] = c.CourseID
	}
	ids, err := tx.courseIDs(ctx, courses, true)
	if err != nil {
		return 0, err
	}
	revision, err := tx.q.LockLearning(ctx, step.Run)
	if isNoRows(err) || err == nil && revision != step.Revision {
		return 0, movedOn()
	}
	if err != nil {
		return 0, err
	}
	body := step.Posterior
	if body == nil {
		body = []byte{}
	}
	published := int64(-1) // as it was
	if len(step.Credits) > 0 {
		published = 0
	}
	if step.Publish {
		version, err = tx.q.InsertPosterior(ctx, sqlcgen.InsertPosteriorParams{
			Features: step.Features, Position: step.Position, CreatedAt: lectern.Timestamp(step.At), Body: body,
		})
		if err != nil {
			return 0, err
		}
		published = version
	}
	if _, err := tx.q.MoveLearning(ctx, sqlcgen.MoveLearningParams{
		Position: step.Position, Features: step.Features, Body: body, Published: published,
		UpdatedAt: lectern.Timestamp(step.At), Run: step.Run, Revision: step.Revision,
	}); err != nil {
		return 0, err
	}
	return version, tx.putCredits(ctx, step, ids)
}

type countKey struct {
	hour     int64
	position int32
	explored bool
	name     string
	surface  string
}

func (tx *writeTx) putCredits(ctx context.Context, step lectern.LearningStep, courses map[string]courseRef) error {
	if len(step.Credits) == 0 {
		return nil
	}
	rewards := sqlcgen.InsertRewardsParams{Run: step.Run}
	type sum struct {
		n     int64
		value float64
	}
	sums := map[countKey]sum{}
	for _, c := range step.Credits {
		rewards.RankingIds = append(rewards.RankingIds, c.RankingID)
		rewards.CourseIds = append(rewards.CourseIds, courses[c.CourseID].id)
		rewards.Names = append(rewards.Names, c.Name)
		rewards.Vals = append(rewards.Vals, c.Value)
		rewards.Ats = append(rewards.Ats, lectern.Timestamp(c.At))
		rewards.Explored = append(rewards.Explored, c.Explored)
		rewards.Surfaces = append(rewards.Surfaces, string(c.Surface))
		key := countKey{hourOf(c.Made), int32(c.Position), c.Explored, c.Name, string(c.Surface)} //nolint:gosec // a place in a list
		was := sums[key]
		sums[key] = sum{was.n + 1, was.value + c.Value}
	}
	keys := make([]countKey, 0, len(sums))
	for key := range sums {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b countKey) int {
		explored := cmp.Compare(boolRank(a.explored), boolRank(b.explored))
		return cmp.Or(cmp.Compare(a.hour, b.hour), cmp.Compare(a.position, b.position), explored, cmp.Compare(a.name, b.name), cmp.Compare(a.surface, b.surface))
	})
	counts := sqlcgen.AddExplorationCountsParams{Run: step.Run}
	for _, key := range keys {
		counts.Hours = append(counts.Hours, key.hour)
		counts.Positions = append(counts.Positions, key.position)
		counts.Explored = append(counts.Explored, key.explored)
		counts.Names = append(counts.Names, key.name)
		counts.Surfaces = append(counts.Surfaces, key.surface)
		counts.Ns = append(counts.Ns, sums[key].n)
		counts.Vals = append(counts.Vals, sums[key].value)
	}
	var line pipeline
	q := sqlcgen.New(&line)
	if err := errors.Join(q.InsertRewards(ctx, rewards), q.AddExplorationCounts(ctx, counts)); err != nil {
		return err
	}
	return line.send(ctx, tx.tx)
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Rewards implements lectern.LearningStore.
func (s *Store) Rewards(ctx context.Context, run int64, rankingIDs []string) ([]lectern.Reward, error) {
	ids := textsOf(rankingIDs)
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	var out []lectern.Reward
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out = nil
		state, err := learningRow(ctx, q, run)
		if isNoRows(err) {
			return nil
		}
		if err != nil {
			return err
		}
		rows, err := q.Rewards(ctx, state.Run, ids)
		for _, r := range rows {
			out = append(out, lectern.Reward{RankingID: r.RankingID, CourseID: r.Course, Name: r.Name, Value: r.Value, At: r.At.UTC()})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ExplorationCounts implements lectern.LearningStore.
func (s *Store) ExplorationCounts(ctx context.Context, since time.Time) ([]lectern.ExplorationCount, error) {
	if err := checkTime("since", since); err != nil {
		return nil, err
	}
	var out []lectern.ExplorationCount
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out = nil
		state, err := q.ActiveLearning(ctx)
		if isNoRows(err) {
			return nil
		}
		if err != nil {
			return err
		}
		pooled, err := q.PooledExplorationCounts(ctx, state.Run, hourOf(since))
		if err != nil {
			return err
		}
		for _, r := range pooled {
			out = append(out, lectern.ExplorationCount{Position: int(r.Position), Explored: r.Explored, Name: r.Name, N: r.N, Value: r.Value})
		}
		rows, err := q.ExplorationCounts(ctx, state.Run, hourOf(since))
		if err != nil {
			return err
		}
		for _, r := range rows {
			out = append(out, lectern.ExplorationCount{
				Surface: lectern.Surface(r.Surface), Position: int(r.Position), Explored: r.Explored, Name: r.Name, N: r.N, Value: r.Value,
			})
		}
		reports, err := q.ExplorationReports(ctx, time.Unix(hourOf(since)*int64(time.Hour/time.Second), 0).UTC(), state.Run)
		for _, r := range reports {
			out = append(out, lectern.ExplorationCount{Surface: lectern.Surface(r.Surface), Explored: r.Explored, Name: lectern.CountReports, N: r.N})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
