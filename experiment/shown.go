package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/stats"
	"github.com/lectern-dev/lectern/internal/lease"
)

// LeaseName is the lease under which one process among all looks at the experiments.
const LeaseName = "experiments"

// lookEvery is how often it is asked whether a day has begun without a look.
const lookEvery = 10 * time.Minute

// shown is what all looks at an experiment have shown, as it is stored.
type shown struct {
	stats.Shown
	Looked int `json:"looked"` // day of the experiment of the latest daily look
}

// RunLooks looks at every running experiment once a day while this process leads, until
// ctx ends: an always-valid verdict is one at whichever look it was reached, also when
// nobody asked on that day.
func (s *Service) RunLooks(ctx context.Context, l *lease.Lease) error {
	done := make(chan struct{})
	go func() { // ends with ctx
		defer close(done)
		if err := l.Run(ctx); err != nil {
			s.o.Logger.WarnContext(ctx, "the lease of experiments", slog.Any("err", err))
		}
	}()
	defer func() { <-done }()
	l.While(ctx, func(ctx context.Context) {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			if err := s.NoteHoldout(ctx); err != nil && ctx.Err() == nil {
				s.o.Logger.WarnContext(ctx, "since when the holdout is as it is could not be noted", slog.Any("err", err))
			}
			if err := s.LookAtResults(ctx); err != nil && ctx.Err() == nil {
				s.o.Logger.WarnContext(ctx, "an experiment could not be looked at today", slog.Any("err", err))
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return nil
}

// LookAtResults looks at every running experiment that nobody has looked at on this day,
// and keeps what is shown.
func (s *Service) LookAtResults(ctx context.Context) error {
	all, _, err := s.all(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, x := range all {
		if x.State != lectern.ExperimentRunning || x.Plan == nil {
			continue
		}
		before, _, err := s.shown(ctx, x.ID)
		if err == nil && before.Looked < s.dayOf(x) {
			_, err = s.results(ctx, x, true)
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("experiment %s: %w", x.ID, err)
		}
	}
	return failed
}

// dayOf is the day of an experiment, from 1: today, or when it was stopped.
func (s *Service) dayOf(x *stored) int { return s.o.Day(s.end(x)) - s.o.Day(x.Plan.StartedAt) + 1 }

func (s *Service) end(x *stored) time.Time {
	if x.Outcome != nil {
		return x.Outcome.StoppedAt
	}
	return s.o.Clock()
}

// shown reads what the looks so far have shown.
func (s *Service) shown(ctx context.Context, id string) (out shown, revision int64, err error) {
	l, err := s.o.Looks.ExperimentLook(ctx, id)
	if err != nil {
		return out, 0, fmt.Errorf("read what looks have shown: %w", err)
	}
	if l.Revision > 0 {
		if err := json.Unmarshal(l.Body, &out); err != nil {
			return out, 0, fmt.Errorf("read what looks have shown: %w", err)
		}
	}
	return out, l.Revision, nil
}

// keep adds a look to those before and returns the verdict of all of them. What is new is
// stored; daily says that this is the look of its day. Where it cannot be stored, the
// verdict is right all the same, and the next look stores it.
func (s *Service) keep(ctx context.Context, x *stored, daily bool, add func(sh *stats.Shown, day int) stats.Verdict) (stats.Verdict, error) {
	day := s.dayOf(x)
	for try := 1; ; try++ {
		sh, revision, err := s.shown(ctx, x.ID)
		if err != nil {
			return stats.Verdict{}, err
		}
		before, err := json.Marshal(sh)
		if err != nil {
			return stats.Verdict{}, err
		}
		v := add(&sh.Shown, day)
		if daily {
			sh.Looked = max(sh.Looked, day)
		}
		body, err := json.Marshal(sh)
		if err != nil {
			return stats.Verdict{}, err
		}
		if v.Day > 0 {
			v.Date = date(s.o.Day(x.Plan.StartedAt) + v.Day - 1)
		}
		if string(before) == string(body) {
			return v, nil
		}
		err = s.o.Looks.PutExperimentLook(ctx, lectern.ExperimentLook{Experiment: x.ID, Revision: revision, Body: body, At: lectern.Timestamp(s.o.Clock())})
		if lectern.ErrorCode(err) == lectern.CodePrecondition && try < tries {
			continue // somebody else looked
		}
		if err != nil {
			s.o.Logger.WarnContext(ctx, "what a look at an experiment has shown is not stored yet", "experiment", x.ID, "error", err)
		}
		return v, nil
	}
}

func date(day int) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }
