package postgres

import (
	"context"
	"math"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// Profile implements lectern.LearnerStore. The version is read before the
// entries: a change in between shows as a version that is too old, and so the
// profile is read again, never as one that is too new.
func (s *Store) Profile(ctx context.Context, ref lectern.LearnerRef) (lectern.Profile, error) {
	var p lectern.Profile
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		id, err := resolve(ctx, q, ref)
		if err != nil {
			return err
		}
		row, err := q.LearnerByID(ctx, id)
		if err != nil {
			return goneMeanwhile(err)
		}
		p = lectern.Profile{Version: row.ProfileVersion}
		if p.Corrections, err = decodeCorrections(row.Corrections); err != nil {
			return err
		}
		if p.Learner, err = learnerOf(ctx, q, row); err != nil {
			return err
		}
		entries, err := q.ProfileEntries(ctx, id)
		if err != nil {
			return err
		}
		for _, e := range entries {
			p.Entries = append(p.Entries, entryOf(e.ProfileEntry, e.ExternalID))
		}
		p.Feedback, err = s.holding(ctx, q, id)
		return err
	})
	if err != nil {
		return lectern.Profile{}, err
	}
	return p, nil
}

func entryOf(e sqlcgen.ProfileEntry, course string) lectern.ProfileEntry {
	return lectern.ProfileEntry{
		CourseID: course,
		Weight:   e.Weight,
		WeightAt: e.WeightAt,
		HalfLife: time.Duration(e.HalfLife) * time.Microsecond,
		State:    lectern.CourseState(e.State), //nolint:gosec // written as one
		LastAt:   e.LastAt,
		Progress: e.Progress,
	}
}

// foldProfiles adds to entries, one at most per learner and course, what is
// stored of the same learner and course. The learners are locked.
func (tx *writeTx) foldProfiles(ctx context.Context, entries []sqlcgen.ProfileEntry) error {
	if len(entries) == 0 {
		return nil
	}
	learners, courses := make([]int64, len(entries)), make([]int64, len(entries))
	for i, e := range entries {
		learners[i], courses[i] = e.LearnerID, e.CourseID
	}
	rows, err := tx.q.ProfileEntriesOf(ctx, learners, courses)
	if err != nil {
		return err
	}
	stored := make(map[entryKey]sqlcgen.ProfileEntry, len(rows))
	for _, r := range rows {
		stored[entryKey{r.LearnerID, r.CourseID}] = r
	}
	for i, e := range entries {
		if old, ok := stored[entryKey{e.LearnerID, e.CourseID}]; ok {
			entries[i] = combine(old, e)
		}
	}
	return nil
}

// putEntries writes entries in place of the stored ones.
func putEntries(ctx context.Context, q *sqlcgen.Queries, entries []sqlcgen.ProfileEntry) error {
	if len(entries) == 0 {
		return nil
	}
	var p sqlcgen.PutProfileEntriesParams
	for _, e := range entries {
		p.Learners = append(p.Learners, e.LearnerID)
		p.Courses = append(p.Courses, e.CourseID)
		p.Weights = append(p.Weights, e.Weight)
		p.WeightAts = append(p.WeightAts, e.WeightAt)
		p.HalfLives = append(p.HalfLives, e.HalfLife)
		p.States = append(p.States, e.State)
		p.LastAts = append(p.LastAts, e.LastAt)
		p.Progresses = append(p.Progresses, e.Progress)
	}
	return q.PutProfileEntries(ctx, p)
}

// combine adds two entries of the same course: the older weight is decayed to
// the newer one's time by b's half-life (a's where b has none), so that the
// order in which entries arrive does not matter.
func combine(a, b sqlcgen.ProfileEntry) sqlcgen.ProfileEntry {
	halfLife := b.HalfLife
	if halfLife <= 0 {
		halfLife = a.HalfLife
	}
	at := later(a.WeightAt, b.WeightAt)
	return sqlcgen.ProfileEntry{
		LearnerID: a.LearnerID,
		CourseID:  a.CourseID,
		Weight:    decay(a.Weight, at, a.WeightAt, halfLife) + decay(b.Weight, at, b.WeightAt, halfLife),
		WeightAt:  at,
		HalfLife:  halfLife,
		State:     a.State | b.State,
		LastAt:    later(a.LastAt, b.LastAt),
		Progress:  max(a.Progress, b.Progress),
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// decay halves weight once per half-life, in microseconds, between from and to.
func decay(weight float64, to, from time.Time, halfLife int64) float64 {
	// Not Sub, which ends at 292 years.
	age := to.UnixMicro() - from.UnixMicro()
	if age <= 0 || halfLife <= 0 {
		return weight
	}
	return weight * math.Exp2(-float64(age)/float64(halfLife))
}

// deltaEntry is the profile entry that one event amounts to.
func deltaEntry(learnerID, courseID int64, at time.Time, d lectern.ProfileDelta) sqlcgen.ProfileEntry {
	at = lectern.Timestamp(at)
	return sqlcgen.ProfileEntry{
		LearnerID: learnerID, CourseID: courseID, Weight: d.Weight, WeightAt: at,
		HalfLife: max(1, d.HalfLife.Microseconds()), State: int32(d.State), LastAt: at, Progress: d.Progress,
	}
}
