package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// The kinds of identity.
const (
	kindLearner int16 = 0
	kindVisitor int16 = 1
)

// identity is a name under which a learner or visitor is known.
type identity struct {
	kind       int16
	externalID string
}

// person is the learner or visitor behind an identity.
type person struct {
	id        int64
	anonymous bool
}

// errRaced means that another transaction has created, merged or erased a person
// since this one looked: it has to look again, from the start.
var errRaced = errors.New("another transaction has moved a person")

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

// resolve returns the learner that a reference names: by its learner id, or
// else by its anonymous id. Errors: CodeNotFound.
func resolve(ctx context.Context, q *sqlcgen.Queries, ref lectern.LearnerRef) (int64, error) {
	for _, who := range identities(ref) {
		if !isText(who.externalID) {
			continue // nobody can have this id, and the server would not read it
		}
		id, err := q.Identity(ctx, who.kind, who.externalID)
		if err == nil || !isNoRows(err) {
			return id, err
		}
	}
	return 0, notFound("learner")
}

// learnerIDs returns the learners with these external ids, created where they
// are unknown. The ids must have passed checkID.
func (tx *writeTx) learnerIDs(ctx context.Context, externalIDs []string) (map[string]int64, error) {
	wanted := distinct(externalIDs)
	names := make([]identity, len(wanted))
	for i, id := range wanted {
		names[i] = identity{kindLearner, id}
	}
	people, err := tx.findPeople(ctx, names)
	if err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(names, func(n identity) bool { _, ok := people[n]; return ok })
	created, err := tx.createPeople(ctx, missing)
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64, len(wanted))
	for name, p := range people {
		out[name.externalID] = p.id
	}
	for i, id := range created {
		out[missing[i].externalID] = id
	}
	return out, nil
}

// findPeople returns those of the identities that are known.
func (tx *writeTx) findPeople(ctx context.Context, names []identity) (map[identity]person, error) {
	out := make(map[identity]person, len(names))
	if len(names) == 0 {
		return out, nil
	}
	kinds, ids := make([]int16, len(names)), make([]string, len(names))
	for i, n := range names {
		kinds[i], ids[i] = n.kind, n.externalID
	}
	rows, err := tx.q.Identities(ctx, kinds, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[identity{r.Kind, r.ExternalID}] = person{r.LearnerID, r.Anonymous}
	}
	return out, nil
}

// createPeople makes a learner or visitor for each of the identities, which are
// distinct, and returns their ids in the same order. Errors: errRaced.
func (tx *writeTx) createPeople(ctx context.Context, names []identity) ([]int64, error) {
	ids, err := tx.createBlank(ctx, names)
	if err != nil {
		return nil, err
	}
	return ids, tx.nameLearners(ctx, names, ids)
}

// createBlank makes learners and visitors without their identities.
func (tx *writeTx) createBlank(ctx context.Context, names []identity) ([]int64, error) {
	if len(names) == 0 {
		return nil, nil
	}
	anonymous := make([]bool, len(names))
	for i, n := range names {
		anonymous[i] = n.kind == kindVisitor
	}
	rows, err := tx.q.CreateLearners(ctx, tx.now, anonymous)
	if err != nil {
		return nil, err
	}
	// Any blank row will do for any identity of its kind.
	free := map[bool][]int64{}
	for _, r := range rows {
		free[r.Anonymous] = append(free[r.Anonymous], r.ID)
	}
	ids := make([]int64, len(names))
	for i, a := range anonymous {
		ids[i], free[a] = free[a][0], free[a][1:]
	}
	return ids, nil
}

// nameLearners gives learners identities that nobody has had until now.
// Errors: errRaced.
func (tx *writeTx) nameLearners(ctx context.Context, names []identity, learnerIDs []int64) error {
	if len(names) == 0 {
		return nil
	}
	kinds, ids := make([]int16, len(names)), make([]string, len(names))
	for i, n := range names {
		kinds[i], ids[i] = n.kind, n.externalID
	}
	n, err := tx.q.InsertIdentities(ctx, kinds, ids, learnerIDs)
	if err == nil && int(n) < len(names) {
		return errRaced
	}
	return err
}

