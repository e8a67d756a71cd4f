package rerank_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// weightsOf returns the weights of a request's terms by name.
func weightsOf(l *rerank.Linear, req rerank.Request) map[string]float64 {
	out := map[string]float64{}
	for _, t := range l.Rerank(req, nil).Terms {
		out[t.Name] = t.Weight
	}
	return out
}

// weighed leaves out the terms without a weight, and rounds the others.
func weighed(in map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for name, w := range in {
		if w > 0 {
			out[name] = math.Round(w*1e9) / 1e9
		}
	}
	return out
}

func TestTermsOfASurface(t *testing.T) {
	l := linear(t, func(c *rerank.Config) {
		c.Weights.Trending = rerank.TermWeights{Trend: 3, Quality: 1, Relevance: 4, Skills: 4}
		c.Disabled = []string{"novelty"}
	})
	search, trending := weightsOf(l, rerank.Request{Surface: lectern.SurfaceSearch}), weightsOf(l, rerank.Request{Surface: lectern.SurfaceTrending})
	all := rerank.TermNames()
	for _, name := range all {
		_, inSearch := search[name]
		_, inTrending := trending[name]
		queries := name == "relevance" || name == "skill_match"
		if inSearch != (name != "novelty") || inTrending != (name != "novelty" && !queries) {
			t.Errorf("%s: in searches %v, in trends %v", name, inSearch, inTrending)
		}
	}
	// A weight on what has nothing to say there counts for nothing: 3/(3 + 1), not 3/12.
	if diff := cmp.Diff(map[string]float64{"trend": 0.75, "quality": 0.25}, weighed(trending)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := weightsOf(l, rerank.Request{Surface: "elsewhere"}); len(got) != len(all)-3 {
		t.Errorf("an unknown surface has %d terms, not those of home", len(got))
	}
}

func TestWeightsOfARow(t *testing.T) {
	l := linear(t, func(c *rerank.Config) {
		c.Weights.Home = rerank.TermWeights{Quality: 1}
		c.Weights.Similar = rerank.TermWeights{Similarity: 1}
		c.Weights.Rows = map[lectern.Row]rerank.TermWeights{
			lectern.RowBecause: {Similarity: 1, Novelty: 1},
			lectern.RowNew:     {Freshness: 2},
		}
	})
	for _, tt := range []struct {
		surface lectern.Surface
		row     lectern.Row
		want    map[string]float64
	}{
		{lectern.SurfaceHome, "", map[string]float64{"quality": 1}},
		{lectern.SurfaceHome, lectern.RowExplore, map[string]float64{"quality": 1}},
		{lectern.SurfaceHome, lectern.RowNew, map[string]float64{"freshness": 1}},
		{lectern.SurfaceSimilar, "", map[string]float64{"similarity": 1}},
		{lectern.SurfaceSimilar, lectern.RowBecause, map[string]float64{"similarity": 0.5, "novelty": 0.5}},
	} {
		got := weighed(weightsOf(l, rerank.Request{Surface: tt.surface, Row: tt.row}))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.surface, tt.row, diff)
		}
	}
}

