package retrieve_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

var ada = lectern.LearnerRef{ID: "ada"}

func home(ref lectern.LearnerRef) lectern.ListRequest {
	return lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: ref}
}

func search(q string) lectern.ListRequest {
	return lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: q}
}

func TestEmptyCatalogue(t *testing.T) {
	w := newWorld(t, nil)
	for _, req := range []lectern.ListRequest{home(lectern.LearnerRef{}), search("go")} {
		l := w.list(req)
		if len(l.Items) != 0 || l.Items == nil || l.NextCursor != "" || l.RankingID == "" || l.Total != 0 {
			t.Errorf("%s: %+v", req.Surface, l)
		}
	}
	_, err := w.engine.List(context.Background(), lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "x", Limit: 3})
	if lectern.ErrorCode(err) != lectern.CodeNotFound {
		t.Errorf("similar to nothing: %v", err)
	}
}

func TestCatalogueOfOne(t *testing.T) {
	for name, options := range map[string][]option{"with vectors": nil, "words only": {wordsOnly}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []lectern.Course{{ID: "only", Title: "The only course"}}, options...)
			if got := ids(w.list(home(lectern.LearnerRef{}))); !slices.Equal(got, []string{"only"}) {
				t.Errorf("home: %v", got)
			}
			if got := ids(w.list(search("course"))); !slices.Equal(got, []string{"only"}) {
				t.Errorf("search: %v", got)
			}
			l := w.list(lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "only"})
			if len(l.Items) != 0 {
				t.Errorf("similar to itself: %v", ids(l))
			}
			w.act(ada, lectern.EventEnrol, "only")
			if got := ids(w.list(home(ada))); len(got) != 0 {
				t.Errorf("home after enrolling in the only course: %v", got)
			}
		})
	}
}

func TestEligibilityIsHard(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	never := []string{"old-1", "hid-1", "soon-1"}
	outside := append([]string{"priv-1", "eu-1"}, never...)
	for name, c := range map[string]struct {
		ref  lectern.LearnerRef
		hide []string
		show []string
	}{
		"nobody":          {lectern.LearnerRef{}, outside, nil},
		"unknown":         {lectern.LearnerRef{ID: "who"}, outside, nil},
		"without consent": {lectern.LearnerRef{ID: "shy"}, append([]string{"mus-1"}, outside...), nil},
		"acme in Germany": {lectern.LearnerRef{ID: "acme"}, never, []string{"priv-1", "eu-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := home(c.ref)
			req.Limit = 100
			got := ids(w.list(req))
			for _, id := range c.hide {
				if slices.Contains(got, id) {
					t.Errorf("%s is shown", id)
				}
			}
			for _, id := range c.show {
				if !slices.Contains(got, id) {
					t.Errorf("%s is hidden", id)
				}
			}
			for _, q := range []string{"machine learning", "Python at Acme", "data protection", "flash animation"} {
				req := search(q)
				req.Learner, req.Limit = c.ref, 100
				for _, id := range ids(w.list(req)) {
					if slices.Contains(c.hide, id) && id != "mus-1" { // search may show what was taken
						t.Errorf("search %q shows %s", q, id)
					}
				}
			}
		})
	}
	w.clock = time.Date(2027, 1, 10, 0, 0, 0, 0, time.UTC)
	if got := ids(w.list(search("machine learning for biology"))); got[0] != "soon-1" {
		t.Errorf("enrolment opened, but search gives %v", got)
	}
}

