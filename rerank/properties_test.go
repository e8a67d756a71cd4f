package rerank_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// signal is what one term is made from.
type signal struct {
	name   string
	weight func(w *rerank.TermWeights) *float64
	set    func(c *rerank.Candidate, v float64) // v in [0, 1], higher makes a value that is no lower
	clear  func(c *rerank.Candidate)            // nothing is known
	feeds  []string                             // other terms that read it too
}

// signals lists what every term is made from, for requests of fullRequest.
func signals() []signal {
	known := func(at func(c *rerank.Candidate) *rerank.Signal) (set func(*rerank.Candidate, float64), clear func(*rerank.Candidate)) {
		return func(c *rerank.Candidate, v float64) { *at(c) = rerank.Known(v) }, func(c *rerank.Candidate) { *at(c) = rerank.Signal{} }
	}
	matched := func(at func(c *rerank.Candidate) *rerank.Match) (set func(*rerank.Candidate, float64), clear func(*rerank.Candidate)) {
		return func(c *rerank.Candidate, v float64) { *at(c) = rerank.Matched(2*v - 1) }, func(c *rerank.Candidate) { *at(c) = rerank.Match{} }
	}
	var out []signal
	add := func(name string, weight func(w *rerank.TermWeights) *float64, set func(*rerank.Candidate, float64), clear func(*rerank.Candidate), feeds ...string) {
		out = append(out, signal{name, weight, set, clear, feeds})
	}
	signal := func(name string, weight func(w *rerank.TermWeights) *float64, at func(c *rerank.Candidate) *rerank.Signal, feeds ...string) {
		set, clear := known(at)
		add(name, weight, set, clear, feeds...)
	}
	match := func(name string, weight func(w *rerank.TermWeights) *float64, at func(c *rerank.Candidate) *rerank.Match) {
		set, clear := matched(at)
		add(name, weight, set, clear)
	}
	type w = rerank.TermWeights
	type c = rerank.Candidate
	signal("relevance", func(x *w) *float64 { return &x.Relevance }, func(x *c) *rerank.Signal { return &x.Relevance }, "skill_match")
	signal("skill_match", func(x *w) *float64 { return &x.Skills }, func(x *c) *rerank.Signal { return &x.Skills })
	match("similarity", func(x *w) *float64 { return &x.Similarity }, func(x *c) *rerank.Match { return &x.Similarity })
	match("interest_match", func(x *w) *float64 { return &x.Interest }, func(x *c) *rerank.Match { return &x.Interest })
	signal("popularity", func(x *w) *float64 { return &x.Popularity }, func(x *c) *rerank.Signal { return &x.Course.Popularity })
	signal("readiness", func(x *w) *float64 { return &x.Readiness }, func(x *c) *rerank.Signal { return &x.Readiness })
	signal("collaborative", func(x *w) *float64 { return &x.Collaborative }, func(x *c) *rerank.Signal { return &x.Collaborative })
	signal("trend", func(x *w) *float64 { return &x.Trend }, func(x *c) *rerank.Signal { return &x.Trend })
	signal("complement", func(x *w) *float64 { return &x.Complement }, func(x *c) *rerank.Signal { return &x.Complement })
	signal("goal_progress", func(x *w) *float64 { return &x.GoalProgress }, func(x *c) *rerank.Signal { return &x.Goal })
	signal("novelty", func(x *w) *float64 { return &x.Novelty }, func(x *c) *rerank.Signal { return &x.Novelty })
	add("not_dismissed", func(x *w) *float64 { return &x.NotDismissed },
		func(x *c, v float64) { x.Away = rerank.Matched(1 - v) }, func(x *c) { x.Away = rerank.Match{} })
	add("quality", func(x *w) *float64 { return &x.Quality },
		func(x *c, v float64) { x.Course.RatingMean, x.Course.RatingWeight = 1+4*v, 30 },
		func(x *c) { x.Course.RatingMean, x.Course.RatingWeight = 0, 0 }, "creator_exposure")
	add("sentiment", func(x *w) *float64 { return &x.Sentiment },
		func(x *c, v float64) { x.Course.Sentiment, x.Course.SentimentWeight = v, 30 },
		func(x *c) { x.Course.Sentiment, x.Course.SentimentWeight = 0, 0 }, "creator_exposure")
	add("freshness", func(x *w) *float64 { return &x.Freshness },
		func(x *c, v float64) { x.Course.FreshAt = now.Add(-time.Duration((1 - v) * 1e4 * float64(time.Hour))) },
		func(x *c) { x.Course.FreshAt = time.Time{} })
	add("level_fit", func(x *w) *float64 { return &x.Level }, func(x *c, v float64) {
		x.Course.Level = []lectern.Level{lectern.LevelAdvanced, lectern.LevelIntermediate, lectern.LevelMixed, lectern.LevelBeginner}[int(v*3.99)]
	}, func(x *c) { x.Course.Level = "" })
	add("time_fit", func(x *w) *float64 { return &x.Time },
		func(x *c, v float64) { x.Course.Hours = hours(300 * (1 - v)) }, func(x *c) { x.Course.Hours = nil })
	add("language_fit", func(x *w) *float64 { return &x.Language },
		func(x *c, v float64) { x.Course.Languages = []string{[]string{"es", "en"}[int(v*1.99)]} },
		func(x *c) { x.Course.Languages = nil })
	add("completion", func(x *w) *float64 { return &x.Completion },
		func(x *c, v float64) { x.Starters, x.Finishers = 40, 40*v }, func(x *c) { x.Starters, x.Finishers = 0, 0 })
	add("creator_exposure", func(x *w) *float64 { return &x.Exposure },
		func(x *c, v float64) {
			x.Course.PublishedAt, x.Course.Views = now.AddDate(0, 0, -int(90*(1-v))), 150*(1-v)
		},
		func(x *c) { x.Course.PublishedAt, x.Course.Views = time.Time{}, 1e6 })
	return out
}

