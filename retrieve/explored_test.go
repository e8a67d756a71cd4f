package retrieve_test

import (
	stdcmp "cmp"
	"context"
	"log/slog"
	"math"
	mathrand "math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

// exploring has lists explored, by lot alone and everywhere, unless changed.
func exploring(change func(*explore.Config)) option {
	return func(w *world, _ *retrieve.Config, _ *rerank.Config) {
		cfg := explore.DefaultConfig()
		cfg.Policy, cfg.Floor, cfg.NewCourses.Share, cfg.Quality, cfg.ScoreShare = explore.PolicyNone, 0.9, 0.05, 0, 0
		some := []int{4, 8}
		cfg.Places = explore.Places{Home: some, Search: some, Similar: some, Next: []int{2}, Trending: []int{2}}
		if change != nil {
			change(&cfg)
		}
		e, err := explore.New(explore.Deps{Settings: explore.Fixed{Config: cfg, Name: "e3"}, Secret: []byte("secret"), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			w.t.Fatal(err)
		}
		w.others.Explorer = e
	}
}

// kept is the record of a list, once it is stored.
func (w *world) kept(id string) lectern.Ranking {
	w.t.Helper()
	if err := w.recorder.Close(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	r, err := w.Ranking(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// TestExploredList fills two places of a list, and leaves the rest in its order.
func TestExploredList(t *testing.T) {
	plain := fullSchool(t)
	slate := ids(plain.list(lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: pupil(plain), Limit: 40}))
	w := fullSchool(t, exploring(nil))
	req := lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: pupil(w), Limit: 10}
	list := w.list(req)
	got := ids(list)
	if diff := cmp.Diff(slate[:3], got[:3]); diff != "" {
		t.Errorf("the places before the first that explores (-plain +explored):\n%s", diff)
	}
	if slices.Equal(slate[:10], got) {
		t.Error("nothing was tried, though nine choices of ten are by lot")
	}
	if top, err := w.engine.TopIDs(context.Background(), req, 40); err != nil || !slices.Equal(top, slate[:min(40, len(slate))]) {
		t.Errorf("an evaluation sees what is explored: %v %v", top, err)
	}
	var raised []string
	for _, at := range []int{3, 7} {
		reasons := list.Items[at].Reasons
		if last := reasons[len(reasons)-1]; last.Code == rerank.ReasonExploring {
			raised = append(raised, got[at])
			if len(reasons) < 2 {
				t.Errorf("%s says nothing but that it is tried", got[at])
			}
		}
	}
	rest := func(all []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(raised, id) })
	}
	if len(raised) == 0 {
		t.Error("no course says that it is tried")
	}
	want := rest(slate)
	if diff := cmp.Diff(want[:10-len(raised)], rest(got)); diff != "" {
		t.Errorf("what is not raised keeps its order (-want +got):\n%s", diff)
	}
	again := w.list(req)
	if diff := cmp.Diff(got, ids(again)); diff != "" {
		t.Errorf("the same learner on the same day (-first +second):\n%s", diff)
	}

	r := w.kept(list.RankingID)
	x := r.Exploration
	if x == nil || x.Settings != "e3" || r.Segment != lectern.SegmentNew || r.Served != 10 || !slices.Equal(x.Places, []int{3, 7}) {
		t.Fatalf("recorded: segment %q, %d served, %+v", r.Segment, r.Served, x)
	}
	for at, it := range r.Items {
		switch p := it.Propensity; {
		case at < 3 && p != 1, at >= len(x.Slate) && p != 1:
			t.Errorf("place %d never changes, but has a propensity of %v", at, p)
		case p <= 0 || p > 1:
			t.Errorf("place %d: a propensity of %v", at, p)
		}
	}
	if p := r.Items[3].Propensity; p >= 0.2 {
		t.Errorf("one of many at place 3 with a propensity of %v", p)
	}
	before := make([]string, len(x.Slate))
	for slot, at := range x.Slate {
		before[slot] = r.Items[at].CourseID
	}
	if diff := cmp.Diff(slate[:min(len(slate), len(before))], before[:min(len(slate), len(before))]); diff != "" {
		t.Errorf("the slate (-plain +recorded):\n%s", diff)
	}
}

// TestNotExplored asks for lists that may not explore.
func TestNotExplored(t *testing.T) {
	none := func(c *lectern.Learner) { c.Consent = &lectern.Consent{Personalisation: true} }
	for name, tt := range map[string]struct {
		settings func(*explore.Config)
		learner  func(*lectern.Learner)
		nobody   bool
		req      lectern.ListRequest
	}{
		"no consent to exploration":     {learner: none},
		"no consent to personalisation": {learner: func(l *lectern.Learner) { l.Consent = &lectern.Consent{Exploration: true} }},
		"a minor":                       {learner: func(l *lectern.Learner) { l.Minor = true }},
		"nobody":                        {nobody: true},
		"switched off":                  {settings: func(c *explore.Config) { c.Enabled = false }},
		"no place of the surface":       {settings: func(c *explore.Config) { c.Places.Home = nil }},
		"no share of learners":          {settings: func(c *explore.Config) { c.Share = 0 }},
		"nothing good enough":           {settings: func(c *explore.Config) { c.Quality, c.NewCourses.Days = 1, 0 }},
		"sorted by rating":              {req: lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "workshop", Sort: lectern.SortRating}},
		"a row of its own lots":         {req: lectern.ListRequest{Surface: lectern.SurfaceHome, Row: lectern.RowExplore}},
	} {
		t.Run(name, func(t *testing.T) {
			w := fullSchool(t, exploring(tt.settings))
			req := tt.req
			if req.Surface == "" {
				req.Surface = lectern.SurfaceHome
			}
			if req.Learner = pupil(w); tt.nobody {
				req.Learner = lectern.LearnerRef{}
			}
			if tt.learner != nil {
				p := w.profiles[ada]
				tt.learner(&p.Learner)
				w.profiles[ada] = p
			}
			r := w.kept(w.list(req).RankingID)
			if r.Exploration != nil {
				t.Errorf("it explores: %+v", r.Exploration)
			}
			for at, it := range r.Items {
				if want := 1 / float64(len(r.Items)); req.Row == lectern.RowExplore && math.Abs(it.Propensity-want) > 1e-12 {
					t.Errorf("place %d of %d by lot: %v", at, len(r.Items), it.Propensity)
				} else if req.Row == "" && it.Propensity != 1 {
					t.Errorf("place %d: %v", at, it.Propensity)
				}
			}
		})
	}
}

