// Package synthetic is a small platform whose truth is known, to hold estimates against:
// people with tastes, courses with qualities that the terms tell a part of, lists that
// explore by the real step and the real policies, places that are looked at less the
// further down they are, and rewards that come late. Equal seeds give equal worlds.
package synthetic

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/rerank"
)

// Shape of the world.
const (
	catalogue = 200
	slateSize = 14
	served    = 10
	tastes    = 4
	logDays   = 50
)

// start is when the log begins.
func start() time.Time { return time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) }

// End is when the log is looked at.
func End() time.Time { return start().AddDate(0, 0, logDays) }

// termNames are the terms of lists, each with a weight in Settings.
func termNames() []string {
	return []string{"similarity", "quality", "popularity", "freshness", "collaborative", "novelty"}
}

// Settings are what the log's lists are ranked by.
func Settings() rerank.Config {
	c := rerank.DefaultConfig()
	c.Weights.Home = rerank.TermWeights{Similarity: 0.35, Quality: 0.2, Popularity: 0.15, Freshness: 0.05, Collaborative: 0.2, Novelty: 0.05}
	return c
}

// SettingsName is what lists call Settings.
const SettingsName = "v1"

// Exploring is how the log's lists explore. What is measured hangs on all of it, so none of
// it moves with what Lectern ships with.
func Exploring() explore.Config {
	c := explore.DefaultConfig()
	c.Policy, c.Draws = explore.PolicyThompson, 300
	c.Floor, c.Quality, c.ScoreShare = 0.1, 0, 0
	c.Caps = explore.Caps{}
	c.Places = explore.Places{Home: []int{4, 8}}
	c.Share, c.Pool, c.Epsilon, c.Alpha, c.Spread = 1, 30, 0.1, 1, 1
	c.NewCourses = explore.NewCourses{}
	c.Learning = explore.Learning{HalfLifeDays: 60, Ridge: 4, Noise: 0.2}
	c.Rewards = []explore.Reward{
		{Name: "click", Event: lectern.EventClick, Value: 0.5, WithinDays: 1},
		{Name: "complete", Event: lectern.EventComplete, Value: 0.5, WithinDays: 10},
	}
	return c
}

// course is one of the catalogue.
type course struct {
	id                         string
	taste                      [tastes]float64
	quality, popularity, fresh float64
	charm                      float64 // what no term tells
}

// World is the platform.
type World struct {
	seed       uint64
	courses    []course
	posteriors map[int64]*bandit.Posterior
}

// New makes a world, with two posteriors: version 1 has learnt from some lists, version
// 2 from a few others.
func New(ctx context.Context, seed uint64) (*World, error) {
	w := &World{seed: seed, posteriors: map[int64]*bandit.Posterior{}}
	lots := w.lots(0, 0)
	for i := range catalogue {
		c := course{id: fmt.Sprintf("c%03d", i), quality: lots.Float64(), popularity: math.Pow(lots.Float64(), 2), fresh: lots.Float64(), charm: math.Exp(0.4 * lots.NormFloat64())}
		for j := range c.taste {
			c.taste[j] = lots.NormFloat64()
		}
		w.courses = append(w.courses, c)
	}
	for version, people := range map[int64]int{1: 150, 2: 15} {
		p, err := w.learn(ctx, uint64(1_000_000*version), people)
		if err != nil {
			return nil, err
		}
		w.posteriors[version] = p
	}
	return w, nil
}

func (w *World) lots(a, b uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.seed^a*0x9e3779b97f4a7c15, b)) //nolint:gosec // draws, no secrets
}

// learn returns what lists that explore evenly teach.
func (w *World) learn(ctx context.Context, seed uint64, people int) (*bandit.Posterior, error) {
	p := bandit.NewPosterior(bandit.F1(), 1, 0)
	cfg := Exploring()
	cfg.Policy, cfg.Floor = explore.PolicyNone, 1
	log, err := w.Record(ctx, Serving{Explore: cfg, Settings: Settings()}, seed, people, 4)
	if err != nil {
		return nil, err
	}
	for i := range log.lists {
		r := &log.lists[i].Ranking
		for place := range log.seen[i] {
			row, ok := bandit.Seen(nil, r, place)
			if !ok {
				continue
			}
			p.Add(row, r.CreatedAt)
			if v := log.earned[i][place]; v > 0 {
				p.Reward(row, v, r.CreatedAt)
			}
		}
	}
	return p, nil
}

// scene is one list that is asked for.
type scene struct {
	person  string
	at      time.Time
	courses []int // into the catalogue
	values  [][]float64
	draw    []float64 // chance of a click at the first place
	depth   int       // places that are looked at
}

