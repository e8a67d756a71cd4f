package main

import (
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// TestReplayOfServedLists serves lists that explore, on both databases, has them judged, and
// replays them over HTTP and by the command after index and settings have moved on.
func TestReplayOfServedLists(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, func(t *testing.T, d *deployment) {
		files := filepath.Join(t.TempDir(), "demo")
		mustRun(t, "demo", "--out", files, "--courses", "200", "--learners", "60", "--reviews", "100", "--events", "1000")
		for _, kind := range []string{"courses", "learners", "events"} {
			d.run("import", kind, filepath.Join(files, kind+".jsonl"))
		}
		admin := d.key("admin")
		s := d.start("--explore.floor", "0.3", "--explore.caps.per_learner", "0")
		s.ready(admin)
		const learner = "ada"
		s.must(http.MethodPut, "/v1/learners/"+learner, admin, `{"interests": ["data"]}`)
		var list listAnswer
		type record struct {
			Segment  lectern.Segment
			Explored *struct {
				Policy    string
				Positions []int
			}
			Items []struct{ Propensity float64 }
		}
		var shown record
		eventually(t, 30*time.Second, "a list that explores, with its propensities", func() bool {
			list, shown = listAnswer{}, record{}
			s.get("/v1/learners/"+learner+"/recommendations?limit=10", admin, &list)
			d.inTest(t).stored(list.RankingID)
			s.get("/v1/rankings/"+list.RankingID, admin, &shown)
			return shown.Explored != nil && shown.Items[shown.Explored.Positions[0]].Propensity > 0
		})
		if shown.Explored.Policy != "thompson" || !slices.Equal(shown.Explored.Positions, []int{3, 7}) || shown.Segment == "" {
			t.Errorf("%+v", shown)
		}
		for at, it := range shown.Items {
			if it.Propensity <= 0 || it.Propensity > 1 || at < 3 && it.Propensity != 1 {
				t.Errorf("place %d: %v", at, it.Propensity)
			}
		}
		checkJudged(s, admin, d, learner, &list)
		s.must(http.MethodDelete, "/v1/courses/"+list.Items[3].CourseID, admin, "")
		d.run("config", "explore", "off", "--comment", "enough")
		checkReplay(s, admin, list.RankingID)
		if out := d.run("replay", list.RankingID); !strings.Contains(out, "the same list") || strings.Contains(out, "DIFFERS") {
			t.Errorf("replay:\n%s", out)
		}
		if status, body := s.do(http.MethodGet, "/v1/admin/rankings/01980000-0000-7000-8000-000000000000/replay", admin, "", ""); status != http.StatusNotFound {
			t.Errorf("an unknown list: %d %s", status, body)
		}
		s.get("/v1/recommendations?limit=10", admin, &list) // for nobody
		if status, body := s.do(http.MethodGet, "/v1/admin/rankings/"+list.RankingID+"/replay", admin, "", ""); status != http.StatusBadRequest || !strings.Contains(string(body), "nothing was explored") {
			t.Errorf("a list that did not explore: %d %s", status, body)
		}
		if v := s.metric(`lectern_explore_finished_total{outcome="ok"}`); v == "" || v == "0" {
			t.Errorf("finished: %q", v)
		}
	})
}

// checkReplay fills a list again, with as many draws as were recorded and with others.
func checkReplay(s *testServer, key, ranking string) {
	t := s.t
	t.Helper()
	type answer struct {
		Same  bool
		Draws int
		Items []struct {
			Agrees          bool
			Recorded        float64
			RecordedError   float64 `json:"recorded_error"`
			Propensity      float64
			PropensityError float64 `json:"propensity_error"`
		}
	}
	var again, other answer
	s.get("/v1/admin/rankings/"+ranking+"/replay", key, &again)
	s.get("/v1/admin/rankings/"+ranking+"/replay?draws=20000", key, &other)
	if !again.Same || !other.Same || other.Draws != 20000 || len(again.Items) == 0 || len(other.Items) != len(again.Items) {
		t.Errorf("%+v, %+v", again, other)
	}
	for at, it := range again.Items {
		if !it.Agrees || it.Propensity != it.Recorded {
			t.Errorf("place %d is as likely no more: %+v", at, it)
		}
	}
	// By chance other draws are four standard errors off, which is called a difference,
	// once in ten thousand places.
	for at, it := range other.Items {
		if off, most := math.Abs(it.Propensity-it.Recorded), 7*math.Hypot(it.PropensityError, it.RecordedError)+1e-9; off > most {
			t.Errorf("place %d by other draws: %+v", at, it)
		}
	}
}