// TestExploredSurfaces asks every surface for a list.
func TestExploredSurfaces(t *testing.T) {
	for _, req := range []lectern.ListRequest{
		{Surface: lectern.SurfaceHome},
		{Surface: lectern.SurfaceHome, Row: lectern.RowForYou},
		{Surface: lectern.SurfaceHome, Row: lectern.RowBecause},
		{Surface: lectern.SurfaceSearch, Query: "python workshop"},
		{Surface: lectern.SurfaceSimilar, CourseID: "python-beginner"},
		{Surface: lectern.SurfaceNext, CourseID: "python-beginner"},
	} {
		t.Run(string(req.Surface)+" "+string(req.Row), func(t *testing.T) {
			w := fullSchool(t, exploring(nil))
			req.Learner = pupil(w)
			r := w.kept(w.list(req).RankingID)
			if r.Exploration == nil {
				t.Fatal("it does not explore")
			}
			for at, it := range r.Items {
				if it.Propensity <= 0 {
					t.Errorf("place %d: %v", at, it.Propensity)
				}
			}
		})
	}
}

// TestExploredPage makes a home page, and has it served again from what is kept.
func TestExploredPage(t *testing.T) {
	w := fullSchool(t, exploring(nil))
	req := lectern.HomeRequest{Learner: pupil(w)}
	page := w.page(req)
	explored, shown := 0, map[string]bool{}
	listOf := map[lectern.Row]string{}
	for _, row := range page.Rows {
		listOf[row.Row] = row.List.RankingID
		for _, it := range row.List.Items {
			if shown[it.Course.ID] {
				t.Errorf("%s comes twice", it.Course.ID)
			}
			shown[it.Course.ID] = true
		}
	}
	again := w.page(req)
	for _, row := range again.Rows {
		if listOf[row.Row] != row.List.RankingID {
			t.Errorf("row %s served again is another list", row.Row)
		}
	}
	if diff := cmp.Diff(page.Rows, again.Rows); diff != "" {
		t.Errorf("served again (-first +second):\n%s", diff)
	}
	for row, id := range listOf {
		r := w.kept(id)
		if r.Exploration == nil {
			continue
		}
		explored++
		if !slices.Contains([]lectern.Row{lectern.RowForYou, lectern.RowBecause, lectern.RowNext, lectern.RowTrending}, row) {
			t.Errorf("row %s explores", row)
		}
		if r.Items[r.Exploration.Places[0]].Propensity >= 1 {
			t.Errorf("row %s: propensities were not found", row)
		}
	}
	if explored < 2 {
		t.Errorf("%d rows explore", explored)
	}
	if len(w.stored) != len(page.Rows) {
		t.Errorf("%d lists stored for a page of %d rows that was served twice", len(w.stored), len(page.Rows))
	}
}

