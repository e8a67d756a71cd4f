package sqlite

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// The kinds of identity.
const (
	kindLearner int64 = 0
	kindVisitor int64 = 1
)

type identity struct {
	kind       int64
	externalID string
}

// people maps identities to learners for one batch, creating learners and
// visitors as they appear. Like courseIDs it lives no longer than its
// transaction.
type people struct {
	tx   *writeTx
	byID map[identity]int64
}

func newPeople(tx *writeTx) *people { return &people{tx: tx, byID: map[identity]int64{}} }

// learner returns the learner with this external id, created if need be.
func (p *people) learner(ctx context.Context, externalID string) (int64, error) {
	return p.get(ctx, identity{kindLearner, externalID})
}

// visitor returns the visitor with this anonymous id, created if need be, or
// the learner that the visitor became.
func (p *people) visitor(ctx context.Context, anonymousID string) (int64, error) {
	return p.get(ctx, identity{kindVisitor, anonymousID})
}

func (p *people) get(ctx context.Context, who identity) (int64, error) {
	id, found, err := p.find(ctx, who)
	if err != nil || found {
		return id, err
	}
	return p.create(ctx, who, blankLearner(who.kind, p.tx.now.UnixMicro()))
}

// prefetch looks many identities of one kind up at once.
func (p *people) prefetch(ctx context.Context, kind int64, externalIDs []string) error {
	wanted := distinct(externalIDs)
	if len(wanted) == 0 || len(wanted) == 1 && wanted[0] == "" {
		return nil
	}
	rows, err := p.tx.q.Identities(ctx, kind, jsonText(wanted))
	if err != nil {
		return err
	}
	for _, r := range rows {
		p.byID[identity{r.Kind, r.ExternalID}] = r.LearnerID
	}
	return nil
}

// find returns the learner behind an identity, if there is one.
func (p *people) find(ctx context.Context, who identity) (int64, bool, error) {
	if id, ok := p.byID[who]; ok {
		return id, true, nil
	}
	id, err := p.tx.q.Identity(ctx, who.kind, who.externalID)
	if isNoRows(err) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	p.byID[who] = id
	return id, true, nil
}

// create makes a learner and its identity.
func (p *people) create(ctx context.Context, who identity, row sqlcgen.InsertLearnerParams) (int64, error) {
	// Versions begin at the time, so that one who is erased and comes back never
	// has a version that a cache still knows.
	row.ProfileVersion = p.tx.now.UnixMicro()
	id, err := p.tx.q.InsertLearner(ctx, row)
	if err != nil {
		return 0, err
	}
	if err := p.tx.q.InsertIdentity(ctx, who.kind, who.externalID, id); err != nil {
		return 0, err
	}
	p.byID[who] = id
	return id, nil
}

// ref returns the learner that a reference names, created if need be.
func (p *people) ref(ctx context.Context, ref lectern.LearnerRef) (int64, error) {
	if ref.ID != "" {
		return p.learner(ctx, ref.ID)
	}
	return p.visitor(ctx, ref.AnonymousID)
}

// findRef returns the learner that a reference names, if there is one.
func (p *people) findRef(ctx context.Context, ref lectern.LearnerRef) (int64, bool, error) {
	if ref.ID != "" {
		return p.find(ctx, identity{kindLearner, ref.ID})
	}
	return p.find(ctx, identity{kindVisitor, ref.AnonymousID})
}

// merge hands the visitor to the learner. A visitor that is nobody yet becomes
// another name of the learner when create is set, and is left alone otherwise.
// Errors: CodeConflict for a visitor that is another learner already; nothing is
// written then.
func (p *people) merge(ctx context.Context, anonymousID, learnerID string, create bool) error {
	who := identity{kindVisitor, anonymousID}
	from, found, err := p.find(ctx, who)
	if err != nil || !found && !create {
		return err
	}
	to, isLearner, err := p.find(ctx, identity{kindLearner, learnerID})
	if err != nil || found && isLearner && from == to {
		return err
	}
	var visitor sqlcgen.Learner
	if found {
		if visitor, err = p.tx.q.LearnerByID(ctx, from); err != nil {
			return err
		}
		if visitor.Anonymous == 0 {
			return takenVisitor(anonymousID)
		}
	}
	if !isLearner {
		if to, err = p.learner(ctx, learnerID); err != nil {
			return err
		}
	}
	if !found {
		p.byID[who] = to
		return p.tx.q.InsertIdentity(ctx, kindVisitor, anonymousID, to)
	}
	clear(p.byID) // other anonymous ids may have pointed at the visitor too
	return p.tx.absorb(ctx, visitor, to)
}

