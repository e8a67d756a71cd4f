package rerank_test

import (
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// TestReasonsOfEvidence: what people, goals and logs have to say, and when it would
// not be true or not matter.
func TestReasonsOfEvidence(t *testing.T) {
	type c = rerank.Candidate
	reviewed := func(s, n float64) c { return c{Course: &rerank.Facts{Sentiment: s, SentimentWeight: n, Views: 1e6}} }
	rated := func(stars float64, change func(*rerank.Facts)) c {
		f := &rerank.Facts{RatingMean: stars, RatingWeight: 40, RatingCount: 4, Views: 1e6}
		change(f)
		return c{Course: f}
	}
	skills := []string{"Go", "SQL", "Docker", "Linux"}
	for _, tt := range []struct {
		name string
		c    c
		want string // codes and parameters
	}{
		// b = (8 + 10)/20 = .9: .69
		{"ten good reviews", reviewed(1, 10), "well_reviewed"},
		{"nine of them", reviewed(1, 9), ""},
		{"good as all are", reviewed(0.81, 50), ""},
		{"poor reviews", reviewed(0.3, 50), ""},
		{"skills for the goal", c{Goal: rerank.Known(0.2), GoalSkills: skills}, "adds_goal_skills(Go, SQL, Docker)"},
		{"one skill", c{Goal: rerank.Known(0.05), GoalSkills: skills[1:2]}, "adds_goal_skills(SQL)"},
		{"none surely", c{Goal: rerank.Known(0.05)}, ""},
		{"no goal", c{GoalSkills: skills}, ""},
		{"finished by learners alike", c{Starters: 10, Finishers: 8, Alike: true}, "finished_by_similar"},
		{"finished by all", c{Starters: 10, Finishers: 8}, "often_finished"},
		{"too few started", c{Starters: 4, Finishers: 4}, ""},
		{"fewer than half finished", c{Starters: 40, Finishers: 19}, ""},
		{"unlike all that was seen", c{Novelty: rerank.Known(0.75)}, "unlike_what_you_know"},
		{"not so unlike", c{Novelty: rerank.Known(0.7)}, ""},
		{"new and good", rated(5, func(f *rerank.Facts) { f.PublishedAt = now.AddDate(0, 0, -20) }), "new_from_creator"},
		{"new and not known to be good", c{Course: &rerank.Facts{PublishedAt: now.AddDate(0, 0, -20)}}, "new_course"},
		{"seldom shown and good", rated(5, func(f *rerank.Facts) { f.Views = 10 }), "little_known"},
		{"seldom shown, good, and taken by few", rated(5, func(f *rerank.Facts) { f.Views, f.Popularity = 10, rerank.Known(0.4) }), "little_known"},
		{"seldom shown, but taken by many", rated(5, func(f *rerank.Facts) { f.Views, f.Popularity = 10, rerank.Known(0.45) }), ""},
		{"seldom shown, but popular", rated(5, func(f *rerank.Facts) { f.Views, f.Popularity = 10, rerank.Known(1) }), "popular"},
		{"shown enough", rated(5, func(f *rerank.Facts) { f.Views = 90 }), ""},
		{"seldom shown and poor", rated(3, func(f *rerank.Facts) { f.Views = 1 }), ""},
		{"what is left fits", c{Course: &rerank.Facts{Hours: hours(500)}, HoursLeft: hours(7.25)}, "fits_time_left(7.3)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.c.Course == nil {
				tt.c.Course = &rerank.Facts{}
			}
			tt.c.Course.ID = "c"
			req := rerank.Request{
				Surface: lectern.SurfaceHome, At: now, RatingMean: 4, SentimentMean: 0.8, FinishRate: 0.4, ViewsMean: 50, PopularityMiddle: 0.42, WeeklyHours: hours(4),
			}
			said := func(l *rerank.Linear) string {
				var out []string
				for _, r := range l.Rerank(req, []c{tt.c}).Items[0].Reasons {
					text := r.Code
					for _, v := range r.Params {
						text += "(" + v + ")"
					}
					out = append(out, text)
				}
				return strings.Join(out, " ")
			}
			if got := said(linear(t, nil)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			quiet := linear(t, func(cfg *rerank.Config) { cfg.Weights.Home = rerank.TermWeights{Interest: 1} })
			if got := said(quiet); got != "" {
				t.Errorf("without weight it says %q", got)
			}
		})
	}
}

// TestReasonsInOrder: a pin comes first, then what the row is about, then what weighed
// most, no more than asked for.
func TestReasonsInOrder(t *testing.T) {
	in := []rerank.Candidate{{
		Course: &rerank.Facts{ID: "c", Popularity: rerank.Known(1)}, Lead: &lectern.Reason{Code: rerank.ReasonTrending},
		Collaborative: rerank.Known(1), Similarity: rerank.Matched(0.5), NearestID: "n", NearestTitle: "Near", NearestSim: 0.5,
	}}
	for _, tt := range []struct {
		most int
		want string
	}{
		{5, "featured trending similar_learners similar_to_course popular"}, // .23·.5 = .115, .25·.25 = .0625, .04·.5 = .02
		{2, "featured trending"},
		{1, "featured"},
		{0, ""},
	} {
		l := linear(t, func(c *rerank.Config) {
			c.Reasons.Max = tt.most
			c.Rules = []rerank.Rule{{ID: "p", Action: rerank.RulePin, Courses: []string{"c"}}}
		})
		var got []string
		for _, r := range l.Rerank(rerank.Request{Surface: lectern.SurfaceHome, At: now}, in).Items[0].Reasons {
			got = append(got, r.Code)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%d reasons: %v, want %s", tt.most, got, tt.want)
		}
	}
}
