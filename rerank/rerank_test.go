package rerank_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func linear(t *testing.T, change func(*rerank.Config)) *rerank.Linear {
	t.Helper()
	cfg := rerank.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	l, err := rerank.NewLinear(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func hours(h float64) *float64 { return &h }

func TestExactScore(t *testing.T) {
	l := linear(t, nil)
	facts := &rerank.Facts{
		ID: "c", RatingMean: 5, RatingWeight: 20, Popularity: rerank.Known(0.5),
		FreshAt: now.AddDate(0, 0, -180), Level: lectern.LevelAdvanced, Hours: hours(40), Languages: []string{"en"},
	}
	c := rerank.Candidate{Course: facts, Similarity: rerank.Matched(0.6), Interest: rerank.Matched(0.2)}
	got := l.Rerank(rerank.Request{
		Surface: lectern.SurfaceHome, At: now, Level: lectern.LevelAdvanced, WeeklyHours: hours(5),
		Languages: []string{"en"}, RatingMean: 4,
	}, []rerank.Candidate{c}).Items[0].Score
	// similarity .25·.8 + interest .11·.6 + quality .07·.75 + popularity .04·.5 +
	// freshness .01·.5 + level .04·1 + time .01·1 + language .04·1, and ½ of what is
	// not known: collaborative .23, readiness .03, not_dismissed .03, trend .01,
	// complement .02, sentiment .03, goal_progress .03, novelty .01, completion .02,
	// creator_exposure .02
	// = .2 + .066 + .0525 + .02 + .005 + .04 + .01 + .04 + ½·.43 = .6485
	if math.Abs(got-0.6485) > 1e-12 {
		t.Errorf("score = %v, want .6485", got)
	}
}

// candidates draws a list in which every signal may be missing.
func candidates(t *rapid.T) []rerank.Candidate {
	n := rapid.IntRange(0, 60).Draw(t, "n")
	out := make([]rerank.Candidate, n)
	value := func(name string) float64 { return rapid.Float64Range(-1, 1).Draw(t, name) }
	for i := range out {
		f := &rerank.Facts{
			ID:          fmt.Sprintf("c%03d", i),
			Provider:    rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "provider"),
			Category:    rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "category"),
			Level:       rapid.SampledFrom(append(lectern.Levels(), "")).Draw(t, "level"),
			RatingMean:  rapid.Float64Range(1, 5).Draw(t, "mean"),
			RatingCount: rapid.IntRange(0, 1000).Draw(t, "count"),
		}
		f.RatingWeight = float64(f.RatingCount)
		if rapid.Bool().Draw(t, "dated") {
			f.FreshAt = now.Add(-time.Duration(rapid.IntRange(-100, 100_000).Draw(t, "age")) * time.Hour)
			f.PublishedAt = f.FreshAt
		}
		if rapid.Bool().Draw(t, "popular") {
			f.Popularity = rerank.Known(value("popularity"))
		}
		out[i] = rerank.Candidate{Course: f, ExactTitle: rapid.Bool().Draw(t, "title"), Relevance: rerank.Known(value("relevance")), Skills: rerank.Known(value("skills")), Skill: "Knitting"}
		if rapid.Bool().Draw(t, "similar") {
			out[i].Similarity, out[i].Interest = rerank.Matched(value("similarity")), rerank.Matched(value("interest"))
		}
	}
	return out
}

// TestScoresAddUp: terms and scores are in [0, 1], every score is the sum of its
// contributions, and the list holds every candidate once.
func TestScoresAddUp(t *testing.T) {
	l := linear(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		in := candidates(t)
		surface := rapid.SampledFrom(lectern.Surfaces()).Draw(t, "surface")
		ranked := l.Rerank(rerank.Request{Surface: surface, At: now, RatingMean: 4.2, Level: lectern.LevelBeginner}, in)
		out := ranked.Items
		seen := map[int]bool{}
		for _, s := range out {
			seen[s.Index] = true
			sum := 0.0
			for _, term := range rerank.Explain(ranked.Terms, s.Values, s.Adjusted) {
				if term.Value < 0 || term.Value > 1 {
					t.Fatalf("%s = %v", term.Name, term.Value)
				}
				sum += term.Contribution
			}
			if math.Abs(sum-s.Score) > 1e-9 || s.Score < 0 || s.Score > 1+1e-9 {
				t.Fatalf("score %v, terms sum to %v", s.Score, sum)
			}
			for _, r := range s.Reasons {
				if !slices.Contains(rerank.ReasonCodes(), r.Code) {
					t.Fatalf("unknown reason %q", r.Code)
				}
			}
		}
		if len(out) != len(in) || len(seen) != len(in) {
			t.Fatalf("%d candidates became %d, %d distinct", len(in), len(out), len(seen))
		}
	})
}