// fullRequest is a search in which every term has something to go by.
func fullRequest() rerank.Request {
	return rerank.Request{
		Surface: lectern.SurfaceSearch, At: now, Level: lectern.LevelBeginner, WeeklyHours: hours(4), Languages: []string{"en"},
		RatingMean: 4.2, SentimentMean: 0.8, FinishRate: 0.4, ViewsMean: 40,
	}
}

// drawn are candidates with some of their signals.
func drawn(t *rapid.T, all []signal) []rerank.Candidate {
	out := make([]rerank.Candidate, rapid.IntRange(2, 12).Draw(t, "n"))
	for i := range out {
		out[i].Course = &rerank.Facts{ID: fmt.Sprintf("c%02d", i)}
		for _, s := range all {
			if rapid.Bool().Draw(t, "knows "+s.name) {
				s.set(&out[i], rapid.Float64Range(0, 1).Draw(t, s.name))
			}
		}
	}
	return out
}

func clone(in []rerank.Candidate) []rerank.Candidate {
	out := slices.Clone(in)
	for i := range out {
		facts := *out[i].Course
		out[i].Course = &facts
	}
	return out
}

func drawnWeights(t *rapid.T, all []signal) rerank.TermWeights {
	var w rerank.TermWeights
	for _, s := range all {
		*s.weight(&w) = float64(rapid.IntRange(0, 10).Draw(t, "weight of "+s.name)) / 10
	}
	w.Collaborative += 0.1 // one at least
	return w
}

