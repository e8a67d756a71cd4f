package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/indexing"
)

// wordsReady is the part of readiness that search by words needs.
func wordsReady(p *indexing.Pipeline) func(context.Context) error {
	return func(context.Context) error {
		if r := p.Ready(); !r.WordsReady() {
			return fmt.Errorf("%d of %d courses can be found by their words", r.Words, r.Total)
		}
		return nil
	}
}

// vectorsReady never holds a replica back for good: without an embedder words
// answer, and lists say that they are degraded. It waits only while vectors that
// the store already has are being read.
func vectorsReady(p *indexing.Pipeline) func(context.Context) error {
	return func(context.Context) error {
		if r := p.Ready(); !r.Scanned {
			return fmt.Errorf("%d of %d courses have been read", r.Courses, r.Total)
		}
		return nil
	}
}

// reindexer runs one reindex at a time in the background.
type reindexer struct {
	background context.Context // of the process, which a run must not outlive
	pipeline   *indexing.Pipeline

	mu     sync.Mutex
	status api.ReindexStatus
}

var _ api.Reindexer = (*reindexer)(nil)

func newReindexer(background context.Context, p *indexing.Pipeline) *reindexer {
	return &reindexer{background: background, pipeline: p, status: api.ReindexStatus{State: api.ReindexIdle}}
}

// StartReindex implements api.Reindexer.
func (r *reindexer) StartReindex(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.State == api.ReindexRunning {
		return lectern.Errorf(lectern.CodeConflict, "a reindex is under way: %d of %d courses", r.status.Done, r.status.Total)
	}
	now := lectern.SystemClock()
	r.status = api.ReindexStatus{State: api.ReindexRunning, Phase: "training", StartedAt: &now}
	go r.reindex() // ends with the process's context
	return nil
}

func (r *reindexer) reindex() {
	err := r.pipeline.Reindex(r.background, "", func(stage indexing.Stage, done, total int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.status.Phase, r.status.Done, r.status.Total = string(stage), int64(done), int64(total)
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	now := lectern.SystemClock()
	r.status.FinishedAt = &now
	r.status.State, r.status.Phase = api.ReindexDone, ""
	if err != nil {
		r.status.State, r.status.Detail = api.ReindexFailed, err.Error()
	}
}

// ReindexStatus implements api.Reindexer.
func (r *reindexer) ReindexStatus(context.Context) (api.ReindexStatus, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status, nil
}
