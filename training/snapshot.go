package training

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/noise"
)

// SnapshotStore is what a snapshot is taken of; see the interfaces of the root.
type SnapshotStore interface {
	ScanEvents(ctx context.Context, after int64, limit int) ([]lectern.Event, int64, error)
	ScanCourses(ctx context.Context, after int64, limit int) ([]lectern.Course, int64, error)
	Learner(ctx context.Context, ref lectern.LearnerRef) (lectern.Learner, error)
}

// SnapshotOptions say what a snapshot is made of.
type SnapshotOptions struct {
	Noise noise.Config
	// Strength is what an event says for its course, below 0 against it, 0 where it
	// says nothing.
	Strength  func(e lectern.Event) float64
	MaxWeight float64   // bounds what a learner's events say for one course, in terms of Strength
	MinWeight float64   // least weight of an interaction; an enrolment weighs 1
	MaxEvents int       // newest events that are read
	Until     time.Time // events that occurred later are left out; zero is no bound
}

// Snapshot is what there is to learn from, with where it came from.
type Snapshot struct {
	// Data has every course that somebody took, retired ones too, and every learner
	// who took one and allows personalisation. Its order is the same for the same
	// events.
	Data           *cf.Data
	From, To       time.Time   // first and last event; zero without any
	Events         int         // events read, views aside
	WithoutConsent int         // learners who were left out
	Noise          noise.Tally // what the rules found
}

// Learners counts those with at least two courses: of one course nothing follows.
func (s *Snapshot) Learners() int {
	n := 0
	for _, h := range s.Data.Histories {
		if len(h) > 1 {
			n++
		}
	}
	return n
}

// scanPage is how many events, or courses, are read at a time.
const scanPage = 5000

// consentReads is how many learners are looked up at a time.
const consentReads = 8

// record is an event as a snapshot keeps it.
type record struct {
	at      int64 // microseconds
	learner int32
	course  int32   // -1 for none
	value   float32 // NaN for none
	dwell   float32 // milliseconds, NaN where unknown
	kind    uint8   // in lectern.EventTypes
}

// reader gathers records, the newest max of them.
type reader struct {
	o        SnapshotOptions
	types    []lectern.EventType
	kinds    map[lectern.EventType]uint8
	learners map[lectern.LearnerRef]int32
	refs     []lectern.LearnerRef
	courses  map[string]int32
	ids      []string
	ring     []record
	next     int // place of the next record once the ring is full
}

// TakeSnapshot reads the events of the store, weighs them by the rules against
// noise, and makes histories of what is left: each course once, at the time when
// the learner took it, or first showed interest. Memory is bounded by MaxEvents.
func TakeSnapshot(ctx context.Context, store SnapshotStore, o SnapshotOptions) (*Snapshot, error) {
	unit := o.Strength(lectern.Event{Type: lectern.EventEnrol, CourseID: "any"})
	if unit <= 0 {
		return nil, lectern.Errorf(lectern.CodeInternal, "an enrolment says nothing for its course")
	}
	r := &reader{
		o: o, types: lectern.EventTypes(), kinds: map[lectern.EventType]uint8{}, learners: map[lectern.LearnerRef]int32{}, courses: map[string]int32{},
	}
	for i, t := range r.types {
		r.kinds[t] = uint8(i)
	}
	for after := int64(0); ; {
		events, next, err := store.ScanEvents(ctx, after, scanPage)
		if err != nil {
			return nil, fmt.Errorf("read events to learn from: %w", err)
		}
		for i := range events {
			r.add(&events[i])
		}
		if next == 0 {
			break
		}
		after = next
	}
	course, err := creators(ctx, store, o.Noise)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Data: &cf.Data{Ordered: true}, Events: len(r.ring)}
	found := r.histories(s, unit, course)
	if err := withConsent(ctx, store, s, found); err != nil {
		return nil, err
	}
	s.Data.Items, s.Data.Histories = sortedItems(r.ids, s.Data.Histories)
	return s, nil
}

