package ope

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// PolicyUniform is the target that puts any course of the pool at every exploring place,
// each as likely as the others.
const PolicyUniform = "uniform"

// Policies lists the policies that may be targets.
func Policies() []string { return append(explore.Policies(), PolicyUniform) }

// Chance is how likely a place is to hold an item of a recorded list.
type Chance struct {
	Item  int // index into Ranking.Items
	P     float64
	Error float64 // standard error of P; 0 is exact
}

// Step is the step that fills exploring places. *explore.Explorer is one.
type Step interface {
	// Distribution returns, for every place of the slate of a recorded list, the courses
	// that may stand there, by what the list's Exploration says. Errors: CodeInvalid,
	// CodeNotFound where the posterior is no longer kept.
	Distribution(ctx context.Context, r *lectern.Ranking, draws int) ([][]explore.Chance, error)
}

var _ Step = (*explore.Explorer)(nil)

// stepDraws is how often a random policy is drawn for each list, where nothing is said.
const stepDraws = 300

// drawn is a step that draws random policies so often.
type drawn struct {
	Step
	draws int
}

// Distribution implements Step.
func (d drawn) Distribution(ctx context.Context, r *lectern.Ranking, _ int) ([][]explore.Chance, error) {
	return d.Step.Distribution(ctx, r, d.draws)
}

// target says what would have been shown in the place of a list.
type target struct {
	order     *orderer // nil leaves the order as it was
	explore   bool     // with exploration on top
	policy    string   // "" is as the list was made
	posterior int64    // 0 is as the list was made
	strength  func(policy string, posterior int64) float64
}

// lay returns the list as the target starts from it, which item of r each of its items
// is (nil: they are the same), and whether its exploring places are then filled by
// chance.
func (t *target) lay(r *lectern.Ranking) (laid *lectern.Ranking, origin []int, random bool) {
	if t.order != nil {
		r, origin = t.order.order(r)
	}
	if !t.explore || len(r.Exploration.Places) == 0 {
		return r, origin, false
	}
	if t.policy == "" && t.posterior == 0 {
		return r, origin, true
	}
	out, x := *r, *r.Exploration
	out.Exploration = &x
	if t.posterior > 0 {
		x.Posterior = t.posterior
	}
	switch t.policy {
	case "":
	case PolicyUniform:
		x.Policy, x.Floor, x.NewShare = explore.PolicyNone, 1, 0
	default:
		x.Policy, x.Strength = t.policy, t.strength(t.policy, x.Posterior)
	}
	return &out, origin, true
}

// chances are what the target would show at each place.
func (t *target) chances(ctx context.Context, r *lectern.Ranking, step Step) ([][]Chance, error) {
	laid, origin, random := t.lay(r)
	var out [][]Chance
	var err error
	if random {
		out, err = distribution(ctx, laid, step)
	} else {
		out = fixedOrder(laid.Exploration)
	}
	if origin != nil {
		for _, cells := range out {
			for i := range cells {
				cells[i].Item = origin[cells[i].Item]
			}
		}
	}
	return out, err
}

// distribution is what a recorded list may hold at each place.
func distribution(ctx context.Context, r *lectern.Ranking, step Step) ([][]Chance, error) {
	cells, err := step.Distribution(ctx, r, stepDraws)
	if err != nil {
		return nil, err
	}
	out := make([][]Chance, len(cells))
	for place := range cells {
		out[place] = make([]Chance, len(cells[place]))
		for i, c := range cells[place] {
			out[place][i] = Chance{Item: r.Exploration.Slate[c.Slot], P: c.P, Error: c.Error}
		}
	}
	return out, nil
}

func fixedOrder(x *lectern.Exploration) [][]Chance {
	out := make([][]Chance, len(x.Slate))
	backing := make([]Chance, len(x.Slate))
	for place, item := range x.Slate {
		backing[place] = Chance{Item: item, P: 1}
		out[place] = backing[place : place+1 : place+1]
	}
	return out
}

// supports returns, for every place, the items that the log may show there: those that
// a uniform choice may, because each policy has a share of uniform choices.
func supports(ctx context.Context, r *lectern.Ranking, step Step) ([][]Chance, error) {
	if len(r.Exploration.Places) == 0 {
		return fixedOrder(r.Exploration), nil
	}
	if r.Exploration.Floor <= 0 {
		return distribution(ctx, r, step)
	}
	anything := target{explore: true, policy: PolicyUniform}
	return anything.chances(ctx, r, step)
}

// unexplored gives a list without a record of exploration one that says so.
func unexplored(r *lectern.Ranking) *lectern.Ranking {
	if r.Exploration != nil {
		return r
	}
	out := *r
	n := len(r.Items)
	x := &lectern.Exploration{
		Segment: r.Segment, Slate: make([]int, n), Age: make([]float64, n), Evidence: make([]float64, n), Provider: make([]int, n),
	}
	for i := range n {
		x.Slate[i], x.Age[i] = i, -1
		if r.Items[i].Pinned != "" {
			x.Fixed = append(x.Fixed, i)
		}
	}
	out.Exploration = x
	return &out
}

func chanceOf(cells []Chance, item int) Chance {
	if at := slices.IndexFunc(cells, func(c Chance) bool { return c.Item == item }); at >= 0 {
		return cells[at]
	}
	return Chance{Item: item}
}
