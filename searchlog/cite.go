package searchlog

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
)

// RankingStore is the part of the store that Citations needs.
type RankingStore interface {
	PutRankings(ctx context.Context, rankings []lectern.Ranking) error
	PutSearches(ctx context.Context, searches []lectern.Search) error
}

// Resolver finds courses by what stands for their ids in tokens.
type Resolver interface {
	// Resolve returns one id for each hash, "" where no course is known.
	Resolve(ctx context.Context, hashes []CourseHash) ([]string, error)
}

// Citations stores suggestions once an event cites them.
type Citations struct {
	Sealer  *Sealer
	Store   RankingStore
	Courses Resolver
}

// Cite stores the suggestions that events cite by their tokens, as a ranking and
// as a search, and puts the ranking's id in place of the token; other events stay
// as they are. An event that does not say where it happened is given the surface,
// and one without a position its course's place among the courses shown. A token
// cited twice stores one ranking. problems has the error of each event whose token
// is not acceptable, nil for the others; with an error nothing can be said of any.
//
// The ranking is the learner's when the suggestions were made for the learner of
// the event, and nobody's otherwise. A course that is not known any more keeps its
// slot, without an id.
func (c Citations) Cite(ctx context.Context, events []lectern.Event) (problems []error, err error) {
	problems = make([]error, len(events))
	var lists []*citedList
	byToken := make(map[string]*citedList)
	for i := range events {
		e := &events[i]
		if !IsToken(e.RankingID) {
			continue
		}
		l, ok := byToken[e.RankingID]
		if !ok {
			shown, err := c.Sealer.Open(e.RankingID)
			if err != nil {
				problems[i] = err
				continue
			}
			l = &citedList{shown: shown, courses: make([]string, len(shown.Courses))}
			byToken[e.RankingID] = l
			lists = append(lists, l)
		}
		c.read(l, e)
	}
	if len(lists) == 0 {
		return problems, nil
	}
	return problems, c.store(ctx, lists)
}

// citedList is a token with what events say about it.
type citedList struct {
	shown   Shown
	learner lectern.LearnerRef
	courses []string // ids by slot, "" where not known yet
}

// read takes from an event what a token does not say, and tells the event what
// the token says.
func (c Citations) read(l *citedList, e *lectern.Event) {
	for _, who := range []lectern.LearnerRef{{ID: e.LearnerID}, {AnonymousID: e.AnonymousID}} {
		if l.learner.IsZero() && !who.IsZero() && c.Sealer.Is(l.shown, who) {
			l.learner = who
		}
	}
	if e.CourseID != "" {
		if at := slices.Index(l.shown.Courses, c.Sealer.HashCourse(e.CourseID)); at >= 0 {
			l.courses[at] = e.CourseID
			if e.Position == nil {
				e.Position = &at
			}
		}
	}
	if e.Surface == "" {
		e.Surface = lectern.SurfaceAutocomplete
	}
	e.RankingID = l.shown.ID
}

// store resolves the courses of lists that no event names, and stores the lists.
func (c Citations) store(ctx context.Context, lists []*citedList) error {
	var hashes []CourseHash
	for _, l := range lists {
		hashes = append(hashes, l.shown.Courses...)
	}
	ids, err := c.Courses.Resolve(ctx, hashes)
	if err != nil {
		return err
	}
	rankings := make([]lectern.Ranking, len(lists))
	var searches []lectern.Search
	for i, l := range lists {
		for slot := range l.courses {
			if l.courses[slot] == "" {
				l.courses[slot] = ids[slot]
			}
		}
		ids = ids[len(l.courses):]
		rankings[i] = l.ranking()
		if s := SearchOf(rankings[i]); s.Folded != "" { // something was typed
			searches = append(searches, s)
		}
	}
	if err := c.Store.PutRankings(ctx, rankings); err != nil {
		return err
	}
	if len(searches) == 0 {
		return nil
	}
	return c.Store.PutSearches(ctx, searches)
}

// ranking is the record of what was suggested.
func (l *citedList) ranking() lectern.Ranking {
	r := lectern.Ranking{
		ID: l.shown.ID, Learner: l.learner, Surface: lectern.SurfaceAutocomplete, Query: l.shown.Query,
		CreatedAt: l.shown.At, Items: make([]lectern.RankedItem, len(l.courses)),
	}
	for i, id := range l.courses {
		r.Items[i] = lectern.RankedItem{CourseID: id, Propensity: 1}
	}
	return r
}