// add takes in an event. Views say nothing, and there are more of them than of
// anything else.
func (r *reader) add(e *lectern.Event) {
	kind, known := r.kinds[e.Type]
	if !known || e.Type == lectern.EventView || (!r.o.Until.IsZero() && e.OccurredAt.After(r.o.Until)) {
		return
	}
	ref := lectern.LearnerRef{ID: e.LearnerID}
	if ref.ID == "" {
		ref.AnonymousID = e.AnonymousID
	}
	if ref.IsZero() {
		return
	}
	rec := record{at: e.OccurredAt.UnixMicro(), course: -1, kind: kind, value: float32(math.NaN()), dwell: float32(math.NaN())}
	if e.Value != nil {
		rec.value = float32(*e.Value)
	}
	if ms, ok := noise.Dwell(e); ok {
		rec.dwell = float32(ms)
	}
	rec.learner = number(r.learners, &r.refs, ref)
	if e.CourseID != "" {
		rec.course = number(r.courses, &r.ids, e.CourseID)
	}
	if len(r.ring) < r.o.MaxEvents {
		r.ring = append(r.ring, rec)
		return
	}
	r.ring[r.next] = rec
	r.next = (r.next + 1) % len(r.ring)
}

// number gives each key a number from 0.
func number[K comparable](known map[K]int32, list *[]K, key K) int32 {
	n, ok := known[key]
	if !ok {
		n = int32(len(*list))
		known[key] = n
		*list = append(*list, key)
	}
	return n
}

// creators returns what the rule about creators asks for.
func creators(ctx context.Context, store SnapshotStore, c noise.Config) (func(string) (lectern.Course, bool), error) {
	known := map[string]lectern.Course{}
	for after := int64(0); c.Creator.On; {
		courses, next, err := store.ScanCourses(ctx, after, scanPage)
		if err != nil {
			return nil, fmt.Errorf("read who made the courses: %w", err)
		}
		for i := range courses {
			if part, some := noise.CreatorsOf(&courses[i]); some {
				known[part.ID] = part
			}
		}
		if next == 0 {
			break
		}
		after = next
	}
	return func(id string) (lectern.Course, bool) { part, ok := known[id]; return part, ok }, nil
}

// found is a learner with a history.
type found struct {
	ref     lectern.LearnerRef
	history cf.History
}

// histories cleans each learner's events and adds them up by course.
func (r *reader) histories(s *Snapshot, unit float64, course func(string) (lectern.Course, bool)) []found {
	order := append(slices.Clone(r.ring[r.next:]), r.ring[:r.next]...) // as they arrived
	slices.SortStableFunc(order, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.learner, b.learner), cmp.Compare(a.at, b.at))
	})
	r.ring = nil
	var out []found
	var events []lectern.Event
	for len(order) > 0 {
		n := 1
		for n < len(order) && order[n].learner == order[0].learner {
			n++
		}
		ref := r.refs[order[0].learner]
		events = events[:0]
		for i := range order[:n] {
			events = append(events, r.event(&order[i], ref))
		}
		s.span(order[0].at, order[n-1].at)
		cleaned := r.o.Noise.Clean(events, course)
		s.Noise.Add(cleaned)
		if h := r.history(cleaned, unit); len(h) > 0 {
			out = append(out, found{ref, h})
		}
		order = order[n:]
	}
	slices.SortFunc(out, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.ref.ID, b.ref.ID), cmp.Compare(a.ref.AnonymousID, b.ref.AnonymousID))
	})
	return out
}

func (s *Snapshot) span(first, last int64) {
	if from := time.UnixMicro(first).UTC(); s.From.IsZero() || from.Before(s.From) {
		s.From = from
	}
	if to := time.UnixMicro(last).UTC(); to.After(s.To) {
		s.To = to
	}
}

