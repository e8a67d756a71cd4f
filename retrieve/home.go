package retrieve

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

var _ lectern.HomeMaker = (*Engine)(nil)

// Home returns the rows for a learner, best first. A page is kept while nothing that
// it was made of changes, and for cache_ttl at most; what may be shown is looked at
// every time.
func (e *Engine) Home(ctx context.Context, req lectern.HomeRequest) (lectern.Home, error) {
	list := lectern.ListRequest{
		Surface: lectern.SurfaceHome, Learner: req.Learner, Filter: req.Filter, FitTime: req.FitTime,
		Limit: req.Limit, Explain: req.Explain,
	}
	if err := checkRequest(list); err != nil {
		return lectern.Home{}, err
	}
	p := e.newPass(list)
	p.served = true
	p.rows = make(map[lectern.Row]bool, 8)
	for _, row := range lectern.Rows() {
		p.rows[row] = true
	}
	if err := e.prepare(ctx, p); err != nil {
		return lectern.Home{}, err
	}
	if p.profile.Version == 0 {
		e.pages.forget(req.Learner)
	}
	key, state := p.key(), e.stateOf(p)
	page, ok := e.pages.get(key, state, p.at)
	if !ok {
		var err error
		if page, err = e.makePage(ctx, p); err != nil {
			return lectern.Home{}, err
		}
		if p.lasting() {
			e.pages.put(key, state, page)
		}
	}
	return e.fill(ctx, p, page)
}

// Forget drops what is kept of a learner's pages. Call it when a learner is erased.
func (e *Engine) Forget(ref lectern.LearnerRef) { e.pages.forget(ref) }

// lasting reports whether what was made would be made again: what was missing for a
// moment shall not be missing for a minute.
func (p *pass) lasting() bool {
	for _, part := range []string{DegradedIndex, DegradedProfile, DegradedNeighbours, DegradedRecording} {
		if slices.Contains(p.degraded, part) {
			return false
		}
	}
	return !p.taste.Partial
}

// survey finds and measures the candidates of a home page, and what is under way.
func (e *Engine) survey(ctx context.Context, p *pass) error {
	if err := e.gather(ctx, p); err != nil {
		return err
	}
	p.stage("candidates")
	e.unite(p)
	e.pinRows(p)
	p.offered = len(p.candidates)
	if p.wants(lectern.RowContinue) {
		e.addUnderWay(p)
	}
	p.stage("filter")
	return e.measure(ctx, p)
}

// underWayMost bounds the courses under way.
const underWayMost = 50

// addUnderWay appends the courses that the learner is at, the latest first, without what
// they think badly of, or said something against. Without consent nobody is reminded.
func (e *Engine) addUnderWay(p *pass) {
	if !p.taste.Personal {
		return
	}
	match := p.match.enrolledIn()
	bearable := func(weight float64) bool { return weight >= 0 }
	for _, en := range e.latest(p, lectern.StateEnrolled|lectern.StateProgressed, bearable) {
		if p.states[en.facts.ID]&(lectern.StateCompleted|lectern.StateLeftOut) != 0 || !match.admits(en) {
			continue
		}
		if len(p.candidates)-p.offered == underWayMost {
			return
		}
		p.append(en, []string{SourceContinue})
	}
}

// makePage makes the rows of a page and records them.
func (e *Engine) makePage(ctx context.Context, p *pass) (keptPage, error) {
	e.borrow(p)
	defer e.giveBack(p)
	if err := e.survey(ctx, p); err != nil {
		return keptPage{}, err
	}
	var rows []*homeRow
	for _, name := range lectern.Rows() {
		if row := e.makeRow(p, name); len(row.scored) >= e.least(name) {
			rows = append(rows, row)
		}
	}
	arrangeRows(rows, p, e.cfg.Home.ActiveWithin)
	p.stage("rerank")
	page := keptPage{at: p.at}
	shown := make(map[string]bool, len(rows)*p.req.Limit)
	for _, row := range rows {
		e.withoutShown(p, row, shown)
		if len(row.scored) < e.least(row.name) {
			continue
		}
		e.exploreRow(p, row)
		for i, s := range row.scored {
			if i == p.req.Limit {
				break
			}
			shown[row.candidates[s.Index].Course.ID] = true
		}
		page.rows = append(page.rows, e.keep(p, row))
	}
	p.stage("record")
	page.degraded = slices.Clone(p.degraded)
	return page, nil
}

// least is how many items a row needs to be shown.
func (e *Engine) least(name lectern.Row) int {
	switch name {
	case lectern.RowContinue, lectern.RowBecause, lectern.RowNext:
		return 1
	}
	return e.cfg.Home.MinItems
}

// keep records a row, and keeps of it what pages of it are filled with.
func (e *Engine) keep(p *pass, row *homeRow) keptRow {
	req := p.req
	req.Row = row.name
	ranking := e.recordRow(p, req, row)
	head := lectern.Ranking{
		ID: ranking.ID, Surface: ranking.Surface, Row: ranking.Row, ConfigVersion: ranking.ConfigVersion, Model: ranking.Model,
		Weights: ranking.Weights,
		Items:   make([]lectern.RankedItem, min(len(ranking.Items), req.Limit+spareSlots)),
	}
	copy(head.Items, ranking.Items)
	for i := range head.Items {
		// The values are slices of one block for all candidates: those stay alive with it.
		head.Items[i].Terms = nil
		if req.Explain {
			head.Items[i].Terms = slices.Clone(ranking.Items[i].Terms)
		}
	}
	return keptRow{title: row.title, ranking: head, total: len(ranking.Items), request: p.hashOf(req.Row)}
}

