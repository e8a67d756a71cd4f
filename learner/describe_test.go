package learner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
)

// writable is a memory that keeps what learners correct, with events.
type writable struct {
	*memory
	events []lectern.Event // newest first
}

func (w *writable) PutLearners(_ context.Context, l []lectern.Learner) ([]lectern.WriteResult, error) {
	l[0].Consent = w.profile.Learner.Consent
	w.profile.Learner = l[0]
	w.profile.Version++
	return []lectern.WriteResult{{Outcome: lectern.OutcomeUpdated}}, nil
}

func (w *writable) PutCorrections(_ context.Context, _ lectern.LearnerRef, c lectern.Corrections) error {
	w.profile.Corrections = c
	w.profile.Version++
	return nil
}

func (w *writable) LearnerEvents(_ context.Context, _ lectern.LearnerRef, limit int) ([]lectern.Event, error) {
	return w.events[:min(len(w.events), limit)], nil
}

// someSkills are what courses teach and what goals take.
type someSkills struct{}

func (someSkills) Taught(c learner.CourseFacts) []learner.SkillAmount {
	var out []learner.SkillAmount
	for _, s := range c.Skills {
		out = append(out, learner.SkillAmount{Name: s, Amount: 0.8})
	}
	return out
}

func (someSkills) Asked(goal string) []learner.SkillAmount {
	if goal != "photographer" {
		return nil
	}
	return []learner.SkillAmount{{Name: "Lighting", Amount: 1}, {Name: "Portraits", Amount: 0.5}, {Name: "Business", Amount: 0.7}}
}

