package sqlite

import (
	"context"
	"math"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// Profile implements lectern.LearnerStore. The version is read before the
// entries: a change in between shows as a version that is too old, and so the
// profile is read again, never as one that is too new.
func (s *Store) Profile(ctx context.Context, ref lectern.LearnerRef) (lectern.Profile, error) {
	id, err := s.resolve(ctx, s.read, ref)
	if err != nil {
		return lectern.Profile{}, err
	}
	row, err := s.read.LearnerByID(ctx, id)
	if err != nil {
		return lectern.Profile{}, goneMeanwhile(err)
	}
	p := lectern.Profile{Version: row.ProfileVersion}
	if p.Corrections, err = decodeCorrections(row.Corrections); err != nil {
		return lectern.Profile{}, err
	}
	if p.Learner, err = s.learnerOf(ctx, row); err != nil {
		return lectern.Profile{}, err
	}
	entries, err := s.read.ProfileEntries(ctx, id)
	if err != nil {
		return lectern.Profile{}, err
	}
	for _, e := range entries {
		p.Entries = append(p.Entries, entryOf(e.ProfileEntry, e.ExternalID))
	}
	if p.Feedback, err = s.holding(ctx, id); err != nil {
		return lectern.Profile{}, err
	}
	return p, nil
}

func entryOf(e sqlcgen.ProfileEntry, course string) lectern.ProfileEntry {
	return lectern.ProfileEntry{
		CourseID: course,
		Weight:   e.Weight,
		WeightAt: fromMicros(e.WeightAt),
		HalfLife: time.Duration(e.HalfLife) * time.Microsecond,
		State:    lectern.CourseState(e.State), //nolint:gosec // written as one
		LastAt:   fromMicros(e.LastAt),
		Progress: e.Progress,
	}
}

// addToProfiles folds entries, one at most per learner and course, into the
// stored ones. It changes entries.
func (tx *writeTx) addToProfiles(ctx context.Context, entries []sqlcgen.ProfileEntry) error {
	pairs := make([][2]int64, len(entries))
	for i, e := range entries {
		pairs[i] = [2]int64{e.LearnerID, e.CourseID}
	}
	rows, err := tx.q.ProfileEntriesOf(ctx, jsonText(pairs))
	if err != nil {
		return err
	}
	stored := make(map[[2]int64]sqlcgen.ProfileEntry, len(rows))
	for _, r := range rows {
		stored[[2]int64{r.LearnerID, r.CourseID}] = r
	}
	for i, pair := range pairs {
		if old, ok := stored[pair]; ok {
			entries[i] = combine(old, entries[i])
		}
	}
	return tx.putProfileEntries(ctx, entries)
}

// combine adds two entries of the same course: the older weight is decayed to
// the newer one's time by b's half-life (a's where b has none), so that the
// order in which entries arrive does not matter.
func combine(a, b sqlcgen.ProfileEntry) sqlcgen.ProfileEntry {
	halfLife := b.HalfLife
	if halfLife <= 0 {
		halfLife = a.HalfLife
	}
	at := max(a.WeightAt, b.WeightAt)
	return sqlcgen.ProfileEntry{
		LearnerID: a.LearnerID,
		CourseID:  a.CourseID,
		Weight:    decay(a.Weight, at-a.WeightAt, halfLife) + decay(b.Weight, at-b.WeightAt, halfLife),
		WeightAt:  at,
		HalfLife:  halfLife,
		State:     a.State | b.State,
		LastAt:    max(a.LastAt, b.LastAt),
		Progress:  max(a.Progress, b.Progress),
	}
}

// decay halves weight once per half-life of age, both in microseconds.
func decay(weight float64, age, halfLife int64) float64 {
	if age <= 0 || halfLife <= 0 {
		return weight
	}
	return weight * math.Exp2(-float64(age)/float64(halfLife))
}

// deltaEntry is the profile entry that one event amounts to.
func deltaEntry(courseID int64, at time.Time, d lectern.ProfileDelta) sqlcgen.ProfileEntry {
	us := micros(at)
	return sqlcgen.ProfileEntry{
		CourseID: courseID, Weight: d.Weight, WeightAt: us, HalfLife: max(1, d.HalfLife.Microseconds()),
		State: int64(d.State), LastAt: us, Progress: d.Progress,
	}
}
