package retrieve

import (
	"cmp"
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
)

// fallbackItems is how many courses are offered in place of results, at most.
const fallbackItems = 10

// fallback says why a search found nothing, and offers something in its place:
// what to drop of the filters, or else what this learner's home page would show.
func (e *Engine) fallback(ctx context.Context, p *pass) (*lectern.Fallback, error) {
	drops, err := e.filtersToDrop(ctx, p)
	if err != nil {
		return nil, err
	}
	if len(drops) > 0 {
		return &lectern.Fallback{Reason: lectern.FallbackFilters, Drop: drops}, nil
	}
	home := lectern.ListRequest{
		Surface: lectern.SurfaceHome, Learner: p.req.Learner, Filter: p.req.Filter,
		Limit: min(p.req.Limit, fallbackItems), Explain: p.req.Explain,
	}
	list, err := e.listHome(ctx, p, home)
	if err == nil && len(list.Items) == 0 { // nothing passes the filters at all
		home.Filter = lectern.Filter{Languages: p.req.Filter.Languages}
		list, err = e.listHome(ctx, p, home)
	}
	if err != nil {
		return nil, err
	}
	list.NextCursor = "" // its request is not one that a caller could repeat
	return &lectern.Fallback{Reason: lectern.FallbackNoMatch, List: &list}, nil
}

// listHome makes a home page for whoever searched. An index that did not answer the
// search is not asked again.
func (e *Engine) listHome(ctx context.Context, p *pass, req lectern.ListRequest) (lectern.List, error) {
	home := e.newPass(req)
	home.served = p.served
	home.away = p.away
	return e.list(ctx, home)
}

// filtersToDrop finds the filters without which there would be results, the most
// fruitful first: one at a time, and all of them where no single one helps.
func (e *Engine) filtersToDrop(ctx context.Context, p *pass) ([]lectern.FilterDrop, error) {
	var names []string
	for _, part := range filterParts() {
		if part.set(&p.req.Filter) {
			names = append(names, part.name)
		}
	}
	var out []lectern.FilterDrop
	try := func(drop ...string) error {
		req := p.req
		without(&req.Filter, drop...)
		v, err := e.variant(ctx, p, req)
		if err == nil && len(v.entries) > 0 {
			out = append(out, lectern.FilterDrop{Filters: drop, Results: e.listable(v)})
		}
		return err
	}
	for _, name := range names {
		if err := try(name); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 && len(names) > 1 {
		if err := try(names...); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b lectern.FilterDrop) int { return cmp.Compare(b.Results, a.Results) })
	return out, nil
}
