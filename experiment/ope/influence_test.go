package ope

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func someSums(people int) *sums {
	lots := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	t := &sums{people: people, strata: 2}
	for range people * t.width() {
		t.rows = append(t.rows, 0.5+lots.Float64())
	}
	return t
}

// Slopes are what a small step of each column gives.
func TestSlopesAreDerivatives(t *testing.T) {
	s := someSums(1)
	values := s.values(s.rows, nil)
	slopes := s.slopes(s.rows, values, nil)
	const step = 1e-6
	for column := range s.rows {
		up, down := slices.Clone(s.rows), slices.Clone(s.rows)
		up[column], down[column] = up[column]+step, down[column]-step
		high, low := s.values(up, nil), s.values(down, nil)
		unit := make([]float64, len(s.rows))
		unit[column] = 1
		for k := range values {
			if got, want := slopes[k].of(unit), (high[k]-low[k])/(2*step); math.Abs(got-want) > 1e-6 {
				t.Errorf("value %d by column %d: %v, want %v", k, column, got, want)
			}
		}
	}
}

// Four people with a place each, of which one earned 1, on top of a rest that is alike:
// the mean is 1/4, its standard error √(3·(1/4)² + (3/4)²)/4 = √(3/4)/4. What differs by
// nothing has an error of nothing, and its interval is a point.
func TestErrorsOfAMean(t *testing.T) {
	s := &sums{people: 4, strata: 1}
	s.rows = make([]float64, 4*s.width())
	for person := range 4 {
		row := s.row(person)
		row[colUnits] = 1
		if person == 2 {
			row[colLogged], row[colIPS] = 1, 1
		}
	}
	d, _, _ := s.draw([]uint16{1, 1, 1, 1}, nil, nil)
	if want := math.Sqrt(0.75) / 4; math.Abs(d.errors[atLogged]-want) > 1e-12 || d.values[atLogged] != 0.25 {
		t.Errorf("%v ± %v, want %v", d.values[atLogged], d.errors[atLogged], want)
	}
	// Counted twice each, as many again: the same mean, an error less by √2.
	twice, _, _ := s.draw([]uint16{2, 2, 2, 2}, nil, nil)
	if got, want := twice.errors[atLogged], d.errors[atLogged]/math.Sqrt2; math.Abs(got-want) > 1e-12 {
		t.Errorf("twice each: ± %v, want %v", got, want)
	}
	if gain := d.errors[len(d.values)+atIPS]; gain != 0 {
		t.Errorf("the difference of equals errs by %v", gain)
	}
	same := studentised(0.5, 0, []draw{d}, 0.95, func(draw) (float64, float64) { return 0.4, 0.1 })
	if same != (Interval{0.5, 0.5, 0.5}) {
		t.Errorf("an interval of what cannot err: %v", same)
	}
}

// Resamples that were off by 1, 2, 3, 4 and 5 of their own errors, either way: half of
// them by no more than 3, so an interval of one half reaches 3 errors far.
func TestIntervalReachesAsFarAsResamplesWereOff(t *testing.T) {
	var draws []draw
	for i, e := range []float64{0.1, -0.2, 0.3, -0.4, 0.5} {
		draws = append(draws, draw{values: []float64{1 + float64(i+1)*e}, errors: []float64{math.Abs(e)}})
	}
	got := studentised(1, 0.25, draws, 0.5, func(d draw) (float64, float64) { return d.values[0], d.errors[0] })
	if math.Abs(got.Low-0.25) > 1e-12 || math.Abs(got.High-1.75) > 1e-12 {
		t.Errorf("%v", got)
	}
}
