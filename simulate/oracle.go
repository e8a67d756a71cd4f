package simulate

import (
	"context"

	"github.com/lectern-dev/lectern"
)

// Oracle fills the exploring places of lists with what is truly the best of the pool:
// what no policy can know. Places and pool are those of the explorer within.
type Oracle struct {
	Within lectern.Explorer
	// Value is the true expected reward of one look.
	Value func(req *lectern.ExploreRequest, courseID string) float64
}

var _ lectern.Explorer = Oracle{}

// Explore implements lectern.Explorer.
func (o Oracle) Explore(req *lectern.ExploreRequest) ([]int, *lectern.Exploration) {
	order, x := o.Within.Explore(req)
	if x == nil {
		return order, x
	}
	best := fill(x, func(item int) float64 { return o.Value(req, req.Items[order[item]].CourseID) })
	out := make([]int, len(order))
	copy(out, order)
	at := make([]int, len(order)) // where an item of the inner order stands now
	for i := range at {
		at[i] = i
	}
	for i, item := range best {
		out[i], at[item] = order[item], i
	}
	told := *x
	told.Policy, told.By = "oracle", nil
	told.Slate = make([]int, len(x.Slate))
	for i, item := range x.Slate {
		told.Slate[i] = at[item]
	}
	return out, &told
}

// Finish implements lectern.Explorer. What the oracle does is no chance.
func (o Oracle) Finish(context.Context, *lectern.Ranking) error { return nil }
