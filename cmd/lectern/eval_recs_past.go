package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/ml/noise"
)

// pastVersion is the version of every profile of the past: it does not change.
const pastVersion = 1

// acts is what learners did, in little room, with the store as it was at a cut in
// front of it: lists that are made from it know nothing of what came later.
type acts struct {
	relational
	config   learner.Config
	believed learner.Multiplier // nil believes everything
	cut      time.Time

	kinds    []lectern.EventType
	rows     []act // by learner, then as they happened, once sorted
	learners []lectern.LearnerRef
	courses  []string
	starts   []int32 // [learners+1], where each learner's rows begin

	learnerOf map[lectern.LearnerRef]int32
	courseOf  map[string]int32
}

// act is an event as it is kept.
type act struct {
	at      int64 // microseconds
	learner int32
	course  int32
	value   float32 // NaN for none
	dwell   float32 // milliseconds, NaN where unknown
	kind    uint8
}

// readActs reads all events of a store that speak of a course.
func readActs(ctx context.Context, store relational, config learner.Config) (*acts, error) {
	p := &acts{
		relational: store, config: config, kinds: lectern.EventTypes(),
		learnerOf: make(map[lectern.LearnerRef]int32), courseOf: make(map[string]int32),
	}
	for after := int64(0); ; {
		events, next, err := store.ScanEvents(ctx, after, 5000)
		if err != nil {
			return nil, fmt.Errorf("read the events: %w", err)
		}
		for i := range events {
			p.add(&events[i])
		}
		if next == 0 {
			break
		}
		after = next
	}
	if len(p.rows) == 0 {
		return nil, lectern.Errorf(lectern.CodeInvalid, "there are no events to learn from: import events first")
	}
	slices.SortStableFunc(p.rows, func(a, b act) int { return cmp.Or(cmp.Compare(a.learner, b.learner), cmp.Compare(a.at, b.at)) })
	p.starts = make([]int32, len(p.learners)+1)
	for _, r := range p.rows {
		p.starts[r.learner+1]++
	}
	for i := range p.learners {
		p.starts[i+1] += p.starts[i]
	}
	return p, nil
}

func (p *acts) add(e *lectern.Event) {
	kind := slices.Index(p.kinds, e.Type)
	ref := lectern.LearnerRef{ID: e.LearnerID}
	if ref.ID == "" {
		ref.AnonymousID = e.AnonymousID
	}
	if kind < 0 || e.CourseID == "" || ref.IsZero() {
		return
	}
	r := act{at: e.OccurredAt.UnixMicro(), kind: uint8(kind), value: float32(math.NaN()), dwell: float32(math.NaN())}
	if e.Value != nil {
		r.value = float32(*e.Value)
	}
	if ms, ok := noise.Dwell(e); ok {
		r.dwell = float32(ms)
	}
	var ok bool
	if r.learner, ok = p.learnerOf[ref]; !ok {
		r.learner = int32(len(p.learners))
		p.learnerOf[ref] = r.learner
		p.learners = append(p.learners, ref)
	}
	if r.course, ok = p.courseOf[e.CourseID]; !ok {
		r.course = int32(len(p.courses))
		p.courseOf[e.CourseID] = r.course
		p.courses = append(p.courses, e.CourseID)
	}
	p.rows = append(p.rows, r)
}

// takes reports whether an act means that a course was taken.
func (p *acts) takes(r act) bool {
	switch p.kinds[r.kind] {
	case lectern.EventEnrol, lectern.EventProgress, lectern.EventComplete:
		return true
	}
	return false
}

// seen reports whether an act keeps its course out of later lists.
func (p *acts) seen(r act) bool {
	d := p.config.Delta(lectern.Event{Type: p.kinds[r.kind], CourseID: "any"})
	return d != nil && d.State&lectern.StateSeen != 0
}

// moment returns the time that a share of all takings lies before.
func (p *acts) moment(share float64) time.Time {
	var times []int64
	for _, r := range p.rows {
		if p.takes(r) {
			times = append(times, r.at)
		}
	}
	if len(times) == 0 {
		return time.UnixMicro(p.rows[len(p.rows)-1].at).UTC()
	}
	slices.Sort(times)
	return time.UnixMicro(times[min(int(share*float64(len(times))), len(times)-1)]).UTC()
}

// of returns a learner's acts, oldest first.
func (p *acts) of(learner int32) []act { return p.rows[p.starts[learner]:p.starts[learner+1]] }

// before returns a learner's acts before the cut.
func (p *acts) before(learner int32) []act {
	rows := p.of(learner)
	n, _ := slices.BinarySearchFunc(rows, p.cut.UnixMicro(), func(r act, at int64) int { return cmp.Compare(r.at, at) })
	return rows[:n]
}

// event is an act as an event again.
func (p *acts) event(r act) lectern.Event {
	ref := p.learners[r.learner]
	e := lectern.Event{
		ID: strconv.FormatInt(r.at, 36) + "-" + strconv.Itoa(int(r.course)) + "-" + strconv.Itoa(int(r.kind)), Type: p.kinds[r.kind],
		LearnerID: ref.ID, AnonymousID: ref.AnonymousID, CourseID: p.courses[r.course], OccurredAt: time.UnixMicro(r.at).UTC(),
	}
	if v := float64(r.value); !math.IsNaN(v) {
		e.Value = &v
	}
	if !math.IsNaN(float64(r.dwell)) {
		e.Properties = json.RawMessage(`{"dwell_ms":` + strconv.FormatFloat(float64(r.dwell), 'g', -1, 32) + `}`)
	}
	return e
}

func (p *acts) events(rows []act) []lectern.Event {
	out := make([]lectern.Event, len(rows))
	for i, r := range rows {
		out[i] = p.event(r)
	}
	return out
}

