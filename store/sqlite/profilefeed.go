package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

var _ lectern.ProfileStore = (*Store)(nil)

// profilesChanged puts learners into the feed of profiles, in rising order of id.
func (tx *writeTx) profilesChanged(ctx context.Context, learnerIDs map[int64]bool) error {
	if len(learnerIDs) == 0 {
		return nil
	}
	return tx.q.ProfilesChanged(ctx, jsonText(sortedKeys(learnerIDs)))
}

// ProfileChanges implements lectern.ProfileStore.
func (s *Store) ProfileChanges(ctx context.Context, after int64, limit int) ([]lectern.ProfileChange, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	rows, err := s.read.ProfileChanges(ctx, after, int64(limit))
	if err != nil {
		return nil, err
	}
	out := make([]lectern.ProfileChange, len(rows))
	for i, r := range rows {
		out[i] = lectern.ProfileChange{Seq: r.Seq, Key: r.LearnerID}
		switch r.Kind {
		case kindLearner:
			out[i].Ref.ID = r.ExternalID
		case kindVisitor:
			out[i].Ref.AnonymousID = r.ExternalID
		default:
			out[i].Gone = true
		}
	}
	return out, nil
}

// ProfileKey returns the number that stands for a learner in the feed of profiles.
// Errors: CodeNotFound.
func (s *Store) ProfileKey(ctx context.Context, ref lectern.LearnerRef) (int64, error) {
	return s.resolve(ctx, s.read, ref)
}

// CompactProfileChanges removes the feed's entries that newer ones have made void, of
// those who have an entry above after and up to upTo, and returns how many. Nobody
// who reads the feed sees a difference.
func (s *Store) CompactProfileChanges(ctx context.Context, after, upTo int64) (int, error) {
	var n int64
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
		n, err = tx.q.CompactProfileChanges(ctx, after, upTo)
		return err
	})
	return int(n), err
}

// CatchUpProfileChanges puts everybody into the feed who is not there, as a release
// without the feed leaves them that runs beside this one while it is replaced. With
// gone it also puts those there again who are gone: such a release erases without
// saying so. It returns how many.
func (s *Store) CatchUpProfileChanges(ctx context.Context, gone bool) (int, error) {
	var n int64
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
		again := int64(0)
		if gone {
			again = 1
		}
		n, err = tx.q.CatchUpProfileChanges(ctx, again)
		return err
	})
	return int(n), err
}

// PruneProfileChanges removes the feed's entries of those who are gone, up to a
// sequence number that every follower has passed, and returns how many.
func (s *Store) PruneProfileChanges(ctx context.Context, upTo int64) (int, error) {
	var n int64
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
		n, err = tx.q.PruneProfileChanges(ctx, upTo)
		return err
	})
	return int(n), err
}

// ReplaceProfile implements lectern.ProfileStore. Errors: CodeNotFound;
// CodeInvalid for entries that no profile can have.
func (s *Store) ReplaceProfile(
	ctx context.Context, ref lectern.LearnerRef, version int64, entries []lectern.ProfileEntry,
) (bool, error) {
	if err := checkEntries(entries); err != nil {
		return false, err
	}
	replaced := false
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		replaced = false
		id, err := s.resolve(ctx, tx.q, ref)
		if err != nil {
			return err
		}
		learner, err := tx.q.LearnerByID(ctx, id)
		if err != nil {
			return goneMeanwhile(err)
		}
		if replaced = learner.ProfileVersion == version; !replaced {
			return nil
		}
		return tx.replaceProfile(ctx, id, entries)
	})
	return replaced && err == nil, err
}

func (tx *writeTx) replaceProfile(ctx context.Context, id int64, entries []lectern.ProfileEntry) error {
	rows, err := tx.q.ProfileEntries(ctx, id)
	if err != nil {
		return err
	}
	stored := make(map[int64]sqlcgen.ProfileEntry, len(rows))
	for _, r := range rows {
		stored[r.ProfileEntry.CourseID] = r.ProfileEntry
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.CourseID
	}
	courses, err := lookUpCourses(ctx, tx, names)
	if err != nil {
		return err
	}
	var put []sqlcgen.ProfileEntry
	for _, e := range entries {
		course, err := courses.ref(ctx, e.CourseID)
		if err != nil {
			return err
		}
		row := sqlcgen.ProfileEntry{
			LearnerID: id, CourseID: course.id, Weight: e.Weight, WeightAt: micros(e.WeightAt),
			HalfLife: max(1, e.HalfLife.Microseconds()), State: int64(e.State), LastAt: micros(e.LastAt),
			Progress: e.Progress,
		}
		if old, ok := stored[course.id]; !ok || old != row {
			put = append(put, row)
		}
		delete(stored, course.id)
	}
	if len(put) == 0 && len(stored) == 0 {
		return nil
	}
	if err := tx.q.DeleteProfileEntries(ctx, id, jsonText(sortedKeys(stored))); err != nil {
		return err
	}
	if err := tx.putProfileEntries(ctx, put); err != nil {
		return err
	}
	return tx.profileMoved(ctx, id)
}

