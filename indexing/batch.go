package indexing

import (
	"context"

	"github.com/lectern-dev/lectern"
)

// Entry is one course as it is now.
type Entry struct {
	Course lectern.Course
	Vector []float32 // of the active embedder; nil while there is none
	Stats  lectern.CourseStats
	// StatsOnly says that nothing but Stats changed; Vector is not filled then.
	StatsOnly bool
}

// Batch is a set of courses that changed. Each id is in it once.
type Batch struct {
	Upserts []Entry // retired courses too: each sink decides whether it keeps them
	Deletes []string
	// Reset says that the batch begins the catalogue anew: what is not in it or
	// in the batches that follow is gone.
	Reset bool
	// Active is the fingerprint of the embedder that made the vectors, "" for none.
	Active string
}

// Sink takes in what changed. Apply is called by one goroutine at a time, in the
// order of the changes; after an error the same batch comes again, so it must
// not matter how often a batch is applied.
type Sink interface {
	Apply(ctx context.Context, b Batch) error
}

// LexicalEncoder makes the sparse side of a course. It is safe for concurrent
// use.
type LexicalEncoder interface {
	// Put counts the course's words in place of those it had, and returns its
	// vector.
	Put(c lectern.Course) lectern.SparseVector
	// DocVector returns the vector without counting.
	DocVector(c lectern.Course) lectern.SparseVector
	// Remove takes back what Put counted.
	Remove(id string)
}

// Generation is an index with the embedder that its content vectors come from.
type Generation struct {
	Index    lectern.VectorIndex
	Embedder lectern.Embedder // nil: the index holds words only
	Version  int64            // of the embedder's artefact; 0 where it has none
}

// Fingerprint is the embedder's, "" without one.
func (g *Generation) Fingerprint() string {
	if g.Embedder == nil {
		return ""
	}
	return g.Embedder.Fingerprint()
}

// listed reports whether a course belongs into the index. Unlisted courses do:
// they are in no list, but others may be similar to them.
func listed(c *lectern.Course) bool { return c.Availability.Status != lectern.StatusRetired }