// TestOrder: outside home, lists fall by score, ties go by id, and the order of
// the candidates does not matter. On home a place costs at most the set loss.
func TestOrder(t *testing.T) {
	l := linear(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		in := candidates(t)
		surface := rapid.SampledFrom(lectern.Surfaces()).Draw(t, "surface")
		req := rerank.Request{Surface: surface, At: now, RatingMean: 4.2}
		out := l.Rerank(req, in).Items
		best := math.Inf(1)
		for i := len(out) - 1; i >= 0 && surface == lectern.SurfaceHome; i-- {
			rest := 0.0
			for _, later := range out[i:] {
				rest = max(rest, later.Score)
			}
			if out[i].Score < rest-rerank.DefaultConfig().Lists.MaxVarietyLoss-1e-9 {
				t.Fatalf("place %d costs %v", i, rest-out[i].Score)
			}
		}
		for i, s := range out {
			if surface == lectern.SurfaceHome {
				break
			}
			if s.Score > best || i > 0 && s.Score == best && in[out[i-1].Index].Course.ID > in[s.Index].Course.ID {
				t.Fatalf("place %d is out of order", i)
			}
			best = s.Score
		}
		mixed := rapid.Permutation(in).Draw(t, "mixed")
		if diff := cmp.Diff(order(out, in), order(l.Rerank(req, mixed).Items, mixed)); diff != "" {
			t.Fatalf("order of candidates matters:\n%s", diff)
		}
	})
}

func order(s []rerank.Scored, in []rerank.Candidate) []string {
	out := make([]string, len(s))
	for i := range s {
		out[i] = in[s[i].Index].Course.ID
	}
	return out
}

// TestExactTitleComesFirst: whatever all other terms say, at default weights.
func TestExactTitleComesFirst(t *testing.T) {
	l := linear(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		in := candidates(t)
		if len(in) == 0 {
			return
		}
		for i := range in {
			in[i].ExactTitle = i == len(in)-1
		}
		out := l.Rerank(rerank.Request{Surface: lectern.SurfaceSearch, At: now, RatingMean: 4, Languages: []string{"en"}}, in).Items
		if out[0].Index != len(in)-1 {
			t.Fatalf("the course with the title is not first: %v", order(out, in))
		}
	})
}

