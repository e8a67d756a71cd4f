package ingest

import (
	"context"
	"errors"
	"slices"

	"github.com/lectern-dev/lectern"
)

// CourseWriter is the part of lectern.CourseStore that ingest needs.
type CourseWriter interface {
	PutCourses(ctx context.Context, patches []lectern.CoursePatch) ([]lectern.WriteResult, error)
	Courses(ctx context.Context, ids []string) ([]lectern.Course, error)
	RetireMissing(ctx context.Context, keep []string, maxShare float64) (retired int, err error)
}

// ReviewWriter is the part of lectern.ReviewStore that ingest needs.
type ReviewWriter interface {
	PutReviews(ctx context.Context, reviews []lectern.Review) ([]lectern.WriteResult, error)
	PutRatings(ctx context.Context, ratings []lectern.Rating) ([]lectern.WriteResult, error)
}

// LearnerWriter is the part of lectern.LearnerStore that ingest needs.
type LearnerWriter interface {
	PutLearners(ctx context.Context, learners []lectern.Learner) ([]lectern.WriteResult, error)
	Learner(ctx context.Context, ref lectern.LearnerRef) (lectern.Learner, error)
}

// EventWriter is the part of lectern.EventStore that ingest needs.
type EventWriter interface {
	AppendEvents(ctx context.Context, events []lectern.EventWrite) ([]lectern.WriteResult, error)
}

// Service writes decoded rows. A result without error from any of its methods
// means that the rows are durable. It is safe for concurrent use as far as its
// parts are.
type Service struct {
	Courses  CourseWriter
	Reviews  ReviewWriter
	Learners LearnerWriter
	Events   EventWriter
	// Delta says what an event adds to its learner's profile; nil adds nothing.
	Delta func(lectern.Event) *lectern.ProfileDelta
	// Cite stores the suggestions that events cite by a token, and puts the id of
	// what it stored in place of the token. It returns the error of each event whose
	// token is not acceptable, nil for the others. Nil refuses tokens.
	Cite func(ctx context.Context, events []lectern.Event) (problems []error, err error)
	// Clock stamps events as they are received; nil is lectern.SystemClock.
	Clock lectern.Clock
}

// PutCourses applies patches in order; two of the same course are both applied.
func (s Service) PutCourses(ctx context.Context, patches []lectern.CoursePatch) ([]lectern.WriteResult, error) {
	if len(patches) == 0 {
		return nil, nil
	}
	return s.Courses.PutCourses(ctx, patches)
}

// PutReviews inserts or replaces reviews by id, in order.
func (s Service) PutReviews(ctx context.Context, reviews []lectern.Review) ([]lectern.WriteResult, error) {
	if len(reviews) == 0 {
		return nil, nil
	}
	return s.Reviews.PutReviews(ctx, reviews)
}

// PutRatings makes sure that each rating exists. Ratings without an occurrence
// are numbered within this call; see Occurrences for numbering across calls.
func (s Service) PutRatings(ctx context.Context, ratings []lectern.Rating) ([]lectern.WriteResult, error) {
	if len(ratings) == 0 {
		return nil, nil
	}
	numbered := append([]lectern.Rating(nil), ratings...)
	NewOccurrences().Number(numbered)
	return s.Reviews.PutRatings(ctx, numbered)
}

// PutLearners applies patches in order. A patch that is not a replacement is
// laid over what is stored; a learner nobody knows is created from it.
func (s Service) PutLearners(ctx context.Context, patches []LearnerPatch) ([]lectern.WriteResult, error) {
	if len(patches) == 0 {
		return nil, nil
	}
	// Patches of one call build on each other, so that two of the same learner
	// come out as if they had been sent one after the other.
	current := make(map[lectern.LearnerRef]lectern.Learner, len(patches))
	learners := make([]lectern.Learner, len(patches))
	for i, p := range patches {
		ref := lectern.LearnerRef{ID: p.Learner.ID}
		if p.Learner.Anonymous {
			ref = lectern.LearnerRef{AnonymousID: p.Learner.ID}
		}
		base, ok := current[ref]
		if !ok && !p.Replace {
			stored, err := s.Learners.Learner(ctx, ref)
			if err != nil && lectern.ErrorCode(err) != lectern.CodeNotFound {
				return nil, err
			}
			base = stored
		}
		learners[i] = p.Apply(base)
		learners[i].Anonymous = p.Learner.Anonymous
		current[ref] = learners[i]
	}
	return s.Learners.PutLearners(ctx, learners)
}

// AppendEvents stores events whose id is new, with what they add to profiles. The
// suggestions that they cite are stored before them.
func (s Service) AppendEvents(ctx context.Context, events []lectern.Event) ([]lectern.WriteResult, error) {
	if len(events) == 0 {
		return nil, nil
	}
	clock := s.Clock
	if clock == nil {
		clock = lectern.SystemClock
	}
	now := clock()
	events = slices.Clone(events)
	problems, err := s.cite(ctx, events)
	if err != nil {
		return nil, err
	}
	results := make([]lectern.WriteResult, len(events))
	writes, places := make([]lectern.EventWrite, 0, len(events)), make([]int, 0, len(events))
	for i, e := range events {
		if problems[i] != nil {
			results[i] = lectern.WriteResult{Outcome: lectern.OutcomeRejected, Err: problems[i]}
			continue
		}
		e.ReceivedAt = now
		w := lectern.EventWrite{Event: e}
		if s.Delta != nil {
			w.Delta = s.Delta(e)
		}
		writes, places = append(writes, w), append(places, i)
	}
	if len(writes) == 0 {
		return results, nil
	}
	written, err := s.Events.AppendEvents(ctx, writes)
	if err != nil {
		return nil, err
	}
	for j, w := range written {
		results[places[j]] = w
	}
	return results, nil
}

// cite resolves what events cite. What is longer than an id after that is none.
func (s Service) cite(ctx context.Context, events []lectern.Event) (problems []error, err error) {
	if s.Cite == nil {
		problems = make([]error, len(events))
	} else if problems, err = s.Cite(ctx, events); err != nil {
		return nil, err
	}
	for i, e := range events {
		if problems[i] == nil && len(e.RankingID) > lectern.MaxIDBytes {
			problems[i] = lectern.Invalid("the event cites no list", lectern.NewFieldError("ranking_id", e.RankingID,
				"is neither the id of a list nor that of suggestions", "a ranking_id exactly as it was answered"))
		}
	}
	return problems, nil
}

// asError returns err as a *lectern.Error, wrapping it when it is not one.
func asError(err error) *lectern.Error {
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e
	}
	return lectern.Errorf(lectern.CodeInternal, "%w", err)
}