// with returns a reranker that searches by some weights.
func with(t *rapid.T, w rerank.TermWeights, change func(c *rerank.Config)) *rerank.Linear {
	cfg := rerank.DefaultConfig()
	cfg.Weights.Search = w
	if change != nil {
		change(&cfg)
	}
	l, err := rerank.NewLinear(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSignalsCoverEveryTerm(t *testing.T) {
	var names []string
	for _, s := range signals() {
		names = append(names, s.name)
	}
	want := rerank.TermNames()
	slices.Sort(names)
	slices.Sort(want)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

// TestWithoutWeightWithoutInfluence: a term whose weight is 0, or that is disabled,
// moves nothing, whatever its signal.
func TestWithoutWeightWithoutInfluence(t *testing.T) {
	all := signals()
	rapid.Check(t, func(t *rapid.T) {
		in, w, req := drawn(t, all), drawnWeights(t, all), fullRequest()
		s := rapid.SampledFrom(all).Draw(t, "term")
		for _, other := range all {
			if slices.Contains(s.feeds, other.name) {
				*other.weight(&w) = 0
			}
		}
		w.Language += 0.1 // two at least
		zero := w
		*s.weight(&zero) = 0
		*s.weight(&w) += 0.5
		changed := clone(in)
		for i := range changed {
			s.set(&changed[i], rapid.Float64Range(0, 1).Draw(t, "another "+s.name))
		}
		none, off := with(t, zero, nil), with(t, w, func(c *rerank.Config) { c.Disabled = []string{s.name} })
		want := none.Rerank(req, in).Items
		for name, got := range map[string][]rerank.Scored{
			"another signal":          none.Rerank(req, changed).Items,
			"disabled":                off.Rerank(req, in).Items,
			"disabled, other signals": off.Rerank(req, changed).Items,
		} {
			if diff := cmp.Diff(order(want, in), order(got, in)); diff != "" {
				t.Fatalf("%s, %s moves courses (-weight 0 +got):\n%s", s.name, name, diff)
			}
			for i := range got {
				if math.Abs(got[i].Score-want[i].Score) > 1e-9 {
					t.Fatalf("%s, %s: score %v became %v", s.name, name, want[i].Score, got[i].Score)
				}
			}
		}
	})
}

// TestRaisingAWeightLiftsItsLeaders: of two courses, the one that has more of a term
// and is not behind does not fall behind when the term weighs more; of two that are
// equal otherwise, it is ahead at any weight.
func TestRaisingAWeightLiftsItsLeaders(t *testing.T) {
	all := signals()
	rapid.Check(t, func(t *rapid.T) {
		in, w, req := drawn(t, all), drawnWeights(t, all), fullRequest()
		s := rapid.SampledFrom(all).Draw(t, "term")
		twin := clone(in[:1])[0] // equal otherwise
		twin.Course.ID = "twin"
		s.set(&in[0], rapid.Float64Range(0, 1).Draw(t, "of the first"))
		s.set(&twin, rapid.Float64Range(0, 1).Draw(t, "of the twin"))
		in = append(in, twin)
		more := w
		*s.weight(&more) += float64(rapid.IntRange(1, 30).Draw(t, "more")) / 10
		before, after := with(t, w, nil).Rerank(req, in), with(t, more, nil).Rerank(req, in)
		at := slices.IndexFunc(after.Terms, func(x lectern.TermWeight) bool { return x.Name == s.name })
		scores := func(r rerank.Ranked) []rerank.Scored {
			out := make([]rerank.Scored, len(in))
			for _, x := range r.Items {
				out[x.Index] = x
			}
			return out
		}
		old, now := scores(before), scores(after)
		for a := range in {
			for b := range in {
				if now[a].Values[at] < now[b].Values[at] || old[a].Score < old[b].Score {
					continue
				}
				if now[a].Score < now[b].Score-1e-9 {
					t.Fatalf("%s leads in %s and was ahead of %s, and falls behind it", in[a].Course.ID, s.name, in[b].Course.ID)
				}
			}
		}
		first, second := now[0], now[len(in)-1]
		if len(s.feeds) == 0 && (first.Values[at]-second.Values[at])*(first.Score-second.Score) < 0 {
			t.Fatalf("%v of %s scores %v, and %v scores %v, all else equal", first.Values[at], s.name, first.Score, second.Values[at], second.Score)
		}
	})
}

// TestMissingIsNeutral: a term that nobody has a signal for is ½ everywhere and never
// reorders, whatever its weight.
func TestMissingIsNeutral(t *testing.T) {
	all := signals()
	rapid.Check(t, func(t *rapid.T) {
		in, w, req := drawn(t, all), drawnWeights(t, all), fullRequest()
		s := rapid.SampledFrom(all).Draw(t, "term")
		if s.name == "skill_match" { // relevance stands in for it: see TestTermValues
			return
		}
		for i := range in {
			s.clear(&in[i])
		}
		*s.weight(&w) = 0
		more := w
		*s.weight(&more) = float64(rapid.IntRange(1, 30).Draw(t, "weight")) / 10
		before, after := with(t, w, nil).Rerank(req, in), with(t, more, nil).Rerank(req, in)
		at := slices.IndexFunc(after.Terms, func(x lectern.TermWeight) bool { return x.Name == s.name })
		place := make([]int, len(in))
		for i, x := range after.Items {
			place[x.Index] = i
			if x.Values[at] != rerank.Neutral {
				t.Fatalf("nothing is known, and %s is %v", s.name, x.Values[at])
			}
		}
		for i, x := range before.Items {
			for _, y := range before.Items[i+1:] {
				if place[x.Index] > place[y.Index] && x.Score > y.Score+1e-9 { // nearer scores are one to floats
					t.Fatalf("nothing is known of %s, and it moves %s above %s", s.name, in[y.Index].Course.ID, in[x.Index].Course.ID)
				}
			}
		}
	})
}

// TestUnknownRequestIsNeutral: what the request does not say is ½, too.
func TestUnknownRequestIsNeutral(t *testing.T) {
	all := signals()
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t, all)
		ranked := linearOf(t).Rerank(rerank.Request{Surface: lectern.SurfaceSearch, At: now}, in)
		for i, term := range ranked.Terms {
			if !slices.Contains([]string{"quality", "sentiment", "completion", "level_fit", "time_fit", "language_fit", "creator_exposure"}, term.Name) {
				continue
			}
			for _, s := range ranked.Items {
				if s.Values[i] != rerank.Neutral {
					t.Fatalf("%s is %v without anything to hold it against", term.Name, s.Values[i])
				}
			}
		}
	})
}

func linearOf(t *rapid.T) *rerank.Linear { return with(t, rerank.DefaultWeights().Search, nil) }

