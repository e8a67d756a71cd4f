package sqlite

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// PutLearners implements lectern.LearnerStore. A visitor that has signed in can
// no longer be written under the anonymous id: that is CodeConflict.
func (s *Store) PutLearners(ctx context.Context, learners []lectern.Learner) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(learners))
	if len(learners) == 0 {
		return results, nil
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		people, changed := newPeople(tx), map[int64]bool{}
		for i, l := range learners {
			id, result, err := tx.putLearner(ctx, people, l)
			if err != nil {
				return fmt.Errorf("put learner: %w", err)
			}
			results[i] = result
			if results[i].Outcome == lectern.OutcomeCreated || results[i].Outcome == lectern.OutcomeUpdated {
				changed[id] = true
			}
		}
		return tx.profilesChanged(ctx, changed)
	})
	return resultsOrNil(results, err)
}

// putLearner returns whom it has written, with the outcome.
func (tx *writeTx) putLearner(ctx context.Context, people *people, l lectern.Learner) (int64, lectern.WriteResult, error) {
	if err := checkLearner(l); err != nil {
		return 0, rejected(err), nil
	}
	who := identity{kindLearner, l.ID}
	if l.Anonymous {
		who.kind = kindVisitor
	}
	row := learnerRow(l, tx.now.UnixMicro())
	id, found, err := people.find(ctx, who)
	if err != nil {
		return 0, lectern.WriteResult{}, err
	}
	if !found {
		id, err := people.create(ctx, who, row)
		return id, outcome(lectern.OutcomeCreated), err
	}
	stored, err := tx.q.LearnerByID(ctx, id)
	if err != nil {
		return 0, lectern.WriteResult{}, err
	}
	if l.Anonymous && stored.Anonymous == 0 {
		return 0, rejected(lectern.Errorf(lectern.CodeConflict,
			"this visitor has signed in: write to the learner instead")), nil
	}
	next := sqlcgen.UpdateLearnerParams{
		ID: id, Interests: row.Interests, Goal: row.Goal, WeeklyHours: row.WeeklyHours,
		PreferredLevel: row.PreferredLevel, Languages: row.Languages, Region: row.Region,
		Organisations: row.Organisations, Personalisation: row.Personalisation,
		Exploration: row.Exploration, Minor: row.Minor, UpdatedAt: row.UpdatedAt,
	}
	if l.Consent == nil {
		next.Personalisation, next.Exploration = stored.Personalisation, stored.Exploration
	}
	same := fillFrom(stored, stored, row.UpdatedAt)
	if reflect.DeepEqual(next, same) {
		return id, outcome(lectern.OutcomeUnchanged), nil
	}
	return id, outcome(lectern.OutcomeUpdated), tx.q.UpdateLearner(ctx, next)
}

func checkLearner(l lectern.Learner) error {
	if err := checkID("id", l.ID); err != nil {
		return err
	}
	if l.PreferredLevel != "" && !slices.Contains(lectern.Levels(), l.PreferredLevel) {
		return lectern.Invalid("unknown level", lectern.NewFieldError("preferred_level", l.PreferredLevel,
			"is unknown", fmt.Sprint(lectern.Levels())))
	}
	return nil
}

func blankLearner(kind, now int64) sqlcgen.InsertLearnerParams {
	return sqlcgen.InsertLearnerParams{
		Anonymous: kind, Interests: "[]", Languages: "[]", Organisations: "[]",
		CreatedAt: now, UpdatedAt: now,
	}
}

func learnerRow(l lectern.Learner, now int64) sqlcgen.InsertLearnerParams {
	row := sqlcgen.InsertLearnerParams{
		Anonymous:      boolInt(l.Anonymous),
		Interests:      encodeList(l.Interests),
		Goal:           l.Goal,
		WeeklyHours:    l.WeeklyHours,
		PreferredLevel: string(l.PreferredLevel),
		Languages:      encodeList(l.Languages),
		Region:         l.Region,
		Organisations:  encodeList(l.Organisations),
		Minor:          boolInt(l.Minor),
		CreatedAt:      now,
		UpdatedAt:      now,
	}
	if !l.CreatedAt.IsZero() {
		row.CreatedAt = micros(l.CreatedAt)
	}
	if l.Consent != nil {
		row.Personalisation = boolIntOrNil(&l.Consent.Personalisation)
		row.Exploration = boolIntOrNil(&l.Consent.Exploration)
	}
	return row
}

