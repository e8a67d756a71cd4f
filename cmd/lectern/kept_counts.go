package main

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// kindExploreCounts is the kind of artefact that holds what exploration has shown.
const kindExploreCounts = "explore_counts"

// countShelf keeps what exploration has shown in the store.
type countShelf struct{ store lectern.ArtefactStore }

var _ explore.Shelf = countShelf{}

// Counts implements explore.Shelf.
func (s countShelf) Counts(ctx context.Context) ([]byte, error) {
	list, err := s.store.Artefacts(ctx, kindExploreCounts)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	body, err := s.store.ArtefactBody(ctx, kindExploreCounts, list[0].Version)
	if lectern.ErrorCode(err) == lectern.CodeNotFound && ctx.Err() == nil { // a newer one took its place meanwhile
		if list, err = s.store.Artefacts(ctx, kindExploreCounts); err == nil && len(list) > 0 {
			body, err = s.store.ArtefactBody(ctx, kindExploreCounts, list[0].Version)
		}
	}
	return body, err
}

// KeepCounts implements explore.Shelf.
func (s countShelf) KeepCounts(ctx context.Context, body []byte) error {
	if _, err := s.store.PutArtefact(ctx, lectern.Artefact{Kind: kindExploreCounts, CreatedAt: lectern.SystemClock()}, body); err != nil {
		return err
	}
	_, err := s.store.PruneArtefacts(ctx, kindExploreCounts, 1)
	return err
}
