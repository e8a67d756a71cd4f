package retrieve

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// record makes the record of a list and hands it to the recorder.
func (e *Engine) record(p *pass, scored []rerank.Scored, x *lectern.Exploration) lectern.Ranking {
	r := e.recordOf(p, p.req, p.candidates, scored, p.weights)
	explore(&r, x)
	nameTeams(&r, scored, p.teams)
	if !e.Rankings.Record(r) {
		p.degrade(DegradedRecording)
	}
	p.stage("record")
	return r
}

// recordOf makes the record of a list of candidates.
func (e *Engine) recordOf(p *pass, req lectern.ListRequest, candidates []rerank.Candidate, scored []rerank.Scored, weights []lectern.TermWeight) lectern.Ranking {
	r := lectern.Ranking{
		ID: e.NewID(), Learner: req.Learner, Surface: req.Surface, Query: req.Query, CourseID: req.CourseID,
		Sort: sortOf(req), Filtered: req.Filter.Narrows(),
		Row: req.Row, Model: p.modelVersion(),
		RequestHash: p.hashOf(req.Row).String(), CreatedAt: lectern.Timestamp(p.at),
		ConfigVersion: p.configVersion(req.Row), Arms: p.trialFor(req.Row).Arms, Degraded: p.degraded, Weights: weights,
		Segment: p.segment, Served: min(req.Limit, len(scored)),
		Items: make([]lectern.RankedItem, len(scored)),
	}
	var retrieval func(id string) []lectern.SourceScore
	if req.Explain && req.Surface == lectern.SurfaceSearch {
		retrieval = p.retrieval()
	}
	for i, s := range scored {
		c := &candidates[s.Index]
		r.Items[i] = lectern.RankedItem{
			CourseID: c.Course.ID, Score: s.Score, Propensity: 1,
			Sources: c.Sources, Terms: s.Values, Reasons: s.Reasons,
			Adjusted: s.Adjusted, Pinned: s.Pinned, Duplicates: idsAt(candidates, s.Duplicates),
		}
		if retrieval != nil {
			r.Items[i].Retrieval = retrieval(c.Course.ID)
		}
	}
	return r
}

// nameTeams says whose the items of an interleaved list are.
func nameTeams(r *lectern.Ranking, scored []rerank.Scored, teams map[int]int) {
	if teams == nil {
		return
	}
	for i, s := range scored {
		r.Items[i].Team = teams[s.Index]
	}
}

// idsAt are the ids of the candidates at some places.
func idsAt(candidates []rerank.Candidate, at []int) []string {
	if len(at) == 0 {
		return nil
	}
	out := make([]string, len(at))
	for i, j := range at {
		out[i] = candidates[j].Course.ID
	}
	return out
}

// sortOf is the order that is recorded, "" for relevance.
func sortOf(req lectern.ListRequest) lectern.Sort {
	if req.Sort == lectern.SortRelevance {
		return ""
	}
	return req.Sort
}

