package explore

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

// drawScene is any scene: with pins, limits, owed courses and up to four places.
func drawScene(t *rapid.T, most, places int) *scene {
	n := rapid.IntRange(2, most).Draw(t, "slots")
	s := &scene{
		size: n, fixed: make([]bool, n), pool: make([]bool, n), owed: make([]bool, n), provider: make([]int, n),
		perProvider: rapid.IntRange(0, 2).Draw(t, "per provider"), limited: rapid.IntRange(0, n+2).Draw(t, "limited places"),
		floor: rapid.Float64Range(0.01, 1).Draw(t, "floor"), newShare: rapid.Float64Range(0, 0.5).Draw(t, "new"),
	}
	for i := range n {
		s.fixed[i] = rapid.IntRange(0, 6).Draw(t, "fixed") == 0
		s.pool[i] = !s.fixed[i] && rapid.Bool().Draw(t, "pool")
		s.owed[i] = s.pool[i] && rapid.IntRange(0, 3).Draw(t, "owed") == 0
		s.provider[i] = rapid.IntRange(0, 3).Draw(t, "provider")
	}
	for i := 1; i < n && len(s.places) < places; i++ {
		if !s.fixed[i] && rapid.Bool().Draw(t, "explores") {
			s.places = append(s.places, i)
		}
	}
	return s
}

// lottery prefers slots by scores at random, anew with every draw, or always the same.
type lottery struct {
	scores  []float64 // nil: random
	uniform float64
}

func (l lottery) draw(r *rand.Rand, scores []float64) {
	if l.scores != nil {
		copy(scores, l.scores)
		return
	}
	for i := range scores {
		scores[i] = r.Float64() + float64(i%3)/4
	}
}
func (l lottery) random() bool     { return l.scores == nil }
func (l lottery) epsilon() float64 { return l.uniform }

// overBy is how many courses of each provider stand too many in the head.
func overBy(s *scene, l list) int {
	counts, over := map[int]int{}, 0
	for _, slot := range l[:min(s.limited, s.size)] {
		if p := s.provider[slot]; p > 0 {
			if counts[p]++; counts[p] > s.perProvider {
				over++
			}
		}
	}
	return over
}

// TestFill: whatever is chosen, a list stays a list of the same courses, what is pinned
// stays, places above the first one do not change, what was not chosen keeps its order,
// and the limit of courses of one provider is exceeded no more than before.
func TestFill(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t, 20, 4)
		var f filler
		l, by := f.fill(s, lottery{}, source(rapid.Uint64().Draw(t, "seed"), streamFill), nil)
		if len(by) != len(s.places) {
			t.Fatalf("%d choices at %d places", len(by), len(s.places))
		}
		held := make([]bool, s.size)
		for at, slot := range l {
			if held[slot] {
				t.Fatalf("%d stands twice in %v", slot, l)
			}
			held[slot] = true
			if s.fixed[at] && int(slot) != at {
				t.Fatalf("%d stands at %d, where a rule pins another: %v", slot, at, l)
			}
			if (len(s.places) == 0 || at < s.places[0]) && int(slot) != at {
				t.Fatalf("place %d changed above the first that explores: %v", at, l)
			}
		}
		last := int32(-1)
		for at, slot := range l {
			if s.fixed[at] || slices.Contains(s.places, at) {
				continue
			}
			if slot < last {
				t.Fatalf("%d stands behind %d, though nobody chose it: %v", slot, last, l)
			}
			last = slot
		}
		if s.perProvider > 0 {
			if before, after := overBy(s, s.begin(nil)), overBy(s, l); after > before {
				t.Fatalf("%d courses too many of a provider, %d before: %v", after, before, l)
			}
		}
		_, moved := s.moved(l, nil, nil)
		for i, place := range s.places {
			if s.pool[l[place]] || !moved[i] {
				continue
			}
			t.Fatalf("place %d was given to %d, which is not in the pool", place, l[place])
		}
	})
}

// TestChancesExact adds up every way by hand, list for list, against the sums by place.
func TestChancesExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t, 9, 3)
		p := lottery{scores: make([]float64, s.size), uniform: rapid.Float64Range(0, 1).Draw(t, "epsilon")}
		for i := range p.scores {
			p.scores[i] = float64(rapid.IntRange(0, 4).Draw(t, "score")) // some are equal
		}
		want := make([]float64, s.size*s.size)
		var ways func(k int, l list, chance float64)
		ways = func(k int, l list, chance float64) {
			if k == len(s.places) {
				for at, slot := range l {
					want[at*s.size+int(slot)] += chance
				}
				return
			}
			options := s.options(l, s.places[k], nil)
			uniform, rest := s.mixture(l, options, p.epsilon())
			for j, at := range options {
				share := uniform[j]
				if at == best(l, options, p.scores) {
					share += rest
				}
				next := slices.Clone(l)
				s.put(next, int(at), s.places[k])
				ways(k+1, next, chance*share)
			}
		}
		ways(0, s.begin(nil), 1)
		got, draws := chances(s, p, nil, 1000, source(1, streamChance))
		if draws != 0 {
			t.Fatalf("%d draws", draws)
		}
		for i, c := range got {
			if math.Abs(c.chance-want[i]) > 1e-12 || c.error != 0 {
				t.Fatalf("place %d, slot %d: %v ± %v, by hand %v", i/s.size, i%s.size, c.chance, c.error, want[i])
			}
		}
		l, _ := (&filler{}).fill(s, p, source(rapid.Uint64().Draw(t, "seed"), streamFill), nil)
		one, _ := chances(s, p, l, 1000, source(1, streamChance))
		for at, slot := range l {
			if one[at].chance <= 0 || math.Abs(one[at].chance-want[at*s.size+int(slot)]) > 1e-12 {
				t.Fatalf("place %d holds %d with %v, by hand %v", at, slot, one[at].chance, want[at*s.size+int(slot)])
			}
		}
	})
}