// school has courses on photography (near (1, 0)), on cooking (near (0, 1)), and two
// that stand elsewhere.
func school(t testing.TB) (*writable, *learner.Profiles) {
	t.Helper()
	hours := 10.0
	courses := []lectern.Course{
		{ID: "p1", Title: "Light and Lenses", Categories: []string{"Arts", "Photography"}, Skills: []string{"Lighting"}, Level: lectern.LevelBeginner, WorkloadHours: &hours},
		{ID: "p2", Title: "Portraits", Categories: []string{"Arts", "Photography"}, Skills: []string{"Portraits"}, Level: lectern.LevelIntermediate},
		{ID: "p3", Title: "Seeing in Black and White", Categories: []string{"Arts"}},
		{ID: "k1", Title: "Cooking for One", Categories: []string{"Life", "Cooking"}, Skills: []string{"Sauces"}, Level: lectern.LevelBeginner},
		{ID: "k2", Title: "Sauces", Categories: []string{"Life", "Cooking"}, Skills: []string{"Sauces"}},
		{ID: "m1", Title: "Chess", Categories: []string{"Games"}},
	}
	for i := range 30 {
		courses = append(courses, lectern.Course{ID: fmt.Sprint("other", i), Title: "Other", Categories: []string{"Arts"}})
	}
	w := &writable{memory: newMemory()}
	w.vectors = map[string][]float32{"p1": {1, 0}, "p2": {0.98, 0.199}, "p3": {0.98, -0.199}, "k1": {0, 1}, "k2": {0.199, 0.98}, "m1": {-1, 0}}
	w.texts = map[string][]float32{"slow food": {0, 1}, "photographer": {1, 0}}
	catalogue := learner.NewCatalogue()
	if err := catalogue.Apply(t.Context(), courses, nil, true); err != nil {
		t.Fatal(err)
	}
	p, err := learner.NewProfilesFrom(w, learner.Sources{Courses: catalogue, Skills: someSkills{}, Events: w, Corrections: w},
		learner.DefaultConfig(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return w, p
}

var ref = lectern.LearnerRef{ID: "l"}

func did(id string, weight float64, state lectern.CourseState) lectern.ProfileEntry {
	return lectern.ProfileEntry{CourseID: id, Weight: weight, WeightAt: now, LastAt: now.Add(-time.Hour), State: state}
}

const (
	enrolled  = lectern.StateEnrolled
	completed = lectern.StateEnrolled | lectern.StateCompleted
)

func TestDescribe(t *testing.T) {
	w, p := school(t)
	w.profile.Learner = lectern.Learner{ID: "l", Interests: []string{"slow food"}, Goal: "photographer", UpdatedAt: now.Add(-2 * time.Hour)}
	w.profile.Entries = []lectern.ProfileEntry{
		did("p1", 6, completed), did("p2", 3, enrolled), did("p3", 3, enrolled), did("k1", 3, enrolled), did("m1", -4, lectern.StateDismissed),
	}
	got, err := p.Describe(t.Context(), ref, w, w)
	if err != nil {
		t.Fatal(err)
	}
	want := learner.Description{
		Personalisation: true,
		Stated:          learner.Stated{Interests: []string{"slow food"}, Goal: "photographer"},
		Interests: []learner.InterestNote{
			// p1 + p2 + p3 + goal = 15 of 21
			{Name: "Photography", Weight: 15. / 21, Source: learner.SourceGoal, LastAt: now.Add(-time.Hour), Courses: []learner.CourseNote{
				{ID: "p1", Title: "Light and Lenses", Weight: 6}, {ID: "p2", Title: "Portraits", Weight: 3}, {ID: "p3", Title: "Seeing in Black and White", Weight: 3}}},
			{Name: "slow food", Weight: 6. / 21, Source: learner.SourceStated, LastAt: now.Add(-time.Hour), Courses: []learner.CourseNote{
				{ID: "k1", Title: "Cooking for One", Weight: 3}}},
		},
		TurnedDown:   []learner.TopicNote{{Name: "Games", Courses: []learner.CourseNote{{ID: "m1", Title: "Chess", Weight: -4}}}},
		SkillsGained: []learner.SkillNote{{Name: "Lighting", Amount: 0.8, Courses: []string{"p1"}}},
		SkillsWanted: []learner.SkillNote{{Name: "Business", Amount: 0.7}, {Name: "Portraits", Amount: 0.5}, {Name: "Lighting", Amount: 0.2}},
		// (6·.7 + 3·1 + 3·0) / 12 = .6
		Level:            learner.LevelNote{Value: "intermediate", Source: learner.SourceEstimated, Evidence: 3},
		Pace:             learner.PaceNote{Source: learner.SourceUnknown},
		WeeklyHours:      learner.HoursNote{Source: learner.SourceUnknown},
		Preferences:      []learner.PreferenceNote{},
		Feedback:         []learner.FeedbackNote{},
		RemovedInterests: []string{},
		Courses:          5,
		UpdatedAt:        now.Add(-time.Hour),
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestABadEndOutweighsWhatLedThere: a course is no interest because somebody tried it.
func TestABadEndOutweighsWhatLedThere(t *testing.T) {
	v := func(x float64) *float64 { return &x }
	enrol := lectern.Event{Type: lectern.EventEnrol}
	for name, events := range map[string][]lectern.Event{
		"dropped":                 {enrol, {Type: lectern.EventProgress, Value: v(0.8)}, {Type: lectern.EventDrop}}, // 3 + 3.8 − 7
		"completed, and one star": {enrol, {Type: lectern.EventComplete}, {Type: lectern.EventRate, Value: v(1)}},   // 3 + 6 − 10
		"begun, and one star":     {enrol, {Type: lectern.EventProgress, Value: v(0.3)}, {Type: lectern.EventRate, Value: v(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := school(t)
			w.profile.Learner = lectern.Learner{ID: "l"}
			entry := did("p1", 0, 0)
			for _, e := range events {
				e.CourseID = "p1"
				d := learner.DefaultConfig().Delta(e)
				entry.Weight += d.Weight
				entry.State |= d.State
			}
			w.profile.Entries = []lectern.ProfileEntry{entry}
			d, err := p.Describe(t.Context(), ref, w, w)
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Interests) > 0 || len(d.TurnedDown) != 1 || d.TurnedDown[0].Courses[0].ID != "p1" {
				t.Errorf("interests %v, turned down %v", d.Names(), d.TurnedDown)
			}
		})
	}
}

// TestDescribeTheRest: sessions, hours and pace come from events.
func TestDescribeTheRest(t *testing.T) {
	w, p := school(t)
	day := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
	share := []float64{0.2, 0.5}
	w.profile.Learner = lectern.Learner{ID: "l"}
	w.profile.Entries = []lectern.ProfileEntry{did("p1", 5, enrolled), did("k1", 1, lectern.StateClicked)}
	w.events = []lectern.Event{
		{Type: lectern.EventClick, CourseID: "k1", OccurredAt: day(0)},
		{Type: lectern.EventSearch, Query: "sauce", OccurredAt: day(0)},
		{Type: lectern.EventProgress, CourseID: "p1", Value: &share[1], OccurredAt: day(1)}, // 3 of 10 hours
		{Type: lectern.EventProgress, CourseID: "p1", Value: &share[0], OccurredAt: day(8)}, // 2 of them
		{Type: lectern.EventEnrol, CourseID: "p1", OccurredAt: day(14)},
	}
	d, err := p.Describe(t.Context(), ref, w, w)
	if err != nil {
		t.Fatal(err)
	}
	if d.Recent == nil || d.Recent.Name != "Cooking" {
		t.Errorf("recent: %+v", d.Recent)
	}
	if d.EventsCounted != 4 {
		t.Errorf("%d events", d.EventsCounted)
	}
	// by weeks before now: 3·6/7, 3/7 + 2·6/6, nothing more: the median of 2.57 and 2.43 is 2.5
	if d.WeeklyHours.Value == nil || *d.WeeklyHours.Value != 2.5 || d.WeeklyHours.Source != learner.SourceEstimated {
		t.Errorf("hours: %+v", d.WeeklyHours)
	}
	if d.Pace.Value != lectern.PaceSteady || d.Pace.Source != learner.SourceEstimated || d.Pace.Evidence != 2 {
		t.Errorf("pace: %+v", d.Pace)
	}
	_, taste, err := p.Load(t.Context(), ref, w, w)
	if err != nil || taste.WeeklyHours == nil || !taste.HoursEstimated || taste.Pace != lectern.PaceSteady {
		t.Errorf("taste: %+v, %v", taste, err)
	}
}

func TestDescribeWithout(t *testing.T) {
	w, p := school(t)
	w.profile.Learner = lectern.Learner{ID: "l", Interests: []string{"slow food"}, PreferredLevel: lectern.LevelAdvanced}
	w.profile.Entries = []lectern.ProfileEntry{did("p1", 6, completed), did("p2", 3, enrolled), did("k1", 3, enrolled)}
	names := func(embedder lectern.Embedder) []string {
		t.Helper()
		d, err := p.Describe(t.Context(), ref, w, embedder)
		if err != nil {
			t.Fatal(err)
		}
		return d.Names()
	}
	if diff := cmp.Diff([]string{"Photography", "Cooking", "slow food"}, names(nil)); diff != "" {
		t.Errorf("without an embedder (-want +got):\n%s", diff)
	}
	w.profile.Learner.Consent = &lectern.Consent{}
	w.profile.Version++
	d, err := p.Describe(t.Context(), ref, w, w)
	if err != nil {
		t.Fatal(err)
	}
	if d.Personalisation || len(d.Interests)+len(d.SkillsGained)+d.Courses > 0 || d.Level.Value != lectern.LevelAdvanced || len(d.Stated.Interests) != 1 {
		t.Errorf("without consent: %+v", d)
	}
	w.profile.Learner.Consent, w.noIndex = nil, errors.New("down")
	w.profile.Version++
	if _, err := p.Describe(t.Context(), ref, w, w); lectern.ErrorCode(err) != lectern.CodeUnavailable {
		t.Errorf("without an index: %v", err)
	}
}

func TestCorrect(t *testing.T) {
	start := func() (*writable, *learner.Profiles) {
		w, p := school(t)
		w.profile.Learner = lectern.Learner{ID: "l", Interests: []string{"slow food"}}
		w.profile.Entries = []lectern.ProfileEntry{did("p1", 6, completed), did("p2", 3, enrolled), did("p3", 3, enrolled), did("k1", 3, enrolled)}
		return w, p
	}
	remove := func(names ...string) learner.Patch { return learner.Patch{RemoveInterests: names} }
	tests := []struct {
		name    string
		patches []learner.Patch
		want    []string // interests
		removed []string
	}{
		{"nothing", []learner.Patch{{}}, []string{"Photography", "slow food"}, []string{}},
		// p3 is no photography by its words, but stands among it
		{"an interest of behaviour", []learner.Patch{remove("photography")}, []string{"slow food"}, []string{"photography"}},
		// the interest is called by what is stated, which no course is about
		{"a stated one", []learner.Patch{remove("Slow Food")}, []string{"Photography"}, []string{"slow food", "cooking"}},
		{"a skill of a course", []learner.Patch{remove("Portraits")}, []string{"Photography", "slow food"}, []string{"portraits"}},
		{"and back", []learner.Patch{remove("Photography"), {RestoreInterests: []string{"PHOTOGRAPHY"}}}, []string{"Photography", "slow food"}, []string{}},
		{"stated again", []learner.Patch{remove("slow food"), {Interests: learner.To([]string{"slow food"})}},
			[]string{"Photography", "slow food"}, []string{"cooking"}},
		{"none stated", []learner.Patch{{Interests: learner.Back[[]string]()}}, []string{"Photography", "Cooking"}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, p := start()
			var d learner.Description
			for _, patch := range tt.patches {
				var err error
				if d, err = p.Correct(t.Context(), ref, patch, w, w); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, d.Names()); diff != "" {
				t.Errorf("interests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.removed, d.RemovedInterests); diff != "" {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCorrectFacts(t *testing.T) {
	w, p := school(t)
	w.profile.Learner = lectern.Learner{ID: "l", Region: "DE"}
	w.profile.Entries = []lectern.ProfileEntry{did("p1", 6, completed), did("p2", 3, enrolled)}
	var patch learner.Patch
	if err := json.Unmarshal([]byte(`{"level":"advanced","weekly_hours":8,"pace":"relaxed","goal":" photographer "}`), &patch); err != nil {
		t.Fatal(err)
	}
	d, err := p.Correct(t.Context(), ref, patch, w, w)
	if err != nil {
		t.Fatal(err)
	}
	if d.Level.Value != lectern.LevelAdvanced || d.Level.Source != learner.SourceStated || *d.WeeklyHours.Value != 8 ||
		d.Pace != (learner.PaceNote{Value: lectern.PaceRelaxed, Source: learner.SourceStated}) || d.Stated.Goal != "photographer" {
		t.Errorf("set: %+v", d)
	}
	if w.profile.Learner.Region != "DE" {
		t.Error("what the patch does not name is gone")
	}
	patch = learner.Patch{}
	if err := json.Unmarshal([]byte(`{"level":null,"weekly_hours":null,"pace":null}`), &patch); err != nil {
		t.Fatal(err)
	}
	if d, err = p.Correct(t.Context(), ref, patch, w, w); err != nil {
		t.Fatal(err)
	}
	if d.Level.Source != learner.SourceEstimated || d.WeeklyHours.Source != learner.SourceUnknown || d.Pace.Source != learner.SourceUnknown || d.Stated.Goal == "" {
		t.Errorf("taken back: %+v", d)
	}
	out, err := json.Marshal(learner.Patch{Level: learner.Back[lectern.Level](), Goal: learner.To("x")})
	if err != nil || string(out) != `{"goal":"x","level":null}` {
		t.Errorf("%s, %v", out, err)
	}
}

func TestCorrectRefuses(t *testing.T) {
	tests := []struct {
		name    string
		patch   learner.Patch
		field   string
		allowed string // part of what the error says is allowed
	}{
		{"no interest", learner.Patch{RemoveInterests: []string{"Sailing"}}, "remove_interests", "Photography"},
		{"empty", learner.Patch{RemoveInterests: []string{" "}}, "remove_interests", "Photography"},
		{"not removed", learner.Patch{RestoreInterests: []string{"Photography"}}, "restore_interests", "none"},
		{"level", learner.Patch{Level: learner.To(lectern.Level("guru"))}, "level", "beginner"},
		{"pace", learner.Patch{Pace: learner.To(lectern.Pace("fast"))}, "pace", "steady"},
		{"hours", learner.Patch{WeeklyHours: learner.To(-1.0)}, "weekly_hours", "0 to 168"},
		{"goal", learner.Patch{Goal: learner.To(strings.Repeat("x", 1001))}, "goal", "1000"},
		{"interests", learner.Patch{Interests: learner.To([]string{""})}, "interests", "characters"},
		{"NUL in an interest", learner.Patch{Interests: learner.To([]string{"a\x00b"})}, "interests", "control"},
		{"text turned around", learner.Patch{Goal: learner.To("a\u202eb")}, "goal", "control"},
		{"NUL in a removed one", learner.Patch{RemoveInterests: []string{"Photo\x00graphy"}}, "remove_interests", "control"},
		{"NUL in a restored one", learner.Patch{RestoreInterests: []string{"\x00"}}, "restore_interests", "control"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, p := school(t)
			w.profile.Learner = lectern.Learner{ID: "l"}
			w.profile.Entries = []lectern.ProfileEntry{did("p1", 6, completed)}
			_, err := p.Correct(t.Context(), ref, tt.patch, w, w)
			e, ok := errors.AsType[*lectern.Error](err)
			if !ok || e.Code != lectern.CodeInvalid || e.Fields[0].Field != tt.field || !strings.Contains(e.Fields[0].Allowed, tt.allowed) {
				t.Fatalf("%+v", err)
			}
			if w.profile.Version != 1 {
				t.Error("something was written")
			}
		})
	}
}

// TestRemovedStaysRemoved: whatever a learner does after they removed an interest,
// no vector points there, and no model or reason reads its courses.
func TestRemovedStaysRemoved(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, p := school(t)
		w.profile.Learner = lectern.Learner{ID: "l"}
		w.profile.Entries = []lectern.ProfileEntry{did("p1", 6, completed), did("p2", 3, enrolled), did("k1", 3, enrolled)}
		if _, err := p.Correct(t.Context(), ref, learner.Patch{RemoveInterests: []string{"Photography"}}, w, w); err != nil {
			rt.Fatal(err)
		}
		w.profile.Version++
		w.profile.Entries = nil
		for _, id := range []string{"p1", "p2", "p3", "k1", "k2", "m1"} {
			if id != "p3" || len(w.profile.Entries) > 0 { // p3 counts as photography beside other photography only
				w.profile.Entries = append(w.profile.Entries, did(id, rapid.Float64Range(-6, 12).Draw(rt, id), enrolled))
			}
		}
		_, taste, err := p.Load(t.Context(), ref, w, w)
		if err != nil {
			rt.Fatal(err)
		}
		liked := slices.ContainsFunc(w.profile.Entries, func(e lectern.ProfileEntry) bool {
			return (e.CourseID == "p1" || e.CourseID == "p2") && e.Weight > 0
		})
		for _, v := range taste.Vectors {
			if liked && v[0] > 0.7 {
				rt.Fatalf("a vector at %v of %+v", v, w.profile.Entries)
			}
		}
		var ids []string
		for _, x := range taste.Touched {
			ids = append(ids, x.CourseID)
		}
		for _, l := range taste.Liked {
			ids = append(ids, l.CourseID)
		}
		for _, id := range ids {
			if id == "p1" || id == "p2" {
				rt.Fatalf("%s is read", id)
			}
		}
	})
}

// TestCounted leaves out what was removed, for those who read profiles themselves.
func TestCounted(t *testing.T) {
	catalogue := learner.NewCatalogue()
	if err := catalogue.Apply(t.Context(), []lectern.Course{
		{ID: "a", Title: "On Black-and-White Photography"}, {ID: "b", Title: "Photographs", Skills: []string{"PHOTOGRAPHY"}}, {ID: "c", Title: "Photographs"},
	}, nil, true); err != nil {
		t.Fatal(err)
	}
	p := lectern.Profile{
		Learner: lectern.Learner{Interests: []string{"Photography", "art"}, Goal: "photography"},
		Entries: []lectern.ProfileEntry{did("a", 1, enrolled), did("b", 1, enrolled), did("c", 1, enrolled), did("gone", 1, enrolled)},
	}
	from := learner.Sources{Courses: catalogue}
	if diff := cmp.Diff(p, from.Counted(p)); diff != "" {
		t.Errorf("nothing was removed (-want +got):\n%s", diff)
	}
	p.Corrections.RemovedInterests = []string{"photography"}
	want := lectern.Profile{Learner: lectern.Learner{Interests: []string{"art"}}, Entries: p.Entries[2:], Corrections: p.Corrections}
	if diff := cmp.Diff(want, from.Counted(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