// nextPage cuts a later page from the recorded list.
func (e *Engine) nextPage(ctx context.Context, p *pass) (lectern.List, error) {
	at, err := openCursor(p.req, e.CursorKey)
	if err != nil {
		return lectern.List{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, e.cfg.Budgets.Courses)
	defer cancel()
	ranking, err := e.Rankings.Ranking(bounded, at.ranking)
	switch {
	case err == nil:
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		return lectern.List{}, lectern.Errorf(lectern.CodeCursorExpired,
			"the list behind this cursor is no longer kept; ask for the first page again")
	default:
		return lectern.List{}, unavailable(ctx, "the list behind this cursor could not be read", err)
	}
	p.stage("record")
	// What was missing when the list was made, with what is missing to cut it.
	p.degraded = slices.Clone(ranking.Degraded)
	if err := e.loadProfile(ctx, p); err != nil {
		return lectern.List{}, err
	}
	e.assign(p)
	e.hideByNow(p)
	p.stage("profile")
	if p.req.Surface == lectern.SurfaceSearch {
		p.understood = e.Words.Understand(p.req.Query, e.queryOptions(p))
	}
	return e.page(ctx, p, ranking, at.offset)
}

// page cuts up to limit items from a recorded list, from a slot on. Courses that
// are gone, or may no longer be shown, are skipped; positions stay those of the
// recorded list.
func (e *Engine) page(ctx context.Context, p *pass, r lectern.Ranking, offset int) (lectern.List, error) {
	list := lectern.List{
		RankingID: r.ID, Items: []lectern.Item{}, Total: len(r.Items),
		ConfigVersion: r.ConfigVersion, Model: r.Model,
	}
	var terms []lectern.TermWeight
	if p.req.Explain {
		terms = r.Weights
	}
	var marks *highlighter
	if p.req.Surface == lectern.SurfaceSearch {
		marks = e.highlighter(p)
	}
	match := p.matchFor(r.Row)
	limit := min(p.req.Limit, len(r.Items))
	next := offset
	for len(list.Items) < limit && next < len(r.Items) {
		from := next
		var slots []int
		slots, next = e.showable(p, match, r.Items, from, limit-len(list.Items))
		courses, err := e.readCourses(ctx, r.Items, slots)
		if err != nil {
			return lectern.List{}, err
		}
		for _, slot := range slots {
			slotItem := r.Items[slot]
			course, ok := courses[slotItem.CourseID]
			if !ok {
				continue
			}
			payload := lectern.PayloadOf(course)
			if en := e.Catalog.get(course.ID); en != nil {
				payload.Rating = en.payload.Rating
			}
			if !match.allows(course.ID, &payload) {
				continue
			}
			item := itemOf(course, slot, &slotItem, terms)
			if marks != nil {
				item.Highlight = marks.course(&course)
			}
			list.Items = append(list.Items, item)
		}
	}
	if more, _ := e.showable(p, match, r.Items, next, 1); len(more) > 0 {
		list.NextCursor = encodeCursor(cursor{ranking: r.ID, offset: next, request: p.hashOf(p.req.Row)}, e.CursorKey)
	}
	p.sayProgress(r.Row, list.Items)
	p.stage("courses")
	list.Degraded, list.Timings = p.degraded, p.timings
	return list, nil
}

// itemOf is a slot of a recorded list with its course; terms are nil where nobody asked
// for them.
func itemOf(course lectern.Course, slot int, r *lectern.RankedItem, terms []lectern.TermWeight) lectern.Item {
	item := lectern.Item{
		Course: course, Position: slot, Score: r.Score, Sources: r.Sources, Reasons: r.Reasons,
		Pinned: r.Pinned, Duplicates: r.Duplicates,
	}
	if terms != nil {
		item.Terms, item.Retrieval = rerank.Explain(terms, r.Terms, r.Adjusted), r.Retrieval
	}
	return item
}

// showable returns the slots, at most n from one on, whose courses memory knows
// and the request allows, and the slot to go on from.
func (e *Engine) showable(p *pass, match *matcher, items []lectern.RankedItem, from, n int) (slots []int, next int) {
	for next = from; next < len(items) && len(slots) < n; next++ {
		id := items[next].CourseID
		if en := e.Catalog.get(id); en != nil && match.admits(en) && (p.hidden == nil || !p.hidden(&en.facts)) {
			slots = append(slots, next)
		}
	}
	return slots, next
}

// readCourses reads the courses of some slots, by id.
func (e *Engine) readCourses(ctx context.Context, items []lectern.RankedItem, slots []int) (map[string]lectern.Course, error) {
	if len(slots) == 0 {
		return nil, nil
	}
	ids := make([]string, len(slots))
	for i, slot := range slots {
		ids[i] = items[slot].CourseID
	}
	bounded, cancel := context.WithTimeout(ctx, e.cfg.Budgets.Courses)
	defer cancel()
	found, err := e.Courses.Courses(bounded, ids)
	if err != nil {
		return nil, unavailable(ctx, "the courses of the page could not be read", err)
	}
	out := make(map[string]lectern.Course, len(found))
	for _, c := range found {
		out[c.ID] = c
	}
	return out, nil
}