// TestExplanationsAddUp: terms are in [0, 1], scores too, and terms and what rules
// adjusted sum to the score, whatever the weights, preferences and rules.
func TestExplanationsAddUp(t *testing.T) {
	all := signals()
	rapid.Check(t, func(t *rapid.T) {
		in, w, req := drawn(t, all), drawnWeights(t, all), fullRequest()
		req.Surface = rapid.SampledFrom(lectern.Surfaces()).Draw(t, "surface")
		req.Depth = rapid.IntRange(0, 12).Draw(t, "depth")
		req.Preferences = preferences(t)
		var rules []rerank.Rule
		for i := range rapid.IntRange(0, 4).Draw(t, "rules") {
			rules = append(rules, rerank.Rule{
				ID: fmt.Sprint("r", i), Action: rapid.SampledFrom([]rerank.RuleAction{rerank.RuleBoost, rerank.RuleBury}).Draw(t, "action"),
				Courses:  []string{"c00", fmt.Sprintf("c%02d", rapid.IntRange(0, 11).Draw(t, "about"))},
				Strength: rapid.Float64Range(0.01, 1).Draw(t, "strength"),
			})
		}
		l := with(t, w, func(c *rerank.Config) {
			for _, all := range []*rerank.TermWeights{&c.Weights.Home, &c.Weights.Similar, &c.Weights.Next, &c.Weights.Trending} {
				*all = w
			}
			c.Rules = append(c.Rules, rules...)
		})
		ranked := l.Rerank(req, in)
		total := 0.0
		for _, term := range ranked.Terms {
			total += term.Weight
		}
		if math.Abs(total-1) > 1e-9 {
			t.Fatalf("weights sum to %v", total)
		}
		for _, s := range ranked.Items {
			sum := 0.0
			for _, term := range rerank.Explain(ranked.Terms, s.Values, s.Adjusted) {
				if term.Value < 0 || term.Value > 1 || math.Abs(term.Weight*term.Value-term.Contribution) > 1e-9 {
					t.Fatalf("term %+v", term)
				}
				sum += term.Contribution
			}
			if math.Abs(sum-s.Score) > 1e-6 || s.Score < 0 || s.Score > 1 {
				t.Fatalf("score %v, terms sum to %v", s.Score, sum)
			}
		}
	})
}

func preferences(t *rapid.T) map[lectern.Preference]lectern.Leaning {
	out := map[lectern.Preference]lectern.Leaning{}
	for _, p := range lectern.Preferences() {
		if lean := rapid.SampledFrom([]lectern.Leaning{"", lectern.LeanLess, lectern.LeanMore}).Draw(t, string(p)); lean != "" {
			out[p] = lean
		}
	}
	return out
}

// TestPreferencesWithinBounds: bounds of 1 and 1 let learners change nothing.
func TestPreferencesWithinBounds(t *testing.T) {
	all := signals()
	rapid.Check(t, func(t *rapid.T) {
		in, req := drawn(t, all), fullRequest()
		req.Surface = rapid.SampledFrom(lectern.Surfaces()).Draw(t, "surface")
		none := rerank.Bounds{Less: 1, More: 1}
		l := with(t, drawnWeights(t, all), func(c *rerank.Config) {
			c.Preferences = rerank.PreferenceConfig{Popular: none, New: none, Different: none, Short: none, Challenging: none}
		})
		want := l.Rerank(req, in)
		req.Preferences = preferences(t)
		if diff := cmp.Diff(want, l.Rerank(req, in)); diff != "" {
			t.Fatalf("(-without +with preferences):\n%s", diff)
		}
	})
}

// TestTiesGoById: what scores the same stands by id, in whatever order it came.
func TestTiesGoById(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in []rerank.Candidate
		for i := range rapid.IntRange(2, 20).Draw(t, "n") {
			in = append(in, rerank.Candidate{
				Course: &rerank.Facts{ID: fmt.Sprintf("c%02d", i)}, Collaborative: rerank.Known(float64(rapid.IntRange(0, 2).Draw(t, "value")) / 2),
			})
		}
		w := rerank.TermWeights{Collaborative: 1}
		want := slices.Clone(in)
		slices.SortStableFunc(want, func(a, b rerank.Candidate) int {
			return int(2*b.Collaborative.Value) - int(2*a.Collaborative.Value)
		})
		mixed := rapid.Permutation(in).Draw(t, "mixed")
		for i, s := range with(t, w, nil).Rerank(rerank.Request{Surface: lectern.SurfaceSearch, At: now}, mixed).Items {
			if mixed[s.Index].Course.ID != want[i].Course.ID {
				t.Fatalf("place %d has %s, want %s", i, mixed[s.Index].Course.ID, want[i].Course.ID)
			}
		}
	})
}