// entries rebuilds a learner's profile as of the cut.
func (p *acts) entries(learner int32) []lectern.ProfileEntry {
	return p.config.Rebuild(p.events(p.before(learner)), p.believed)
}

// Profile implements lectern.LearnerStore as of the cut. What learners say about
// themselves has no date: it is as of today.
func (p *acts) Profile(ctx context.Context, ref lectern.LearnerRef) (lectern.Profile, error) {
	l, err := p.Learner(ctx, ref)
	if err != nil {
		return lectern.Profile{}, err
	}
	out := lectern.Profile{Learner: l, Version: pastVersion}
	if n, ok := p.learnerOf[ref]; ok {
		out.Entries = p.entries(n)
	}
	return out, nil
}

// ProfileVersion implements lectern.LearnerStore.
func (p *acts) ProfileVersion(ctx context.Context, ref lectern.LearnerRef) (int64, error) {
	if _, ok := p.learnerOf[ref]; ok {
		return pastVersion, nil
	}
	_, err := p.Learner(ctx, ref)
	return pastVersion, err
}

// LearnerEvents implements lectern.EventStore as of the cut: newest first.
func (p *acts) LearnerEvents(_ context.Context, ref lectern.LearnerRef, limit int) ([]lectern.Event, error) {
	n, ok := p.learnerOf[ref]
	if !ok {
		return nil, nil
	}
	rows := p.before(n)
	out := p.events(rows[max(len(rows)-limit, 0):])
	slices.Reverse(out)
	return out, nil
}

// ScanCourses implements lectern.CourseStore: without what was published later.
func (p *acts) ScanCourses(ctx context.Context, after int64, limit int) ([]lectern.Course, int64, error) {
	page, next, err := p.relational.ScanCourses(ctx, after, limit)
	return slices.DeleteFunc(page, func(c lectern.Course) bool { return c.PublishedAt != nil && c.PublishedAt.After(p.cut) }), next, err
}

// CourseStats implements lectern.ReviewStore as of the cut, whatever time is asked
// for. Ratings are those of the months before the cut's.
func (p *acts) CourseStats(ctx context.Context, ids []string, _ time.Time, halfLife time.Duration) ([]lectern.CourseStats, error) {
	stats, err := p.relational.CourseStats(ctx, ids, p.cut, halfLife)
	if err != nil {
		return nil, err
	}
	activity := make(map[string]map[lectern.EventType]float64)
	for _, r := range p.rows {
		age := p.cut.Sub(time.UnixMicro(r.at))
		if age <= 0 {
			continue
		}
		of := activity[p.courses[r.course]]
		if of == nil {
			of = make(map[lectern.EventType]float64)
			activity[p.courses[r.course]] = of
		}
		of[p.kinds[r.kind]] += math.Exp2(-age.Seconds() / halfLife.Seconds())
	}
	month := time.Date(p.cut.Year(), p.cut.Month(), 1, 0, 0, 0, 0, time.UTC)
	for i := range stats {
		s := &stats[i]
		s.Activity = activity[s.CourseID]
		if s.RatingCount == 0 {
			continue
		}
		months, err := p.RatingHistory(ctx, s.CourseID)
		if err != nil {
			return nil, fmt.Errorf("read the ratings of the past: %w", err)
		}
		s.RatingCount, s.RatingMean = 0, 0
		for _, m := range months {
			if m.Month.Before(month) {
				s.RatingMean += m.Mean * float64(m.Count)
				s.RatingCount += m.Count
			}
		}
		s.RatingMean /= math.Max(1, float64(s.RatingCount))
	}
	return stats, nil
}

// A profile's key in the past is its learner's number and one.

// ProfileChanges implements lectern.ProfileStore: everybody, once.
func (p *acts) ProfileChanges(_ context.Context, after int64, limit int) ([]lectern.ProfileChange, error) {
	var out []lectern.ProfileChange
	for n := after; n < int64(len(p.learners)) && len(out) < limit; n++ {
		out = append(out, lectern.ProfileChange{Seq: n + 1, Key: n + 1, Ref: p.learners[n]})
	}
	return out, nil
}

// EntriesByKey implements lectern.ProfileStore as of the cut.
func (p *acts) EntriesByKey(ctx context.Context, keys []int64) (map[int64][]lectern.ProfileEntry, error) {
	out := make(map[int64][]lectern.ProfileEntry, len(keys))
	for _, key := range keys {
		if key < 1 || key > int64(len(p.learners)) {
			continue
		}
		l, err := p.Learner(ctx, p.learners[key-1])
		if lectern.ErrorCode(err) == lectern.CodeNotFound || err == nil && l.Consent != nil && !l.Consent.Personalisation {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read what learners allow: %w", err)
		}
		out[key] = p.entries(int32(key - 1))
	}
	return out, nil
}

// ProfileKey returns the number that stands for a learner.
func (p *acts) ProfileKey(_ context.Context, ref lectern.LearnerRef) (int64, error) {
	n, ok := p.learnerOf[ref]
	if !ok {
		return 0, lectern.Errorf(lectern.CodeNotFound, "this learner did nothing yet")
	}
	return int64(n) + 1, nil
}

// PruneProfileChanges, FeedPosition and SetFeedPosition leave the store as it is.
func (p *acts) PruneProfileChanges(context.Context, int64) (int, error) { return 0, nil }

// FeedPosition knows no follower of the past.
func (p *acts) FeedPosition(context.Context, string) (int64, error) { return 0, nil }

// SetFeedPosition remembers nothing.
func (p *acts) SetFeedPosition(context.Context, string, int64) error { return nil }