func TestPreferencesMoveWeights(t *testing.T) {
	l := linear(t, func(c *rerank.Config) {
		c.Weights.Home = rerank.TermWeights{Similarity: 4, Popularity: 2, Trend: 2, Freshness: 1, Novelty: 1, Time: 1, Level: 1}
		c.Weights.Trending = rerank.TermWeights{Trend: 1}
		c.Preferences = rerank.PreferenceConfig{
			Popular: rerank.Bounds{Less: 0, More: 2}, New: rerank.Bounds{Less: 0.5, More: 5}, Different: rerank.Bounds{Less: 0.5, More: 3},
			Short: rerank.Bounds{Less: 0.5, More: 3}, Challenging: rerank.Bounds{Less: 2, More: 3},
		}
	})
	want := func(similarity, popularity, trend, freshness, novelty, time, level float64) map[string]float64 {
		sum := similarity + popularity + trend + freshness + novelty + time + level
		return weighed(map[string]float64{
			"similarity": similarity / sum, "popularity": popularity / sum, "trend": trend / sum, "freshness": freshness / sum,
			"novelty": novelty / sum, "time_fit": time / sum, "level_fit": level / sum,
		})
	}
	const less, more = lectern.LeanLess, lectern.LeanMore
	type leanings = map[lectern.Preference]lectern.Leaning
	for _, tt := range []struct {
		name string
		in   leanings
		want map[string]float64
	}{
		{"none", nil, want(4, 2, 2, 1, 1, 1, 1)},
		{"fewer popular", leanings{"popular": less}, want(4, 0, 0, 1, 1, 1, 1)},
		{"more popular", leanings{"popular": more}, want(4, 4, 4, 1, 1, 1, 1)},
		{"newer", leanings{"new": more}, want(4, 2, 2, 5, 1, 1, 1)},
		{"different, shorter", leanings{"different": more, "short": more}, want(4, 2, 2, 1, 3, 3, 1)},
		{"alike, longer", leanings{"different": less, "short": less}, want(4, 2, 2, 1, 0.5, 0.5, 1)},
		{"easier", leanings{"challenging": less}, want(4, 2, 2, 1, 1, 1, 2)},
		{"harder", leanings{"challenging": more}, want(4, 2, 2, 1, 1, 1, 3)},
		{"all at once", leanings{"challenging": more, "new": less, "popular": less, "different": more, "short": less}, want(4, 0, 0, 0.5, 3, 0.5, 3)},
		{"unheard of", leanings{"purple": more, "new": "sideways"}, want(4, 2, 2, 1, 1, 1, 1)},
	} {
		for range 2 { // made the first time, and found the second
			if diff := cmp.Diff(tt.want, weighed(weightsOf(l, rerank.Request{Surface: lectern.SurfaceHome, Preferences: tt.in}))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
		}
	}
	// Where nothing would be left to rank by, the wish is left aside.
	got := weighed(weightsOf(l, rerank.Request{Surface: lectern.SurfaceTrending, Preferences: leanings{"popular": less}}))
	if diff := cmp.Diff(map[string]float64{"trend": 1}, got); diff != "" {
		t.Errorf("nothing left (-want +got):\n%s", diff)
	}
}

func TestChallengeMovesTheLevel(t *testing.T) {
	const less, more = lectern.LeanLess, lectern.LeanMore
	for _, tt := range []struct {
		name    string
		level   lectern.Level
		lean    lectern.Leaning
		assumed bool
		bounds  rerank.Bounds
		best    lectern.Level
		reason  string
	}{
		{"as it is", lectern.LevelIntermediate, "", false, rerank.Bounds{Less: 1.5, More: 1.5}, lectern.LevelIntermediate, "fits_level"},
		{"as estimated", lectern.LevelIntermediate, "", true, rerank.Bounds{Less: 1.5, More: 1.5}, lectern.LevelIntermediate, ""},
		{"up", lectern.LevelIntermediate, more, false, rerank.Bounds{Less: 1.5, More: 1.5}, lectern.LevelAdvanced, "wanted_step_up"},
		{"up from an estimate", lectern.LevelBeginner, more, true, rerank.Bounds{Less: 1.5, More: 1.5}, lectern.LevelIntermediate, "wanted_step_up"},
		{"down", lectern.LevelIntermediate, less, false, rerank.Bounds{Less: 1.5, More: 1.5}, lectern.LevelBeginner, "wanted_step_down"},
		{"no level above", lectern.LevelAdvanced, more, false, rerank.Bounds{Less: 1.5, More: 1.5}, lectern.LevelAdvanced, "fits_level"},
		{"not allowed", lectern.LevelIntermediate, more, false, rerank.Bounds{Less: 1.5, More: 1}, lectern.LevelIntermediate, "fits_level"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := linear(t, func(c *rerank.Config) {
				c.Weights.Similar, c.Preferences.Challenging = rerank.TermWeights{Level: 1}, tt.bounds
			})
			var in []rerank.Candidate
			for _, level := range []lectern.Level{lectern.LevelAdvanced, lectern.LevelBeginner, lectern.LevelIntermediate} {
				in = append(in, rerank.Candidate{Course: &rerank.Facts{ID: string(level), Level: level}})
			}
			req := rerank.Request{Surface: lectern.SurfaceSimilar, At: now, Level: tt.level, LevelAssumed: tt.assumed}
			if tt.lean != "" {
				req.Preferences = map[lectern.Preference]lectern.Leaning{lectern.PreferChallenging: tt.lean}
			}
			first := l.Rerank(req, in).Items[0]
			reason := ""
			if len(first.Reasons) > 0 {
				reason = first.Reasons[0].Code
			}
			if in[first.Index].Course.Level != tt.best || first.Score != 1 || reason != tt.reason {
				t.Errorf("first is %s at %v because of %q", in[first.Index].Course.Level, first.Score, reason)
			}
		})
	}
	l := linear(t, func(c *rerank.Config) { c.Weights.Similar = rerank.TermWeights{Level: 1} })
	got := l.Rerank(rerank.Request{Surface: lectern.SurfaceSimilar, At: now, Preferences: map[lectern.Preference]lectern.Leaning{lectern.PreferChallenging: more}},
		[]rerank.Candidate{{Course: &rerank.Facts{ID: "a", Level: lectern.LevelAdvanced}}}).Items[0].Score
	if got != rerank.Neutral {
		t.Errorf("a step up from an unknown level is at %v", got)
	}
}

