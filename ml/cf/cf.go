// Package cf has the collaborative models: what to take next, learnt from what
// others took. Every model has one life: Fit on a snapshot, Predict for any
// history (one that was not in the snapshot as well: nothing is learnt anew for a
// new event), Save, Load. One suite, cftest, runs on all of them.
package cf

import (
	"context"
	"io"
)

// Interaction is one course in a learner's history.
type Interaction struct {
	Item   int32   // index into Data.Items
	Weight float32 // implicit strength, > 0; 1 where nothing is known of it
	At     int64   // Unix seconds, 0 where unknown
}

// History is what one learner did, oldest first, each item once.
type History []Interaction

// Data is a snapshot to learn from.
type Data struct {
	Items     []string  // external ids
	Learners  []string  // external ids, beside Histories; nil where they do not matter
	Histories []History // [learners]
	// Ordered reports whether histories are in the order of time. Without it models
	// that learn from order take a history as a set.
	Ordered bool
}

// Events counts the interactions.
func (d *Data) Events() int {
	n := 0
	for _, h := range d.Histories {
		n += len(h)
	}
	return n
}

// Model scores every course for a learner. Fit and Load are not for concurrent
// use; after either, everything else is.
type Model interface {
	// Name is the model's name in reports, configuration and artefacts.
	Name() string
	// Fit learns from a snapshot, in place of what was learnt before. Errors:
	// CodeInvalid for data that nothing can be learnt from, and the context's.
	Fit(ctx context.Context, d *Data) error
	// Items is how many courses the model scores, in the order of the Data that it
	// was fitted on.
	Items() int
	// Predict scores items for a history: into[i] is the score of candidates[i], or
	// of item i where candidates is nil and len(into) is Items. Scores of one call
	// compare with each other and with nothing else; any finite number may come. A
	// history may be empty and may hold items that the model has not seen.
	Predict(h History, candidates []int32, into []float32)
	// Save writes what Load reads, in a form of its own with a version.
	Save(w io.Writer) error
	// Load reads what Save wrote. Errors: CodeInvalid for anything else.
	Load(r io.Reader) error
}

// Factored is a Model whose scores are, closely or exactly, dot products, so that
// candidates can come from a vector index.
type Factored interface {
	Model
	// Dim is the length of the factors.
	Dim() int
	// ItemFactor returns the factor of an item, [Dim] float32, of any length; nil for an
	// item that the model knows nothing of. Read only.
	ItemFactor(item int32) []float32
	// FoldIn returns the factor of a learner with this history, such that its dot
	// product with an item's factor orders items nearly as Predict does; nil
	// when nothing can be said.
	FoldIn(h History) []float32
}

// Successor is a Model that knows what follows a course, as opposed to what is
// like it.
type Successor interface {
	Model
	// Next scores, for every item, how much taking it follows on having taken the
	// given one, beyond what its popularity explains; into is [Items].
	Next(item int32, into []float32)
}

// Params are a model's hyper-parameters by name.
type Params map[string]float64

// Param is one hyper-parameter with the values that a search may try.
type Param struct {
	Name   string
	Values []float64
}

// Spec says how to make one kind of model.
type Spec struct {
	Name     string
	Source   string // the paper it implements
	Defaults Params
	Space    []Param // what tuning may try; none for a floor
	// New makes an unfitted model. Errors: CodeInvalid naming a parameter that is
	// unknown or out of bounds. Parameters that are missing have their defaults.
	New func(p Params) (Model, error)
	// MaxItems is the number of items up to which the model is exact; beyond, it
	// learns about the most active ones and scores the others as nothing. 0 is no
	// bound.
	MaxItems int
	// Floor is a model that every other must clear. It is always in the table and
	// never selected over a better one.
	Floor bool
}