// resolve returns the learner that a reference names: by its learner id, or
// else by its anonymous id. Errors: CodeNotFound.
func (s *Store) resolve(ctx context.Context, q *sqlcgen.Queries, ref lectern.LearnerRef) (int64, error) {
	for _, who := range identities(ref) {
		id, err := q.Identity(ctx, who.kind, who.externalID)
		if err == nil || !isNoRows(err) {
			return id, err
		}
	}
	return 0, notFound("learner")
}

// identities lists what a reference may be found under, best first.
func identities(ref lectern.LearnerRef) []identity {
	var out []identity
	if ref.ID != "" {
		out = append(out, identity{kindLearner, ref.ID})
	}
	if ref.AnonymousID != "" {
		out = append(out, identity{kindVisitor, ref.AnonymousID})
	}
	return out
}

// Learner implements lectern.LearnerStore.
func (s *Store) Learner(ctx context.Context, ref lectern.LearnerRef) (lectern.Learner, error) {
	id, err := s.resolve(ctx, s.read, ref)
	if err != nil {
		return lectern.Learner{}, err
	}
	row, err := s.read.LearnerByID(ctx, id)
	if err != nil {
		return lectern.Learner{}, goneMeanwhile(err)
	}
	return s.learnerOf(ctx, row)
}

// goneMeanwhile turns the absence of a row that was there a moment ago into
// CodeNotFound: its learner has been deleted or merged in between.
func goneMeanwhile(err error) error {
	if isNoRows(err) {
		return notFound("learner")
	}
	return err
}

func (s *Store) learnerOf(ctx context.Context, row sqlcgen.Learner) (lectern.Learner, error) {
	name, err := s.read.IdentityOf(ctx, row.ID)
	if err != nil {
		return lectern.Learner{}, goneMeanwhile(err)
	}
	consent := lectern.DefaultConsent()
	if row.Personalisation != nil {
		consent.Personalisation = *row.Personalisation != 0
	}
	if row.Exploration != nil {
		consent.Exploration = *row.Exploration != 0
	}
	l := lectern.Learner{
		ID:             name.ExternalID,
		Anonymous:      row.Anonymous != 0,
		Goal:           row.Goal,
		WeeklyHours:    row.WeeklyHours,
		PreferredLevel: lectern.Level(row.PreferredLevel),
		Region:         row.Region,
		Minor:          row.Minor != 0,
		Consent:        &consent,
		CreatedAt:      fromMicros(row.CreatedAt),
		UpdatedAt:      fromMicros(row.UpdatedAt),
	}
	if l.Interests, err = decodeList(row.Interests); err != nil {
		return lectern.Learner{}, err
	}
	if l.Languages, err = decodeList(row.Languages); err != nil {
		return lectern.Learner{}, err
	}
	l.Organisations, err = decodeList(row.Organisations)
	return l, err
}

// ProfileVersion implements lectern.LearnerStore.
func (s *Store) ProfileVersion(ctx context.Context, ref lectern.LearnerRef) (int64, error) {
	for _, who := range identities(ref) {
		v, err := s.read.ProfileVersion(ctx, who.kind, who.externalID)
		if err == nil || !isNoRows(err) {
			return v, err
		}
	}
	return 0, notFound("learner")
}

// MergeVisitor implements lectern.LearnerStore.
func (s *Store) MergeVisitor(ctx context.Context, anonymousID, learnerID string) error {
	if err := checkID("anonymous_id", anonymousID); err != nil {
		return err
	}
	if err := checkID("learner_id", learnerID); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		return newPeople(tx).merge(ctx, anonymousID, learnerID, false)
	})
}

// DeleteLearner implements lectern.LearnerStore. All that hangs on the learner
// goes with it by foreign keys; counts of a course's activity and reports, which
// then name nobody, stay.
func (s *Store) DeleteLearner(ctx context.Context, ref lectern.LearnerRef) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		id, err := s.resolve(ctx, tx.q, ref)
		if err != nil {
			return err
		}
		if err := tx.q.DetachReports(ctx, &id); err != nil {
			return err
		}
		if err := tx.detachFeedbackLog(ctx, id); err != nil {
			return err
		}
		if err := tx.q.DeleteLearner(ctx, id); err != nil {
			return err
		}
		return tx.profilesChanged(ctx, map[int64]bool{id: true})
	})
}
