package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/store/sqlite"
)

func TestPackProgress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stage := rapid.SampledFrom(stages()).Draw(t, "stage")
		done, total := rapid.IntRange(0, 1<<countBits-1).Draw(t, "done"), rapid.IntRange(0, 1<<countBits-1).Draw(t, "total")
		n := packProgress(stage, done, total)
		if s, d, all := unpackProgress(n); n < 0 || s != stage || int(d) != done || int(all) != total {
			t.Errorf("%s %d of %d came back as %s %d of %d", stage, done, total, s, d, all)
		}
	})
}

// testEngine is an engine on a new data folder. Nothing of it runs.
func testEngine(t *testing.T) *engine {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(t.Context(), environment{config: DefaultConfig(), log: slog.New(slog.NewTextHandler(io.Discard, nil)), store: store})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.close(context.Background()) })
	return e
}

// What another process runs is refused here and shown with its progress.
func TestReindexElsewhere(t *testing.T) {
	e := testEngine(t)
	ctx := t.Context()
	r := newReindexer(ctx, e)
	status := func() api.ReindexStatus {
		t.Helper()
		s, err := r.ReindexStatus(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := status(); s.State != api.ReindexIdle {
		t.Fatalf("at first: %+v", s)
	}
	if held, err := e.store.AcquireLease(ctx, indexing.LeaseReindex, "other", time.Minute); err != nil || !held {
		t.Fatal(held, err)
	}
	elsewhere := progressBoard{store: e.store}
	err := elsewhere.during(ctx, func(tell indexing.Progress) error {
		tell(indexing.StageEmbedding, 3, 10)
		if s := status(); s.State != api.ReindexRunning || s.Process != "other" || s.Phase != "embedding" || s.Done != 3 || s.Total != 10 || s.StartedAt == nil {
			t.Errorf("while it runs: %+v", s)
		}
		if err := r.StartReindex(ctx, api.ReindexRequest{}); lectern.ErrorCode(err) != lectern.CodeConflict {
			t.Errorf("a second one: %v", err)
		}
		return errors.New("no space")
	})
	if err == nil {
		t.Fatal("the error is lost")
	}
	if err := e.store.ReleaseLease(ctx, indexing.LeaseReindex, "other"); err != nil {
		t.Fatal(err)
	}
	if s := status(); s.State != api.ReindexFailed || s.FinishedAt == nil || s.Detail == "" {
		t.Errorf("after it failed: %+v", s)
	}
	for request, code := range map[api.ReindexRequest]lectern.Code{
		{Rollback: true}: lectern.CodeNotFound, {Generation: 3}: lectern.CodeNotFound, {Embedder: "x"}: lectern.CodeInvalid,
	} {
		if err := r.StartReindex(ctx, request); lectern.ErrorCode(err) != code {
			t.Errorf("%+v: %v, want %s", request, err, code)
		}
	}
	// With nothing to learn from, a run of our own fails, and says so.
	if err := r.StartReindex(ctx, api.ReindexRequest{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the end of our own", func() bool { return status().State != api.ReindexRunning })
	if s := status(); s.State != api.ReindexFailed || s.Process != e.holder || s.Detail != "there is no course to learn from" {
		t.Errorf("after our own: %+v", s)
	}
}
