package main

import (
	"bytes"
	"testing"

	"github.com/lectern-dev/lectern"
)

// TestCountShelf keeps the newest counts, and little more, on both databases.
func TestCountShelf(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL; run without -short")
	}
	deployments(t, func(t *testing.T, d *deployment) {
		d.run("migrate", "up")
		d.withStore(func(store relational) {
			s := countShelf{store}
			if body, err := s.Counts(t.Context()); body != nil || err != nil {
				t.Fatalf("before anything: %v, %v", body, err)
			}
			for i := range byte(5) {
				want := bytes.Repeat([]byte{i}, 2<<20)
				if err := s.KeepCounts(t.Context(), want); err != nil {
					t.Fatal(err)
				}
				if got, err := s.Counts(t.Context()); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes of %d: %v", len(got), len(want), err)
				}
			}
			list, err := store.Artefacts(t.Context(), kindExploreCounts)
			if err != nil || len(list) > 2 {
				t.Errorf("%d are kept: %v", len(list), err)
			}
			if _, err := store.ActiveArtefact(t.Context(), kindExploreCounts); lectern.ErrorCode(err) != lectern.CodeNotFound {
				t.Errorf("one is in use: %v", err)
			}
		})
	})
}
