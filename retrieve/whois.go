package retrieve

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Who says who somebody is to rules and audiences, as the lists made for them have it.
// One whom nobody knows is signed in or not, and nothing else.
func (e *Engine) Who(ctx context.Context, ref lectern.LearnerRef) (rerank.Who, error) {
	p := e.newPass(lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: ref, Limit: 1})
	if err := e.loadProfile(ctx, p); err != nil {
		return rerank.Who{}, err
	}
	return e.whoAsks(p).Who, nil
}