// TestExploredRules keeps pins where they are, the limit of courses of one provider, and
// a course behind what it needs, whatever is tried.
func TestExploredRules(t *testing.T) {
	every := func(c *explore.Config) { c.Places.Home, c.Caps = []int{2, 3, 4, 5, 6, 7, 8, 9, 10}, explore.Caps{} }
	w := fullSchool(t, exploring(every), func(_ *world, _ *retrieve.Config, c *rerank.Config) {
		c.Rules = []rerank.Rule{{ID: "first", Action: rerank.RulePin, Courses: []string{"guitar-workshop-5"}, Position: 4}}
		c.Lists.MaxPerProvider, c.Lists.LimitedPlaces = 2, 10
	})
	req := lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: pupil(w)}
	tried := map[string]bool{}
	for day := range 40 {
		w.clock = now.AddDate(0, 0, day)
		r, err := w.recorder.Ranking(context.Background(), w.list(req).RankingID)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Items[4]; got.CourseID != "guitar-workshop-5" || got.Pinned == "" || slices.Contains(r.Exploration.Places, 4) {
			t.Fatalf("day %d: the pin's place holds %s, places %v", day, got.CourseID, r.Exploration.Places)
		}
		counts, at := map[string]int{}, map[string]int{}
		for i, it := range r.Items {
			at[it.CourseID] = i
			if i < 10 {
				counts[w.courses[it.CourseID].Provider]++
				tried[it.CourseID] = true
			}
		}
		for provider, n := range counts {
			if n > 2 {
				t.Errorf("day %d: %d courses of %s", day, n, provider)
			}
		}
		for id, i := range at {
			for _, need := range w.courses[id].Prerequisites {
				if j, ok := at[need]; ok && j > i {
					t.Errorf("day %d: %s stands at %d, before %s at %d, which it needs", day, id, i, need, j)
				}
			}
		}
	}
	if len(tried) < 25 {
		t.Errorf("40 days tried %d courses", len(tried))
	}
}

// paired interleaves all lists of two rerankers.
type paired struct{ rankers }

func (paired) Assign(*lectern.AssignRequest) lectern.Assignment {
	return lectern.Assignment{Interleaved: &[2]int64{1, 2}, Arms: []lectern.ArmRef{{Experiment: "x", Arm: "a"}}}
}

// rankers are of all versions.
type rankers []rerank.Reranker

func (r rankers) Reranker(int64) rerank.Reranker        { return r[0] }
func (rankers) Model(int64) retrieve.CollaborativeModel { return nil }

// TestInterleavedDoesNotExplore: what two rerankers are compared by is not moved about.
func TestInterleavedDoesNotExplore(t *testing.T) {
	w := fullSchool(t, exploring(nil))
	by := paired{rankers{linearDefault(t)}}
	w.engine.Assigner, w.engine.Trials = by, by
	w.engine.Draft = func(a, b []string, n int, _ *mathrand.Rand) ([]string, []int) {
		teams := make([]int, min(n, len(a)))
		for i := range teams {
			teams[i] = 1 + i%2
		}
		return a[:len(teams)], teams
	}
	r := w.kept(w.list(lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: pupil(w), Limit: 10}).RankingID)
	if r.Exploration != nil {
		t.Errorf("an interleaved list explores: %+v", r.Exploration)
	}
	drafted := 0
	for at, it := range r.Items {
		if it.Propensity != 1 {
			t.Errorf("place %d: a propensity of %v", at, it.Propensity)
		}
		if it.Team != 0 {
			drafted++
		}
	}
	if drafted == 0 {
		t.Error("nothing of the list is of a team")
	}
}

