package rerank_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

var update = flag.Bool("update", false, "rewrite golden files")

// fixtureCourse is one course of the fixture, in the units of the signals: cosines,
// shares, stars.
type fixtureCourse struct {
	id, provider, category string
	level                  lectern.Level
	hours                  float64
	age                    int     // days
	stars, ratings         float64 // of late
	sentiment, reviews     float64
	popularity, trend      float64
	taste, others          float64 // cosine to the learner's taste; what the model says
	goal, novelty          float64
	starters, finishers    float64
	views                  float64
	topic                  [2]float64 // angles of the content vector, in degrees
}

// fixture is a small catalogue in three categories, seen by a learner at home in data.
// Every course is there for something, which its id says.
func fixture() []fixtureCourse {
	const b, i, a = lectern.LevelBeginner, lectern.LevelIntermediate, lectern.LevelAdvanced
	return []fixtureCourse{
		{"data-basics", "alpha", "data", b, 20, 900, 4.6, 400, .85, 120, .9, 0, .82, .95, 0, .2, 300, 130, 500, [2]float64{0, 0}},
		{"data-basics-again", "beta", "data", b, 22, 700, 4.4, 90, .80, 30, .5, 0, .81, .80, 0, .2, 60, 24, 200, [2]float64{3, 0}},
		{"data-deep", "alpha", "data", a, 60, 300, 4.7, 60, .88, 25, .4, 0, .78, .85, .30, .3, 30, 9, 120, [2]float64{25, 0}},
		{"data-finished-by-all", "alpha", "data", i, 12, 400, 4.5, 50, .82, 20, .3, 0, .70, .70, .10, .35, 40, 36, 90, [2]float64{20, 20}},
		{"data-new-and-good", "gamma", "data", i, 16, 10, 4.9, 12, .95, 9, .1, .2, .66, .60, .15, .4, 3, 1, 4, [2]float64{40, 10}},
		{"data-badly-reviewed", "beta", "data", i, 18, 500, 4.1, 80, .30, 60, .6, 0, .72, .75, .10, .3, 90, 20, 260, [2]float64{-25, 0}},
		{"cloud-goal", "delta", "cloud", i, 40, 250, 4.5, 40, .80, 15, .35, 0, .45, .55, .80, .55, 20, 8, 60, [2]float64{90, 0}},
		{"cloud-trending", "beta", "cloud", i, 30, 120, 4.4, 30, .78, 12, .45, .8, .42, .65, .20, .6, 25, 8, 180, [2]float64{110, 10}},
		{"cloud-well-reviewed", "delta", "cloud", b, 25, 600, 4.5, 70, .97, 80, .4, 0, .40, .50, .20, .6, 50, 22, 140, [2]float64{125, -15}},
		{"art-popular", "gamma", "art", b, 10, 1200, 4.5, 900, .84, 300, 1, .1, .10, .20, 0, .95, 700, 260, 900, [2]float64{0, 90}},
		{"art-little-known", "delta", "art", b, 8, 800, 4.8, 40, .93, 22, .05, 0, .12, .15, 0, .93, 15, 9, 1, [2]float64{30, 60}},
		{"unknown", "", "", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, [2]float64{}},
	}
}

// candidate lays a course out as retrieval would; 0 is unknown where it can be.
func (f fixtureCourse) candidate() rerank.Candidate {
	facts := &rerank.Facts{ID: f.id, Title: f.id, Provider: f.provider, Category: f.category, Level: f.level, Views: f.views, Language: "en", Languages: []string{"en"}}
	c := rerank.Candidate{Course: facts, Sources: []string{"profile"}}
	if f.category == "" {
		return c
	}
	facts.Categories, facts.Skills = []string{f.category}, []string{f.category}
	facts.Hours, facts.PublishedAt = &f.hours, now.AddDate(0, 0, -f.age)
	facts.FreshAt = facts.PublishedAt
	facts.RatingMean, facts.RatingWeight, facts.RatingCount = f.stars, f.ratings, int(f.ratings)
	facts.Recent, facts.RecentAt = recent(f.ratings, f.stars), now
	facts.Sentiment, facts.SentimentWeight = f.sentiment, f.reviews
	facts.Popularity, c.Trend = rerank.Known(f.popularity), rerank.Known(f.trend)
	c.Similarity, c.Collaborative = rerank.Matched(f.taste), rerank.Known(f.others)
	c.NearestID, c.NearestTitle, c.NearestSim = "done", "Done", f.taste
	c.Goal, c.Novelty = rerank.Known(f.goal), rerank.Known(f.novelty)
	c.GoalSkills = []string{f.category}
	c.Starters, c.Finishers, c.Alike = f.starters, f.finishers, true
	c.Relevance = rerank.Known(f.taste)
	in := func(degrees float64) (sin, cos float64) { return math.Sincos(degrees * math.Pi / 180) }
	s0, c0 := in(f.topic[0])
	s1, c1 := in(f.topic[1])
	c.Vector = []float32{float32(c0 * c1), float32(s0 * c1), float32(s1), 0}
	return c
}

// goldenCase is a list of the fixture: settings, and what is asked.
type goldenCase struct {
	name, says string
	change     func(c *rerank.Config)
	ask        func(r *rerank.Request)
}