// scene draws a person's list.
func (w *World) scene(seed uint64, person, nth int) scene {
	who := w.lots(seed+1, uint64(person))
	var taste [tastes]float64
	for j := range taste {
		taste[j] = who.NormFloat64()
	}
	eager := math.Exp(0.5 * who.NormFloat64())
	lots := w.lots(seed+2, uint64(person)<<16|uint64(nth))
	s := scene{person: fmt.Sprintf("p%d-%d", seed, person), courses: lots.Perm(catalogue)[:slateSize]}
	s.at = start().Add(time.Duration(lots.Float64() * logDays * float64(24*time.Hour)))
	for s.depth = 2; s.depth < served && lots.Float64() < 0.88; {
		s.depth++
	}
	for _, at := range s.courses {
		c := &w.courses[at]
		match := 0.0
		for j := range taste {
			match += taste[j] * c.taste[j]
		}
		likes := 1 / (1 + math.Exp(-match/1.5))
		s.values = append(s.values, []float64{
			clamp(likes + 0.2*lots.NormFloat64()), c.quality, c.popularity, c.fresh, clamp(0.5*likes + 0.3*c.quality + 0.2*lots.Float64()), lots.Float64(),
		})
		s.draw = append(s.draw, min(0.7, eager*(0.02+0.28*likes*likes*(0.4+0.6*c.quality)*c.charm)))
	}
	return s
}

func clamp(v float64) float64 { return min(max(v, 0), 1) }

// looked is how much a place is looked at by who gets there.
func looked(place int) float64 { return math.Pow(float64(place+1), -0.4) }

// finishes is the share of clicks that end in a completion, and late the share of these
// that come within the reward's time.
func (s *scene) finishes(i int) float64 { return 0.2 + 0.5*s.values[i][1] }

const late = 0.8

// worth is what a course earns at a place, in the mean.
func (s *scene) worth(i, place int) float64 {
	return s.draw[i] * looked(place) * (0.5 + 0.5*s.finishes(i)*late)
}

// Serving is how lists are made.
type Serving struct {
	Settings  rerank.Config
	Explore   explore.Config
	Posterior int64
	Plain     bool // nothing is explored
}

// maker makes lists.
type maker struct {
	w        *World
	terms    []lectern.TermWeight
	explorer *explore.Explorer // nil explores nothing
}

func (w *World) maker(s Serving) (*maker, error) {
	ranker, err := rerank.New(s.Settings, SettingsName)
	if err != nil {
		return nil, err
	}
	m := &maker{w: w}
	for _, name := range termNames() {
		for _, t := range ranker.Rerank(rerank.Request{Surface: lectern.SurfaceHome, Row: lectern.RowForYou}, nil).Terms {
			if t.Name == name {
				m.terms = append(m.terms, t)
			}
		}
	}
	if !s.Plain {
		m.explorer, err = w.Explorer(s.Explore, s.Posterior)
	}
	return m, err
}

// Explorer explores by a posterior of the world; 0 is none.
func (w *World) Explorer(cfg explore.Config, posterior int64) (*explore.Explorer, error) {
	return explore.New(explore.Deps{
		Settings: explore.Fixed{Config: cfg, Name: "e1"}, Posteriors: known{w, posterior}, Secret: []byte("of this world"), Logger: slog.New(slog.DiscardHandler),
	})
}

// known are the world's posteriors, one of which is in use.
type known struct {
	w     *World
	inUse int64
}

func (k known) Current() (*bandit.Posterior, int64) { return k.w.posteriors[k.inUse], k.inUse }

func (k known) At(_ context.Context, version int64) (*bandit.Posterior, error) {
	if p := k.w.posteriors[version]; p != nil {
		return p, nil
	}
	return nil, lectern.Errorf(lectern.CodeNotFound, "there is no posterior %d", version)
}

// list makes the list of a scene: which of its courses stands where.
func (m *maker) list(s *scene) (order []int, scores []float64, x *lectern.Exploration) {
	scores = make([]float64, len(s.courses))
	ranked := make([]int, len(s.courses))
	for i, values := range s.values {
		ranked[i] = i
		for j, t := range m.terms {
			scores[i] += t.Weight * values[j]
		}
	}
	slices.SortStableFunc(ranked, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	if m.explorer == nil {
		return ranked, scores, nil
	}
	req := &lectern.ExploreRequest{
		Learner: lectern.LearnerRef{ID: s.person}, Surface: lectern.SurfaceHome, Segment: lectern.SegmentActive, At: s.at,
		Allowed: true, Served: served, Terms: m.terms,
	}
	for _, i := range ranked {
		c := &m.w.courses[s.courses[i]]
		req.Items = append(req.Items, lectern.ExploreItem{
			CourseID: c.id, Score: scores[i], Values: s.values[i], Age: 400 * (1 - c.fresh), Evidence: 500 * c.popularity,
		})
	}
	moved, x := m.explorer.Explore(req)
	if x == nil {
		return ranked, scores, nil
	}
	for _, i := range moved {
		order = append(order, ranked[i])
	}
	return order, scores, x
}

// Truth is what lists made in some way earn, a place that is seen, in the mean over many
// people, and its standard error.
func (w *World) Truth(s Serving, seed uint64, people int) (value, deviation float64, err error) {
	m, err := w.maker(s)
	if err != nil {
		return 0, 0, err
	}
	earned, seen := make([]float64, people), make([]float64, people)
	var sum, n float64
	for person := range people {
		sc := w.scene(seed, person, 0)
		order, _, _ := m.list(&sc)
		for place := range sc.depth {
			earned[person] += sc.worth(order[place], place)
			seen[person]++
		}
		sum, n = sum+earned[person], n+seen[person]
	}
	value = sum / n
	for person := range people {
		off := earned[person] - value*seen[person]
		deviation += off * off
	}
	return value, math.Sqrt(deviation) / n, nil
}