// TestSampled draws lists where there are too many ways to go through: nothing that is
// shown is impossible, and the probabilities are those of going through them.
func TestSampled(t *testing.T) {
	s := &scene{
		size: 14, places: []int{2, 4, 7}, fixed: make([]bool, 14), pool: make([]bool, 14), owed: make([]bool, 14), provider: make([]int, 14),
		floor: 0.2, newShare: 0.1,
	}
	for i := range s.pool {
		s.pool[i], s.owed[i] = i != 5, i == 11 || i == 13
	}
	s.fixed[5] = true
	for name, p := range map[string]policy{"random": lottery{}, "fixed": lottery{scores: []float64{0, 0, 0, 1, 1, 1, 9, 1, 3, 1, 2, 1, 1, 1}}} {
		t.Run(name, func(t *testing.T) {
			exact, _ := chances(s, p, nil, 60_000, source(1, streamChance))
			cells := 0
			for seed := range uint64(15) {
				l, _ := (&filler{}).fill(s, p, source(seed, streamFill), nil)
				got := sampled(s, p, l, 5000, source(seed, streamChance))
				for at, c := range got {
					want := exact[at*s.size+int(l[at])]
					cells++
					if c.chance <= 0 || math.Abs(c.chance-want.chance) > 5*(c.error+want.error)+1e-12 {
						t.Errorf("seed %d, place %d: %.4f ± %.4f, going through all ways %.4f ± %.4f", seed, at, c.chance, c.error, want.chance, want.error)
					}
				}
			}
		})
	}
}

// TestDeviation draws many times: estimates stray by no more than their errors say.
func TestDeviation(t *testing.T) {
	e := explorer(t, learn(2000), func(c *Config) { c.Draws = 500 })
	req := request(rand.New(rand.NewPCG(3, 9)), 60)
	order, x := e.Explore(req)
	r := recordedList(req, order, x)
	s, actual, err := sceneOf(r)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.recorded(context.Background(), r, s)
	if err != nil {
		t.Fatal(err)
	}
	truth, _ := chances(s, p, actual, 200_000, source(1, 1))
	sum, n := 0.0, 0
	for seed := range uint64(60) {
		got, draws := chances(s, p, actual, 500, source(seed, streamChance))
		if draws != 500 {
			t.Fatalf("%d draws", draws)
		}
		for at, c := range got {
			if c.error > 0 {
				z := (c.chance - truth[at].chance) / c.error
				sum, n = sum+z*z, n+1
				if math.Abs(z) > 6 {
					t.Errorf("seed %d, place %d: %.4f ± %.4f, in truth %.4f", seed, at, c.chance, c.error, truth[at].chance)
				}
			}
		}
	}
	if mean := sum / float64(n); mean > 1.3 {
		t.Errorf("squared deviations are %.2f of what the errors say, on average", mean)
	}
}

// TestReplay writes a record out, and replays it after everything has moved on.
func TestReplay(t *testing.T) {
	for _, policy := range Policies() {
		t.Run(policy, func(t *testing.T) {
			old := learn(2000)
			e := explorer(t, old, func(c *Config) { c.Policy, c.Floor, c.Alpha, c.Spread, c.Epsilon = policy, 0.3, 2, 3, .5 })
			later := explorer(t, moved{learnt{learn(100).Posterior, 8}, old}, func(c *Config) {
				c.Enabled, c.Floor, c.Places.Home, c.Alpha, c.Spread, c.Learning.Noise = false, .01, []int{2}, 0, 0, 9
			})
			for i := range 20 {
				req := request(rand.New(rand.NewPCG(9, uint64(i))), 80)
				req.Learner.ID = strconv.Itoa(i)
				order, x := e.Explore(req)
				r := recordedList(req, order, x)
				if err := e.Finish(context.Background(), r); err != nil {
					t.Fatal(err)
				}
				body, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				back := &lectern.Ranking{}
				if err := json.Unmarshal(body, back); err != nil {
					t.Fatal(err)
				}
				got, err := later.Replay(context.Background(), back, 0)
				if err != nil {
					t.Fatal(err)
				}
				if !got.Filled || len(got.Differs) > 0 || len(got.Choices) != 2 || len(got.Slate) != len(x.Slate) {
					t.Errorf("list %d is another one: %v %+v", i, got.Differs, got.Choices)
				}
				for _, p := range got.Places {
					if p.Recorded <= 0 || p.Propensity != p.Recorded || p.PropensityError != p.RecordedError || !p.Agrees {
						t.Errorf("list %d, place %d: %v ± %v, recorded %v ± %v", i, p.Place, p.Propensity, p.PropensityError, p.Recorded, p.RecordedError)
					}
				}
				if i == 0 {
					if many, err := later.Replay(context.Background(), back, 100_000); err != nil || many.Draws != 100_000 && many.Draws != 0 {
						t.Errorf("100,000 draws were asked for: %v, %v", many, err)
					}
				}
				if more, err := later.Replay(context.Background(), back, 5000); err != nil {
					t.Error(err)
				} else {
					for _, p := range more.Places {
						if !p.Agrees {
							t.Errorf("list %d, place %d with more draws: %v ± %v, recorded %v ± %v", i, p.Place, p.Propensity, p.PropensityError, p.Recorded, p.RecordedError)
						}
					}
				}
			}
		})
	}
}

