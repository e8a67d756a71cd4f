package retrieve

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Compare makes the first k places (0: the depth of a recorded list) of one list with
// each of several rerankers, from candidates that are gathered and measured once. It
// records nothing and reads no course. It is in no hurry: what serving would leave out
// after some time is waited for, and what is missing all the same is named. The course that a rule pins is a candidate for
// the rerankers that pin it, and for those that would have it anyway. Errors: as of List.
func (e *Engine) Compare(ctx context.Context, req lectern.ListRequest, rerankers []rerank.Reranker, k int) (rerank.Comparison, error) {
	req.Limit, req.Cursor = max(k, 1), ""
	if err := checkRequest(req); err != nil {
		return rerank.Comparison{}, err
	}
	if k <= 0 {
		k = e.cfg.Depth
	}
	p := e.newPass(req)
	p.compared = rerankers
	p.beUnhurried()
	if err := e.prepare(ctx, p); err != nil {
		return rerank.Comparison{}, err
	}
	if req.Row != "" {
		return e.compareRow(ctx, p, k)
	}
	if err := e.candidates(ctx, p); err != nil {
		return rerank.Comparison{}, err
	}
	out := rerank.Compare(e.rerankRequest(p, k), p.candidates, p.common, rerankers)
	for i := range out.Lists {
		out.Lists[i].Items = p.sorted(out.Lists[i].Items)
	}
	out.Degraded = p.degraded
	return out, nil
}

// unhurried bounds each stage of a list that nobody waits for alone.
const unhurried = 5 * time.Second

// beUnhurried gives a pass time: comparing keeps all processors busy, which shall not
// take anything out of what is compared.
func (p *pass) beUnhurried() {
	b := &p.budgets
	for _, stage := range []*time.Duration{&b.Profile, &b.Embed, &b.Candidates, &b.Courses, &b.Neighbours} {
		*stage = max(*stage, unhurried)
	}
	p.patience.left = b.Candidates
}

// compareRow compares one row of a home page.
func (e *Engine) compareRow(ctx context.Context, p *pass, k int) (rerank.Comparison, error) {
	if err := e.survey(ctx, p); err != nil {
		return rerank.Comparison{}, err
	}
	row := e.rowOf(p, p.req.Row)
	req := e.rowRequest(p, row.name)
	out := rerank.Compare(req, row.candidates, row.common, p.compared)
	for i := range out.Lists {
		items := e.arrangeRow(p, row, p.compared[i], out.Lists[i].Items)
		out.Lists[i].Items = items[:min(len(items), k)]
	}
	out.Degraded = p.degraded
	return out, nil
}