// lockPeople keeps learners as they are until the end of the transaction. With
// seize they are about to go, and nothing new may refer to them. Errors: errRaced.
func (tx *writeTx) lockPeople(ctx context.Context, ids []int64, seize bool) (map[int64]sqlcgen.Learner, error) {
	lock := tx.q.LockLearners
	if seize {
		lock = tx.q.SeizeLearners
	}
	out := make(map[int64]sqlcgen.Learner, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	rows, err := lock(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.ID] = r
	}
	if len(out) < len(ids) {
		return nil, errRaced
	}
	return out, nil
}

// merge hands the visitor to the learner. A visitor that is nobody yet is left
// alone. Errors: CodeConflict for a visitor that is another learner already;
// errRaced.
func (tx *writeTx) merge(ctx context.Context, anonymousID, learnerID string) error {
	who, whose := identity{kindVisitor, anonymousID}, identity{kindLearner, learnerID}
	known, err := tx.findPeople(ctx, []identity{who, whose})
	if err != nil {
		return err
	}
	visitor, found := known[who]
	learner, isLearner := known[whose]
	switch {
	case !found || isLearner && visitor.id == learner.id:
		return nil
	case !visitor.anonymous:
		return takenVisitor(anonymousID)
	}
	if !isLearner {
		ids, err := tx.createPeople(ctx, []identity{whose})
		if err != nil {
			return err
		}
		learner.id = ids[0]
	}
	rows, err := tx.lockPeople(ctx, []int64{visitor.id, learner.id}, true)
	if err != nil {
		return err
	}
	return tx.absorb(ctx, rows[visitor.id], rows[learner.id])
}

// takenVisitor refuses to hand over what is another learner's. Which learner
// that is stays untold: the anonymous id alone must not reveal it.
func takenVisitor(anonymousID string) error {
	return &lectern.Error{Code: lectern.CodeConflict, Message: "this anonymous id belongs to another learner",
		Fields: []lectern.FieldError{lectern.NewFieldError("anonymous_id", anonymousID, "belongs to another learner", "")}}
}

// absorb moves everything of a visitor to a learner and removes the visitor.
// Both rows are seized.
func (tx *writeTx) absorb(ctx context.Context, visitor, learner sqlcgen.Learner) error {
	from, to := visitor.ID, learner.ID
	entries, err := tx.q.ProfileEntries(ctx, from)
	if err != nil {
		return err
	}
	moved := make([]sqlcgen.ProfileEntry, len(entries))
	for i, e := range entries {
		moved[i] = e.ProfileEntry
		moved[i].LearnerID = to
	}
	if err := tx.foldProfiles(ctx, moved); err != nil {
		return err
	}
	tx.profileChanged(from, to)
	err = tx.noteFeedback(ctx, -1, `id IN (SELECT f.id FROM feedback f
JOIN feedback g ON g.course_id = f.course_id AND g.kind = f.kind AND g.learner_id <> f.learner_id
WHERE f.learner_id IN ($1, $2) AND g.learner_id IN ($1, $2) AND (g.at > f.at OR g.at = f.at AND g.id > f.id))`, from, to)
	if err != nil {
		return err
	}
	if err := tx.absorbMetrics(ctx, from, to); err != nil {
		return err
	}
	var line pipeline
	q := sqlcgen.New(&line)
	for _, queued := range []error{
		q.MoveIdentities(ctx, to, from),
		q.MoveEvents(ctx, to, from),
		q.MoveRankings(ctx, &to, &from),
		q.MoveRewards(ctx, &to, &from),
		q.MoveSearches(ctx, &to, &from),
		q.MoveReviews(ctx, &to, &from),
		q.MoveExposures(ctx, to, from),
		q.DropOlderFeedback(ctx, []int64{from, to}),
		q.MoveFeedback(ctx, to, from),
		putEntries(ctx, q, moved),
		q.UpdateLearner(ctx, fillFrom(learner, visitor, tx.now)),
		mergeCorrections(ctx, q, learner, visitor),
		q.DeleteLearner(ctx, from),
	} {
		if queued != nil {
			return queued
		}
	}
	return line.send(ctx, tx.tx)
}

// byLearnerAndCourse is the order in which profile entries are written.
func byLearnerAndCourse(a, b sqlcgen.ProfileEntry) int {
	return cmp.Or(cmp.Compare(a.LearnerID, b.LearnerID), cmp.Compare(a.CourseID, b.CourseID))
}
