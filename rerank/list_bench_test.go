package rerank_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// unit makes a vector of unit length near a topic: the larger the noise, the further.
func unit(rng *rand.Rand, topic []float32, noise float64) []float32 {
	v := make([]float32, len(topic))
	sum := 0.0
	for i := range v {
		x := float64(topic[i]) + noise*rng.NormFloat64()/math.Sqrt(float64(len(v)))
		v[i] = float32(x)
		sum += x * x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// fullCandidates are candidates of which all is known, with vectors around a few topics,
// some of them nearly the same.
func fullCandidates(n, dim int) []rerank.Candidate {
	rng := rand.New(rand.NewPCG(1, 2))
	out := everySignal(n)
	topics := make([][]float32, 12)
	for i := range topics {
		topics[i] = unit(rng, make([]float32, dim), 1)
	}
	for i := range out {
		c := &out[i]
		c.Vector = unit(rng, topics[rng.IntN(len(topics))], 0.8)
		if i > 0 && rng.IntN(20) == 0 {
			c.Vector = unit(rng, out[i-1].Vector, 0.05)
			c.Course.Level = out[i-1].Course.Level
		}
		c.Course.Title = fmt.Sprintf("A Practical Introduction to Subject %d", i)
		c.Course.TitleKey = rerank.TitleKey(c.Course.Title, c.Course.Provider)
		c.Course.Categories = []string{c.Course.Category, fmt.Sprint("sub", i%31)}
		for k := range 8 {
			c.Course.Skills = append(c.Course.Skills, fmt.Sprint("skill ", (i*k)%200))
		}
		c.Interested = i % 4
		if rng.IntN(10) == 0 {
			c.Missing = []string{fmt.Sprintf("c%04d", rng.IntN(n))}
		}
		if rng.IntN(50) == 0 {
			c.TwinOf = "f"
		}
	}
	return out
}

// twentyRules are rules of every action and selector.
func twentyRules() []rerank.Rule {
	var out []rerank.Rule
	for i := range 20 {
		r := rerank.Rule{ID: fmt.Sprint("r", i), Action: rerank.RuleActions()[i%4]}
		switch i / 4 {
		case 0:
			r.Courses = []string{fmt.Sprintf("c%04d", 7*i), fmt.Sprintf("c%04d", 11*i)}
		case 1:
			r.Providers, r.Categories = []string{fmt.Sprint(i % 9)}, []string{fmt.Sprint("sub", i)}
		case 2:
			r.Categories = []string{fmt.Sprint("sub", i)}
		case 3:
			r.Skills = []string{fmt.Sprint("Skill ", i), fmt.Sprint("Skill ", 2*i)}
		default:
			r.Skills, r.Audience.Languages = []string{fmt.Sprint("Skill ", 3*i)}, []string{"en"}
		}
		if r.Action == rerank.RulePin {
			r.Position = i
		}
		out = append(out, r)
	}
	return out
}

// fullConfig has every term and every part of list making switched on.
func fullConfig() rerank.Config {
	cfg := rerank.DefaultConfig()
	cfg.Weights.Home = rerank.TermWeights{
		Similarity: 1, Interest: 1, Quality: 1, Popularity: 1, Freshness: 1, Level: 1, Time: 1, Language: 1, Readiness: 1,
		Collaborative: 1, NotDismissed: 1, Trend: 1, Complement: 1, Sentiment: 1, GoalProgress: 1, Novelty: 1, Completion: 1, Exposure: 1,
	}
	cfg.Lists.Diversity.Home = 0.3
	cfg.Lists.Calibration = rerank.MixConfig{Interests: 0.1, Categories: 0.1, Providers: 0.1, Levels: 0.1}
	cfg.Lists.CalibratedPlaces, cfg.Lists.MaxPerProvider = 20, 3
	cfg.Rules = twentyRules()
	return cfg
}

func fullListRequest() rerank.Request {
	req := rerank.Request{
		Surface: lectern.SurfaceHome, At: now, RatingMean: 4.4, SentimentMean: 0.8, FinishRate: 0.4, ViewsMean: 50, Depth: 20,
		Level: lectern.LevelIntermediate, WeeklyHours: hours(4), Languages: []string{"en"},
		Preferences: map[lectern.Preference]lectern.Leaning{lectern.PreferDifferent: lectern.LeanMore},
		Shares:      []float64{0.5, 0.3, 0.2}, Who: rerank.Who{SignedIn: true, Courses: 12, Languages: []string{"en"}},
		Mix: &rerank.Mix{
			Levels:     map[lectern.Level]float64{lectern.LevelBeginner: 0.5, lectern.LevelIntermediate: 0.5},
			Categories: map[string]float64{"0": 0.4, "1": 0.3, "2": 0.3}, Providers: map[string]float64{},
		},
	}
	for i := range 8 {
		req.Mix.Providers[fmt.Sprint(i)] = 0.125
	}
	return req
}

// BenchmarkRerankFull makes whole lists: every term, 20 rules, calibration, duplicates,
// limits and diversity over vectors of 256 dimensions.
func BenchmarkRerankFull(b *testing.B) {
	for _, size := range []struct{ candidates, depth int }{{500, 20}, {500, 200}, {1800, 200}} {
		b.Run(fmt.Sprintf("candidates=%d/depth=%d", size.candidates, size.depth), func(b *testing.B) {
			l, err := rerank.NewLinear(fullConfig())
			if err != nil {
				b.Fatal(err)
			}
			in, req := fullCandidates(size.candidates, 256), fullListRequest()
			req.Depth = size.depth
			took, worked := make([]time.Duration, 0, 1<<16), make([]time.Duration, 0, 1<<16)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ReportAllocs()
			for b.Loop() {
				start, from := time.Now(), threadTime()
				l.Rerank(req, in)
				took, worked = append(took, time.Since(start)), append(worked, threadTime()-from)
			}
			report := func(of []time.Duration, name string) {
				slices.Sort(of)
				b.ReportMetric(float64(of[len(of)/2].Microseconds()), "p50-"+name+"µs")
				b.ReportMetric(float64(of[len(of)*99/100].Microseconds()), "p99-"+name+"µs")
			}
			report(took, "")
			report(worked, "cpu-") // what other processes do to the clock aside
		})
	}
}
