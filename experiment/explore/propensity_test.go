package explore

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

// now is when every list of these tests is made.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// learnt is a posterior that a few thousand rows went into.
type learnt struct {
	*bandit.Posterior
	version int64
}

func (l learnt) Current() (*bandit.Posterior, int64) { return l.Posterior, l.version }

func (l learnt) At(_ context.Context, version int64) (*bandit.Posterior, error) {
	if version != l.version {
		return nil, lectern.Errorf(lectern.CodeNotFound, "the posterior %d is no longer kept", version)
	}
	return l.Posterior, nil
}

// learn makes a posterior of rows at random, of which the better scored ones and the
// new ones earn more.
func learn(rows int) learnt {
	r := rand.New(rand.NewPCG(4, 4))
	p := bandit.NewPosterior(bandit.F1(), 1, 0)
	for range rows {
		req := request(r, 10)
		x := bandit.RequestRows(nil, req, []int{r.IntN(10)})
		at := now.Add(-time.Duration(r.IntN(1000)) * time.Minute)
		p.Add(x, at)
		if r.Float64() < 0.1+0.2*x[len(x)/2] {
			p.Reward(x, 0.5, at)
		}
	}
	return learnt{p, 7}
}

// request is a list of n courses at random: of a few providers, some new, some pinned,
// some held back, and not all good.
func request(r *rand.Rand, n int) *lectern.ExploreRequest {
	req := &lectern.ExploreRequest{
		Learner: lectern.LearnerRef{ID: "ann"}, Surface: lectern.SurfaceHome, Row: lectern.RowForYou,
		Segment: lectern.SegmentActive, At: now, Allowed: true, Served: 10, PerProvider: 2, LimitedPlaces: 10,
		Terms: []lectern.TermWeight{{Name: "similarity", Weight: .5}, {Name: "quality", Weight: .3}, {Name: "freshness", Weight: .2}},
		Items: make([]lectern.ExploreItem, n),
	}
	for i := range req.Items {
		it := &req.Items[i]
		it.CourseID = fmt.Sprintf("c%03d", i)
		it.Provider = []string{"", "north", "south", "east", "west", "upper", "lower"}[r.IntN(7)]
		it.Score = 0.9 - 0.5*float64(i)/float64(n) + 0.02*r.Float64()
		it.Values = []float64{r.Float64(), 0.3 + 0.7*r.Float64(), r.Float64()}
		it.Age, it.Evidence = 400*r.Float64(), float64(r.IntN(500))
		switch {
		case i == 1 || i == 9:
			it.Fixed = true
		case r.IntN(8) == 0:
			it.Held = true
		case r.IntN(6) == 0:
			it.Age, it.Evidence = 5+20*r.Float64(), 1
		}
	}
	return req
}