func goldenCases() []goldenCase {
	prefer := func(p lectern.Preference, l lectern.Leaning) func(*rerank.Request) {
		return func(r *rerank.Request) { r.Preferences = map[lectern.Preference]lectern.Leaning{p: l} }
	}
	rules := func(rules ...rerank.Rule) func(*rerank.Config) {
		return func(c *rerank.Config) { c.Rules = rules }
	}
	plain := func(c *rerank.Config) { // by score alone
		c.Lists.Diversity, c.Lists.Calibration = rerank.PerSurface{}, rerank.MixConfig{}
		c.Lists.MaxProviderRun, c.Lists.MaxCategoryRun, c.Lists.DuplicatesFrom = 0, 0, 2
	}
	plainly := func(w rerank.TermWeights) func(*rerank.Config) {
		return func(c *rerank.Config) { plain(c); c.Weights.Home = w }
	}
	return []goldenCase{
		{"default", "what a new platform shows", nil, nil},
		{"by score alone", "no diversity, runs, duplicates", plain, nil},
		{"popular alone", "one term", plainly(rerank.TermWeights{Popularity: 1}), nil},
		{"what people say", "quality and sentiment", plainly(rerank.TermWeights{Quality: 1, Sentiment: 1}), nil},
		{"towards the goal", "goal_progress beside taste", plainly(rerank.TermWeights{Similarity: 1, GoalProgress: 1}), nil},
		{"worth showing", "creator_exposure and freshness", plainly(rerank.TermWeights{Exposure: 3, Freshness: 1}), nil},
		{"finished", "completion and time", plainly(rerank.TermWeights{Completion: 2, Time: 1}), nil},
		{"no behaviour", "what others do is disabled", func(c *rerank.Config) {
			plain(c)
			c.Disabled = []string{"collaborative", "popularity", "trend", "completion"}
		}, nil},
		{"fewer popular", "a learner's wish", plain, prefer(lectern.PreferPopular, lectern.LeanLess)},
		{"more different", "a learner's wish; diversity too", nil, prefer(lectern.PreferDifferent, lectern.LeanMore)},
		{"more challenging", "a learner's wish: advanced courses", plain, prefer(lectern.PreferChallenging, lectern.LeanMore)},
		{"row explore", "a row with weights of its own", func(c *rerank.Config) {
			plain(c)
			c.Weights.Rows = map[lectern.Row]rerank.TermWeights{lectern.RowExplore: {Novelty: 2, Sentiment: 1}}
		}, func(r *rerank.Request) { r.Row = lectern.RowExplore }},
		{"search", "the default weights of searches", nil, func(r *rerank.Request) { r.Surface, r.Query = lectern.SurfaceSearch, "data" }},
		{"rules", "art pinned first, beta buried, cloud boosted, one hidden", func(c *rerank.Config) {
			plain(c)
			rules(rerank.Rule{ID: "pin-art", Action: rerank.RulePin, Categories: []string{"art"}},
				rerank.Rule{ID: "bury-beta", Action: rerank.RuleBury, Providers: []string{"beta"}, Strength: 0.5},
				rerank.Rule{ID: "boost-cloud", Action: rerank.RuleBoost, Categories: []string{"cloud"}, Strength: 0.2},
				rerank.Rule{ID: "hide-one", Action: rerank.RuleHide, Courses: []string{"data-deep"}})(c)
		}, nil},
		{"one per provider", "a business limit", func(c *rerank.Config) { plain(c); c.Lists.MaxPerProvider = 1 }, nil},
	}
}

// TestGoldenLists holds lists of the fixture under many settings against a table, so
// that what a change does to them can be read. Rewrite it with -update.
func TestGoldenLists(t *testing.T) {
	var in []rerank.Candidate
	for _, f := range fixture() {
		in = append(in, f.candidate())
	}
	var b strings.Builder
	for _, tt := range goldenCases() {
		cfg := rerank.DefaultConfig()
		if tt.change != nil {
			tt.change(&cfg)
		}
		l, err := rerank.New(cfg, tt.name)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		req := rerank.Request{
			Surface: lectern.SurfaceHome, At: now, Level: lectern.LevelIntermediate, WeeklyHours: hours(3), Languages: []string{"en"},
			RatingMean: 4.4, SentimentMean: 0.8, FinishRate: 0.4, ViewsMean: 150, Depth: 12,
		}
		if tt.ask != nil {
			tt.ask(&req)
		}
		fmt.Fprintf(&b, "%s: %s\n", tt.name, tt.says)
		for i, s := range l.Rerank(req, in).Items {
			fmt.Fprintf(&b, "  %2d  %.6f  %-22s", i+1, s.Score, in[s.Index].Course.ID)
			for _, r := range s.Reasons {
				b.WriteString(" " + r.Code)
			}
			if s.Pinned != "" {
				b.WriteString(" [by " + s.Pinned + "]")
			}
			for _, d := range s.Duplicates {
				b.WriteString(" [for " + in[d].Course.ID + "]")
			}
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	path := filepath.Join("testdata", "lists.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("lists changed; if that was meant, rewrite them with -update (-want +got):\n%s", diff)
	}
}
