package openai

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
	goopenai "github.com/sashabaranov/go-openai"
	"github.com/sony/gobreaker/v2"
)

// firstWait is the middle of the wait before the first retry; each further one
// is twice as long, give or take a half.
const firstWait = 250 * time.Millisecond

// tryDocuments sends a request until it succeeds, is refused for good, or the
// retries or the caller's time are used up. It does not wait where the wait would
// outlast the caller's deadline.
func (e *Embedder) tryDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.Multiplier, waits.RandomizationFactor = min(firstWait, e.cfg.RetryMaxWait*2/3), 2, 0.5
	waits.MaxInterval = e.cfg.RetryMaxWait * 2 / 3 // at most RetryMaxWait with its jitter
	var left time.Duration
	if deadline, ok := ctx.Deadline(); ok {
		left = max(time.Until(deadline), 1)
	}
	var last error
	waiting := false
	vectors, err := backoff.Retry(ctx, func() ([][]float32, error) {
		var v [][]float32
		waiting = false
		v, last = e.send(ctx, e.cfg.Timeout, texts)
		f, failed := errors.AsType[*failure](last)
		switch {
		case !failed:
			return v, last
		case !f.retry || f.after > e.cfg.RetryMaxWait:
			return nil, backoff.Permanent(last)
		case f.after > 0:
			return nil, &backoff.RetryAfterError{Duration: f.after}
		}
		return nil, last
	}, backoff.WithBackOff(waits), backoff.WithMaxTries(uint(e.cfg.Retries)+1), backoff.WithMaxElapsedTime(left),
		backoff.WithNotify(func(_ error, wait time.Duration) {
			waiting = true
			e.stats.retried()
			e.log.WarnContext(ctx, "embedding is tried again", "texts", len(texts), "wait", wait, "error", last)
		}))
	switch {
	case err == nil:
		return vectors, nil
	case waiting: // for an attempt that never came
		return nil, ended(ctx.Err())
	}
	return nil, last
}

// tryQuery sends a request once, and a second time where the first failed so
// quickly that half of the query's time is left.
func (e *Embedder) tryQuery(ctx context.Context, start time.Time, texts []string) ([][]float32, error) {
	left := func() time.Duration { return max(e.cfg.QueryTimeout-time.Since(start), 1) }
	vectors, err := e.send(ctx, left(), texts)
	f, failed := errors.AsType[*failure](err)
	if !failed || !f.retry || f.after > 0 || f.outcome == OutcomeRateLimited || left() < e.cfg.QueryTimeout/2 || ctx.Err() != nil {
		return vectors, err
	}
	e.stats.retried()
	return e.send(ctx, left(), texts)
}

// send sends one request if the breaker lets it. Its error is a *failure.
func (e *Embedder) send(ctx context.Context, limit time.Duration, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, ended(err)
	}
	vectors, err := e.breaker.Execute(func() ([][]float32, error) { return e.request(ctx, limit, texts) })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		e.stats.spared()
		return nil, e.spare()
	}
	return vectors, err
}

// request sends one request, reads and counts its answer.
func (e *Embedder) request(caller context.Context, limit time.Duration, texts []string) ([][]float32, error) {
	ctx, cancel := context.WithTimeout(caller, limit)
	defer cancel()
	ctx, x := withExchange(ctx)
	ask := goopenai.EmbeddingRequestStrings{Input: texts, Model: goopenai.EmbeddingModel(e.cfg.Model)}
	if e.cfg.SendDimensions {
		ask.Dimensions = e.cfg.Dimensions
	}
	start := time.Now()
	e.stats.begin()
	res, err := e.client.CreateEmbeddings(ctx, ask)
	var vectors [][]float32
	if err == nil {
		e.stats.billed(max(res.Usage.PromptTokens, res.Usage.TotalTokens))
		vectors, err = read(res.Data, len(texts), e.dim)
	}
	took := time.Since(start)
	if err == nil {
		e.stats.end(OutcomeOK, took)
		return vectors, nil
	}
	f := e.classify(caller, ctx, x, err, took)
	e.stats.end(f.outcome, took)
	if f.blame {
		e.blamed.Store(f)
	}
	return nil, f
}

// breakerSettings make a breaker that opens after so many blameworthy failures in
// a row, and lets one request through at a time once it has been open for long
// enough.
func (e *Embedder) breakerSettings() gobreaker.Settings {
	return gobreaker.Settings{
		Name:        "embed.openai",
		MaxRequests: 1,
		Timeout:     e.cfg.Breaker.Open,
		ReadyToTrip: func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= e.cfg.Breaker.Failures },
		IsExcluded: func(err error) bool { // neither good nor bad
			f, ok := errors.AsType[*failure](err)
			return ok && !f.blame
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				e.stats.opened()
			}
			e.log.Warn("the embedding server's breaker changed", "from", from.String(), "to", to.String())
		},
	}
}

// retryAfter reads how long a server asks to wait: seconds or an HTTP date, and
// the milliseconds that OpenAI sends; 0 when it does not say.
func (e *Embedder) retryAfter(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return duration(ms, time.Millisecond)
	}
	value := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 {
		return duration(s, time.Second)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(e.clock()), 0)
	}
	return 0
}

// longestWait is beyond any wait that is waited for.
const longestWait = 1000 * time.Hour

func duration(n float64, unit time.Duration) time.Duration {
	return time.Duration(min(n*float64(unit), float64(longestWait)))
}
