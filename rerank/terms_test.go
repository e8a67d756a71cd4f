package rerank_test

import (
	"math"
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// everyTerm weighs every term the same in searches, where all of them apply, so that
// each can be read off.
func everyTerm(c *rerank.Config) {
	c.Weights.Search = rerank.TermWeights{
		Relevance: 1, Similarity: 1, Interest: 1, Quality: 1, Popularity: 1, Freshness: 1, Level: 1, Time: 1, Language: 1,
		Readiness: 1, Skills: 1, Collaborative: 1, NotDismissed: 1, Trend: 1, Complement: 1,
		Sentiment: 1, GoalProgress: 1, Novelty: 1, Completion: 1, Exposure: 1,
	}
}

// recent are ratings with the half-life that holds by default, two years.
func recent(weight, mean float64) [4]rerank.RecentRating {
	return [4]rerank.RecentRating{2: {Weight: weight, Mean: mean}}
}

// valueOf reads one term off an item.
func valueOf(t *testing.T, ranked rerank.Ranked, item int, term string) float64 {
	t.Helper()
	i := slices.IndexFunc(ranked.Terms, func(x lectern.TermWeight) bool { return x.Name == term })
	if i < 0 {
		t.Fatalf("no term %s among %v", term, ranked.Terms)
	}
	return ranked.Items[item].Values[i]
}

func TestTermValues(t *testing.T) {
	l := linear(t, everyTerm)
	request := rerank.Request{
		Surface: lectern.SurfaceSearch, At: now, Level: lectern.LevelIntermediate, WeeklyHours: hours(5),
		Languages: []string{"en"}, RatingMean: 4, FinishRate: 0.4, SentimentMean: 0.8, ViewsMean: 30,
	}
	tests := []struct {
		name, term string
		c          rerank.Candidate
		facts      rerank.Facts
		want       float64
	}{
		{"unknown relevance", "relevance", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"best fused score", "relevance", rerank.Candidate{Relevance: rerank.Known(1)}, rerank.Facts{}, 0.9}, // .9 × 1
		// .9·.5; the course whose title is the query teaches it; without a skill, relevance: .9·.4
		{"skills", "skill_match", rerank.Candidate{Skills: rerank.Known(0.5), Relevance: rerank.Known(0.8)}, rerank.Facts{}, 0.45},
		{"skills of an exact title", "skill_match", rerank.Candidate{Skills: rerank.Known(0), ExactTitle: true}, rerank.Facts{}, 1},
		{"no skill asked for", "skill_match", rerank.Candidate{Relevance: rerank.Known(0.4)}, rerank.Facts{}, 0.36},
		{"exact title", "relevance", rerank.Candidate{Relevance: rerank.Known(0.2), ExactTitle: true}, rerank.Facts{}, 1},
		{"unknown similarity", "similarity", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"nothing in common", "similarity", rerank.Candidate{Similarity: rerank.Matched(0)}, rerank.Facts{}, 0.5},
		{"cosine .5", "similarity", rerank.Candidate{Similarity: rerank.Matched(0.5)}, rerank.Facts{}, 0.75}, // (1 + .5)/2
		{"opposed", "similarity", rerank.Candidate{Similarity: rerank.Matched(-0.4)}, rerank.Facts{}, 0.3},
		{"not a number", "similarity", rerank.Candidate{Similarity: rerank.Matched(math.NaN())}, rerank.Facts{}, 0.5},
		{"interest", "interest_match", rerank.Candidate{Interest: rerank.Matched(1)}, rerank.Facts{}, 1},
		{"unrated", "quality", rerank.Candidate{}, rerank.Facts{}, 0.5},
		// b = (20·4 + 20·5)/(20 + 20) = 4.5; ½ + (4.5 − 4)/2 = .75
		{"twenty fives", "quality", rerank.Candidate{}, rerank.Facts{RatingMean: 5, RatingWeight: 20}, 0.75},
		// b = (20·4 + 1·1)/21 = 3.857143; ½ + (−.142857)/2 = .428571
		{"one bad rating", "quality", rerank.Candidate{}, rerank.Facts{RatingMean: 1, RatingWeight: 1}, 0.428571},
		{"unknown popularity", "popularity", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"popularity", "popularity", rerank.Candidate{}, rerank.Facts{Popularity: rerank.Known(0.3)}, 0.3},
		{"no date", "freshness", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"one half-life", "freshness", rerank.Candidate{}, rerank.Facts{FreshAt: now.AddDate(0, 0, -180)}, 0.5},
		{"two half-lives", "freshness", rerank.Candidate{}, rerank.Facts{FreshAt: now.AddDate(0, 0, -360)}, 0.25},
		{"ahead", "freshness", rerank.Candidate{}, rerank.Facts{FreshAt: now.AddDate(0, 1, 0)}, 1},
		{"unknown level", "level_fit", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"same level", "level_fit", rerank.Candidate{}, rerank.Facts{Level: lectern.LevelIntermediate}, 1},
		{"mixed level", "level_fit", rerank.Candidate{}, rerank.Facts{Level: lectern.LevelMixed}, 0.75},
		{"next level", "level_fit", rerank.Candidate{}, rerank.Facts{Level: lectern.LevelAdvanced}, 0.4},
		{"unknown hours", "time_fit", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"eight weeks", "time_fit", rerank.Candidate{}, rerank.Facts{Hours: hours(40)}, 1},
		{"sixteen weeks", "time_fit", rerank.Candidate{}, rerank.Facts{Hours: hours(80)}, 0.5}, // 2^−((16−8)/8)
		{"unknown language", "language_fit", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"wanted language", "language_fit", rerank.Candidate{}, rerank.Facts{Languages: []string{"en-gb", "en"}}, 1},
		{"other language", "language_fit", rerank.Candidate{}, rerank.Facts{Languages: []string{"es"}}, 0},
		{"unknown to the model", "collaborative", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"first of the model", "collaborative", rerank.Candidate{Collaborative: rerank.Known(1)}, rerank.Facts{}, 1},
		{"nothing turned down", "not_dismissed", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"near what was turned down", "not_dismissed", rerank.Candidate{Away: rerank.Matched(0.75)}, rerank.Facts{}, 0.25}, // 1 − .75
		{"opposed to it", "not_dismissed", rerank.Candidate{Away: rerank.Matched(-0.5)}, rerank.Facts{}, 1},
		{"no trends known", "trend", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"a trend", "trend", rerank.Candidate{Trend: rerank.Known(0.3)}, rerank.Facts{}, 0.3},
		{"more of a trend than there is", "trend", rerank.Candidate{Trend: rerank.Known(7)}, rerank.Facts{}, 1},
		{"no prerequisites", "readiness", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"half of the prerequisites", "readiness", rerank.Candidate{Readiness: rerank.Known(0.5)}, rerank.Facts{}, 0.5},
		{"none of the prerequisites", "readiness", rerank.Candidate{Readiness: rerank.Known(0)}, rerank.Facts{}, 0},
		// b = (20·4 + 10·5)/30 = 4.333333 of the ratings with a half-life of two years
		{"late ratings", "quality", rerank.Candidate{}, rerank.Facts{RatingMean: 2, RatingWeight: 90, Recent: recent(10, 5), RecentAt: now}, 0.666667},
		// the ten weigh 10·2^(−730/730) = 5 two years on: b = (80 + 25)/25 = 4.2; ½ + .2/2
		{"late ratings decay on", "quality", rerank.Candidate{}, rerank.Facts{Recent: recent(10, 5), RecentAt: now.AddDate(0, 0, -730)}, 0.6},
		{"a clock ahead", "quality", rerank.Candidate{}, rerank.Facts{Recent: recent(10, 5), RecentAt: now.AddDate(0, 0, 9)}, 0.666667},
		// 20 of weight 0 are none, so the stated mean stands in: b = 4.5
		{"no late ratings", "quality", rerank.Candidate{}, rerank.Facts{RatingMean: 5, RatingWeight: 20, RecentAt: now}, 0.75},
		{"twelve weeks are left", "time_fit", rerank.Candidate{HoursLeft: hours(60)}, rerank.Facts{Hours: hours(400)}, 0.707107}, // 2^−((12−8)/8)
		{"nothing is left", "time_fit", rerank.Candidate{HoursLeft: hours(0)}, rerank.Facts{Hours: hours(400)}, 1},
		{"no reviews", "sentiment", rerank.Candidate{}, rerank.Facts{Sentiment: 1}, 0.5},
		{"as good as all", "sentiment", rerank.Candidate{}, rerank.Facts{Sentiment: 0.8, SentimentWeight: 12}, 0.5},
		// b = (10·.8 + 10·1)/20 = .9; .9·.2/(.9·.2 + .8·.1) = .18/.26
		{"ten good reviews", "sentiment", rerank.Candidate{}, rerank.Facts{Sentiment: 1, SentimentWeight: 10}, 0.692308},
		// b = (10·.8 + 30·.2)/40 = .35; .35·.2/(.35·.2 + .8·.65) = .07/.59
		{"thirty poor reviews", "sentiment", rerank.Candidate{}, rerank.Facts{Sentiment: 0.2, SentimentWeight: 30}, 0.118644},
		{"no goal", "goal_progress", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"adds nothing", "goal_progress", rerank.Candidate{Goal: rerank.Known(0)}, rerank.Facts{}, 0.5},
		{"a quarter of the goal", "goal_progress", rerank.Candidate{Goal: rerank.Known(0.25)}, rerank.Facts{}, 0.75}, // ½ + ½·√.25
		{"all of the goal", "goal_progress", rerank.Candidate{Goal: rerank.Known(1)}, rerank.Facts{}, 1},
		{"nothing seen", "novelty", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"unlike all that was seen", "novelty", rerank.Candidate{Novelty: rerank.Known(0.9)}, rerank.Facts{}, 0.9},
		{"nobody started", "completion", rerank.Candidate{}, rerank.Facts{}, 0.5},
		// b = (20·.4 + 8)/(20 + 20) = .4 = m
		{"as many finish as anywhere", "completion", rerank.Candidate{Starters: 20, Finishers: 8}, rerank.Facts{}, 0.5},
		// b = (8 + 20)/40 = .7; .7/(.7 + .4)
		{"all finish", "completion", rerank.Candidate{Starters: 20, Finishers: 20}, rerank.Facts{}, 0.636364},
		// b = (8 + 0)/60 = .133333; .133333/.533333
		{"nobody finishes", "completion", rerank.Candidate{Starters: 40}, rerank.Facts{}, 0.25},
		{"nothing known", "creator_exposure", rerank.Candidate{}, rerank.Facts{}, 0.5},
		{"never shown, of unknown quality", "creator_exposure", rerank.Candidate{}, rerank.Facts{PublishedAt: now}, 0.5},
		// quality ½ + .166667 = .666667, g = min(1, 8·.166667) = 1; age 15 of 60 days: need .75,
		// while 40 views of 100 leave .6; ½ + .75/2
		{"new and good", "creator_exposure", rerank.Candidate{}, rerank.Facts{PublishedAt: now.AddDate(0, 0, -15), Views: 40, Recent: recent(10, 5), RecentAt: now}, 0.875},
		// b = (80 + 1·5)/21 = 4.047619, g = 8·.0238095 = .190476; need 1; ½ + .095238
		{"never shown, one good rating", "creator_exposure", rerank.Candidate{}, rerank.Facts{RatingMean: 5, RatingWeight: 1}, 0.595238},
		// sentiment .692308: g = 1; need 1 − 25/100; ½ + .375
		{"seldom shown, good reviews", "creator_exposure", rerank.Candidate{}, rerank.Facts{Sentiment: 1, SentimentWeight: 10, Views: 25}, 0.875},
		{"good ratings, poor reviews", "creator_exposure", rerank.Candidate{}, rerank.Facts{Sentiment: 0.2, SentimentWeight: 30, RatingMean: 5, RatingWeight: 20}, 0.5},
		{"new and poor", "creator_exposure", rerank.Candidate{}, rerank.Facts{PublishedAt: now, RatingMean: 3, RatingWeight: 20}, 0.5},
		{"old, good, and shown enough", "creator_exposure", rerank.Candidate{}, rerank.Facts{PublishedAt: now.AddDate(-3, 0, 0), Views: 100, RatingMean: 5, RatingWeight: 20}, 0.5},
		{"a complement", "complement", rerank.Candidate{Complement: rerank.Known(0.8)}, rerank.Facts{}, 0.8},
	}
	for _, tt := range tests {
		t.Run(tt.term+"/"+tt.name, func(t *testing.T) {
			facts := tt.facts
			tt.c.Course = &facts
			if got := valueOf(t, l.Rerank(request, []rerank.Candidate{tt.c}), 0, tt.term); got != tt.want {
				t.Errorf("%s = %v, want %v", tt.term, got, tt.want)
			}
		})
	}
}

// TestExactScoreOfEverything adds up every term that home knows, and then a boost and
// a bury.
func TestExactScoreOfEverything(t *testing.T) {
	c := rerank.Candidate{
		Course: &rerank.Facts{
			ID: "c", Provider: "p", RatingMean: 5, RatingWeight: 20, Popularity: rerank.Known(0.3), FreshAt: now.AddDate(0, 0, -360),
			PublishedAt: now.AddDate(0, 0, -15), Views: 40, Level: lectern.LevelAdvanced, Hours: hours(80), Languages: []string{"es"},
			Sentiment: 1, SentimentWeight: 10,
		},
		Similarity: rerank.Matched(0.6), Interest: rerank.Matched(1), Readiness: rerank.Known(0.5), Collaborative: rerank.Known(1),
		Away: rerank.Matched(0.75), Trend: rerank.Known(0.3), Complement: rerank.Known(0.8), Goal: rerank.Known(0.25),
		Novelty: rerank.Known(0.9), Starters: 20, Finishers: 20,
	}
	l := linear(t, func(c *rerank.Config) {
		everyTerm(c)
		c.Weights.Home = c.Weights.Search
		c.Rules = []rerank.Rule{
			{ID: "up", Action: rerank.RuleBoost, Courses: []string{"c"}, Strength: 0.5},
			{ID: "down", Action: rerank.RuleBury, Providers: []string{"p"}, Strength: 0.25},
		}
	})
	ranked := l.Rerank(rerank.Request{
		Surface: lectern.SurfaceHome, At: now, Level: lectern.LevelIntermediate, WeeklyHours: hours(5), Languages: []string{"en"},
		RatingMean: 4, FinishRate: 0.4, SentimentMean: 0.8, ViewsMean: 30,
	}, []rerank.Candidate{c})
	item := ranked.Items[0]
	// similarity .8 + interest 1 + quality .75 + popularity .3 + freshness .25 + level .4 + time .5 + language 0 +
	// readiness .5 + collaborative 1 + not_dismissed .25 + trend .3 + complement .8 + sentiment .692308 +
	// goal_progress .75 + novelty .9 + completion .636364 + creator_exposure .875 = 10.703672, over 18 terms = .594648
	sum := 0.0
	for _, term := range rerank.Explain(ranked.Terms, item.Values, nil) {
		sum += term.Contribution
	}
	if len(ranked.Terms) != 18 || math.Abs(sum-10.703672/18) > 1e-12 {
		t.Errorf("%d terms sum to %v, want 10.703672/18", len(ranked.Terms), sum)
	}
	// (.594648 + .5·(1 − .594648))·(1 − .25) = .797324·.75 = .597993
	if math.Abs(item.Score-0.597993) > 1e-6 {
		t.Errorf("score = %v, want .597993", item.Score)
	}
	for _, term := range item.Adjusted {
		sum += term.Contribution
	}
	if len(item.Adjusted) != 2 || math.Abs(sum-item.Score) > 1e-6 {
		t.Errorf("with %+v the terms sum to %v, and the score is %v", item.Adjusted, sum, item.Score)
	}
}
