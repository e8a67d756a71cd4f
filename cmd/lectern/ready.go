package main

import (
	"context"
	"fmt"

	"github.com/lectern-dev/lectern/indexing"
)

// wordsReady is the part of readiness that search by words needs.
func wordsReady(p *indexing.Pipeline) func(context.Context) error {
	return func(context.Context) error {
		r := p.Ready()
		if r.Scanned && !r.Open {
			return fmt.Errorf("the shared index has not been made yet, or has not been reached")
		}
		if !r.WordsReady() {
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
