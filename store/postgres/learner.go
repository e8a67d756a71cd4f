package postgres

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// PutLearners implements lectern.LearnerStore. A visitor that has signed in can
// no longer be written under the anonymous id: that is CodeConflict.
func (s *Store) PutLearners(ctx context.Context, learners []lectern.Learner) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(learners))
	if len(learners) == 0 {
		return results, ctx.Err()
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		clear(results)
		return tx.putLearners(ctx, learners, results)
	})
	return resultsOrNil(results, err)
}

func (tx *writeTx) putLearners(ctx context.Context, learners []lectern.Learner, results []lectern.WriteResult) error {
	var names []identity
	seen := map[identity]bool{}
	for i, l := range learners {
		if err := checkLearner(l); err != nil {
			results[i] = rejected(err)
			continue
		}
		if name := nameOf(l); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	people, err := tx.findPeople(ctx, names)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(names, func(n identity) bool { _, ok := people[n]; return ok })
	created, err := tx.createPeople(ctx, missing)
	if err != nil {
		return err
	}
	fresh := make(map[int64]bool, len(missing))
	for i, name := range missing {
		people[name] = person{created[i], name.kind == kindVisitor}
		fresh[created[i]] = true
	}
	ids := make([]int64, 0, len(people))
	for _, p := range people {
		ids = append(ids, p.id)
	}
	rows, err := tx.lockPeople(ctx, ids, false)
	if err != nil {
		return err
	}
	return tx.stateLearners(ctx, learners, results, people, rows, fresh)
}

// stateLearners applies what is stated, in order, and writes each row once.
func (tx *writeTx) stateLearners(ctx context.Context, learners []lectern.Learner, results []lectern.WriteResult,
	people map[identity]person, rows map[int64]sqlcgen.Learner, fresh map[int64]bool,
) error {
	changed := map[int64]bool{}
	for i, l := range learners {
		if results[i].Outcome == lectern.OutcomeRejected {
			continue
		}
		p := people[nameOf(l)]
		if l.Anonymous && !p.anonymous {
			results[i] = rejected(lectern.Errorf(lectern.CodeConflict,
				"this visitor has signed in: write to the learner instead"))
			continue
		}
		stored := rows[p.id]
		next := state(stored, l, fresh[p.id])
		switch {
		case fresh[p.id]:
			results[i] = outcome(lectern.OutcomeCreated)
			delete(fresh, p.id)
		case reflect.DeepEqual(next, stored):
			results[i] = outcome(lectern.OutcomeUnchanged)
			continue
		default:
			results[i] = outcome(lectern.OutcomeUpdated)
		}
		rows[p.id], changed[p.id] = next, true
		tx.profileChanged(p.id)
	}
	var line pipeline
	q := sqlcgen.New(&line)
	for _, id := range sortedKeys(changed) {
		row := rows[id]
		if err := q.UpdateLearner(ctx, fillFrom(row, row, tx.now)); err != nil {
			return err
		}
	}
	return line.send(ctx, tx.tx)
}

// state returns the row with the facts that l states in place of its own.
func state(row sqlcgen.Learner, l lectern.Learner, fresh bool) sqlcgen.Learner {
	row.Interests = listOf(l.Interests)
	row.Goal = l.Goal
	row.WeeklyHours = l.WeeklyHours
	row.PreferredLevel = string(l.PreferredLevel)
	row.Languages = listOf(l.Languages)
	row.Region = l.Region
	row.Organisations = listOf(l.Organisations)
	row.Minor = l.Minor
	if l.Consent != nil {
		consent := *l.Consent
		row.Personalisation, row.Exploration = &consent.Personalisation, &consent.Exploration
	}
	if fresh && !l.CreatedAt.IsZero() {
		row.CreatedAt = lectern.Timestamp(l.CreatedAt)
	}
	return row
}

func nameOf(l lectern.Learner) identity {
	if l.Anonymous {
		return identity{kindVisitor, l.ID}
	}
	return identity{kindLearner, l.ID}
}

func checkLearner(l lectern.Learner) error {
	if err := checkID("id", l.ID); err != nil {
		return err
	}
	if l.PreferredLevel != "" && !slices.Contains(lectern.Levels(), l.PreferredLevel) {
		return lectern.Invalid("unknown level", lectern.NewFieldError("preferred_level", l.PreferredLevel,
			"is unknown", fmt.Sprint(lectern.Levels())))
	}
	for field, texts := range map[string][]string{
		"interests": l.Interests, "goal": {l.Goal}, "languages": l.Languages, "region": {l.Region},
		"organisations": l.Organisations,
	} {
		if err := checkText(field, texts...); err != nil {
			return err
		}
	}
	return checkTime("created_at", l.CreatedAt)
}

// fillFrom returns the learner with what it has not stated taken over from the
// visitor; with the same row twice, the learner as it is.
func fillFrom(l, visitor sqlcgen.Learner, now time.Time) sqlcgen.UpdateLearnerParams {
	text := func(own, other string) string {
		if own == "" {
			return other
		}
		return own
	}
	list := func(own, other []string) []string {
		if len(own) == 0 {
			return other
		}
		return own
	}
	out := sqlcgen.UpdateLearnerParams{
		ID:              l.ID,
		Interests:       list(l.Interests, visitor.Interests),
		Goal:            text(l.Goal, visitor.Goal),
		WeeklyHours:     l.WeeklyHours,
		PreferredLevel:  text(l.PreferredLevel, visitor.PreferredLevel),
		Languages:       list(l.Languages, visitor.Languages),
		Region:          text(l.Region, visitor.Region),
		Organisations:   list(l.Organisations, visitor.Organisations),
		Personalisation: l.Personalisation,
		Exploration:     l.Exploration,
		Minor:           l.Minor || visitor.Minor, // once a minor, whoever says so
		CreatedAt:       l.CreatedAt,
		UpdatedAt:       now,
	}
	if out.WeeklyHours == nil {
		out.WeeklyHours = visitor.WeeklyHours
	}
	if out.Personalisation == nil && out.Exploration == nil {
		out.Personalisation, out.Exploration = visitor.Personalisation, visitor.Exploration
	}
	return out
}

// Learner implements lectern.LearnerStore.
func (s *Store) Learner(ctx context.Context, ref lectern.LearnerRef) (lectern.Learner, error) {
	var l lectern.Learner
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		id, err := resolve(ctx, q, ref)
		if err != nil {
			return err
		}
		row, err := q.LearnerByID(ctx, id)
		if err != nil {
			return goneMeanwhile(err)
		}
		l, err = learnerOf(ctx, q, row)
		return err
	})
	if err != nil {
		return lectern.Learner{}, err
	}
	return l, nil
}

