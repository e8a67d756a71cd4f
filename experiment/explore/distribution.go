package explore

import (
	"context"

	"github.com/lectern-dev/lectern"
)

// Chance is how likely a place is to hold a course.
type Chance struct {
	Slot  int // place of the course in the slate
	P     float64
	Error float64 // standard error; 0 is exact
}

// Distribution returns, for every place of the slate of a recorded list, the courses that
// may stand there, by what the record says of policy, posterior, shares, pool and bounds:
// a record in which one of these was changed tells what would have been. A policy that
// is random is drawn so many times. Errors: CodeInvalid for a record that cannot have
// come about, CodeNotFound where the posterior is no longer kept.
func (e *Explorer) Distribution(ctx context.Context, r *lectern.Ranking, draws int) ([][]Chance, error) {
	s, _, err := sceneOf(r)
	if err != nil {
		return nil, err
	}
	p, err := e.recorded(ctx, r, s)
	if err != nil {
		return nil, err
	}
	if l, ok := p.(*learned); ok {
		l.scores.Many()
	}
	cells, _ := chances(s, p, nil, max(draws, leastDraws), source(r.Exploration.Seed, streamChance))
	out := make([][]Chance, s.size)
	for place := range out {
		for slot, c := range cells[place*s.size : (place+1)*s.size] {
			if c.chance > 0 {
				out[place] = append(out[place], Chance{Slot: slot, P: c.chance, Error: c.error})
			}
		}
	}
	return out, nil
}

// Strength is what a record says of how much a policy of these settings tries out, with
// a posterior of a version, 0 for none: see lectern.Exploration.
func Strength(cfg *Config, policy string, posterior int64) float64 {
	return strength(cfg, policy, posterior)
}
