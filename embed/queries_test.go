package embed_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed"
)

// slow answers each query after a second, or fails.
type slow struct {
	lectern.Embedder
	calls [][]string
	err   error
}

func (s *slow) Embed(ctx context.Context, _ lectern.EmbedKind, texts []string) ([][]float32, error) {
	s.calls = append(s.calls, texts)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = []float32{float32(len(t)), 1}
	}
	return out, s.err
}

func TestEqualQueriesAreEmbeddedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &slow{}
		c := embed.Cached(inner, nil)
		query := func(texts ...string) {
			got, err := c.Embed(t.Context(), lectern.EmbedQuery, texts)
			if err != nil {
				t.Errorf("Embed: %v", err)
				return
			}
			for i, text := range texts {
				if diff := cmp.Diff([]float32{float32(len(text)), 1}, got[i]); diff != "" {
					t.Errorf("%q (-want +got):\n%s", text, diff)
				}
				clear(got[i]) // each caller owns its vectors
			}
		}
		for range 10 {
			go query("law")
		}
		synctest.Wait()
		query("bread", "law", "bread")
		query("bread")
		if diff := cmp.Diff([][]string{{"law"}, {"bread"}}, inner.calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		synctest.Wait()
		if diff := cmp.Diff(embed.QueryStats{Kept: 1, Shared: 11, Asked: 2}, c.QueryStats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
	})
}

func TestALeavingCallerFailsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &slow{}
		c := embed.Cached(inner, nil)
		first, leave := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer leave()
		failed := make(chan error, 1)
		go func() {
			_, err := c.Embed(first, lectern.EmbedQuery, []string{"law"})
			failed <- err
		}()
		synctest.Wait()
		if _, err := c.Embed(t.Context(), lectern.EmbedQuery, []string{"law"}); err != nil {
			t.Errorf("the one who stayed: %v", err)
		}
		if err := <-failed; lectern.ErrorCode(err) != lectern.CodeDeadline || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the one who left: %v", err)
		}
		if len(inner.calls) != 1 {
			t.Errorf("%d calls", len(inner.calls))
		}
		if _, err := c.Embed(first, lectern.EmbedQuery, []string{"law"}); lectern.ErrorCode(err) != lectern.CodeDeadline {
			t.Errorf("with an ended context: %v", err)
		}
	})
}

func TestFailedQueriesAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &slow{err: errors.New("away")}
		c := embed.Cached(inner, nil)
		for range 2 {
			if _, err := c.Embed(t.Context(), lectern.EmbedQuery, []string{"law"}); !errors.Is(err, inner.err) {
				t.Errorf("error = %v", err)
			}
		}
		inner.err = nil
		if _, err := c.Embed(t.Context(), lectern.EmbedQuery, []string{"law"}); err != nil {
			t.Errorf("well again: %v", err)
		}
		if len(inner.calls) != 3 {
			t.Errorf("%d calls, want one for each query", len(inner.calls))
		}
	})
}

func TestACacheOfNoQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &slow{}
		c := embed.Cached(inner, nil).KeepQueries(0)
		for range 2 {
			if _, err := c.Embed(t.Context(), lectern.EmbedQuery, []string{"law"}); err != nil {
				t.Fatal(err)
			}
		}
		if len(inner.calls) != 2 {
			t.Errorf("%d calls", len(inner.calls))
		}
	})
}

// broken panics at each call.
type broken struct{ lectern.Embedder }

func (broken) Embed(context.Context, lectern.EmbedKind, []string) ([][]float32, error) {
	panic("out of bounds")
}

func TestAPanicIsAnError(t *testing.T) {
	c := embed.Cached(broken{}, nil)
	if _, err := c.Embed(t.Context(), lectern.EmbedQuery, []string{"law"}); lectern.ErrorCode(err) != lectern.CodeInternal {
		t.Errorf("error = %v", err)
	}
}
