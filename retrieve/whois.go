package retrieve

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Who says who somebody is to rules and audiences, as the lists made for them have it.
// One whom nobody knows is signed in or not, and nothing else. Errors: CodeUnavailable
// when the learner cannot be read; CodeDeadline.
func (e *Engine) Who(ctx context.Context, ref lectern.LearnerRef) (rerank.Who, error) {
	p, err := e.person(ctx, ref)
	if err != nil {
		return rerank.Who{}, err
	}
	return e.whoAsks(p).Who, nil
}

// Asks says who somebody is to experiments, as the lists made for them have it, and
// whether they are protected: nothing is tried out on them. An empty surface asks about
// all lists. Errors: as of Who.
func (e *Engine) Asks(ctx context.Context, ref lectern.LearnerRef, surface lectern.Surface, row lectern.Row) (req lectern.AssignRequest, protected bool, err error) {
	p, err := e.person(ctx, ref)
	if err != nil {
		return lectern.AssignRequest{}, false, err
	}
	p.segment = p.segmentOf()
	req = p.assignRequest()
	if req.Surface = surface; surface != "" {
		p.req.Surface = surface
		req.NoModel = !e.asksModel(p)
	}
	if row != "" || surface != lectern.SurfaceHome {
		req.Row = row
	}
	return req, !p.allowsExploring(), nil
}

// person reads somebody to tell others about them. A list in want of time is made for
// nobody, with its experiments left out; here that would be a wrong answer.
func (e *Engine) person(ctx context.Context, ref lectern.LearnerRef) (*pass, error) {
	p := e.newPass(lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: ref, Limit: 1})
	p.beUnhurried()
	if err := e.loadProfile(ctx, p); err != nil {
		return nil, err
	}
	if slices.Contains(p.degraded, DegradedProfile) {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "the learner cannot be read at the moment")
	}
	return p, nil
}
