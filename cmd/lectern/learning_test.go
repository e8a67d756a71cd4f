package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/learn"
)

// TestGuardrailStopsExploration lets people ignore what places that explore show them,
// on both databases: a version of the settings switches exploration off, and says why.
// Then everything is learnt anew over HTTP.
func TestGuardrailStopsExploration(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, func(t *testing.T, d *deployment) {
		ignoreExploration(t, d)
		s := d.start("--learning.poll", "100ms", "--learning.guard", "1s", "--explore.guardrails.impressions", "500")
		admin := d.key("admin")
		var status learn.Status
		eventually(t, time.Minute, "exploration stopped", func() bool {
			s.get("/v1/admin/explore/status", admin, &status)
			return !status.Enabled
		})
		if status.Stopped == nil || !strings.Contains(status.Stopped.Reason, learn.GuardClicks) || status.Settings != "e1" {
			t.Errorf("status %+v", status)
		}
		if on := status.Guard.Surfaces; len(on) != 1 || on[0].Surface != lectern.SurfaceHome || !on[0].Explores || on[0].Stopped != nil {
			t.Errorf("surfaces %+v", on)
		}
		eventually(t, time.Minute, "the trip counted", func() bool { // once the settings are stored
			return s.metric(`lectern_explore_guardrail_trips_total{guardrail="click_rate",surface="all"}`) == "1"
		})
		d.withStore(func(store relational) {
			v, _, err := store.ActiveSettings(t.Context(), lectern.SettingsExplore)
			if err != nil || v.Author != learn.GuardAuthor || v.Comment != status.Stopped.Reason {
				t.Errorf("the version in use is %+v: %v", v, err)
			}
		})
		// Exploration may be stopped before all is learnt.
		eventually(t, time.Minute, "all of it learnt", func() bool {
			status = learn.Status{}
			s.get("/v1/admin/explore/status", admin, &status)
			return status.Learning.Position > 0 && status.Learning.Lag == 0
		})
		before := status.Learning
		if before.Impressions != ignoredLists*learningItems {
			t.Errorf("learnt from %d impressions", before.Impressions)
		}
		if code, body := s.do(http.MethodPost, "/v1/admin/explore/rebuild", admin, "", ""); code != http.StatusAccepted {
			t.Errorf("POST rebuild: %d %s", code, body)
		}
		eventually(t, time.Minute, "everything learnt anew", func() bool {
			s.get("/v1/admin/explore/status", admin, &status)
			return status.Rebuild != nil && !status.Rebuild.Running
		})
		if status.Rebuild.Failed != "" || status.Learning.Impressions != before.Impressions || status.Learning.Rewards != before.Rewards {
			t.Errorf("learnt anew: %+v after %+v: %s", status.Learning, before, status.Rebuild.Failed)
		}
		if code := s.send(http.MethodGet, "/v1/admin/explore/status", d.key("server"), ""); code != http.StatusForbidden {
			t.Errorf("with a server key: %d", code)
		}
		if out := d.run("explore", "status"); !strings.Contains(out, "no list explores") || !strings.Contains(out, "click_rate") {
			t.Errorf("explore status:\n%s", out)
		}
	})
}

// TestGuardrailStopsOneSurface lets people ignore what searches explore while they open
// what the home page does: a version of the settings takes the places of searches away.
func TestGuardrailStopsOneSurface(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, func(t *testing.T, d *deployment) {
		showExploration(t, d, lectern.SurfaceHome, 600, func(int) bool { return true })
		ignoreOn(t, d, lectern.SurfaceSearch)
		s := d.start("--learning.poll", "100ms", "--learning.guard", "1s", "--explore.guardrails.impressions", "500", "--explore.places.search", "8,4")
		admin := d.key("admin")
		var status learn.Status
		eventually(t, time.Minute, "searches explore no more", func() bool {
			s.get("/v1/admin/explore/status", admin, &status)
			on := status.Guard.Surfaces
			return len(on) == 2 && on[1].Surface == lectern.SurfaceSearch && !on[1].Explores
		})
		home, search := status.Guard.Surfaces[0], status.Guard.Surfaces[1]
		if !status.Enabled || status.Stopped != nil || status.Settings != "e1" || !home.Explores || home.Stopped != nil || home.Seen != 1200 {
			t.Errorf("status %+v", status)
		}
		if search.Stopped == nil || !strings.HasPrefix(search.Stopped.Reason, "click_rate on search: ") {
			t.Errorf("searches %+v", search)
		}
		eventually(t, time.Minute, "the trip counted", func() bool {
			return s.metric(`lectern_explore_guardrail_trips_total{guardrail="click_rate",surface="search"}`) == "1"
		})
		var now explore.Config
		if s.get(exploreConfigPath, admin, &now); !now.Enabled || len(now.Places.Search) > 0 || !slices.Equal(now.Places.Home, []int{4, 8}) {
			t.Errorf("the settings after it: %+v", now)
		}
		if out := d.run("explore", "status"); !strings.Contains(out, "a guardrail stopped exploration on search on ") || strings.Contains(out, "no list explores") {
			t.Errorf("explore status:\n%s", out)
		}
	})
}

const ignoredLists = 400

// ignoreExploration stores lists of which people open everything but what explores.
func ignoreExploration(t *testing.T, d *deployment) {
	t.Helper()
	ignoreOn(t, d, lectern.SurfaceHome)
}

func ignoreOn(t *testing.T, d *deployment, surface lectern.Surface) {
	t.Helper()
	showExploration(t, d, surface, ignoredLists, func(place int) bool { return place != 3 && place != 7 })
}

// showExploration stores lists of which people open, every other time, the places that
// they like.
func showExploration(t *testing.T, d *deployment, surface lectern.Surface, n int, likes func(place int) bool) {
	t.Helper()
	d.run("migrate", "up")
	d.withStore(func(store relational) {
		var lists []lectern.Ranking
		var events []lectern.EventWrite
		for n := range n {
			id, who := fmt.Sprint(surface, "-", n), fmt.Sprint("l", n%50)
			list := exploredList(id, who)
			list.Surface = surface
			lists = append(lists, list)
			for i := range learningItems {
				kind := lectern.EventView
				if likes(i) && n%2 == 0 {
					kind = lectern.EventClick
				}
				events = append(events, lectern.EventWrite{Event: lectern.Event{
					ID: fmt.Sprint("e-", surface, n, "-", i), Type: kind, LearnerID: who, CourseID: fmt.Sprint("c", i), RankingID: id, OccurredAt: time.Now(),
				}})
			}
		}
		for n := range 50 {
			if _, err := store.PutLearners(t.Context(), []lectern.Learner{{ID: fmt.Sprint("l", n)}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.PutRankings(t.Context(), lists); err != nil {
			t.Fatal(err)
		}
		if _, err := store.AppendEvents(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	})
}