// TestConfigOfScoring: every field of scoring that is wrong is named, all at once.
func TestConfigOfScoring(t *testing.T) {
	cfg := rerank.DefaultConfig()
	var want []string
	wrong := func(key string, change func(c *rerank.Config)) {
		change(&cfg)
		want = append(want, "rerank."+key)
	}
	wrong("weights.home.novelty", func(c *rerank.Config) { c.Weights.Home.Novelty = math.Inf(1) })
	wrong("weights.rows.explore.quality", func(c *rerank.Config) {
		c.Weights.Rows = map[lectern.Row]rerank.TermWeights{lectern.RowExplore: {Quality: -1}}
	})
	wrong("weights.rows.new", func(c *rerank.Config) { c.Weights.Rows[lectern.RowNew] = rerank.TermWeights{Relevance: 1} })
	wrong("weights.rows.sidebar", func(c *rerank.Config) { c.Weights.Rows["sidebar"] = rerank.TermWeights{Quality: 1} })
	wrong("weights.trending", func(c *rerank.Config) { c.Weights.Trending = rerank.TermWeights{Trend: 1} })
	cfg.Disabled = []string{"trend"} // nothing is left of trending
	wrong("disabled[1]", func(c *rerank.Config) { c.Disabled = append(c.Disabled, "luck") })
	wrong("terms.rating_half_life_days", func(c *rerank.Config) { c.Terms.RatingHalfLifeDays = 100 })
	wrong("terms.sentiment_prior", func(c *rerank.Config) { c.Terms.SentimentPrior = -1 })
	wrong("terms.completion_prior", func(c *rerank.Config) { c.Terms.CompletionPrior = math.NaN() })
	wrong("terms.exposure_days", func(c *rerank.Config) { c.Terms.ExposureDays = 0 })
	wrong("terms.exposure_views", func(c *rerank.Config) { c.Terms.ExposureViews = 0 })
	wrong("lists.diversity.home", func(c *rerank.Config) { c.Lists.Diversity.Home = 1 })
	wrong("lists.diversity.next", func(c *rerank.Config) { c.Lists.Diversity.Next = -0.1 })
	wrong("lists.calibration.interests", func(c *rerank.Config) { c.Lists.Calibration.Interests = 1 })
	wrong("lists.calibration.levels", func(c *rerank.Config) { c.Lists.Calibration.Levels = math.NaN() })
	wrong("preferences.popular.less", func(c *rerank.Config) { c.Preferences.Popular.Less = 1.5 })
	wrong("preferences.new.more", func(c *rerank.Config) { c.Preferences.New.More = 0.5 })
	wrong("preferences.short.more", func(c *rerank.Config) { c.Preferences.Short.More = 11 })
	wrong("preferences.challenging.less", func(c *rerank.Config) { c.Preferences.Challenging.Less = 0.5 })
	_, err := rerank.NewLinear(cfg)
	e, ok := errors.AsType[*lectern.Error](err)
	if !ok || e.Code != lectern.CodeInvalid {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, f := range e.Fields {
		if f.Allowed == "" {
			t.Errorf("%s does not say what is allowed", f.Field)
		}
		got = append(got, f.Field)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
