package feedback

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

// Rankings finds the lists that were shown.
type Rankings interface {
	// Ranking returns one. Errors: CodeNotFound.
	Ranking(ctx context.Context, id string) (lectern.Ranking, error)
}

// Courses finds courses by id.
type Courses interface {
	Courses(ctx context.Context, ids []string) ([]lectern.Course, error)
}

// Learners says who is behind a reference.
type Learners interface {
	// Learner returns one learner or visitor. Errors: CodeNotFound.
	Learner(ctx context.Context, ref lectern.LearnerRef) (lectern.Learner, error)
}

// Rules is where rules are kept; settings.Service is one.
type Rules interface {
	// AddRule adds a rule to the settings in use, in place of the one with its id.
	AddRule(ctx context.Context, rule rerank.Rule, c settings.Change) (settings.Result, error)
}

var _ Rules = (*settings.Service)(nil)

// Options wire a Service.
type Options struct {
	Store    lectern.FeedbackStore
	Rankings Rankings
	Courses  Courses
	Learners Learners
	Rules    Rules // nil: no rules can be made
	Clock    lectern.Clock
	Random   io.Reader // of ids
}

// Service takes feedback and reports. It is safe for concurrent use.
type Service struct{ o Options }

// New returns a service.
func New(o Options) *Service { return &Service{o: o} }

// The bounds of what may be said.
const (
	DefaultDays     = 30    // that "not now" holds when nobody says
	MaxDays         = 3_650 // that it may hold
	MaxCommentChars = 2_000
	idBytes         = 16
)

// Say stores what somebody says about a suggestion and returns it as it is stored;
// created is false where the same was stored under the same id before. Errors:
// CodeInvalid naming every field at fault; CodeNotFound where all that is wrong is that
// nobody knows the course; CodeConflict for an id that somebody else's feedback has, or
// their own of another kind or about another course; and those of the stores.
func (s *Service) Say(ctx context.Context, ref lectern.LearnerRef, g Given) (f lectern.Feedback, created bool, err error) {
	bad := g.Faults()
	list, missing, err := s.look(ctx, ref, g, &bad)
	if err != nil {
		return lectern.Feedback{}, false, err
	}
	switch {
	case len(bad) > 0:
		return lectern.Feedback{}, false, lectern.Invalid("the feedback is not as described", bad...)
	case missing:
		return lectern.Feedback{}, false, &lectern.Error{
			Code: lectern.CodeNotFound, Message: fmt.Sprintf("there is no course %q", g.CourseID),
			Fields: []lectern.FieldError{unknownCourse(g.CourseID)},
		}
	}
	now := lectern.Timestamp(s.o.Clock())
	if g.ID != "" {
		before, found, err := s.find(ctx, ref, g.ID)
		if err != nil || found && g.says(before) {
			return before, false, err
		}
		if found && (before.Kind != g.Kind || before.CourseID != g.CourseID) {
			return lectern.Feedback{}, false, otherFeedback(before)
		}
	} else if g.ID, err = s.newID(); err != nil {
		return lectern.Feedback{}, false, err
	}
	f = g.feedback(now)
	list.explain(&f)
	if _, err := s.o.Store.PutFeedback(ctx, ref, f); err != nil {
		return lectern.Feedback{}, false, err
	}
	return f, true, nil
}

// otherFeedback refuses an id under which the same person said something else.
func otherFeedback(before lectern.Feedback) error {
	stored := fmt.Sprintf("%s about %q", before.Kind, before.CourseID)
	return &lectern.Error{
		Code: lectern.CodeConflict, Message: fmt.Sprintf("the id %q stands for other feedback: %s", before.ID, stored),
		Fields: []lectern.FieldError{lectern.NewFieldError("id", before.ID, "stands for "+stored, "an id of its own, or none")},
	}
}

func (s *Service) newID() (string, error) {
	b := make([]byte, idBytes)
	if _, err := io.ReadFull(s.o.Random, b); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// find returns what somebody said under an id.
func (s *Service) find(ctx context.Context, ref lectern.LearnerRef, id string) (lectern.Feedback, bool, error) {
	said, err := s.o.Store.Feedback(ctx, ref)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return lectern.Feedback{}, false, nil
	}
	if err != nil {
		return lectern.Feedback{}, false, err
	}
	for _, f := range said {
		if f.ID == id {
			return f, true, nil
		}
	}
	return lectern.Feedback{}, false, nil
}

// Said returns all that somebody said and did not take back, newest first; what no
// longer holds has lapsed, or has been followed by something else about the course.
// Errors: CodeNotFound.
func (s *Service) Said(ctx context.Context, ref lectern.LearnerRef) ([]Said, error) {
	all, err := s.o.Store.Feedback(ctx, ref)
	if err != nil {
		return nil, err
	}
	holds := make(map[string]bool)
	for _, f := range lectern.HoldingFeedback(all, s.o.Clock()) {
		holds[f.ID] = true
	}
	out := make([]Said, len(all))
	for i, f := range all {
		out[i] = Said{Feedback: f, Holds: holds[f.ID]}
	}
	return out, nil
}

// Said is one thing that somebody said.
type Said struct {
	lectern.Feedback
	Holds bool // it counts in lists
}

// TakeBack undoes what was said. Errors: CodeNotFound.
func (s *Service) TakeBack(ctx context.Context, ref lectern.LearnerRef, id string) error {
	return s.o.Store.DeleteFeedback(ctx, ref, id)
}

// day is the unit of how long "not now" holds.
const day = 24 * time.Hour
