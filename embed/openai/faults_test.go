package openai_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/openai"
	"github.com/lectern-dev/lectern/embed/openai/openaitest"
)

// TestFaults is the table of what a caller sees, what is retried and what is
// counted, for documents and for queries.
func TestFaults(t *testing.T) {
	tests := []struct {
		name    string
		fault   openaitest.Fault
		outcome openai.Outcome
		code    lectern.Code
		says    string // in the error's message
		// attempts while the fault lasts: of documents, with 2 retries, and of a query
		documents, query int
	}{
		{"wrong dimension", openaitest.Dimension(7), openai.OutcomeDimension, lectern.CodeUnavailable, "7 dimensions where 16 are expected", 1, 1},
		{"null for NaN", openaitest.Number(nil), openai.OutcomeBadAnswer, lectern.CodeUnavailable, "null in place of a number", 3, 2},
		{"NaN as a string", openaitest.Number("NaN"), openai.OutcomeBadAnswer, lectern.CodeUnavailable, "not usable", 3, 2},
		{"a number beyond float32", openaitest.Number(1e300), openai.OutcomeBadAnswer, lectern.CodeUnavailable, "not usable", 3, 2},
		{"zero vector", openaitest.Zero(), openai.OutcomeBadAnswer, lectern.CodeUnavailable, "without a direction for text 2", 3, 2},
		{"half a batch", openaitest.Half(), openai.OutcomeBadAnswer, lectern.CodeUnavailable, "1 vectors for 3 texts", 3, 2},
		{"one index twice", openaitest.Twice(), openai.OutcomeBadAnswer, lectern.CodeUnavailable, "two vectors for text 0", 3, 2},
		{"garbage", openaitest.Garbage(), openai.OutcomeBadAnswer, lectern.CodeUnavailable, "not usable", 3, 2},
		{"answer breaks off", openaitest.BreakOff(), openai.OutcomeConnection, lectern.CodeUnavailable, "hung up", 3, 2},
		{"no answer at all", openaitest.Drop(), openai.OutcomeConnection, lectern.CodeUnavailable, "cannot be reached", 3, 2},
		{"hangs", openaitest.Hang(), openai.OutcomeTimeout, lectern.CodeDeadline, "did not answer within", 3, 1},
		{"429", openaitest.RateLimited(""), openai.OutcomeRateLimited, lectern.CodeUnavailable, "limits the rate (429)", 3, 1},
		{"429 with Retry-After", openaitest.RateLimited("2"), openai.OutcomeRateLimited, lectern.CodeUnavailable, "asks to wait 2s", 3, 1},
		{"429 with a long Retry-After", openaitest.RateLimited("3600"), openai.OutcomeRateLimited, lectern.CodeUnavailable, "asks to wait 1h0m0s", 1, 1},
		{"429 for good", openaitest.Refusal(429, "insufficient_quota"), openai.OutcomeUnauthorised, lectern.CodeUnavailable, "billing", 1, 1},
		{"500", openaitest.Status(500), openai.OutcomeServerError, lectern.CodeUnavailable, "failed (500)", 3, 2},
		{"503", openaitest.Status(503), openai.OutcomeServerError, lectern.CodeUnavailable, "failed (503)", 3, 2},
		{"408", openaitest.Status(408), openai.OutcomeServerError, lectern.CodeUnavailable, "failed (408)", 3, 2},
		{"400", openaitest.Status(400), openai.OutcomeRefused, lectern.CodeUnavailable, "check embed.openai.model", 1, 1},
		{"401", openaitest.Status(401), openai.OutcomeUnauthorised, lectern.CodeUnavailable, "set embed.openai.api_key", 1, 1},
		{"403", openaitest.Status(403), openai.OutcomeUnauthorised, lectern.CodeUnavailable, "denies access", 1, 1},
		{"404", openaitest.Status(404), openai.OutcomeNotFound, lectern.CodeUnavailable, "check embed.openai.model", 1, 1},
		{"redirect", openaitest.Status(302), openai.OutcomeRefused, lectern.CodeUnavailable, "set embed.openai.base_url", 1, 1},
	}
	for _, tt := range tests {
		for _, kind := range []lectern.EmbedKind{lectern.EmbedDocument, lectern.EmbedQuery} {
			t.Run(tt.name+[]string{", documents", ", queries"}[kind], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := stub()
					s.Always(tt.fault)
					e := embedder(t, s, func(c *openai.Config) { c.Retries, c.Breaker.Failures = 2, 100 })
					start := time.Now()
					got, err := e.Embed(t.Context(), kind, []string{"one", "two", "three"})
					if got != nil || lectern.ErrorCode(err) != tt.code || openai.OutcomeOf(err) != tt.outcome || !strings.Contains(err.Error(), tt.says) {
						t.Errorf("got %v, outcome %q, error %v", got, openai.OutcomeOf(err), err)
					}
					if took := time.Since(start); kind == lectern.EmbedQuery && took > 500*time.Millisecond {
						t.Errorf("the query took %v", took)
					}
					want := tt.documents
					if kind == lectern.EmbedQuery {
						want = tt.query
					}
					st := e.Stats()
					if n := len(s.Requests()); n != want || st.Requests[tt.outcome] != uint64(want) || st.Retries != uint64(want-1) || st.InFlight != 0 {
						t.Errorf("%d requests, want %d; stats %+v", n, want, st)
					}

					s.Always(nil) // and then all is well again
					if _, err := e.Embed(t.Context(), kind, []string{"one"}); err != nil {
						t.Errorf("after the fault: %v", err)
					}
				})
			})
		}
	}
}

func TestRetriesSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub()
		s.Script(openaitest.Status(500), openaitest.Half(), openaitest.Drop(), openaitest.Garbage(), openaitest.Reordered())
		e := embedder(t, s, nil)
		start := time.Now()
		got := documents(t, e, "one", "two")
		if diff := cmp.Diff([][]float32{unit("one"), unit("two")}, got); diff != "" {
			t.Errorf("vectors (-want +got):\n%s", diff)
		}
		// Waits of 250, 500, 1000 and 2000 ms, give or take a half.
		if took := time.Since(start); took < 3750*time.Millisecond/2 || took > 3750*time.Millisecond*3/2 {
			t.Errorf("four retries took %v", took)
		}
		if st := e.Stats(); st.Retries != 4 || st.Documents != 2 || st.Requests[openai.OutcomeOK] != 1 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, asked := range map[string]func() string{
			"seconds": func() string { return "7" },
			"a date":  func() string { return time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat) },
		} {
			s := stub()
			s.Script(openaitest.RateLimited(asked()))
			start := time.Now()
			documents(t, embedder(t, s, nil), "one")
			if took := time.Since(start); took != 7*time.Second {
				t.Errorf("%s: waited %v where 7 s were asked for", name, took)
			}
		}
	})
}

func TestNoWaitBeyondTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub()
		s.Always(openaitest.RateLimited("20"))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err := embedder(t, s, nil).Embed(ctx, lectern.EmbedDocument, []string{"one"})
		if openai.OutcomeOf(err) != openai.OutcomeRateLimited || time.Since(start) != 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestACallerMayGoAway(t *testing.T) {
	for name, fault := range map[string]openaitest.Fault{"in a request": openaitest.Hang(), "between two": openaitest.RateLimited("20")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stub()
				s.Always(fault)
				e := embedder(t, s, func(c *openai.Config) { c.Breaker.Failures = 1 })
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				_, err := e.Embed(ctx, lectern.EmbedDocument, []string{"one"})
				if lectern.ErrorCode(err) != lectern.CodeDeadline || !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
				if st := e.Stats(); st.Breaker != "closed" {
					t.Errorf("the breaker is %s: a caller who leaves is not the server's failure", st.Breaker)
				}
			})
		})
	}
}

func TestSlowServersDoNotHoldQueriesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub()
		s.Always(openaitest.Slow(3 * time.Second))
		e := embedder(t, s, nil)
		for name, tt := range map[string]struct{ budget, want time.Duration }{
			"its own limit":    {time.Minute, 500 * time.Millisecond},
			"the caller's own": {200 * time.Millisecond, 200 * time.Millisecond},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), tt.budget)
			start := time.Now()
			_, err := e.Embed(ctx, lectern.EmbedQuery, []string{"one"})
			if took := time.Since(start); lectern.ErrorCode(err) != lectern.CodeDeadline || took != tt.want {
				t.Errorf("%s: after %v: %v", name, took, err)
			}
			cancel()
		}
		documents(t, e, "documents have time")
	})
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub()
		s.Always(openaitest.Hang())
		e := embedder(t, s, func(c *openai.Config) { c.Breaker = openai.BreakerConfig{Failures: 3, Open: 10 * time.Second} })
		query := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // as search does
			defer cancel()
			_, err := e.Embed(ctx, lectern.EmbedQuery, []string{"one"})
			return err
		}
		for range 3 {
			if err := query(); lectern.ErrorCode(err) != lectern.CodeDeadline {
				t.Fatalf("error = %v", err)
			}
		}
		start := time.Now()
		if err := query(); lectern.ErrorCode(err) != lectern.CodeUnavailable || openai.OutcomeOf(err) != openai.OutcomeSpared ||
			!strings.Contains(err.Error(), "did not answer within 200ms") {
			t.Errorf("open: %v", err)
		}
		if _, err := e.Embed(t.Context(), lectern.EmbedDocument, []string{"one"}); openai.OutcomeOf(err) != openai.OutcomeSpared {
			t.Errorf("documents are sent while the breaker is open: %v", err)
		}
		if time.Since(start) != 0 || len(s.Requests()) != 3 {
			t.Errorf("%d requests, %v while open", len(s.Requests()), time.Since(start))
		}
		time.Sleep(11 * time.Second)
		if err := query(); lectern.ErrorCode(err) != lectern.CodeDeadline { // tried, and open again
			t.Errorf("half open: %v", err)
		}
		s.Always(nil)
		if err := query(); openai.OutcomeOf(err) != openai.OutcomeSpared {
			t.Errorf("open again: %v", err)
		}
		time.Sleep(11 * time.Second)
		if err := query(); err != nil {
			t.Errorf("well again: %v", err)
		}
		st := e.Stats()
		if st.Breaker != "closed" || st.BreakerOpened != 2 || st.Requests[openai.OutcomeSpared] != 3 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestWhatIsNotTheServersFaultLeavesTheBreakerClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub()
		e := embedder(t, s, func(c *openai.Config) { c.Breaker.Failures = 1 })
		for _, f := range []openaitest.Fault{openaitest.RateLimited("3600"), openaitest.Status(400), openaitest.Status(401), openaitest.Status(404)} {
			s.Script(f)
			if _, err := e.Embed(t.Context(), lectern.EmbedQuery, []string{"one"}); err == nil {
				t.Error("no error")
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond) // nobody answers so fast
		defer cancel()
		s.Script(openaitest.Hang())
		if _, err := e.Embed(ctx, lectern.EmbedQuery, []string{"one"}); lectern.ErrorCode(err) != lectern.CodeDeadline {
			t.Errorf("error = %v", err)
		}
		if st := e.Stats(); st.Breaker != "closed" {
			t.Errorf("the breaker is %s", st.Breaker)
		}
	})
}

func TestOneFailedBatchFailsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub()
		s.Script(nil, openaitest.Status(400))
		e := embedder(t, s, func(c *openai.Config) { c.BatchTexts, c.Concurrency = 1, 1 })
		got, err := e.Embed(t.Context(), lectern.EmbedDocument, strings.Fields("a b c d"))
		if got != nil || openai.OutcomeOf(err) != openai.OutcomeRefused || len(s.Requests()) != 2 {
			t.Errorf("got %v, error %v after %d requests", got, err, len(s.Requests()))
		}
	})
}

func TestCheckSeesPastTheBreaker(t *testing.T) {
	s := stub()
	s.Script(openaitest.Status(500))
	e := embedder(t, s, func(c *openai.Config) { c.Retries, c.Breaker.Failures = 0, 1 })
	if _, err := e.Embed(t.Context(), lectern.EmbedDocument, []string{"one"}); err == nil {
		t.Fatal("no error")
	}
	if _, err := e.Check(t.Context()); err != nil {
		t.Errorf("check: %v", err)
	}
	s.Script(openaitest.Dimension(7))
	if _, err := e.Check(t.Context()); openai.OutcomeOf(err) != openai.OutcomeDimension {
		t.Errorf("check: %v", err)
	}
}
