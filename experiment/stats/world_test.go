package stats

import (
	"math"
	"math/rand/v2"
)

// world is a platform with skewed people, for experiments whose truth is known: how
// much people see is lognormal, how readily they click differs, hours are lognormal
// again, completions are rare, and most of them were there before, doing much the same.
type world struct {
	people   int
	days     int
	arrivals string  // "steady", "early" (all in three days), "busy_first" (the busier the sooner)
	spread   float64 // sigma of the log of what people see a day
	split    float64 // share of control; 0 is one half
	lift     float64 // of the click rate of treatment, as a share
}

const beforeDays = 14

type person struct {
	arm     int
	arrives int
	known   bool
	rate    float64 // items seen a day
	clicky  float64 // chance to click an item
	before  [4]float64
	sums    [4]float64 // items seen, clicks, hours, completions
}

// The metrics of the world.
var worldMetrics = []string{"clicks a person", "clicks an item", "hours a person", "completions a person"}

func (w *world) draw(rng *rand.Rand) []person {
	split := w.split
	if split == 0 {
		split = 0.5
	}
	out := make([]person, w.people)
	for i := range out {
		p := &out[i]
		if rng.Float64() >= split {
			p.arm = 1
		}
		z := rng.NormFloat64()
		p.rate = 1.5 * math.Exp(w.spread*z-w.spread*w.spread/2)
		p.clicky = 1 / (1 + math.Exp(2+0.5*rng.NormFloat64()))
		p.known = rng.Float64() < 0.6
		switch w.arrivals {
		case "early":
			p.arrives = rng.IntN(3)
		case "busy_first":
			p.arrives = min(w.days-1, int(-math.Log(1-rng.Float64())*float64(w.days)/4/math.Exp(0.5*z)))
		default:
			p.arrives = rng.IntN(w.days)
		}
		if p.known {
			for range beforeDays {
				p.act(&p.before, 0, rng)
			}
		}
	}
	return out
}

// act is one day of a person.
func (p *person) act(sums *[4]float64, lift float64, rng *rand.Rand) {
	seen := poisson(p.rate, rng)
	if seen == 0 {
		return
	}
	sums[0] += float64(seen)
	chance := p.clicky * (1 + lift)
	for range seen {
		if rng.Float64() < chance {
			sums[1]++
			if rng.Float64() < 0.2 {
				sums[2] += math.Exp(rng.NormFloat64())
				if rng.Float64() < 0.1 {
					sums[3]++
				}
			}
		}
	}
}

// live lets a day pass.
func (w *world) live(people []person, day int, rng *rand.Rand) {
	for i := range people {
		p := &people[i]
		if day < p.arrives {
			continue
		}
		lift := 0.0
		if p.arm == 1 {
			lift = w.lift
		}
		p.act(&p.sums, lift, rng)
	}
}

// look returns the samples of a metric after a day.
func look(people []person, day, metric int) []Sample {
	arms := make([]Sample, 2)
	for i := range people {
		if p := &people[i]; day >= p.arrives {
			arms[p.arm].Add(p.unit(metric))
		}
	}
	return arms
}

func (p *person) unit(metric int) Unit {
	u := Unit{Per: 1, BeforePer: 1, Known: p.known}
	switch metric {
	case 0:
		u.Value, u.Before = p.sums[1], p.before[1]
	case 1:
		u.Value, u.Per, u.Before, u.BeforePer = p.sums[1], p.sums[0], p.before[1], p.before[0]
	case 2:
		u.Value, u.Before = p.sums[2], p.before[2]
	case 3:
		u.Value, u.Before = p.sums[3], p.before[3]
	}
	return u
}

// pilot returns the samples of each metric, all people in one, at the end of an
// experiment without effect: what a plan is made from.
func (w *world) pilot(seed uint64) []Sample {
	rng := rand.New(rand.NewPCG(seed, 99))
	still := *w
	still.lift = 0
	people := still.draw(rng)
	for day := range w.days {
		still.live(people, day, rng)
	}
	out := make([]Sample, len(worldMetrics))
	for m := range out {
		for _, s := range look(people, w.days, m) {
			out[m].Merge(&s)
		}
	}
	return out
}

func poisson(mean float64, rng *rand.Rand) int {
	if mean > 30 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	limit, n := math.Exp(-mean), 0
	for p := rng.Float64(); p > limit; p *= rng.Float64() {
		n++
	}
	return n
}