func TestFilters(t *testing.T) {
	w := newWorld(t, fixture(t))
	most, least, stars := 15.0, 20.0, 4.6
	for name, c := range map[string]struct {
		filter lectern.Filter
		ok     func(lectern.Course) bool
	}{
		"level":     {lectern.Filter{Levels: []lectern.Level{"Beginner"}}, func(c lectern.Course) bool { return c.Level == lectern.LevelBeginner }},
		"hours":     {lectern.Filter{MaxHours: &most}, func(c lectern.Course) bool { return c.WorkloadHours != nil && *c.WorkloadHours <= most }},
		"min hours": {lectern.Filter{MinHours: &least}, func(c lectern.Course) bool { return c.WorkloadHours != nil && *c.WorkloadHours >= least }},
		"rating":    {lectern.Filter{MinRating: &stars}, func(c lectern.Course) bool { return c.Stated.RatingMean >= stars }},
		"skill":     {lectern.Filter{Skills: []string{" PYTHON", "nothing"}}, func(c lectern.Course) bool { return slices.Contains(c.Skills, "Python") }},
		"language":  {lectern.Filter{Languages: []string{"ES"}}, func(c lectern.Course) bool { return c.Language == "es" }},
		"category":  {lectern.Filter{Categories: []string{" data  science "}}, func(c lectern.Course) bool { return slices.Contains(c.Categories, "Data Science") }},
		"provider":  {lectern.Filter{Providers: []string{"lyceum", "idioma"}}, func(c lectern.Course) bool { return c.Provider == "Lyceum" || c.Provider == "Idioma" }},
		"only":      {lectern.Filter{OnlyIDs: []string{"go-1"}}, func(c lectern.Course) bool { return c.ID == "go-1" }},
	} {
		t.Run(name, func(t *testing.T) {
			for _, req := range []lectern.ListRequest{
				home(lectern.LearnerRef{}), search("python data marketing machine web"),
				{Surface: lectern.SurfaceSimilar, CourseID: "ml-101"},
			} {
				req.Filter, req.Limit = c.filter, 100
				l := w.list(req)
				for _, it := range l.Items {
					if !c.ok(it.Course) {
						t.Errorf("%s shows %s", req.Surface, it.Course.ID)
					}
				}
				if len(l.Items) == 0 && req.Surface == lectern.SurfaceHome {
					t.Errorf("nothing left")
				}
			}
		})
	}
}

// TestMatcherAgreesWithIndex: memory and index decide the same for any course and
// filter; else pages would lose what candidates brought.
func TestMatcherAgreesWithIndex(t *testing.T) {
	courses := fixture(t)
	w := newWorld(t, courses)
	every := make([]string, len(courses))
	for i, c := range courses {
		every[i] = c.ID
	}
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string, from ...string) []string {
			return rapid.SliceOfN(rapid.SampledFrom(from), 0, 2).Draw(t, name)
		}
		f := lectern.Filter{
			Languages:  pick("languages", "en", "en-GB", "ES", "es-MX", "pt-BR", ""),
			Categories: pick("categories", "Data Science", "computing ", "arts", "none"),
			Skills:     pick("skills", "python", " SQL", "Guitar", "none"),
			Providers:  pick("providers", "Lyceum", "NORTHFIELD", ""),
			ExcludeIDs: pick("exclude", every...),
			Eligible: &lectern.Eligibility{
				At:            now.Add(time.Duration(rapid.IntRange(-9999, 9999).Draw(t, "hours")) * time.Hour),
				Region:        rapid.SampledFrom([]string{"", "de", "US"}).Draw(t, "region"),
				Organisations: pick("organisations", "acme", "other"),
			},
		}
		for _, l := range pick("levels", "beginner", "Mixed", "advanced") {
			f.Levels = append(f.Levels, lectern.Level(l))
		}
		if rapid.Bool().Draw(t, "hours set") {
			h := rapid.Float64Range(0, 50).Draw(t, "max hours")
			f.MaxHours = &h
		}
		if rapid.Bool().Draw(t, "least set") {
			h := rapid.Float64Range(0, 50).Draw(t, "min hours")
			f.MinHours = &h
		}
		if rapid.Bool().Draw(t, "only set") {
			f.OnlyIDs = append([]string{}, pick("only", every...)...)
		}
		if rapid.Bool().Draw(t, "everything") {
			f = lectern.Filter{ExcludeIDs: f.ExcludeIDs, Eligible: f.Eligible}
		}
		want, err := w.index.Allowed(context.Background(), f, every)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range courses {
			if got := retrieve.Allows(f, c); got != want[i] {
				t.Fatalf("%s: memory says %v, the index %v, for %+v", c.ID, got, want[i], f)
			}
			if got := retrieve.Admits(f, c); got != want[i] {
				t.Fatalf("%s: the course in memory says %v, the index %v, for %+v", c.ID, got, want[i], f)
			}
		}
	})
}

func TestEventsChangeTheNextList(t *testing.T) {
	w := newWorld(t, fixture(t))
	before := w.list(home(ada))
	w.act(ada, lectern.EventComplete, "mus-1")
	after := w.list(home(ada))
	if slices.Equal(ids(before), ids(after)) || slices.Contains(ids(after), "mus-1") {
		t.Fatalf("before %v, after %v", ids(before), ids(after))
	}
	first := after.Items[0]
	if first.Course.Provider != "Stave School" || first.Reasons[0].Code != rerank.ReasonSimilarToCourse || first.Reasons[0].Params["course_id"] != "mus-1" {
		t.Errorf("first is %s because of %v", first.Course.ID, first.Reasons)
	}
	if before.RankingID == after.RankingID {
		t.Error("two lists share an id")
	}
	w.act(ada, lectern.EventDismiss, first.Course.ID)
	if slices.Contains(ids(w.list(home(ada))), first.Course.ID) {
		t.Error("a dismissed course comes back")
	}
}

