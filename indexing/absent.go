package indexing

import (
	"context"

	"github.com/lectern-dev/lectern"
)

// absentIndex stands in for a shared index that has not been made or reached yet.
type absentIndex struct{}

var _ lectern.VectorIndex = absentIndex{}

func errAbsent() error {
	return lectern.Errorf(lectern.CodeUnavailable, "the shared index has not been made yet, or has not been reached")
}

func (absentIndex) Upsert(context.Context, []lectern.Point) error { return errAbsent() }

func (absentIndex) Delete(context.Context, []string) error { return errAbsent() }

func (absentIndex) Search(context.Context, []lectern.VectorQuery) ([][]lectern.Hit, error) {
	return nil, errAbsent()
}

func (absentIndex) Vectors(context.Context, string, []string) ([][]float32, error) {
	return nil, errAbsent()
}

func (absentIndex) Allowed(context.Context, lectern.Filter, []string) ([]bool, error) {
	return nil, errAbsent()
}

func (absentIndex) Stats(context.Context) (lectern.IndexStats, error) {
	return lectern.IndexStats{}, errAbsent()
}
