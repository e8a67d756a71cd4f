package lectern

import "context"

// The named vectors of a course.
const (
	VectorContent = "content" // title, description, skills, syllabus; dense
	VectorReviews = "reviews" // what learners say; dense
	VectorCF      = "cf"      // collaborative factor; dense
	VectorLexical = "lexical" // BM25 document weights; sparse
)

// SparseVector holds the non-zero weights of a vector over hashed terms.
// Indices rise strictly.
type SparseVector struct {
	Indices []uint32
	Values  []float32
}

// Point is one course in an index.
type Point struct {
	ID      string                  // course id
	Dense   map[string][]float32    // by vector name; unit length, or absent
	Sparse  map[string]SparseVector // by vector name
	Payload Payload
}

// VectorQuery asks for the K points of highest dot product with one vector.
// Exactly one of Dense and Sparse is set.
type VectorQuery struct {
	Vector string    // name
	Dense  []float32 // [dim], unit length
	Sparse *SparseVector
	Filter Filter
	K      int
}

// Hit is one point found, with its raw dot product.
type Hit struct {
	ID    string
	Score float32
}

// VectorIndex finds courses by vectors, dense and sparse, under filters. It
// returns one list per query: fusion is the caller's. Within a list hits are
// ordered by falling score, then by rising id; points without the vector, and
// sparse points without a shared term, are absent. Implementations are safe for
// concurrent use; a write is visible to searches that start after it returned.
type VectorIndex interface {
	// Upsert adds points or replaces them whole, by ID. Errors: CodeInvalid for
	// a wrong dimension or a number that is not finite; then nothing is written.
	Upsert(ctx context.Context, points []Point) error
	// Delete removes points; unknown ids are no error.
	Delete(ctx context.Context, ids []string) error
	// Search answers every query, in order.
	Search(ctx context.Context, queries []VectorQuery) ([][]Hit, error)
	// Vectors returns one named dense vector per id, nil where there is none.
	Vectors(ctx context.Context, vector string, ids []string) ([][]float32, error)
	// Allowed reports for each id whether it exists and passes the filter.
	Allowed(ctx context.Context, filter Filter, ids []string) ([]bool, error)
	// Stats counts what is stored.
	Stats(ctx context.Context) (IndexStats, error)
}

// IndexStats describes an index.
type IndexStats struct {
	Points  int            // live points
	Vectors map[string]int // live vectors by name
	Bytes   int64          // memory held, estimated; 0 where unknown
}

// IndexSpec says what an index must be able to hold.
type IndexSpec struct {
	Version     int64          // of the generation, above 0
	Fingerprint string         // of the embedder that makes the content vectors, "" for none
	Dense       map[string]int // length of each named dense vector
	Sparse      []string       // names of the sparse vectors
}

// SharedIndexes keeps the indexes that many processes search and one at a time
// writes: one per generation, of which one is in use.
type SharedIndexes interface {
	// Create makes an empty index for a generation, in place of any of that version.
	Create(ctx context.Context, spec IndexSpec) (VectorIndex, error)
	// Open returns the index of a version, with the spec it was made with. Errors:
	// CodeNotFound.
	Open(ctx context.Context, version int64) (VectorIndex, IndexSpec, error)
	// Activate makes a version the one in use, for courses and learners in one
	// call. Errors: CodeNotFound.
	Activate(ctx context.Context, version int64) error
	// Active returns the version in use. Errors: CodeNotFound when there is none.
	Active(ctx context.Context) (int64, error)
	// Versions lists what there is, rising.
	Versions(ctx context.Context) ([]int64, error)
	// Drop removes a version; an unknown one is no error. Errors: CodeConflict for
	// the one in use.
	Drop(ctx context.Context, version int64) error
}
