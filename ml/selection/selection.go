// Package selection fits collaborative models on a snapshot, tunes them and fits
// their blend on a validation cut of it, and says which is best. Evaluation from
// files and training from the store are the same call.
package selection

import (
	"time"

	"github.com/lectern-dev/lectern/ml/cf"
)

// Options say what to fit and how to choose.
type Options struct {
	Specs  []cf.Spec
	Metric string        // what models are compared by on the validation cut, for example ndcg@10
	Tune   time.Duration // time for the search of hyper-parameters; 0 takes the defaults
	Seed   uint64
	// Negatives is the number of courses, drawn by lot, that validation ranks what was
	// held back among, one by one; 0 ranks all that are unseen. It is for tests that do
	// so themselves: what is best among few is not what is best among all.
	Negatives int
	// Report hears of each step, for people; nil is nobody.
	Report func(format string, args ...any)
}

// Result is what came of it.
type Result struct {
	Models   []Fitted // floors first, the blend last; fitted on the whole snapshot
	Selected string   // best by Options.Metric on the validation cut, never worse than a floor
	Cut      string   // how the validation cut was made, for people
}

// Fitted is one model with what is known of it.
type Fitted struct {
	Name       string
	Model      cf.Model
	Params     cf.Params
	Validation map[string]float64 // metrics on the validation cut, by name: recall@10, ndcg@10, hit_rate@10
	FitTime    time.Duration      // on the whole snapshot
}