// TestExplainAddsUp on every surface and page, for anybody.
func TestExplainAddsUp(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	for _, ref := range []lectern.LearnerRef{{}, ada, {ID: "cold"}, {ID: "shy"}, {AnonymousID: "tab-1"}} {
		for _, req := range []lectern.ListRequest{home(ref), search("python data"), {Surface: lectern.SurfaceSimilar, CourseID: "py-101"}} {
			req.Learner, req.Explain, req.Limit = ref, true, 4
			for page := 0; page < 9; page++ {
				l := w.list(req)
				for _, it := range l.Items {
					sum := 0.0
					for _, term := range it.Terms {
						sum += term.Contribution
						if math.Abs(term.Contribution-term.Value*term.Weight) > 1e-12 {
							t.Errorf("%+v", term)
						}
					}
					if len(it.Terms) == 0 || math.Abs(sum-it.Score) > 1e-6 || it.Score < 0 || it.Score > 1 {
						t.Errorf("%s on %s page %d: score %v, terms sum to %v", it.Course.ID, req.Surface, page, it.Score, sum)
					}
				}
				if req.Cursor = l.NextCursor; req.Cursor == "" {
					break
				}
			}
		}
	}
}

// TestExactTitleFirst whatever the query's case and punctuation.
func TestExactTitleFirst(t *testing.T) {
	courses := fixture(t)
	w := newWorld(t, courses)
	for _, c := range courses {
		if c.Availability.Status != "" || len(c.Availability.Regions)+len(c.Availability.Organisations) > 0 || c.Availability.EnrolFrom != nil {
			continue
		}
		for _, q := range []string{c.Title, "  " + c.Title + "! "} {
			if got := ids(w.list(search(q))); len(got) == 0 || got[0] != c.ID {
				t.Errorf("%q finds %v", q, got)
			}
		}
	}
}

// TestRerankKeepsSearch is the gate: scoring must not make search worse than the
// fused list that it gets. Relevant are the courses that carry the query as a skill.
func TestRerankKeepsSearch(t *testing.T) {
	courses := fixture(t)
	w := newWorld(t, courses)
	people(w)
	relevant := map[string][]string{}
	for _, c := range courses {
		for _, s := range c.Skills {
			if c.Availability.Status == "" {
				relevant[s] = append(relevant[s], c.ID)
			}
		}
	}
	mean := func() float64 {
		sum, n := 0.0, 0
		for q, want := range relevant {
			for _, ref := range []lectern.LearnerRef{{}, ada} {
				req := search(q)
				req.Learner = ref
				got, err := w.engine.TopIDs(context.Background(), req, 10)
				if err != nil {
					t.Fatal(err)
				}
				sum += ndcg(got, want)
				n++
			}
		}
		return sum / float64(n)
	}
	reranked := mean()
	w.build(patient(), rerank.NoOp{})
	fused := mean()
	w.build(patient(), rerank.Random{Seed: 1})
	random := mean()
	t.Logf("nDCG@10: reranked %.4f, fused %.4f, random %.4f", reranked, fused, random)
	const rounding = 1e-9 // sums over a map's order
	if reranked < fused-rounding || fused <= random {
		t.Errorf("nDCG@10: reranked %.4f, fused %.4f, random %.4f", reranked, fused, random)
	}
}

func ndcg(got, relevant []string) float64 {
	dcg, ideal := 0.0, 0.0
	for i, id := range got {
		if slices.Contains(relevant, id) {
			dcg += 1 / math.Log2(float64(i)+2)
		}
	}
	for i := range min(len(relevant), 10) {
		ideal += 1 / math.Log2(float64(i)+2)
	}
	return dcg / ideal
}

