package bandit_test

import (
	"math/rand/v2"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/rerank"
)

// request is a list of n items as the explorer gets it.
func request(n int) (*lectern.ExploreRequest, []int) {
	rng := rand.New(rand.NewPCG(8, 9))
	req := &lectern.ExploreRequest{Surface: lectern.SurfaceHome, Segment: lectern.SegmentNew}
	for _, name := range rerank.TermNames() {
		req.Terms = append(req.Terms, lectern.TermWeight{Name: name, Weight: 0.05})
	}
	places := make([]int, n)
	for i := range places {
		places[i] = i
		values := make([]float64, len(req.Terms))
		for j := range values {
			values[j] = rng.Float64()
		}
		req.Items = append(req.Items, lectern.ExploreItem{Score: rng.Float64(), Values: values, Age: 1000 * rng.Float64(), Evidence: 1000 * rng.Float64()})
	}
	return req, places
}

func learnt(t testing.TB) *bandit.Model {
	req, places := request(300)
	rows := bandit.RequestRows(nil, req, places)
	p := bandit.NewPosterior(bandit.F1(), 1, 60*day)
	for i := range places {
		p.Add(rows[i*bandit.Dim:(i+1)*bandit.Dim], start)
	}
	return model(t, p, 0.5)
}

func BenchmarkRows(b *testing.B) {
	req, places := request(40)
	var rows []float64
	b.ReportAllocs()
	for b.Loop() {
		rows = bandit.RequestRows(rows, req, places)
	}
}

// BenchmarkChoice is what a list costs: rows of a pool of 40, one draw, one choice.
func BenchmarkChoice(b *testing.B) {
	req, places := request(40)
	m := learnt(b)
	for _, name := range bandit.Policies() {
		b.Run(name, func(b *testing.B) {
			by := policy(b, name, bandit.Params{Alpha: 1, Epsilon: 0.1, Spread: 1})
			rng := rand.New(rand.NewPCG(1, 1))
			var s bandit.Scores
			var rows []float64
			b.ReportAllocs()
			for b.Loop() {
				rows = bandit.RequestRows(rows, req, places)
				by.Prepare(&s, m, rows)
				bandit.Pick(by, rng, s.Draw(rng), places)
			}
		})
	}
}

// BenchmarkDraws is a thousand draws for the propensities of a list, by either way.
func BenchmarkDraws(b *testing.B) {
	for _, n := range []int{30, 60} {
		req, places := request(n)
		m, rows := learnt(b), bandit.RequestRows(nil, req, places)
		for _, way := range []string{"one by one", "many"} {
			b.Run(map[int]string{30: "pool 30/", 60: "pool 60/"}[n]+way, func(b *testing.B) {
				by := policy(b, bandit.Thompson, bandit.Params{Spread: 1})
				rng := rand.New(rand.NewPCG(1, 1))
				var s bandit.Scores
				for b.Loop() {
					by.Prepare(&s, m, rows)
					if way == "many" {
						s.Many()
					}
					for range 1000 {
						s.Draw(rng)
					}
				}
			})
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	req, places := request(1)
	row := bandit.RequestRows(nil, req, places)
	p := bandit.NewPosterior(bandit.F1(), 1, 60*day)
	b.ReportAllocs()
	for b.Loop() {
		p.Add(row, start)
	}
}

func BenchmarkModel(b *testing.B) {
	req, places := request(1)
	p := bandit.NewPosterior(bandit.F1(), 1, 60*day)
	p.Add(bandit.RequestRows(nil, req, places), start)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Model(1); err != nil {
			b.Fatal(err)
		}
	}
}
