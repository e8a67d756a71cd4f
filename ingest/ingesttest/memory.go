// Package ingesttest holds the in-memory store that the tests of ingest and its
// parts write to.
package ingesttest

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// Memory is a store for tests. It keeps the promises of the real ones that
// ingest relies on, and is safe for concurrent use.
type Memory struct {
	mu        sync.Mutex
	Catalogue map[string]lectern.Course
	Reviews   map[string]lectern.Review
	Ratings   map[lectern.Rating]bool
	Learners  map[lectern.LearnerRef]lectern.Learner
	Events    map[string]lectern.EventWrite
	// Fail, when set, is asked before every write.
	Fail func(rows int) error
	// Writes counts the calls that wrote.
	Writes int
}

// New returns an empty store.
func New() *Memory {
	return &Memory{
		Catalogue: map[string]lectern.Course{},
		Reviews:   map[string]lectern.Review{},
		Ratings:   map[lectern.Rating]bool{},
		Learners:  map[lectern.LearnerRef]lectern.Learner{},
		Events:    map[string]lectern.EventWrite{},
	}
}

var (
	_ ingest.CourseWriter  = (*Memory)(nil)
	_ ingest.ReviewWriter  = (*Memory)(nil)
	_ ingest.LearnerWriter = (*Memory)(nil)
	_ ingest.EventWriter   = (*Memory)(nil)
)

// Service returns a service that writes to the store.
func (m *Memory) Service() ingest.Service {
	return ingest.Service{Courses: m, Reviews: m, Learners: m, Events: m}
}

func (m *Memory) begin(ctx context.Context, rows int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.Fail != nil {
		if err := m.Fail(rows); err != nil {
			return err
		}
	}
	m.Writes++
	return nil
}

// put stores v under k and says what that did.
func put[K comparable, V any](in map[K]V, k K, v V) lectern.WriteResult {
	old, ok := in[k]
	switch {
	case !ok:
		in[k] = v
		return lectern.WriteResult{Outcome: lectern.OutcomeCreated}
	case reflect.DeepEqual(old, v):
		return lectern.WriteResult{Outcome: lectern.OutcomeUnchanged}
	}
	in[k] = v
	return lectern.WriteResult{Outcome: lectern.OutcomeUpdated}
}

// parked turns a creation into parking when the course is unknown.
func (m *Memory) parked(course string, res lectern.WriteResult) lectern.WriteResult {
	if _, ok := m.Catalogue[course]; !ok && course != "" && res.Outcome == lectern.OutcomeCreated {
		res.Outcome = lectern.OutcomeParked
	}
	return res
}

// PutCourses applies patches in order.
func (m *Memory) PutCourses(ctx context.Context, patches []lectern.CoursePatch) ([]lectern.WriteResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, len(patches)); err != nil {
		return nil, err
	}
	out := make([]lectern.WriteResult, len(patches))
	for i, p := range patches {
		c := p.Apply(m.Catalogue[p.Course.ID])
		if c.Title == "" {
			out[i] = lectern.WriteResult{Outcome: lectern.OutcomeRejected, Err: lectern.Invalid("the course has no title",
				lectern.FieldError{Field: "title", Reason: "is required for a new course"})}
			continue
		}
		out[i] = put(m.Catalogue, c.ID, c)
	}
	return out, nil
}

// Courses returns the courses of these ids that there are.
func (m *Memory) Courses(ctx context.Context, ids []string) ([]lectern.Course, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []lectern.Course
	for _, id := range ids {
		if c, ok := m.Catalogue[id]; ok {
			out = append(out, c)
		}
	}
	return out, ctx.Err()
}

// RetireMissing retires courses that are not in keep.
func (m *Memory) RetireMissing(ctx context.Context, keep []string, maxShare float64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, 0); err != nil {
		return 0, err
	}
	var gone []string
	live := 0
	for id, c := range m.Catalogue {
		if c.Availability.Status == lectern.StatusRetired {
			continue
		}
		live++
		if !slices.Contains(keep, id) {
			gone = append(gone, id)
		}
	}
	if float64(len(gone)) > maxShare*float64(live) {
		return 0, lectern.Errorf(lectern.CodeRefused, "the feed would retire %d of %d courses", len(gone), live)
	}
	for _, id := range gone {
		c := m.Catalogue[id]
		c.Availability.Status = lectern.StatusRetired
		m.Catalogue[id] = c
	}
	return len(gone), nil
}

// PutReviews stores reviews by id.
func (m *Memory) PutReviews(ctx context.Context, reviews []lectern.Review) ([]lectern.WriteResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, len(reviews)); err != nil {
		return nil, err
	}
	out := make([]lectern.WriteResult, len(reviews))
	for i, r := range reviews {
		out[i] = m.parked(r.CourseID, put(m.Reviews, r.ID, r))
	}
	return out, nil
}

// PutRatings makes sure that each rating exists.
func (m *Memory) PutRatings(ctx context.Context, ratings []lectern.Rating) ([]lectern.WriteResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, len(ratings)); err != nil {
		return nil, err
	}
	out := make([]lectern.WriteResult, len(ratings))
	for i, r := range ratings {
		out[i] = m.parked(r.CourseID, put(m.Ratings, r, true))
	}
	return out, nil
}

// PutLearners stores learners by id.
func (m *Memory) PutLearners(ctx context.Context, learners []lectern.Learner) ([]lectern.WriteResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, len(learners)); err != nil {
		return nil, err
	}
	out := make([]lectern.WriteResult, len(learners))
	for i, l := range learners {
		ref := lectern.LearnerRef{ID: l.ID}
		if l.Anonymous {
			ref = lectern.LearnerRef{AnonymousID: l.ID}
		}
		out[i] = put(m.Learners, ref, l)
	}
	return out, nil
}

// Learner returns one learner.
func (m *Memory) Learner(_ context.Context, ref lectern.LearnerRef) (lectern.Learner, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.Learners[ref]
	if !ok {
		return l, lectern.Errorf(lectern.CodeNotFound, "no such learner")
	}
	return l, nil
}

// AppendEvents stores events whose id is new.
func (m *Memory) AppendEvents(ctx context.Context, events []lectern.EventWrite) ([]lectern.WriteResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, len(events)); err != nil {
		return nil, err
	}
	out := make([]lectern.WriteResult, len(events))
	for i, e := range events {
		if _, ok := m.Events[e.Event.ID]; ok {
			out[i] = lectern.WriteResult{Outcome: lectern.OutcomeDuplicate}
			continue
		}
		out[i] = m.parked(e.Event.CourseID, put(m.Events, e.Event.ID, e))
	}
	return out, nil
}