// goneMeanwhile turns the absence of a row that was there a moment ago into
// CodeNotFound: its learner has been deleted or merged in between.
func goneMeanwhile(err error) error {
	if isNoRows(err) {
		return notFound("learner")
	}
	return err
}

func learnerOf(ctx context.Context, q *sqlcgen.Queries, row sqlcgen.Learner) (lectern.Learner, error) {
	name, err := q.IdentityOf(ctx, row.ID)
	if err != nil {
		return lectern.Learner{}, goneMeanwhile(err)
	}
	consent := lectern.DefaultConsent()
	if row.Personalisation != nil {
		consent.Personalisation = *row.Personalisation
	}
	if row.Exploration != nil {
		consent.Exploration = *row.Exploration
	}
	return lectern.Learner{
		ID:             name.ExternalID,
		Anonymous:      row.Anonymous,
		Interests:      listOrNil(row.Interests),
		Goal:           row.Goal,
		WeeklyHours:    row.WeeklyHours,
		PreferredLevel: lectern.Level(row.PreferredLevel),
		Languages:      listOrNil(row.Languages),
		Region:         row.Region,
		Organisations:  listOrNil(row.Organisations),
		Minor:          row.Minor,
		Consent:        &consent,
		CreatedAt:      row.CreatedAt,
		UpdatedAt:      row.UpdatedAt,
	}, nil
}

// ProfileVersion implements lectern.LearnerStore.
func (s *Store) ProfileVersion(ctx context.Context, ref lectern.LearnerRef) (int64, error) {
	var version int64
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) (err error) {
		for _, who := range identities(ref) {
			if !isText(who.externalID) {
				continue
			}
			version, err = q.ProfileVersion(ctx, who.kind, who.externalID)
			if err == nil || !isNoRows(err) {
				return err
			}
		}
		return notFound("learner")
	})
	return version, err
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
		return tx.merge(ctx, anonymousID, learnerID)
	})
}

// DeleteLearner implements lectern.LearnerStore. All that hangs on the learner
// goes with it by foreign keys; counts of a course's activity and reports, which
// then name nobody, stay.
func (s *Store) DeleteLearner(ctx context.Context, ref lectern.LearnerRef) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		id, err := resolve(ctx, tx.q, ref)
		if err != nil {
			return err
		}
		// Nothing new can come to hang on the learner from here on.
		if _, err := tx.lockPeople(ctx, []int64{id}, true); err != nil {
			return err
		}
		if err := tx.detachFeedbackLog(ctx, id); err != nil {
			return err
		}
		var line pipeline
		q := sqlcgen.New(&line)
		if err := q.DeleteEventKeysOf(ctx, id); err != nil {
			return err
		}
		if err := q.DetachReports(ctx, id); err != nil {
			return err
		}
		if err := q.DeleteLearner(ctx, id); err != nil {
			return err
		}
		tx.profileChanged(id)
		return line.send(ctx, tx.tx)
	})
}
