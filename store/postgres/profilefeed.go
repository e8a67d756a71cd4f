package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

var _ lectern.ProfileStore = (*Store)(nil)

// writeProfileFeed takes the events' lock and writes the changes of profiles that
// no statement under that lock has written yet. It comes before the lock of the
// other feed, so that no two transactions wait for each other.
func (tx *writeTx) writeProfileFeed(ctx context.Context) error {
	if len(tx.profiles) == 0 {
		return nil
	}
	var line pipeline
	q := sqlcgen.New(&line)
	if err := errors.Join(q.AwaitTurn(ctx, eventLock), tx.putProfileFeed(ctx, q)); err != nil {
		return err
	}
	return line.send(ctx, tx.tx)
}

// putProfileFeed writes what was noted with profileChanged; q holds the lock.
func (tx *writeTx) putProfileFeed(ctx context.Context, q *sqlcgen.Queries) error {
	if len(tx.profiles) == 0 {
		return nil
	}
	ids := sortedKeys(tx.profiles)
	clear(tx.profiles)
	return q.ProfilesChanged(ctx, ids)
}

// ProfileChanges implements lectern.ProfileStore.
func (s *Store) ProfileChanges(ctx context.Context, after int64, limit int) ([]lectern.ProfileChange, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var out []lectern.ProfileChange
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.ProfileChanges(ctx, after, rowLimit(limit))
		out = make([]lectern.ProfileChange, len(rows))
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
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ProfileKey returns the number that stands for a learner in the feed of profiles.
// Errors: CodeNotFound.
func (s *Store) ProfileKey(ctx context.Context, ref lectern.LearnerRef) (int64, error) {
	var id int64
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) (err error) {
		id, err = resolve(ctx, q, ref)
		return err
	})
	return id, err
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
		if err = tx.q.AwaitTurn(ctx, eventLock); err != nil {
			return err
		}
		n, err = tx.q.CatchUpProfileChanges(ctx, gone)
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
		id, err := resolve(ctx, tx.q, ref)
		if err != nil {
			return err
		}
		names := make([]string, len(entries))
		for i, e := range entries {
			names[i] = e.CourseID
		}
		courses, err := tx.courseIDs(ctx, names, true)
		if err != nil {
			return err
		}
		rows, err := tx.lockPeople(ctx, []int64{id}, false)
		if err != nil {
			return err
		}
		if replaced = rows[id].ProfileVersion == version; !replaced {
			return nil
		}
		return tx.replaceProfile(ctx, id, courses, entries)
	})
	return replaced && err == nil, err
}

// replaceProfile puts entries in the place of a learner's, whose row is locked.
func (tx *writeTx) replaceProfile(
	ctx context.Context, id int64, courses map[string]courseRef, entries []lectern.ProfileEntry,
) error {
	rows, err := tx.q.ProfileEntries(ctx, id)
	if err != nil {
		return err
	}
	stored := make(map[int64]sqlcgen.ProfileEntry, len(rows))
	for _, r := range rows {
		stored[r.ProfileEntry.CourseID] = r.ProfileEntry
	}
	var put []sqlcgen.ProfileEntry
	for _, e := range entries {
		row := sqlcgen.ProfileEntry{
			LearnerID: id, CourseID: courses[e.CourseID].id, Weight: e.Weight, WeightAt: lectern.Timestamp(e.WeightAt),
			HalfLife: max(1, e.HalfLife.Microseconds()), State: int32(e.State), LastAt: lectern.Timestamp(e.LastAt),
			Progress: e.Progress,
		}
		if old, ok := stored[row.CourseID]; !ok || !sameEntry(old, row) {
			put = append(put, row)
		}
		delete(stored, row.CourseID)
	}
	if len(put) == 0 && len(stored) == 0 {
		return nil
	}
	slices.SortFunc(put, byLearnerAndCourse)
	tx.profileChanged(id)
	var line pipeline
	q := sqlcgen.New(&line)
	for _, queued := range []error{
		q.DeleteProfileEntries(ctx, id, sortedKeys(stored)),
		putEntries(ctx, q, put),
		q.BumpProfiles(ctx, []int64{id}),
	} {
		if queued != nil {
			return queued
		}
	}
	return line.send(ctx, tx.tx)
}

func sameEntry(a, b sqlcgen.ProfileEntry) bool {
	times := a.WeightAt.Equal(b.WeightAt) && a.LastAt.Equal(b.LastAt)
	a.WeightAt, a.LastAt = b.WeightAt, b.LastAt
	return times && a == b
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
		if err := errors.Join(checkTime("weight_at", e.WeightAt), checkTime("last_at", e.LastAt)); err != nil {
			return err
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
	text, err := encodeCorrections(c)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		id, err := resolve(ctx, tx.q, ref)
		if err != nil {
			return err
		}
		rows, err := tx.lockPeople(ctx, []int64{id}, false)
		if err != nil {
			return err
		}
		if sameText(rows[id].Corrections, text) {
			return nil
		}
		tx.profileChanged(id)
		var line pipeline
		q := sqlcgen.New(&line)
		if err := errors.Join(q.SetCorrections(ctx, text, id), q.BumpProfiles(ctx, []int64{id})); err != nil {
			return err
		}
		return line.send(ctx, tx.tx)
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
	return checkText("removed_interests", c.RemovedInterests...)
}

// mergeCorrections adds what a visitor said about their profile to what the
// learner said: interests that either removed stay removed, and the learner's own
// pace and preferences hold.
func mergeCorrections(ctx context.Context, q *sqlcgen.Queries, learner, visitor sqlcgen.Learner) error {
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
	text, err := encodeCorrections(own)
	if err != nil {
		return err
	}
	return q.SetCorrections(ctx, text, learner.ID)
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
func encodeCorrections(c lectern.Corrections) (*string, error) {
	if len(c.RemovedInterests) == 0 && c.Pace == "" && len(c.Preferences) == 0 {
		return nil, nil
	}
	body, err := json.Marshal(c)
	text := string(body)
	return &text, err
}

func decodeCorrections(body json.RawMessage) (lectern.Corrections, error) {
	var c lectern.Corrections
	if len(body) == 0 {
		return c, nil
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return c, fmt.Errorf("decode corrections: %w", err)
	}
	return c, nil
}

func sameText(stored json.RawMessage, text *string) bool {
	if text == nil {
		return stored == nil
	}
	return stored != nil && string(stored) == *text
}

// EntriesByKey implements lectern.ProfileStore.
func (s *Store) EntriesByKey(ctx context.Context, keys []int64) (map[int64][]lectern.ProfileEntry, error) {
	out := make(map[int64][]lectern.ProfileEntry, len(keys))
	if len(keys) == 0 {
		return out, ctx.Err()
	}
	wanted := slices.Compact(slices.Sorted(slices.Values(keys)))
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		clear(out)
		rows, err := q.EntriesByKey(ctx, wanted)
		for _, r := range rows {
			e := sqlcgen.ProfileEntry{
				LearnerID: r.LearnerID, CourseID: r.CourseID, Weight: r.Weight, WeightAt: r.WeightAt,
				HalfLife: r.HalfLife, State: r.State, LastAt: r.LastAt, Progress: r.Progress,
			}
			out[r.LearnerID] = append(out[r.LearnerID], entryOf(e, r.ExternalID))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
