package learner_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestDelta(t *testing.T) {
	cfg := learner.DefaultConfig()
	v := func(x float64) *float64 { return &x }
	tests := []struct {
		name  string
		event lectern.Event
		want  *lectern.ProfileDelta
	}{
		{"view", lectern.Event{Type: lectern.EventView, CourseID: "c"}, nil},
		{"search", lectern.Event{Type: lectern.EventSearch, Query: "go"}, nil},
		{"no course", lectern.Event{Type: lectern.EventClick}, nil},
		{"click", lectern.Event{Type: lectern.EventClick, CourseID: "c"}, &lectern.ProfileDelta{Weight: 1, State: lectern.StateClicked}},
		{"save", lectern.Event{Type: lectern.EventSave, CourseID: "c"}, &lectern.ProfileDelta{Weight: 2, State: lectern.StateSaved}},
		{"enrol", lectern.Event{Type: lectern.EventEnrol, CourseID: "c"}, &lectern.ProfileDelta{Weight: 3, State: lectern.StateEnrolled}},
		{"half way", lectern.Event{Type: lectern.EventProgress, CourseID: "c", Value: v(0.5)}, // 3 + (4 − 3)·.5
			&lectern.ProfileDelta{Weight: 3.5, State: lectern.StateProgressed, Progress: 0.5}},
		{"progress unknown", lectern.Event{Type: lectern.EventProgress, CourseID: "c"}, &lectern.ProfileDelta{Weight: 3, State: lectern.StateProgressed}},
		{"more than all", lectern.Event{Type: lectern.EventProgress, CourseID: "c", Value: v(7)}, &lectern.ProfileDelta{Weight: 4, State: lectern.StateProgressed, Progress: 1}},
		{"less than nothing", lectern.Event{Type: lectern.EventProgress, CourseID: "c", Value: v(-1)}, &lectern.ProfileDelta{Weight: 3, State: lectern.StateProgressed}},
		{"complete", lectern.Event{Type: lectern.EventComplete, CourseID: "c"}, &lectern.ProfileDelta{Weight: 6, State: lectern.StateCompleted, Progress: 1}},
		{"five stars", lectern.Event{Type: lectern.EventRate, CourseID: "c", Value: v(5)}, &lectern.ProfileDelta{Weight: 5, State: lectern.StateRated}},
		{"three stars", lectern.Event{Type: lectern.EventRate, CourseID: "c", Value: v(3)}, &lectern.ProfileDelta{Weight: 0, State: lectern.StateRated}},
		{"two stars", lectern.Event{Type: lectern.EventRate, CourseID: "c", Value: v(2)}, &lectern.ProfileDelta{Weight: -5, State: lectern.StateRated}},
		{"one star", lectern.Event{Type: lectern.EventRate, CourseID: "c", Value: v(1)}, &lectern.ProfileDelta{Weight: -10, State: lectern.StateRated}},
		{"drop", lectern.Event{Type: lectern.EventDrop, CourseID: "c"}, &lectern.ProfileDelta{Weight: -7, State: lectern.StateDropped}},
		{"dismiss", lectern.Event{Type: lectern.EventDismiss, CourseID: "c"}, &lectern.ProfileDelta{Weight: -4, State: lectern.StateDismissed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want != nil {
				tt.want.HalfLife = cfg.HalfLife
			}
			if diff := cmp.Diff(tt.want, cfg.Delta(tt.event)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// memory is a store, an index and an embedder in two dimensions.
type memory struct {
	lectern.LearnerStore
	lectern.VectorIndex
	profile lectern.Profile
	vectors map[string][]float32
	reviews map[string][]float32
	texts   map[string][]float32
	reads   int
	asked   int // for reviews
	print   string
	fail    error
	noIndex error
}

func (m *memory) Profile(context.Context, lectern.LearnerRef) (lectern.Profile, error) {
	m.reads++
	return m.profile, nil
}

func (m *memory) ProfileVersion(context.Context, lectern.LearnerRef) (int64, error) {
	if m.profile.Version == 0 {
		return 0, lectern.Errorf(lectern.CodeNotFound, "nobody")
	}
	return m.profile.Version, nil
}

func (m *memory) Vectors(_ context.Context, name string, ids []string) ([][]float32, error) {
	vectors := m.vectors
	if name == lectern.VectorReviews {
		m.asked++
		vectors = m.reviews
	}
	out := make([][]float32, len(ids))
	for i, id := range ids {
		out[i] = vectors[id]
	}
	return out, m.noIndex
}

func (m *memory) Embed(_ context.Context, _ lectern.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = m.texts[t]
	}
	return out, m.fail
}

func (m *memory) Dim() int            { return 2 }
func (m *memory) Fingerprint() string { return m.print }

func newMemory(entries ...lectern.ProfileEntry) *memory {
	return &memory{
		profile: lectern.Profile{Version: 1, Entries: entries},
		vectors: map[string][]float32{"x": {1, 0}, "x2": {1, 0}, "a": {0.8, 0.6}, "y": {0, 1}, "nx": {-1, 0}},
		texts:   map[string][]float32{"up": {0, 1}},
		print:   "one",
	}
}

func profiles(t *testing.T, m *memory, clock lectern.Clock) *learner.Profiles {
	t.Helper()
	p, err := learner.NewProfiles(m, learner.DefaultConfig(), clock)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func entry(id string, weight float64, age time.Duration) lectern.ProfileEntry {
	return lectern.ProfileEntry{CourseID: id, Weight: weight, WeightAt: now.Add(-age), LastAt: now.Add(-age)}
}

func TestTaste(t *testing.T) {
	const halfLife = 90 * 24 * time.Hour
	no := lectern.Consent{}
	x, y, nx := []float32{1, 0}, []float32{0, 1}, []float32{-1, 0}
	tests := []struct {
		name    string
		m       *memory
		learner lectern.Learner
		want    [][]float32
		shares  []float64
		away    []float32
		liked   []string
	}{
		{"nothing known", newMemory(), lectern.Learner{}, nil, nil, nil, nil},
		{"one course", newMemory(entry("x", 3, 0)), lectern.Learner{}, [][]float32{x}, []float64{1}, nil, []string{"x"}},
		// x: 4·½ = 2, y: 6 → shares 6/8 and 2/8
		{"two interests, decayed", newMemory(entry("x", 4, halfLife), entry("y", 6, 0)), lectern.Learner{},
			[][]float32{y, x}, []float64{0.75, 0.25}, nil, []string{"y", "x"}},
		// 1 − .8 ≤ .8: one interest of 3·(1, 0) + 3·(.8, .6) = (5.4, 1.8), of length 5.692
		{"near is the same", newMemory(entry("x", 3, 0), entry("a", 3, 0)), lectern.Learner{},
			[][]float32{{0.9487, 0.3162}}, []float64{1}, nil, []string{"a", "x"}},
		// y is near neither
		{"something else turned down", newMemory(entry("x", 3, 0), entry("y", -4, 0)), lectern.Learner{},
			[][]float32{x}, []float64{1}, y, []string{"x"}},
		// 10·(1, 0) − 5·(.8, .6) = (6, −3), of length 6.708, as 3·3 is more than half of 10; nothing
		// is left to be kept away
		{"part of an interest turned down", newMemory(entry("x", 10, 0), entry("a", -3, 0)), lectern.Learner{},
			[][]float32{{0.8944, -0.4472}}, []float64{1}, nil, []string{"x"}},
		// x: 3 − 4 < 0
		{"an interest turned down", newMemory(entry("x", 3, 0), entry("y", 3, 0), entry("a", -4, 0)), lectern.Learner{},
			[][]float32{y}, []float64{1}, []float32{0.8, 0.6}, []string{"y"}},
		// 50 is held to 10
		{"bounded", newMemory(entry("x", 50, 0), entry("y", 10, 0)), lectern.Learner{},
			[][]float32{x, y}, []float64{0.5, 0.5}, nil, []string{"x", "y"}},
		// y has 1 of 31: too little, and near to nothing
		{"a passing click", newMemory(entry("x", 10, 0), entry("nx", 10, 0), entry("x2", 10, 0), entry("y", 1, 0)), lectern.Learner{},
			[][]float32{x, nx}, []float64{2. / 3, 1. / 3}, nil, []string{"nx", "x", "x2", "y"}},
		// x: 3, interest (0, 1) at 3
		{"stated", newMemory(entry("x", 3, 0)), lectern.Learner{Interests: []string{"up", " UP ", ""}},
			[][]float32{x, y}, []float64{0.5, 0.5}, nil, []string{"x"}},
		{"stated and done", newMemory(entry("y", 3, 0)), lectern.Learner{Interests: []string{"up"}},
			[][]float32{y}, []float64{1}, nil, []string{"y"}},
		{"goal alone", newMemory(), lectern.Learner{Goal: "up"}, [][]float32{y}, []float64{1}, nil, nil},
		{"no vector yet", newMemory(entry("z", 3, 0)), lectern.Learner{}, nil, nil, nil, []string{"z"}},
		{"no consent", newMemory(entry("x", 3, 0)), lectern.Learner{Consent: &no, Goal: "up"}, nil, nil, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.profile.Learner = tt.learner
			_, taste, err := profiles(t, tt.m, func() time.Time { return now }).Load(context.Background(), lectern.LearnerRef{ID: "l"}, tt.m, tt.m)
			if err != nil {
				t.Fatal(err)
			}
			if personal := tt.learner.Consent == nil; taste.Personal != personal {
				t.Errorf("Personal = %v", taste.Personal)
			}
			near := cmpopts.EquateApprox(0, 1e-4)
			if diff := cmp.Diff(tt.want, taste.Vectors, near); diff != "" {
				t.Errorf("vectors (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.shares, taste.Shares, near); diff != "" {
				t.Errorf("shares (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.away, taste.Away, near); diff != "" {
				t.Errorf("away (-want +got):\n%s", diff)
			}
			var liked []string
			for _, l := range taste.Liked {
				liked = append(liked, l.CourseID)
			}
			if diff := cmp.Diff(tt.liked, liked); diff != "" {
				t.Errorf("liked (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTasteHasUnitLength whatever a profile holds.
func TestTasteHasUnitLength(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory()
		for _, id := range []string{"x", "y", "nx", "z"} {
			w := rapid.Float64Range(-1e6, 1e6).Draw(rt, "weight")
			m.profile.Entries = append(m.profile.Entries, entry(id, w, time.Duration(rapid.IntRange(-1000, 1e6).Draw(rt, "age"))*time.Hour))
		}
		_, taste, err := profiles(t, m, func() time.Time { return now }).Load(context.Background(), lectern.LearnerRef{ID: "l"}, m, m)
		if err != nil {
			rt.Fatal(err)
		}
		for _, v := range taste.Vectors {
			if n := math.Hypot(float64(v[0]), float64(v[1])); math.Abs(n-1) > 1e-5 {
				rt.Fatalf("length %v", n)
			}
		}
	})
}

func TestProfilesCache(t *testing.T) {
	clock := now
	m := newMemory(entry("x", 3, 0))
	p := profiles(t, m, func() time.Time { return clock })
	ctx, ref := context.Background(), lectern.LearnerRef{ID: "l"}
	load := func() learner.Taste {
		t.Helper()
		_, taste, err := p.Load(ctx, ref, m, m)
		if err != nil {
			t.Fatal(err)
		}
		return taste
	}
	load()
	load()
	if m.reads != 1 {
		t.Errorf("read %d times, want once for one version", m.reads)
	}
	m.profile.Version, m.profile.Entries = 2, []lectern.ProfileEntry{entry("y", 3, 0)}
	if v := load().Vectors[0]; v[1] != 1 {
		t.Errorf("an event did not change the next taste: %v", v)
	}
	m.print, m.vectors = "two", map[string][]float32{"y": {0, 0, 1}}
	if v := load().Vectors[0]; len(v) != 3 {
		t.Errorf("a new embedder left the old vector: %v", v)
	}
	m.profile.Entries = []lectern.ProfileEntry{entry("w", 3, 0)}
	clock = clock.Add(time.Hour) // past the cache's time
	if got := load(); len(got.Vectors) != 0 || m.reads != 3 {
		t.Errorf("an old taste was not made anew: %v, %d reads", got, m.reads)
	}
	m.vectors["w"] = []float32{0, 1, 0} // the course's vector arrives
	clock = clock.Add(6 * time.Second)
	if got := load(); len(got.Vectors) != 1 {
		t.Error("a vector that arrived is not used")
	}
	m.profile.Version = 0
	if _, _, err := p.Load(ctx, ref, m, m); lectern.ErrorCode(err) != lectern.CodeNotFound {
		t.Errorf("a deleted learner: %v", err)
	}
}

func TestProfilesDegrade(t *testing.T) {
	ctx, ref := context.Background(), lectern.LearnerRef{ID: "l"}
	m := newMemory(entry("x", 3, 0))
	m.profile.Learner.Goal = "up"
	p := profiles(t, m, func() time.Time { return now })
	_, taste, err := p.Load(ctx, ref, m, nil)
	if err != nil || len(taste.Vectors) != 0 || len(taste.Liked) != 1 || len(taste.Interests) != 1 || taste.Partial {
		t.Errorf("without an embedder: %+v, %v", taste, err)
	}
	m.fail = errors.New("down")
	if _, taste, _ = p.Load(ctx, ref, m, m); !taste.Partial || len(taste.Vectors) != 1 {
		t.Errorf("embedder down: %+v", taste)
	}
	m.fail, m.noIndex = nil, errors.New("down")
	profile, taste, err := p.Load(ctx, ref, m, m)
	if err != nil || !taste.Partial || len(profile.Entries) != 1 {
		t.Errorf("index down: %+v, %v", taste, err)
	}
	m.noIndex = nil
	if _, taste, _ = p.Load(ctx, ref, m, m); taste.Partial {
		t.Error("a partial taste was kept")
	}
}

func TestConfig(t *testing.T) {
	if err := learner.DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for key, change := range map[string]func(*learner.Config){
		"learner.strengths.click":    func(c *learner.Config) { c.Strengths.Click = 0 },
		"learner.strengths.save":     func(c *learner.Config) { c.Strengths.Save = 0.5 },
		"learner.strengths.complete": func(c *learner.Config) { c.Strengths.Complete = math.NaN() },
		"learner.strengths.rate_low": func(c *learner.Config) { c.Strengths.RateLow = 1 },
		"learner.strengths.dismiss":  func(c *learner.Config) { c.Strengths.Dismiss = 1 },
		"learner.half_life":          func(c *learner.Config) { c.HalfLife = 0 },
		"learner.max_course_weight":  func(c *learner.Config) { c.MaxCourseWeight = 0 },
		"learner.max_liked":          func(c *learner.Config) { c.MaxLiked = 1000 },
		"learner.cache_size":         func(c *learner.Config) { c.CacheSize = 0 },
	} {
		cfg := learner.DefaultConfig()
		change(&cfg)
		e, ok := errors.AsType[*lectern.Error](cfg.Validate())
		if !ok || e.Fields[0].Field != key || e.Fields[0].Allowed == "" {
			t.Errorf("%s: got %v", key, e)
		}
	}
}