// TestNoLots asks for the row of lots where nothing is tried out: it stands in the order
// of its scores.
func TestNoLots(t *testing.T) {
	for name, tt := range map[string]struct {
		settings func(*explore.Config)
		learner  func(*lectern.Learner)
		nobody   bool
		held     bool
		lots     bool
	}{
		"anybody":                   {lots: true},
		"no places":                 {settings: func(c *explore.Config) { c.Places = explore.Places{} }, lots: true},
		"switched off":              {settings: func(c *explore.Config) { c.Enabled = false }},
		"no share of learners":      {settings: func(c *explore.Config) { c.Share = 0 }},
		"nobody":                    {nobody: true},
		"a minor":                   {learner: func(l *lectern.Learner) { l.Minor = true }},
		"no consent to exploration": {learner: func(l *lectern.Learner) { l.Consent = &lectern.Consent{Personalisation: true} }},
		"held out":                  {held: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := fullSchool(t, exploring(tt.settings), func(_ *world, _ *retrieve.Config, c *rerank.Config) {
				c.Lists.MaxPerProvider, c.Lists.MaxProviderRun, c.Lists.MaxCategoryRun, c.Lists.Diversity = 0, 0, 0, rerank.PerSurface{}
			})
			if tt.held {
				w.engine.Assigner = heldOut{}
			}
			req := lectern.ListRequest{Surface: lectern.SurfaceHome, Row: lectern.RowExplore, Learner: pupil(w)}
			if tt.nobody {
				req.Learner = lectern.LearnerRef{}
			}
			if tt.learner != nil {
				p := w.profiles[ada]
				tt.learner(&p.Learner)
				w.profiles[ada] = p
			}
			r := w.kept(w.list(req).RankingID)
			if len(r.Items) < 3 {
				t.Fatalf("a row of %d courses shows nothing", len(r.Items))
			}
			byScore := slices.IsSortedFunc(r.Items, func(a, b lectern.RankedItem) int { return stdcmp.Compare(b.Score, a.Score) })
			if byScore == tt.lots {
				t.Errorf("in the order of scores: %v", byScore)
			}
			want := 1.0
			if tt.lots {
				want = 1 / float64(len(r.Items))
			}
			for at, it := range r.Items {
				if math.Abs(it.Propensity-want) > 1e-12 {
					t.Errorf("place %d of %d: a propensity of %v, not %v", at, len(r.Items), it.Propensity, want)
				}
			}
		})
	}
}

// heldOut holds everybody out of everything.
type heldOut struct{}

func (heldOut) Assign(*lectern.AssignRequest) lectern.Assignment {
	return lectern.Assignment{Plain: true}
}

// TestSwitchedPage turns exploration off between two views of a page that is kept: no row
// of the second one was drawn.
func TestSwitchedPage(t *testing.T) {
	use := &switched{name: "e3"}
	w := fullSchool(t, exploring(nil), func(w *world, _ *retrieve.Config, _ *rerank.Config) {
		use.cfg = explore.DefaultConfig()
		e, err := explore.New(explore.Deps{Settings: use, Secret: []byte("secret"), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		w.others.Explorer = e
	})
	req := lectern.HomeRequest{Learner: pupil(w)}
	before := rowOf(w.page(req), lectern.RowExplore)
	use.cfg.Enabled, use.name = false, "e4"
	after := rowOf(w.page(req), lectern.RowExplore)
	if before == nil || after == nil {
		t.Fatal("the page has no row of lots")
	}
	if p := w.kept(before.List.RankingID).Items[0].Propensity; p == 1 {
		t.Error("nothing was drawn while exploration was on")
	}
	for at, it := range w.kept(after.List.RankingID).Items {
		if it.Propensity != 1 {
			t.Errorf("place %d of the row that is off: a propensity of %v", at, it.Propensity)
		}
	}
}

// switched is settings that change.
type switched struct {
	cfg  explore.Config
	name string
}

func (s *switched) Current() (*explore.Config, string) { return &s.cfg, s.name }
