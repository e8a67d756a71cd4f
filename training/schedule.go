package training

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// Schedule trains when it is time. It is one process's: the leader's.
type Schedule struct {
	trainer *Trainer
	// count returns how many events the store has.
	count func(ctx context.Context) (int64, error)

	mu        sync.Mutex
	notBefore time.Time // of the next attempt, after one that came to nothing
}

// NewSchedule returns what trains by itself. count returns how many events the
// store has: with fewer than training.min_events nothing is tried.
func NewSchedule(t *Trainer, count func(ctx context.Context) (int64, error)) *Schedule {
	return &Schedule{trainer: t, count: count}
}

// CheckEvery is how often a Schedule should be asked.
const CheckEvery = 10 * time.Second

// Check trains if it is time: some time after the last training, or when there has
// been none and there is enough to learn from. It reports whether it has trained.
func (s *Schedule) Check(ctx context.Context) (trained bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.trainer
	c := t.o.Config
	now := t.o.Clock()
	if !c.Enabled || now.Before(s.notBefore) {
		return false, nil
	}
	reason, err := s.due(ctx, now)
	if reason == "" || err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	_, err = t.Train(ctx, Run{Reason: reason})
	switch {
	case err == nil:
		return true, nil
	case lectern.ErrorCode(err) == lectern.CodeConflict && ctx.Err() == nil:
		return false, nil // another process is at it
	}
	s.notBefore = t.o.Clock().Add(c.Retry)
	if errors.Is(err, ErrTooLittle) {
		return false, nil
	}
	return false, err
}

// due says why it is time to train, "" if it is not.
func (s *Schedule) due(ctx context.Context, now time.Time) (string, error) {
	t := s.trainer
	versions, err := t.Versions(ctx)
	if err != nil {
		return "", err
	}
	reason := "there is no model"
	if len(versions) > 0 {
		age := now.Sub(versions[0].CreatedAt)
		if age < t.o.Config.Every {
			return "", nil
		}
		reason = fmt.Sprintf("the last training was %s ago", age.Round(time.Minute))
	}
	n, err := s.count(ctx)
	if err != nil {
		return "", fmt.Errorf("count events to learn from: %w", err)
	}
	if n < int64(t.o.Config.MinEvents) {
		s.notBefore = now.Add(min(t.o.Config.Retry, time.Minute))
		return "", nil
	}
	return reason, nil
}
