package rerank_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// named makes a candidate of a similarity.
func named(id string, similarity float64, change func(*rerank.Candidate)) rerank.Candidate {
	c := rerank.Candidate{Course: &rerank.Facts{ID: id}, Similarity: rerank.Matched(similarity)}
	if change != nil {
		change(&c)
	}
	return c
}

func orderOf(l *rerank.Linear, req rerank.Request, in []rerank.Candidate) string {
	var out []string
	req.Surface, req.At = lectern.SurfaceHome, now
	for _, s := range l.Rerank(req, in).Items {
		out = append(out, in[s.Index].Course.ID)
	}
	return strings.Join(out, " ")
}

func TestInterestsShareThePlaces(t *testing.T) {
	serves := func(k int) func(*rerank.Candidate) {
		return func(c *rerank.Candidate) { c.Interested = k }
	}
	in := []rerank.Candidate{
		named("a1", 0.90, serves(1)), named("a2", 0.89, serves(1)), named("a3", 0.88, serves(1)), named("a4", 0.87, serves(1)),
		named("b1", 0.80, serves(2)), named("b2", 0.79, serves(2)), named("none", 0.1, serves(0)),
	}
	for _, tt := range []struct {
		name   string
		shares []float64
		weight float64
		places int
		want   string
	}{
		{"by halves", []float64{0.5, 0.5}, 0.1, 10, "a1 b1 a2 b2 a3 a4 none"},
		{"a quarter", []float64{0.75, 0.25}, 0.1, 10, "a1 b1 a2 a3 a4 b2 none"},
		{"two places only", []float64{0.5, 0.5}, 0.1, 2, "a1 b1 a2 a3 a4 b2 none"},
		{"switched off", []float64{0.5, 0.5}, 0, 10, "a1 a2 a3 a4 b1 b2 none"},
		{"one interest", []float64{1}, 0.1, 10, "a1 a2 a3 a4 b1 b2 none"},
		{"nothing to share", nil, 0.1, 10, "a1 a2 a3 a4 b1 b2 none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := linear(t, func(c *rerank.Config) { c.Lists.Calibration.Interests, c.Lists.CalibratedPlaces = tt.weight, tt.places })
			if got := orderOf(l, rerank.Request{Shares: tt.shares}, in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWhatWasTurnedDownGoesLast(t *testing.T) {
	away := func(cosine float64) func(*rerank.Candidate) {
		return func(c *rerank.Candidate) { c.Away = rerank.Matched(cosine) }
	}
	in := []rerank.Candidate{
		named("nearer-to-it", 0.7, away(0.8)), named("nearer-to-likes", 0.9, away(0.8)),
		named("far-from-both", 0.1, away(0.2)), named("unknown", 0, nil),
	}
	// Below .3 nothing is near enough to what was turned down to go last.
	if got := orderOf(linear(t, nil), rerank.Request{}, in); got != "nearer-to-likes far-from-both unknown nearer-to-it" {
		t.Errorf("got %s", got)
	}
}

func TestSuccessorBeforeTwins(t *testing.T) {
	twin := func(c *rerank.Candidate) { c.TwinOf, c.Complement = "done", rerank.Known(0) }
	successor := func(missing ...string) func(*rerank.Candidate) {
		return func(c *rerank.Candidate) {
			c.FollowsID, c.Complement, c.Missing = "done", rerank.Known(1), missing
		}
	}
	for _, tt := range []struct {
		name string
		in   []rerank.Candidate
		want string
	}{
		{"lifted", []rerank.Candidate{named("x", 0.95, nil), named("t1", 0.9, twin), named("t2", 0.8, twin), named("s", 0.2, successor())}, "x s t1 t2"},
		{"above already", []rerank.Candidate{named("s", 0.9, successor()), named("t", 0.5, twin), named("x", 0.2, nil)}, "s t x"},
		{"not ready", []rerank.Candidate{named("t", 0.9, twin), named("x", 0.5, nil), named("s", 0.1, successor("other"))}, "t x s"},
		{"of another course", []rerank.Candidate{named("t", 0.9, func(c *rerank.Candidate) { c.TwinOf = "elsewhere" }), named("x", 0.7, nil), named("s", 0.1, successor())}, "t x s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := orderOf(linear(t, nil), rerank.Request{}, tt.in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestArrangingLosesNothing: whatever is moved, every candidate keeps one place.
func TestArrangingLosesNothing(t *testing.T) {
	l := linear(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		in := candidates(t)
		for i := range in {
			in[i].Interested = rapid.IntRange(0, 3).Draw(t, "serves")
			in[i].TwinOf = rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(t, "twin")
			if in[i].TwinOf == "" && rapid.Bool().Draw(t, "follows") {
				in[i].FollowsID, in[i].Complement = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "of"), rerank.Known(1)
			}
			if rapid.Bool().Draw(t, "away") {
				in[i].Away = rerank.Matched(rapid.Float64Range(-1, 1).Draw(t, "cosine"))
			}
		}
		var places []int
		for _, s := range l.Rerank(rerank.Request{Surface: lectern.SurfaceHome, At: now, Shares: []float64{0.5, 0.3, 0.2}}, in).Items {
			places = append(places, s.Index)
		}
		slices.Sort(places)
		if len(places) != len(in) || len(slices.Compact(places)) != len(in) {
			t.Fatalf("%d candidates, places %v", len(in), places)
		}
	})
}

func TestReasonsOfBehaviour(t *testing.T) {
	facts := &rerank.Facts{ID: "c"}
	for _, tt := range []struct {
		name    string
		surface lectern.Surface
		c       rerank.Candidate
		want    string
	}{
		{"the model", lectern.SurfaceHome, rerank.Candidate{Collaborative: rerank.Known(0.9)}, "similar_learners"},
		{"the model, not surely", lectern.SurfaceHome, rerank.Candidate{Collaborative: rerank.Known(0.7)}, ""},
		{"similar learners", lectern.SurfaceHome, rerank.Candidate{Collaborative: rerank.Known(0.9), Sources: []string{"neighbours"}}, "taken_by_similar_learners"},
		{"taken together", lectern.SurfaceSimilar, rerank.Candidate{Collaborative: rerank.Known(0.9), NearestID: "n", NearestTitle: "Near"}, "taken_together"},
		{"a step on", lectern.SurfaceNext, rerank.Candidate{Complement: rerank.Known(0.8), FollowsID: "n", FollowsTitle: "Near"}, "next_after_course"},
		{"no step on", lectern.SurfaceNext, rerank.Candidate{Complement: rerank.Known(0.5), FollowsID: "n", FollowsTitle: "Near"}, ""},
		{"a trend", lectern.SurfaceTrending, rerank.Candidate{Trend: rerank.Known(0.4)}, "trending"},
		{"told to lead", lectern.SurfaceHome, rerank.Candidate{Collaborative: rerank.Known(0.9), Lead: &lectern.Reason{Code: "in_progress"}}, "in_progress"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Course = facts
			got := ""
			if r := linear(t, nil).Rerank(rerank.Request{Surface: tt.surface, At: now}, []rerank.Candidate{tt.c}).Items[0].Reasons; len(r) > 0 {
				got = r[0].Code
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