// spareSlots is how many courses of a kept row may go before it must be made anew.
const spareSlots = 10

// fill makes an answer of a page: what may be shown now, with the courses as they are
// now.
func (e *Engine) fill(ctx context.Context, p *pass, page keptPage) (lectern.Home, error) {
	most := len(page.rows) * p.req.Limit
	shown := make(map[string]bool, most)
	slots := make([][]int, len(page.rows))
	next := make([]int, len(page.rows))
	ids := make([]string, 0, most)
	for i := range page.rows {
		slots[i], next[i] = e.showableOnce(p, &page.rows[i].ranking, shown)
		for _, slot := range slots[i] {
			ids = append(ids, page.rows[i].ranking.Items[slot].CourseID)
		}
	}
	courses, err := e.bodies.read(ctx, e, ids)
	if err != nil {
		return lectern.Home{}, err
	}
	home := lectern.Home{Rows: make([]lectern.HomeRow, 0, len(page.rows))}
	mac := hmac.New(sha256.New, e.CursorKey)
	for i := range page.rows {
		list := e.fillRow(p, &page.rows[i], slots[i], next[i], courses, mac)
		if courses = courses[len(slots[i]):]; len(list.Items) > 0 {
			home.Rows = append(home.Rows, lectern.HomeRow{Row: page.rows[i].ranking.Row, Title: page.rows[i].title, List: list})
		}
	}
	p.stage("courses")
	home.Degraded = slices.Clone(page.degraded)
	for _, part := range p.degraded {
		if !slices.Contains(home.Degraded, part) {
			home.Degraded = append(home.Degraded, part)
		}
	}
	home.Timings = p.timings
	return home, nil
}

// showableOnce returns the slots of a row that are shown, without what rows above
// show, and the slot to go on from.
func (e *Engine) showableOnce(p *pass, r *lectern.Ranking, shown map[string]bool) (slots []int, next int) {
	match := p.matchFor(r.Row)
	slots = make([]int, 0, min(p.req.Limit, len(r.Items)))
	for next < len(r.Items) && len(slots) < p.req.Limit {
		id := r.Items[next].CourseID
		if en := e.Catalog.get(id); en != nil && !shown[id] && match.admits(en) {
			slots = append(slots, next)
			shown[id] = true
		}
		next++
	}
	return slots, next
}

// fillRow is one row of the answer. The courses are those of the slots first.
func (e *Engine) fillRow(p *pass, row *keptRow, slots []int, next int, courses []*lectern.Course, mac hash.Hash) lectern.List {
	r := &row.ranking
	list := lectern.List{
		RankingID: r.ID, Total: row.total, ConfigVersion: r.ConfigVersion, Model: r.Model,
		Items: make([]lectern.Item, 0, len(slots)),
	}
	var terms []lectern.TermWeight
	if p.req.Explain {
		terms = r.Weights
	}
	for i, slot := range slots {
		if courses[i] != nil {
			list.Items = append(list.Items, itemOf(*courses[i], slot, &r.Items[slot], terms))
		}
	}
	p.sayProgress(r.Row, list.Items)
	more := row.total > len(r.Items)
	if !more {
		left, _ := e.showable(p, p.matchFor(r.Row), r.Items, next, 1)
		more = len(left) > 0
	}
	if more {
		list.NextCursor = signCursor(cursor{ranking: r.ID, offset: next, request: row.request}, mac)
	}
	return list
}

// sayProgress adds to courses under way how far the learner is.
func (p *pass) sayProgress(row lectern.Row, items []lectern.Item) {
	if row != lectern.RowContinue {
		return
	}
	done := make(map[string]float64, len(p.profile.Entries))
	for i := range p.profile.Entries {
		done[p.profile.Entries[i].CourseID] = p.profile.Entries[i].Progress
	}
	for i := range items {
		items[i].Progress = done[items[i].Course.ID]
	}
}

// matchFor is what decides what a row may show: somebody who is in a course may go on
// with it when its enrolment is over.
func (p *pass) matchFor(row lectern.Row) *matcher {
	if row != lectern.RowContinue {
		return p.match
	}
	if p.enrolled == nil {
		p.enrolled = p.match.enrolledIn()
	}
	return p.enrolled
}

// rowList makes one row by itself, as a list.
func (e *Engine) rowList(ctx context.Context, p *pass) (lectern.List, error) {
	if err := e.prepare(ctx, p); err != nil {
		return lectern.List{}, err
	}
	if err := e.survey(ctx, p); err != nil {
		return lectern.List{}, err
	}
	row := e.makeRow(p, p.req.Row)
	e.exploreRow(p, row)
	p.stage("rerank")
	ranking := e.recordRow(p, p.req, row)
	p.stage("record")
	return e.page(ctx, p, ranking, 0)
}

// activeSince reports whether a course under way was touched within a time.
func (p *pass) activeSince(within time.Duration) bool {
	for i := range p.profile.Entries {
		en := &p.profile.Entries[i]
		if en.State&(lectern.StateEnrolled|lectern.StateProgressed) != 0 && p.at.Sub(en.LastAt) <= within {
			return true
		}
	}
	return false
}

// topOfRow is TopIDs of a row.
func (e *Engine) topOfRow(ctx context.Context, p *pass, k int) ([]string, error) {
	if err := e.prepare(ctx, p); err != nil {
		return nil, err
	}
	if err := e.survey(ctx, p); err != nil {
		return nil, err
	}
	row := e.makeRow(p, p.req.Row)
	var ids []string
	for _, s := range row.scored[:min(k, len(row.scored))] {
		ids = append(ids, row.candidates[s.Index].Course.ID)
	}
	return ids, nil
}