// explorer has settings of its own.
func explorer(t testing.TB, posteriors Posteriors, change func(*Config)) *Explorer {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	e, err := New(Deps{Settings: Fixed{cfg, "e1"}, Posteriors: posteriors, Secret: []byte("secret"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// recordedList is the record of a list that was filled.
func recordedList(req *lectern.ExploreRequest, order []int, x *lectern.Exploration) *lectern.Ranking {
	r := &lectern.Ranking{
		ID: "list", Surface: req.Surface, Row: req.Row, Segment: req.Segment, Served: req.Served, CreatedAt: req.At,
		Weights: req.Terms, Exploration: x, Items: make([]lectern.RankedItem, len(order)),
	}
	for at, i := range order {
		it := req.Items[i]
		r.Items[at] = lectern.RankedItem{CourseID: it.CourseID, Score: it.Score, Terms: it.Values, Propensity: 1}
	}
	return r
}

// quantile is the z of a two-sided bound that holds with a probability of 1 − risk, by
// the tail bound of the normal distribution: never too small.
func quantile(risk float64) float64 { return math.Sqrt(2 * math.Log(2/risk)) }

// TestFrequencies fills the places of one context 100,000 times with other seeds, under
// each policy, with pins, limits of providers, new courses that are owed and caps that
// take courses out of the pool: how often each place held each course is what the
// probabilities say, for all cells at once.
func TestFrequencies(t *testing.T) {
	replays := 100_000
	if testing.Short() {
		replays = 20_000
	}
	posterior := learn(2000)
	for _, policy := range Policies() {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			e := explorer(t, posterior, func(c *Config) {
				c.Policy, c.Caps.PerCourse, c.Floor, c.Draws = policy, 3, 0.1, 20_000
			})
			req := request(rand.New(rand.NewPCG(3, 9)), 60)
			for range 3 { // courses at their cap
				e.Counts.tried(1, req.Items[5].CourseID, "", now)
				e.Counts.tried(1, req.Items[12].CourseID, "", now)
			}
			order, x := e.Explore(req)
			if x == nil {
				t.Fatal("nothing is explored")
			}
			if slices.Contains(x.Pool, 5) || slices.Contains(x.Pool, 12) || len(x.Owed) == 0 || !slices.Contains(x.Fixed, 9) {
				t.Fatalf("pool %v, owed %v, fixed %v", x.Pool, x.Owed, x.Fixed)
			}
			frequencies(t, e, recordedList(req, order, x), replays)
		})
	}
}

func frequencies(t *testing.T, e *Explorer, r *lectern.Ranking, replays int) {
	t.Helper()
	s, _, err := sceneOf(r)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.recorded(context.Background(), r, s)
	if err != nil {
		t.Fatal(err)
	}
	want, draws := chances(s, p, nil, r.Exploration.Draws, source(1, streamChance))
	if (draws == 0) != (r.Exploration.Policy != PolicyThompson) {
		t.Errorf("%s by %d draws", r.Exploration.Policy, draws)
	}
	seen := make([]float64, s.size*s.size)
	f := filler{}
	for seed := range replays {
		l, _ := f.fill(s, p, source(uint64(seed), streamFill), nil)
		for at, slot := range l {
			seen[at*s.size+int(slot)]++
		}
	}
	cells := 0
	for _, c := range want {
		if c.chance > 0 && c.chance < 1 {
			cells++
		}
	}
	n, worst := float64(replays), 0.0
	z := quantile(0.001 / float64(cells)) // Bonferroni, over the cells and both errors
	for i, c := range want {
		freq := seen[i] / n
		spread := math.Sqrt(c.chance * (1 - c.chance) / n)
		bound := z*spread + z*z/(3*n) + z*c.error // Bernstein: few hits are not normal
		if miss := math.Abs(freq - c.chance); miss > bound+1e-12 {
			t.Errorf("place %d, slot %d: %.5f of replays, said %.5f ± %.5f, bound %.5f", i/s.size, i%s.size, freq, c.chance, c.error, bound)
		} else if bound > 0 {
			worst = max(worst, miss/bound)
		}
	}
	t.Logf("%s: %d cells between 0 and 1, %d replays, worst deviation %.2f of its bound of z = %.2f", r.Exploration.Policy, cells, replays, worst, z)
	for at := range s.size { // every place holds something
		sum := 0.0
		for slot := range s.size {
			sum += want[at*s.size+slot].chance
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("place %d: chances sum to %v", at, sum)
		}
	}
}

// TestOtherFeatures: where the newest posterior is of another build, lists explore by the
// prior, which is said once and counted.
func TestOtherFeatures(t *testing.T) {
	other := bandit.NewPosterior(bandit.FeatureSet{Name: "f9", Names: []string{"bias"}, Prior: []float64{0}}, 1, 0)
	e := explorer(t, learnt{other, 9}, func(c *Config) { c.ScoreShare, c.Quality = 0, 0 })
	var said strings.Builder
	e.Logger = slog.New(slog.NewTextHandler(&said, nil))
	for range 3 {
		if _, x := e.Explore(request(rand.New(rand.NewPCG(1, 1)), 40)); x == nil || x.Posterior != 0 {
			t.Fatalf("explored by %+v", x)
		}
	}
	if got := e.Stats().FellBack; got != 3 {
		t.Errorf("%d of 3 lists were counted", got)
	}
	if got := strings.Count(said.String(), "version=9"); got != 1 {
		t.Errorf("it was said %d times:\n%s", got, said.String())
	}
}
