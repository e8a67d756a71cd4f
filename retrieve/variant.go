package retrieve

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// embeddedQuery is a text with its vector.
type embeddedQuery struct {
	text   string
	vector []float32
}

// queryOptions say how literally a search's query is taken.
func (e *Engine) queryOptions(p *pass) text.QueryOptions {
	o := text.QueryOptions{Language: p.language()}
	if !e.cfg.ExpandQueries || p.req.Exact {
		o.Mode = text.ModeWord
	}
	return o
}

// variant runs a search that differs from a pass in query or filter up to its
// candidates: for the same learner, at the same moment, over the same index, or over
// memory where the pass had to. What it lacks is not the list's to report.
func (e *Engine) variant(ctx context.Context, p *pass, req lectern.ListRequest) (*pass, error) {
	v := &pass{
		req: req, at: p.at, view: p.view, index: p.patience, patience: p.patience, embedder: p.embedder,
		away: p.away, variant: true,
		profile: p.profile, taste: p.taste, states: p.states, embedded: p.embedded,
		dropped: make(map[string]string), held: make(map[string]text.Held), stageFrom: p.stageFrom,
	}
	e.setFilter(v)
	if err := e.gather(ctx, v); err != nil {
		return nil, err
	}
	e.unite(v)
	return v, nil
}

// filterPart is one filter of a request, by the name of its parameter.
type filterPart struct {
	name string
	set  func(f *lectern.Filter) bool
	drop func(f *lectern.Filter)
}

// filterParts lists the filters that a caller may set, in the order in which the
// documents name them.
func filterParts() []filterPart {
	return []filterPart{
		{"level", func(f *lectern.Filter) bool { return len(f.Levels) > 0 }, func(f *lectern.Filter) { f.Levels = nil }},
		{"language", func(f *lectern.Filter) bool { return len(f.Languages) > 0 }, func(f *lectern.Filter) { f.Languages = nil }},
		{"category", func(f *lectern.Filter) bool { return len(f.Categories) > 0 }, func(f *lectern.Filter) { f.Categories = nil }},
		{"provider", func(f *lectern.Filter) bool { return len(f.Providers) > 0 }, func(f *lectern.Filter) { f.Providers = nil }},
		{"skill", func(f *lectern.Filter) bool { return len(f.Skills) > 0 }, func(f *lectern.Filter) { f.Skills = nil }},
		{"min_hours", func(f *lectern.Filter) bool { return f.MinHours != nil }, func(f *lectern.Filter) { f.MinHours = nil }},
		{"max_hours", func(f *lectern.Filter) bool { return f.MaxHours != nil }, func(f *lectern.Filter) { f.MaxHours = nil }},
		{"min_rating", func(f *lectern.Filter) bool { return f.MinRating != nil }, func(f *lectern.Filter) { f.MinRating = nil }},
	}
}

// without drops filters by name and reports whether any of them was set.
func without(f *lectern.Filter, names ...string) bool {
	any := false
	for _, part := range filterParts() {
		if slices.Contains(names, part.name) && part.set(f) {
			part.drop(f)
			any = true
		}
	}
	return any
}
