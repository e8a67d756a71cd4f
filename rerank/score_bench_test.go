package rerank_test

import (
	"fmt"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// everySignal are candidates of which all is known.
func everySignal(n int) []rerank.Candidate {
	out := make([]rerank.Candidate, n)
	for i := range out {
		spread := func(by int) rerank.Signal { return rerank.Known(float64(i*by%n) / float64(n)) }
		out[i] = rerank.Candidate{
			Course: &rerank.Facts{
				ID: fmt.Sprintf("c%04d", i), Provider: fmt.Sprint(i % 9), Category: fmt.Sprint(i % 5),
				Level: lectern.Levels()[i%4], Hours: hours(float64(3 + i%60)), Language: "en", Languages: []string{"en"},
				Popularity: spread(97), RatingMean: 4.5, RatingCount: 99, RatingWeight: 99,
				Recent: recent(40, 4+float64(i%11)/10), RecentAt: now.AddDate(0, 0, -i%30),
				PublishedAt: now.AddDate(0, 0, -i), FreshAt: now.AddDate(0, 0, -i/2),
				Sentiment: 0.5 + float64(i%50)/100, SentimentWeight: float64(i % 40), Views: float64(i % 300),
			},
			Sources: []string{"profile"}, Similarity: rerank.Matched(float64(i*31%n) / float64(n)), NearestID: "n", NearestTitle: "Near", NearestSim: 0.5,
			Interest: rerank.Matched(0.3), InterestText: "go", Readiness: spread(7), Collaborative: spread(13),
			Away: rerank.Matched(0.1), Trend: spread(17), Complement: spread(19), FollowsID: "f", FollowsTitle: "Before",
			Goal: spread(23), GoalSkills: []string{"Go", "SQL"}, Novelty: spread(29),
			Starters: float64(i % 30), Finishers: float64(i % 30 * (i % 7) / 7),
		}
	}
	return out
}

// BenchmarkScore500 scores 500 candidates by every term that applies to home, 20 of
// them to be listed, without any list making.
func BenchmarkScore500(b *testing.B) {
	cfg := rerank.DefaultConfig()
	cfg.Weights.Trending = rerank.TermWeights{ // a surface whose lists are not arranged
		Similarity: 1, Interest: 1, Quality: 1, Popularity: 1, Freshness: 1, Level: 1, Time: 1, Language: 1, Readiness: 1,
		Collaborative: 1, NotDismissed: 1, Trend: 1, Complement: 1, Sentiment: 1, GoalProgress: 1, Novelty: 1, Completion: 1, Exposure: 1,
	}
	l, err := rerank.NewLinear(cfg)
	if err != nil {
		b.Fatal(err)
	}
	in := everySignal(500)
	req := rerank.Request{
		Surface: lectern.SurfaceTrending, At: now, RatingMean: 4.4, SentimentMean: 0.8, FinishRate: 0.4, ViewsMean: 50, Depth: 20,
		Level: lectern.LevelIntermediate, WeeklyHours: hours(4), Languages: []string{"en"},
		Preferences: map[lectern.Preference]lectern.Leaning{lectern.PreferNew: lectern.LeanMore},
	}
	b.ReportAllocs()
	for b.Loop() {
		l.Rerank(req, in)
	}
}
