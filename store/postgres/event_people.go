package postgres

import (
	"context"

	"github.com/lectern-dev/lectern"
)

// planned is a learner or visitor in a plan.
type planned struct {
	id        int64 // 0 until created
	anonymous bool
	into      *planned // the learner that the visitor becomes
}

// last returns who it is in the end. Learners become nobody else, so it is one
// step at most.
func (p *planned) last() *planned {
	if p.into != nil {
		return p.into
	}
	return p
}

// personPlan goes through the events of a batch in order and finds out whose
// each is, as if each had been stored before the next came. Nothing is written
// until apply, so that everything can be locked in one order.
type personPlan struct {
	tx     *writeTx
	byName map[identity]*planned
	named  []identity // names that are new
	merges []*planned // stored visitors that become learners, in order
}

// planPeople starts a plan with what is stored about the names.
func planPeople(ctx context.Context, tx *writeTx, names []identity) (*personPlan, error) {
	p := &personPlan{tx: tx, byName: make(map[identity]*planned, len(names))}
	seen := make(map[identity]bool, len(names))
	var wanted []identity
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			wanted = append(wanted, n)
		}
	}
	known, err := tx.findPeople(ctx, wanted)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*planned, len(known))
	for name, person := range known {
		who := byID[person.id]
		if who == nil {
			who = &planned{id: person.id, anonymous: person.anonymous}
			byID[person.id] = who
		}
		p.byName[name] = who
	}
	return p, nil
}

// of returns whose the event is. One with both ids is the learner's; it hands
// the visitor to them first, unless the visitor is another learner's already.
func (p *personPlan) of(e lectern.Event) *planned {
	if e.LearnerID == "" {
		return p.get(identity{kindVisitor, e.AnonymousID})
	}
	learner := p.get(identity{kindLearner, e.LearnerID})
	if e.AnonymousID == "" {
		return learner
	}
	name := identity{kindVisitor, e.AnonymousID}
	visitor := p.byName[name]
	if visitor == nil {
		p.byName[name] = learner
		p.named = append(p.named, name)
		return learner
	}
	if visitor = visitor.last(); visitor != learner && visitor.anonymous {
		visitor.into = learner
		if visitor.id != 0 {
			p.merges = append(p.merges, visitor)
		}
	}
	return learner
}

// get returns who has a name, as of now.
func (p *personPlan) get(name identity) *planned {
	who := p.byName[name]
	if who == nil {
		who = &planned{anonymous: name.kind == kindVisitor}
		p.byName[name] = who
		p.named = append(p.named, name)
	}
	return who.last()
}

// apply creates, locks and merges. Errors: errRaced.
func (p *personPlan) apply(ctx context.Context, whose []*planned) error {
	if err := p.create(ctx); err != nil {
		return err
	}
	ids := make([]int64, 0, len(whose)+len(p.merges))
	for _, who := range whose {
		ids = append(ids, who.last().id)
	}
	for _, visitor := range p.merges {
		ids = append(ids, visitor.id)
	}
	rows, err := p.tx.lockPeople(ctx, ids, len(p.merges) > 0)
	if err != nil {
		return err
	}
	for _, visitor := range p.merges {
		to := visitor.into.id
		if err := p.tx.absorb(ctx, rows[visitor.id], rows[to]); err != nil {
			return err
		}
		// What the visitor had stated is the learner's now, and a second visitor
		// adds to that.
		if rows[to], err = p.tx.q.LearnerByID(ctx, to); err != nil {
			return err
		}
	}
	return nil
}

// create makes those who are not stored, and gives every new name to its learner.
func (p *personPlan) create(ctx context.Context) error {
	var blank []identity
	var who []*planned
	asked := map[*planned]bool{}
	for _, name := range p.named {
		owner := p.byName[name].last()
		if owner.id != 0 || asked[owner] {
			continue
		}
		asked[owner] = true
		kind := kindLearner
		if owner.anonymous {
			kind = kindVisitor
		}
		blank, who = append(blank, identity{kind: kind}), append(who, owner)
	}
	ids, err := p.tx.createBlank(ctx, blank)
	if err != nil {
		return err
	}
	for i, id := range ids {
		who[i].id = id
	}
	owners := make([]int64, len(p.named))
	for i, name := range p.named {
		owners[i] = p.byName[name].last().id
	}
	return p.tx.nameLearners(ctx, p.named, owners)
}