// event is a record as an event again, without what no rule and no strength reads.
// Its id is left out, so that events at one time stay as they arrived.
func (r *reader) event(rec *record, ref lectern.LearnerRef) lectern.Event {
	e := lectern.Event{
		Type: r.types[rec.kind], LearnerID: ref.ID, AnonymousID: ref.AnonymousID, OccurredAt: time.UnixMicro(rec.at).UTC(),
	}
	if rec.course >= 0 {
		e.CourseID = r.ids[rec.course]
	}
	if v := float64(rec.value); !math.IsNaN(v) {
		e.Value = &v
	}
	if !math.IsNaN(float64(rec.dwell)) {
		e.Properties = json.RawMessage(`{"dwell_ms":` + strconv.FormatFloat(float64(rec.dwell), 'g', -1, 32) + `}`)
	}
	return e
}

// sum is what one learner's events say for one course.
type sum struct {
	weight float64
	at     time.Time // taken, or first of interest
	taken  bool
}

// history adds a learner's events up, oldest course first.
func (r *reader) history(events []noise.Weighted, unit float64) cf.History {
	sums := map[int32]sum{}
	for i := range events {
		e := &events[i].Event
		weight := events[i].Weight * r.o.Strength(*e)
		if weight == 0 || e.CourseID == "" {
			continue
		}
		item := r.courses[e.CourseID]
		s := sums[item]
		s.weight += weight
		if weight > 0 && (s.at.IsZero() || takes(e.Type) && !s.taken) {
			s.at, s.taken = e.OccurredAt, takes(e.Type)
		}
		sums[item] = s
	}
	var h cf.History
	for item, s := range sums {
		if w := min(s.weight, r.o.MaxWeight) / unit; w >= r.o.MinWeight && !s.at.IsZero() {
			h = append(h, cf.Interaction{Item: item, Weight: float32(w), At: s.at.Unix()})
		}
	}
	slices.SortFunc(h, func(a, b cf.Interaction) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(r.ids[a.Item], r.ids[b.Item]))
	})
	return h
}

// takes reports whether an event of this type means that the learner has taken
// the course.
func takes(t lectern.EventType) bool {
	switch t {
	case lectern.EventEnrol, lectern.EventProgress, lectern.EventComplete, lectern.EventRate:
		return true
	}
	return false
}

// withConsent keeps the histories of those who allow personalisation.
func withConsent(ctx context.Context, store SnapshotStore, s *Snapshot, all []found) error {
	allowed := make([]bool, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(consentReads)
	for i := range all {
		group.Go(func() error {
			l, err := store.Learner(ctx, all[i].ref)
			if lectern.ErrorCode(err) == lectern.CodeNotFound {
				return nil // gone since
			}
			if err != nil {
				return fmt.Errorf("read what learners allow: %w", err)
			}
			consent := lectern.DefaultConsent()
			if l.Consent != nil {
				consent = *l.Consent
			}
			allowed[i] = consent.Personalisation
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, f := range all {
		if !allowed[i] {
			s.WithoutConsent++
			continue
		}
		s.Data.Learners = append(s.Data.Learners, cmp.Or(f.ref.ID, f.ref.AnonymousID))
		s.Data.Histories = append(s.Data.Histories, f.history)
	}
	return nil
}

// sortedItems numbers the courses that are in histories by their ids.
func sortedItems(ids []string, histories []cf.History) ([]string, []cf.History) {
	used := make([]bool, len(ids))
	for _, h := range histories {
		for _, x := range h {
			used[x.Item] = true
		}
	}
	var order []int32
	for i := range ids {
		if used[i] {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(ids[a], ids[b]) })
	items, to := make([]string, len(order)), make([]int32, len(ids))
	for i, old := range order {
		items[i], to[old] = ids[old], int32(i)
	}
	for _, h := range histories {
		for i := range h {
			h[i].Item = to[h[i].Item]
		}
	}
	return items, histories
}
