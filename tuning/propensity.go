package tuning

import "math"

// leastPropensity bounds how much one choice far down can count.
const leastPropensity = 0.1

// propensities estimates how often each place is looked at, against the first. Lists
// that say what came into view tell directly. For the others it is how often a place
// is chosen, over how often its courses would be by the weights: the maximum
// likelihood of a Poisson model with the courses' attraction as the offset. Lower
// places are never looked at more than those above (pool adjacent violators: Ayer et
// al. 1955).
func propensities(lists []shown, theta []float64, terms, places int) []float64 {
	chosen, due := make([]float64, places), make([]float64, places)
	for i := range lists {
		l := &lists[i]
		for p := range l.n {
			if l.viewed {
				due[p]++
				if l.looked[p] {
					chosen[p]++
				}
				continue
			}
			z := 0.0
			for j, v := range l.row(p, terms) {
				z += theta[j] * float64(v)
			}
			attraction := math.Exp(z)
			due[p] += attraction
			if l.reward[p] > 0 {
				chosen[p]++
			}
		}
	}
	return falling(chosen, due)
}

// falling are the rates chosen/due, made to fall, divided by the first and bounded
// from below.
func falling(chosen, due []float64) []float64 {
	type block struct {
		chosen, due float64
		n           int
	}
	rate := func(b block) float64 { return (b.chosen + 1e-9) / (b.due + 1e-9) }
	var blocks []block
	for i := range chosen {
		blocks = append(blocks, block{chosen[i], due[i], 1})
		for len(blocks) > 1 && (blocks[len(blocks)-1].due == 0 || rate(blocks[len(blocks)-2]) < rate(blocks[len(blocks)-1])) {
			last := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			b := &blocks[len(blocks)-1]
			b.chosen, b.due, b.n = b.chosen+last.chosen, b.due+last.due, b.n+last.n
		}
	}
	var out []float64
	for _, b := range blocks {
		for range b.n {
			out = append(out, min(1, max(leastPropensity, rate(b)/rate(blocks[0]))))
		}
	}
	return out
}
