package qdrant

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"

	"github.com/lectern-dev/lectern"
)

// Call is what Options.Observe is told of each call.
type Call struct {
	Operation string        // for example "search" or "write points"
	Took      time.Duration // tries and waits included
	Tries     int           // 0 when the breaker let none through
	Err       error
}

// fairWait is how long a caller must have been ready to wait before its own deadline
// counts as Qdrant's failure: one that gives less says nothing about the server.
const fairWait = 100 * time.Millisecond

// readTries bounds the tries of a search, which has one deadline for all.
const readTries = 3

// caller makes calls with deadlines, tries again, and keeps the breaker.
type caller struct {
	cfg     Config
	log     *slog.Logger
	observe func(Call)
	breaker *gobreaker.CircuitBreaker[struct{}]
}

// gaveUp marks an error that came of the caller's impatience.
type gaveUp struct{ error }

func (e gaveUp) Unwrap() error { return e.error }

func newCaller(cfg Config, log *slog.Logger, observe func(Call), onBreaker func(state string)) *caller {
	c := &caller{cfg: cfg, log: log, observe: observe}
	c.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:    "qdrant",
		Timeout: cfg.BreakerOpen,
		ReadyToTrip: func(n gobreaker.Counts) bool {
			return n.ConsecutiveFailures >= uint32(cfg.BreakerFailures)
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			log.Warn("qdrant breaker", "from", from.String(), "to", to.String())
			if onBreaker != nil {
				onBreaker(to.String())
			}
		},
		IsSuccessful: func(err error) bool { return err == nil || !outage(err) },
		IsExcluded: func(err error) bool {
			_, ok := errors.AsType[gaveUp](err)
			return ok
		},
	})
	return c
}

// read asks Qdrant something on behalf of a search: through the breaker, with
// one deadline for all tries. It returns errors of Lectern.
func read[T any](ctx context.Context, c *caller, op, collection string, f func(context.Context) (T, error)) (T, error) {
	var out T
	if err := checkContext(ctx); err != nil {
		return out, err
	}
	start, tries := time.Now(), 0
	_, err := c.breaker.Execute(func() (struct{}, error) {
		within, cancel := context.WithTimeout(ctx, c.cfg.SearchTimeout)
		defer cancel()
		var err error
		out, err = again(within, c, op, min(readTries, c.cfg.Retries+1), func() (T, error) {
			tries++
			return f(within)
		})
		if err != nil && impatient(ctx, start) {
			err = gaveUp{err}
		}
		return struct{}{}, err
	})
	err = wrap(ctx, op, collection, err)
	c.done(Call{Operation: op, Took: time.Since(start), Tries: tries, Err: err})
	return out, err
}

// impatient reports whether a call ended because its caller left, or gave it too
// little time to begin with. What it gave counts, and not how late a busy machine
// noticed that it was over.
func impatient(ctx context.Context, start time.Time) bool {
	err := ctx.Err()
	if err == nil || errors.Is(err, context.Canceled) {
		return err != nil
	}
	end, ok := ctx.Deadline()
	return ok && end.Sub(start) < fairWait
}

// write makes a call that may be repeated without harm, with a deadline for each
// try; it neither asks the breaker nor tells it, so that it rides out a restart
// that searches do not wait for. It returns errors of Lectern.
func write[T any](ctx context.Context, c *caller, op, collection string, timeout time.Duration, f func(context.Context) (T, error)) (T, error) {
	var none T
	if err := checkContext(ctx); err != nil {
		return none, err
	}
	start, tries := time.Now(), 0
	out, err := again(ctx, c, op, c.cfg.Retries+1, func() (T, error) {
		tries++
		within, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return f(within)
	})
	err = wrap(ctx, op, collection, err)
	c.done(Call{Operation: op, Took: time.Since(start), Tries: tries, Err: err})
	return out, err
}

func (c *caller) done(call Call) {
	if c.observe != nil {
		c.observe(call)
	}
}

// again tries f until it works, fails for good, or has been tried so often. The
// error is that of the last try.
func again[T any](ctx context.Context, c *caller, op string, tries int, f func() (T, error)) (T, error) {
	var last error
	wait := &backoff.ExponentialBackOff{
		InitialInterval:     c.cfg.RetryWait,
		RandomizationFactor: 0.5,
		Multiplier:          2,
		MaxInterval:         c.cfg.RetryMaxWait,
	}
	out, err := backoff.Retry(ctx, func() (T, error) {
		var out T
		out, last = f()
		switch {
		case last == nil:
			return out, nil
		case !retryable(last):
			return out, backoff.Permanent(last)
		}
		if after := retryAfter(last); after > 0 {
			return out, &backoff.RetryAfterError{Duration: min(after, c.cfg.RetryMaxWait)}
		}
		return out, last
	},
		backoff.WithBackOff(wait),
		backoff.WithMaxTries(uint(max(1, tries))),
		backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(_ error, after time.Duration) {
			c.log.Warn("qdrant call failed, will try again", "operation", op, "after", after, "error", last)
		}))
	if err == nil {
		return out, nil
	}
	return out, last
}

// BreakerState says whether searches are let through: closed, open or half-open.
func (x *Indexes) BreakerState() string { return x.call.breaker.State().String() }

// checkContext returns the error of a context that is done.
func checkContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return lectern.Errorf(lectern.CodeDeadline, "out of time: %w", err)
		}
		return err
	}
	return nil
}