// takenVisitor refuses to hand over what is another learner's. Which learner
// that is stays untold: the anonymous id alone must not reveal it.
func takenVisitor(anonymousID string) error {
	return &lectern.Error{Code: lectern.CodeConflict, Message: "this anonymous id belongs to another learner",
		Fields: []lectern.FieldError{lectern.NewFieldError("anonymous_id", anonymousID, "belongs to another learner", "")}}
}

// absorb moves everything of a visitor to a learner and removes the visitor.
func (tx *writeTx) absorb(ctx context.Context, visitor sqlcgen.Learner, to int64) error {
	from := visitor.ID
	if err := tx.q.MoveIdentities(ctx, to, from); err != nil {
		return err
	}
	if err := tx.q.MoveEvents(ctx, to, from); err != nil {
		return err
	}
	if err := tx.q.MoveRankings(ctx, &to, &from); err != nil {
		return err
	}
	if err := tx.q.MoveRewards(ctx, &to, &from); err != nil {
		return err
	}
	if err := tx.q.MoveSearches(ctx, &to, &from); err != nil {
		return err
	}
	if err := tx.q.MoveExposures(ctx, to, from); err != nil {
		return err
	}
	if err := tx.q.MoveReviews(ctx, &to, &from); err != nil {
		return err
	}
	if err := tx.absorbFeedback(ctx, from, to); err != nil {
		return err
	}
	if err := tx.absorbMetrics(ctx, from, to); err != nil {
		return err
	}
	entries, err := tx.q.ProfileEntries(ctx, from)
	if err != nil {
		return err
	}
	moved := make([]sqlcgen.ProfileEntry, len(entries))
	for i, e := range entries {
		moved[i] = e.ProfileEntry
		moved[i].LearnerID = to
	}
	if err := tx.addToProfiles(ctx, moved); err != nil {
		return err
	}
	learner, err := tx.q.LearnerByID(ctx, to)
	if err != nil {
		return err
	}
	if err := tx.q.UpdateLearner(ctx, fillFrom(learner, visitor, tx.now.UnixMicro())); err != nil {
		return err
	}
	if err := tx.mergeCorrections(ctx, learner, visitor); err != nil {
		return err
	}
	if err := tx.q.DeleteLearner(ctx, from); err != nil {
		return err
	}
	return tx.profilesChanged(ctx, map[int64]bool{from: true, to: true})
}

// fillFrom returns the learner with what it has not stated taken over from the
// visitor.
func fillFrom(l, visitor sqlcgen.Learner, now int64) sqlcgen.UpdateLearnerParams {
	pick := func(own, other, empty string) string {
		if own == empty {
			return other
		}
		return own
	}
	out := sqlcgen.UpdateLearnerParams{
		ID:              l.ID,
		Interests:       pick(l.Interests, visitor.Interests, "[]"),
		Goal:            pick(l.Goal, visitor.Goal, ""),
		WeeklyHours:     l.WeeklyHours,
		PreferredLevel:  pick(l.PreferredLevel, visitor.PreferredLevel, ""),
		Languages:       pick(l.Languages, visitor.Languages, "[]"),
		Region:          pick(l.Region, visitor.Region, ""),
		Organisations:   pick(l.Organisations, visitor.Organisations, "[]"),
		Personalisation: l.Personalisation,
		Exploration:     l.Exploration,
		Minor:           max(l.Minor, visitor.Minor), // once a minor, whoever says so
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