// moved has another newest posterior, and still keeps an old one.
type moved struct {
	learnt
	before learnt
}

func (m moved) At(ctx context.Context, version int64) (*bandit.Posterior, error) {
	return m.before.At(ctx, version)
}

// TestReplayErrors says plainly what cannot be replayed.
func TestReplayErrors(t *testing.T) {
	e := explorer(t, learn(100), nil)
	req := request(rand.New(rand.NewPCG(3, 9)), 60)
	order, x := e.Explore(req)
	plain := recordedList(req, order, nil)
	gone := recordedList(req, order, x)
	changed := *x
	changed.Posterior = 99
	gone.Exploration = &changed
	broken := recordedList(req, order, x)
	half := *x
	half.Slate = half.Slate[:3]
	broken.Exploration = &half
	other := recordedList(req, order, x)
	future := *x
	future.Features = "f9"
	other.Exploration = &future
	for name, tt := range map[string]struct {
		r     *lectern.Ranking
		draws int
		want  lectern.Code
	}{
		"nothing explored":   {plain, 0, lectern.CodeInvalid},
		"posterior gone":     {gone, 0, lectern.CodeNotFound},
		"broken record":      {broken, 0, lectern.CodeInvalid},
		"features of others": {other, 0, lectern.CodeInvalid},
		"too few draws":      {recordedList(req, order, x), 10, lectern.CodeInvalid},
		"too many draws":     {recordedList(req, order, x), 2_000_000, lectern.CodeInvalid},
		"negative draws":     {recordedList(req, order, x), -1, lectern.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := e.Replay(context.Background(), tt.r, tt.draws); lectern.ErrorCode(err) != tt.want {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestSeeds are the same through a day, and tell lists apart.
func TestSeeds(t *testing.T) {
	l := newLots([]byte("secret"))
	req := request(rand.New(rand.NewPCG(3, 9)), 10)
	first := l.seed(req)
	later := *req
	later.At = now.Add(11 * 3600e9)
	other := *req
	other.About = "python"
	tomorrow := *req
	tomorrow.At = now.AddDate(0, 0, 1)
	bob := *req
	bob.Learner.ID = "bob"
	if l.seed(&later) != first || l.seed(&other) == first || personDay(l.seed(&other)) != personDay(first) {
		t.Error("one day of one person")
	}
	if personDay(l.seed(&tomorrow)) == personDay(first) || personDay(l.seed(&bob)) == personDay(first) {
		t.Error("another day or person")
	}
	if newLots([]byte("other")).seed(req) == first {
		t.Error("anybody can foresee it")
	}
	taken := 0
	for i := range 10_000 {
		if l.taken(lectern.LearnerRef{ID: strconv.Itoa(i)}) < 0.3 {
			taken++
		}
	}
	if taken < 2800 || taken > 3200 {
		t.Errorf("%d of 10000 learners in a share of 0.3", taken)
	}
}

// TestOrderFits: what Explore returns and what it records are the same list.
func TestOrderFits(t *testing.T) {
	e := explorer(t, learn(500), func(c *Config) { c.Floor, c.Caps.PerLearner = .8, 0 })
	for i := range 50 {
		req := request(rand.New(rand.NewPCG(7, uint64(i))), 50)
		req.Learner.ID = strconv.Itoa(i)
		order, x := e.Explore(req)
		var back []int
		for _, at := range x.Slate {
			back = append(back, order[at])
		}
		want := make([]int, len(x.Slate))
		for j := range want {
			want[j] = j
		}
		if diff := cmp.Diff(want, back); diff != "" {
			t.Fatalf("slate against order:\n%s", diff)
		}
		for j := len(x.Slate); j < len(order); j++ {
			if order[j] != j {
				t.Fatalf("place %d changed behind the slate", j)
			}
		}
	}
}