// profileMoved gives one profile a new version and a new place in the feed.
func (tx *writeTx) profileMoved(ctx context.Context, id int64) error {
	if err := tx.q.BumpProfiles(ctx, jsonText([]int64{id})); err != nil {
		return err
	}
	return tx.profilesChanged(ctx, map[int64]bool{id: true})
}

func checkEntries(entries []lectern.ProfileEntry) error {
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		if err := checkID("course_id", e.CourseID); err != nil {
			return err
		}
		if seen[e.CourseID] || e.HalfLife <= 0 || math.IsNaN(e.Weight) || math.IsInf(e.Weight, 0) ||
			e.WeightAt.IsZero() || e.LastAt.IsZero() || !(e.Progress >= 0 && e.Progress <= 1) {
			return lectern.Invalid("a profile entry needs a course of its own, times, a finite weight, a positive half-life and a share done",
				lectern.NewFieldError("course_id", e.CourseID, "has no such entry", ""))
		}
		seen[e.CourseID] = true
	}
	return nil
}

// PutCorrections implements lectern.ProfileStore. Errors: CodeNotFound;
// CodeInvalid for an unknown pace or preference.
func (s *Store) PutCorrections(ctx context.Context, ref lectern.LearnerRef, c lectern.Corrections) error {
	if err := checkCorrections(c); err != nil {
		return err
	}
	text := encodeCorrections(c)
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		id, err := s.resolve(ctx, tx.q, ref)
		if err != nil {
			return err
		}
		stored, err := tx.q.LearnerByID(ctx, id)
		if err != nil {
			return goneMeanwhile(err)
		}
		if same(stored.Corrections, text) {
			return nil
		}
		if err := tx.q.SetCorrections(ctx, text, id); err != nil {
			return err
		}
		return tx.profileMoved(ctx, id)
	})
}

func checkCorrections(c lectern.Corrections) error {
	if c.Pace != "" && !slices.Contains(lectern.Paces(), c.Pace) {
		return lectern.Invalid("unknown pace",
			lectern.NewFieldError("pace", c.Pace, "is unknown", fmt.Sprint(lectern.Paces())))
	}
	for preference, leaning := range c.Preferences {
		switch {
		case !slices.Contains(lectern.Preferences(), preference):
			return lectern.Invalid("unknown preference",
				lectern.NewFieldError("preferences", preference, "is unknown", fmt.Sprint(lectern.Preferences())))
		case leaning != lectern.LeanLess && leaning != lectern.LeanMore:
			return lectern.Invalid("unknown leaning",
				lectern.NewFieldError("preferences."+string(preference), leaning, "is unknown", "less or more"))
		}
	}
	return nil
}

// mergeCorrections adds what a visitor said about their profile to what the
// learner said: interests that either removed stay removed, and the learner's own
// pace and preferences hold.
func (tx *writeTx) mergeCorrections(ctx context.Context, learner, visitor sqlcgen.Learner) error {
	if visitor.Corrections == nil {
		return nil
	}
	own, err := decodeCorrections(learner.Corrections)
	if err != nil {
		return err
	}
	theirs, err := decodeCorrections(visitor.Corrections)
	if err != nil {
		return err
	}
	own.RemovedInterests = distinct(slices.Concat(own.RemovedInterests, theirs.RemovedInterests))
	if own.Pace == "" {
		own.Pace = theirs.Pace
	}
	own.Preferences = joined(own.Preferences, theirs.Preferences)
	return tx.q.SetCorrections(ctx, encodeCorrections(own), learner.ID)
}

// joined is what either prefers, one's own where both do.
func joined(own, theirs map[lectern.Preference]lectern.Leaning) map[lectern.Preference]lectern.Leaning {
	if len(own)+len(theirs) == 0 {
		return nil
	}
	out := maps.Clone(theirs)
	if out == nil {
		out = make(map[lectern.Preference]lectern.Leaning, len(own))
	}
	maps.Copy(out, own)
	return out
}

// encodeCorrections returns JSON, nil where there is nothing to say.
func encodeCorrections(c lectern.Corrections) *string {
	if len(c.RemovedInterests) == 0 && c.Pace == "" && len(c.Preferences) == 0 {
		return nil
	}
	text := jsonText(c)
	return &text
}

func decodeCorrections(text *string) (lectern.Corrections, error) {
	var c lectern.Corrections
	if text == nil {
		return c, nil
	}
	if err := json.Unmarshal([]byte(*text), &c); err != nil {
		return c, fmt.Errorf("decode corrections: %w", err)
	}
	return c, nil
}

func same(a, b *string) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// EntriesByKey implements lectern.ProfileStore.
func (s *Store) EntriesByKey(ctx context.Context, keys []int64) (map[int64][]lectern.ProfileEntry, error) {
	out := make(map[int64][]lectern.ProfileEntry, len(keys))
	if len(keys) == 0 {
		return out, ctx.Err()
	}
	rows, err := s.read.EntriesByKey(ctx, jsonText(slices.Compact(slices.Sorted(slices.Values(keys)))))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		id := r.ProfileEntry.LearnerID
		out[id] = append(out[id], entryOf(r.ProfileEntry, r.ExternalID))
	}
	return out, nil
}