func TestRunsAreBroken(t *testing.T) {
	make8 := func(providers string, step float64) []rerank.Candidate {
		var out []rerank.Candidate
		for i, p := range providers {
			out = append(out, rerank.Candidate{
				Course:     &rerank.Facts{ID: fmt.Sprintf("%d%c", i, p), Provider: strings.Trim(string(p), "-")},
				Similarity: rerank.Matched(0.9 - step*float64(i)),
			})
		}
		return out
	}
	tests := []struct {
		name      string
		providers string
		step      float64
		surface   lectern.Surface
		want      string
	}{
		{"a third in a row waits", "aaaab", 0.001, lectern.SurfaceHome, "aabaa"},
		{"nothing else is left", "aaaa", 0.001, lectern.SurfaceHome, "aaaa"},
		{"not at any price", "aaaab", 0.4, lectern.SurfaceHome, "aaaab"},
		{"unknown providers make no run", "----a", 0.001, lectern.SurfaceHome, "----a"},
		{"search keeps its order", "aaaab", 0.001, lectern.SurfaceSimilar, "aaaab"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := make8(tt.providers, tt.step)
			got := ""
			for _, s := range linear(t, nil).Rerank(rerank.Request{Surface: tt.surface, At: now}, in).Items {
				got += in[s.Index].Course.ID[1:]
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReasons(t *testing.T) {
	facts := func(change func(*rerank.Facts)) *rerank.Facts {
		f := &rerank.Facts{ID: "c", Language: "en"}
		if change != nil {
			change(f)
		}
		return f
	}
	tests := []struct {
		name string
		req  rerank.Request
		c    rerank.Candidate
		want []lectern.Reason
	}{
		{"nothing speaks for it", rerank.Request{}, rerank.Candidate{Course: facts(nil)}, nil},
		{"similar", rerank.Request{}, rerank.Candidate{
			Course: facts(nil), Similarity: rerank.Matched(0.8), NearestID: "n", NearestTitle: "Near", NearestSim: 0.7,
		}, []lectern.Reason{{Code: "similar_to_course", Params: map[string]string{"course_id": "n", "title": "Near"}}}},
		{"too far to say so", rerank.Request{}, rerank.Candidate{
			Course: facts(nil), Similarity: rerank.Matched(0.3), NearestID: "n", NearestTitle: "Near", NearestSim: 0.1,
		}, nil},
		{"interest", rerank.Request{}, rerank.Candidate{
			Course: facts(nil), Similarity: rerank.Matched(0.9), Interest: rerank.Matched(1), InterestText: "Go",
		}, []lectern.Reason{{Code: "matches_interest", Params: map[string]string{"interest": "Go"}}}},
		{"goal", rerank.Request{}, rerank.Candidate{
			Course: facts(nil), Interest: rerank.Matched(1), InterestText: "be a chef", InterestGoal: true,
		}, []lectern.Reason{{Code: "matches_goal", Params: map[string]string{"goal": "be a chef"}}}},
		{"rated, new and popular", rerank.Request{RatingMean: 4}, rerank.Candidate{Course: facts(func(f *rerank.Facts) {
			f.RatingMean, f.RatingCount, f.RatingWeight = 4.8, 400, 400
			f.Popularity = rerank.Known(1)
			f.PublishedAt = now.AddDate(0, 0, -3)
			f.FreshAt = f.PublishedAt
		})}, []lectern.Reason{
			// quality .07·.38 = .027, popularity .04·.5 = .02, creator_exposure .02·.475 =
			// .0095, freshness .01·.49 = .005, which would say that it is new once more
			{Code: "highly_rated", Params: map[string]string{"rating": "4.8", "count": "400"}},
			{Code: "popular"},
			{Code: "new_from_creator"},
		}},
		{"too few ratings", rerank.Request{RatingMean: 4}, rerank.Candidate{Course: facts(func(f *rerank.Facts) {
			f.RatingMean, f.RatingCount, f.RatingWeight = 5, 9, 9
		})}, nil},
		{"a mean without a count", rerank.Request{RatingMean: 4}, rerank.Candidate{Course: facts(func(f *rerank.Facts) {
			f.RatingMean, f.RatingWeight = 5, 50
		})}, nil},
		{"level, time and language", rerank.Request{Level: lectern.LevelBeginner, WeeklyHours: hours(2), Languages: []string{"en"}},
			rerank.Candidate{Course: facts(func(f *rerank.Facts) {
				f.Level, f.Hours, f.Languages = lectern.LevelBeginner, hours(7.5), []string{"en"}
			})}, []lectern.Reason{
				{Code: "fits_level", Params: map[string]string{"level": "beginner"}},
				{Code: "fits_time", Params: map[string]string{"hours": "7.5"}},
				{Code: "fits_language", Params: map[string]string{"language": "en"}},
			}},
		{"query words", rerank.Request{Surface: lectern.SurfaceSearch, Query: "go web"}, rerank.Candidate{
			Course: facts(nil), Relevance: rerank.Known(1), MatchedTerms: []string{"go", "web"},
		}, []lectern.Reason{{Code: "matches_query", Params: map[string]string{"terms": "go, web"}}}},
		{"query in the text", rerank.Request{Surface: lectern.SurfaceSearch, Query: "go"}, rerank.Candidate{
			Course: facts(nil), Relevance: rerank.Known(1), Mentioned: []string{"go"},
		}, []lectern.Reason{{Code: "mentions_query", Params: map[string]string{"query": "go"}}}},
		{"query by meaning", rerank.Request{Surface: lectern.SurfaceSearch, Query: "go"}, rerank.Candidate{
			Course: facts(nil), Relevance: rerank.Known(1), Sources: []string{"meaning"},
		}, []lectern.Reason{{Code: "close_to_query", Params: map[string]string{"query": "go"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.req.At = now
			got := linear(t, nil).Rerank(tt.req, []rerank.Candidate{tt.c}).Items[0].Reasons
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBaselines(t *testing.T) {
	var in []rerank.Candidate
	for i := range 50 {
		in = append(in, rerank.Candidate{Course: &rerank.Facts{ID: fmt.Sprint(i), Popularity: rerank.Known(float64(i*7%50) / 50)}})
	}
	req := rerank.Request{Surface: lectern.SurfaceHome, At: now}
	noop := order(rerank.NoOp{}.Rerank(req, in).Items, in)
	for i, id := range noop {
		if id != in[i].Course.ID {
			t.Fatalf("no-op moved %s", id)
		}
	}
	popular := rerank.Popularity{}.Rerank(req, in).Items
	for i := 1; i < len(popular); i++ {
		if popular[i].Score > popular[i-1].Score {
			t.Fatalf("place %d of popularity is out of order", i)
		}
	}
	one, again, two := order(rerank.Random{Seed: 1}.Rerank(req, in).Items, in), order(rerank.Random{Seed: 1}.Rerank(req, in).Items, in), order(rerank.Random{Seed: 2}.Rerank(req, in).Items, in)
	if !slices.Equal(one, again) || slices.Equal(one, two) || slices.Equal(one, noop) {
		t.Error("random must follow its seed and nothing else")
	}
	for _, r := range []rerank.Reranker{rerank.NoOp{}, rerank.Random{}, rerank.Popularity{}, linear(t, nil)} {
		req := req
		req.Depth = 5
		ranked := r.Rerank(req, in)
		got := ranked.Items
		if len(got) != 5 || r.Version() == "" {
			t.Errorf("%s: %d items", r.Version(), len(got))
		}
		sum := 0.0
		for _, term := range rerank.Explain(ranked.Terms, got[0].Values, nil) {
			sum += term.Contribution
		}
		if math.Abs(sum-got[0].Score) > 1e-9 {
			t.Errorf("%s: score %v, terms sum to %v", r.Version(), got[0].Score, sum)
		}
	}
}

func TestConfig(t *testing.T) {
	if err := rerank.DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		key    string
		change func(*rerank.Config)
	}{
		{"rerank.weights.home.similarity", func(c *rerank.Config) { c.Weights.Home.Similarity = -1 }},
		{"rerank.weights.search.quality", func(c *rerank.Config) { c.Weights.Search.Quality = math.NaN() }},
		{"rerank.weights.similar", func(c *rerank.Config) { c.Weights.Similar = rerank.TermWeights{} }},
		{"rerank.terms.freshness_half_life_days", func(c *rerank.Config) { c.Terms.FreshnessHalfLifeDays = 0 }},
		{"rerank.terms.rating_prior", func(c *rerank.Config) { c.Terms.RatingPrior = -1 }},
		{"rerank.terms.comfortable_weeks", func(c *rerank.Config) { c.Terms.ComfortableWeeks = 0 }},
		{"rerank.lists.max_provider_run", func(c *rerank.Config) { c.Lists.MaxProviderRun = -1 }},
		{"rerank.lists.max_category_run", func(c *rerank.Config) { c.Lists.MaxCategoryRun = -1 }},
		{"rerank.lists.max_variety_loss", func(c *rerank.Config) { c.Lists.MaxVarietyLoss = 2 }},
		{"rerank.reasons.max", func(c *rerank.Config) { c.Reasons.Max = 11 }},
		{"rerank.reasons.popular_from", func(c *rerank.Config) { c.Reasons.PopularFrom = 1.1 }},
		{"rerank.reasons.rated_from", func(c *rerank.Config) { c.Reasons.RatedFrom = 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			cfg := rerank.DefaultConfig()
			tt.change(&cfg)
			_, err := rerank.NewLinear(cfg)
			e, ok := errors.AsType[*lectern.Error](err)
			if !ok || e.Code != lectern.CodeInvalid || e.Fields[0].Field != tt.key || e.Fields[0].Allowed == "" {
				t.Errorf("got %v, want an error that names %s", err, tt.key)
			}
		})
	}
	a, b := linear(t, nil), linear(t, func(c *rerank.Config) { c.Weights.Home.Quality += 0.01 })
	if a.Version() == b.Version() || a.Version() != linear(t, nil).Version() {
		t.Error("the version must change with the settings, and only then")
	}
	sum := 0.0
	for _, term := range b.Rerank(rerank.Request{}, nil).Terms {
		sum += term.Weight
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("weights sum to %v", sum)
	}
}

func BenchmarkRerank600(b *testing.B) {
	l, err := rerank.NewLinear(rerank.DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	in := make([]rerank.Candidate, 600)
	for i := range in {
		in[i] = rerank.Candidate{
			Course: &rerank.Facts{
				ID: fmt.Sprintf("c%04d", i), Provider: fmt.Sprint(i % 9), Category: fmt.Sprint(i % 5), Level: lectern.LevelBeginner,
				Popularity: rerank.Known(float64(i%97) / 97), RatingMean: 4.5, RatingCount: 99, RatingWeight: 99, FreshAt: now.AddDate(0, 0, -i),
			},
			Similarity: rerank.Matched(float64(i*31%600) / 600), NearestID: "n", NearestTitle: "Near", NearestSim: 0.5,
			Interest: rerank.Matched(0.3), InterestText: "go",
		}
	}
	req := rerank.Request{Surface: lectern.SurfaceHome, At: now, RatingMean: 4.4, Depth: 200, Level: lectern.LevelBeginner}
	b.ReportAllocs()
	for b.Loop() {
		l.Rerank(req, in)
	}
}