func TestDegraded(t *testing.T) {
	t.Run("no embedder", func(t *testing.T) {
		w := newWorld(t, fixture(t), wordsOnly)
		w.act(ada, lectern.EventComplete, "mus-2")
		for _, req := range []lectern.ListRequest{home(ada), search("machine learning"), {Surface: lectern.SurfaceSimilar, CourseID: "ml-101"}} {
			l := w.list(req)
			if !slices.Equal(l.Degraded, []string{retrieve.DegradedSemantic}) || len(l.Items) == 0 {
				t.Errorf("%s: degraded %v, %d items", req.Surface, l.Degraded, len(l.Items))
			}
		}
		if l := w.list(home(ada)); l.Items[0].Course.ID != "mus-3" {
			t.Errorf("after music theory, words bring %v", ids(l))
		}
	})
	t.Run("embedder down", func(t *testing.T) {
		w := newWorld(t, fixture(t))
		w.embedder.(*bagEmbedder).fail = errors.New("down")
		if l := w.list(search("machine learning")); !slices.Equal(l.Degraded, []string{retrieve.DegradedSemantic}) || l.Items[0].Course.ID != "ml-101" {
			t.Errorf("degraded %v, %v", l.Degraded, ids(l))
		}
	})
	t.Run("index down", func(t *testing.T) {
		w := newWorld(t, fixture(t))
		w.act(ada, lectern.EventComplete, "mus-2")
		w.indexErr = errors.New("down")
		if l := w.list(home(ada)); !slices.Contains(l.Degraded, retrieve.DegradedIndex) || len(l.Items) == 0 {
			t.Errorf("degraded %v, %d items", l.Degraded, len(l.Items))
		}
	})
	t.Run("request given up", func(t *testing.T) {
		w := newWorld(t, fixture(t))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := w.engine.List(ctx, lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "go", Limit: 3})
		if lectern.ErrorCode(err) != lectern.CodeDeadline {
			t.Errorf("got %v", err)
		}
	})
	t.Run("queue full", func(t *testing.T) {
		w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.Record.Queue, c.Record.FlushEvery = 1, time.Second }))
		w.list(home(ada))
		if l := w.list(home(ada)); !slices.Contains(l.Degraded, retrieve.DegradedRecording) {
			t.Errorf("degraded %v", l.Degraded)
		}
		if w.recorder.Dropped() != 1 {
			t.Errorf("dropped %d", w.recorder.Dropped())
		}
	})
}

// TestSearchSides: the weights turn words or meaning off, for the baselines.
func TestSearchSides(t *testing.T) {
	words := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.SemanticWeight = 0 }))
	meaning := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.LexicalWeight = 0 }))
	for name, c := range map[string]struct {
		w    *world
		only string
	}{"words": {words, "words"}, "meaning": {meaning, "meaning"}} {
		l := c.w.list(search("guitar"))
		if len(l.Degraded) > 0 || len(l.Items) == 0 {
			t.Errorf("%s: degraded %v", name, l.Degraded)
		}
		for _, it := range l.Items {
			if !slices.Equal(it.Sources, []string{c.only}) {
				t.Errorf("%s: %s comes from %v", name, it.Course.ID, it.Sources)
			}
		}
	}
}

func TestTimings(t *testing.T) {
	w := newWorld(t, fixture(t))
	var got []string
	for _, x := range w.list(home(ada)).Timings {
		got = append(got, x.Stage)
	}
	if diff := cmp.Diff([]string{"profile", "candidates", "filter", "rerank", "record", "courses"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBadRequests(t *testing.T) {
	w := newWorld(t, fixture(t))
	for field, req := range map[string]lectern.ListRequest{
		"surface":   {Surface: "shop", Limit: 1},
		"limit":     {Surface: lectern.SurfaceHome},
		"query":     {Surface: lectern.SurfaceSearch, Query: " \t", Limit: 1},
		"course_id": {Surface: lectern.SurfaceSimilar, Limit: 1},
	} {
		_, err := w.engine.List(context.Background(), req)
		var e *lectern.Error
		if !errors.As(err, &e) || e.Code != lectern.CodeInvalid || e.Fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, q := range []string{"\xff\xfe", "🎓", "تعلم الآلة", "?!", "a", string(make([]byte, 1000))} {
		if _, err := w.engine.List(context.Background(), lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: q, Limit: 5}); err != nil {
			t.Errorf("query %q: %v", q, err)
		}
	}
}

func TestSimilarToACourseNotInMemory(t *testing.T) {
	w := newWorld(t, fixture(t))
	w.courses["fresh"] = lectern.Course{ID: "fresh", Title: "Neural networks again", Skills: []string{"Deep learning"}}
	l := w.list(lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "fresh"})
	if len(l.Items) == 0 || l.Items[0].Course.ID != "ml-deep" || !slices.Contains(l.Degraded, retrieve.DegradedSemantic) {
		t.Errorf("%v, degraded %v", ids(l), l.Degraded)
	}
}
