package learner_test

import (
	"encoding/json"
	"errors"
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

// says is feedback about a course, some time before now.
func says(id, course string, kind lectern.FeedbackKind, ago time.Duration) lectern.Feedback {
	f := lectern.Feedback{ID: id, CourseID: course, Kind: kind, At: now.Add(-ago)}
	if kind == lectern.FeedbackNotNow {
		until := now.Add(30 * 24 * time.Hour)
		f.Until = &until
	}
	if kind == lectern.FeedbackReport {
		f.Reason = lectern.ReportOutdated
	}
	return f
}

func TestFold(t *testing.T) {
	cfg := learner.DefaultConfig()
	const left = lectern.StateLeftOut
	acted := func(weight float64, state lectern.CourseState, ago time.Duration) []lectern.ProfileEntry {
		at := now.Add(-ago)
		return []lectern.ProfileEntry{{CourseID: "c", Weight: weight, WeightAt: at, LastAt: at, HalfLife: cfg.HalfLife, State: state, Progress: 0.4}}
	}
	tests := []struct {
		name   string
		did    []lectern.ProfileEntry
		said   []lectern.Feedback // newest first
		weight float64            // at the entry's own time
		state  lectern.CourseState
		last   time.Duration // ago
	}{
		{"more of something new", nil, []lectern.Feedback{says("1", "c", lectern.FeedbackMore, time.Hour)}, 4, 0, time.Hour},
		{"less of something new", nil, []lectern.Feedback{says("1", "c", lectern.FeedbackLess, time.Hour)}, -4, lectern.StateDismissed | left, time.Hour},
		{"not now", nil, []lectern.Feedback{says("1", "c", lectern.FeedbackNotNow, time.Hour)}, 0, left, time.Hour},
		{"known", nil, []lectern.Feedback{says("1", "c", lectern.FeedbackKnown, time.Hour)}, 0, lectern.StateCompleted | left, time.Hour},
		{"reported", nil, []lectern.Feedback{says("1", "c", lectern.FeedbackReport, time.Hour)}, 0, left, time.Hour},

		// 3 halved once + 4
		{"more of what was enrolled in", acted(3, enrolled, cfg.HalfLife), []lectern.Feedback{says("1", "c", lectern.FeedbackMore, 0)}, 5.5, enrolled, 0},
		// 6 − 4 would still speak for it
		{"less of what was completed", acted(6, completed, 0), []lectern.Feedback{says("1", "c", lectern.FeedbackLess, 0)}, -4, completed | lectern.StateDismissed | left, 0},
		{"less of what was turned down", acted(-4, lectern.StateDismissed, 0), []lectern.Feedback{says("1", "c", lectern.FeedbackLess, 0)}, -8, lectern.StateDismissed | left, 0},
		{"more of what was turned down before", acted(-4, lectern.StateDismissed, time.Hour), []lectern.Feedback{says("1", "c", lectern.FeedbackMore, 0)}, 4, 0, 0},
		{"more of what was left before", acted(-4, enrolled|lectern.StateDropped, time.Hour), []lectern.Feedback{says("1", "c", lectern.FeedbackMore, 0)}, 4, lectern.StateRated, 0},
		// What was done later counts beside it: 1 − 4, and 4 halved once − 4.
		{"a click after less", acted(1, lectern.StateClicked, 0), []lectern.Feedback{says("1", "c", lectern.FeedbackLess, 0)}, -4, lectern.StateClicked | lectern.StateDismissed | left, 0},
		{"turned down after more", acted(-4, lectern.StateDismissed, 0), []lectern.Feedback{says("1", "c", lectern.FeedbackMore, cfg.HalfLife)}, -2, lectern.StateDismissed, 0},
		{"enrolled after less", acted(3, enrolled, 0), []lectern.Feedback{says("1", "c", lectern.FeedbackLess, cfg.HalfLife)}, 1, enrolled | lectern.StateDismissed | left, 0},
		{"known and enrolled in", acted(3, enrolled, time.Hour), []lectern.Feedback{says("1", "c", lectern.FeedbackKnown, 0)}, 3, completed | left, time.Hour},
		{"not now, and under way", acted(3, enrolled, time.Hour), []lectern.Feedback{says("1", "c", lectern.FeedbackNotNow, 0)}, 3, enrolled | left, time.Hour},

		{"the last counts", nil, []lectern.Feedback{says("2", "c", lectern.FeedbackLess, 0), says("1", "c", lectern.FeedbackMore, time.Hour)}, -4, lectern.StateDismissed | left, 0},
		{"a report beside it", nil, []lectern.Feedback{says("2", "c", lectern.FeedbackReport, 0), says("1", "c", lectern.FeedbackMore, 0)}, 4, left, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := lectern.Profile{Version: 7, Entries: tt.did, Feedback: tt.said}
			kept := slices.Clone(tt.did)
			got := cfg.Fold(before, now)
			if len(got.Entries) != 1 {
				t.Fatalf("entries %+v", got.Entries)
			}
			e := got.Entries[0]
			want := lectern.ProfileEntry{CourseID: "c", Weight: tt.weight, State: tt.state, LastAt: now.Add(-tt.last), HalfLife: cfg.HalfLife}
			if len(tt.did) > 0 {
				want.Progress = 0.4
			}
			if diff := cmp.Diff(want, e, cmpopts.EquateApprox(0, 1e-9), cmpopts.IgnoreFields(e, "WeightAt")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(kept, before.Entries); diff != "" {
				t.Errorf("the profile that was folded changed:\n%s", diff)
			}
		})
	}
}

func TestFoldLapses(t *testing.T) {
	cfg := learner.DefaultConfig()
	p := lectern.Profile{Feedback: []lectern.Feedback{says("1", "c", lectern.FeedbackNotNow, time.Hour), says("2", "c", lectern.FeedbackMore, 2*time.Hour)}}
	until := *p.Feedback[0].Until
	if got := cfg.Fold(p, until.Add(-time.Microsecond)); len(got.Entries) != 1 || got.Entries[0].State != lectern.StateLeftOut {
		t.Errorf("before: %+v", got.Entries)
	}
	if got := cfg.Fold(p, until); len(got.Entries) != 1 || got.Entries[0].State != 0 || got.Entries[0].Weight != 4 {
		t.Errorf("what was said before counts again: %+v", got.Entries)
	}
	p.Feedback = p.Feedback[:1]
	if got := cfg.Fold(p, until); len(got.Entries) != 0 || len(got.Feedback) != 0 {
		t.Errorf("afterwards: %+v", got)
	}
}

// TestLoadLapses checks that "not now" ends at its time, though nothing was written and
// the profile is kept in memory.
func TestLoadLapses(t *testing.T) {
	w := newMemory()
	w.profile.Learner = lectern.Learner{ID: "l"}
	w.profile.Feedback = []lectern.Feedback{says("1", "a", lectern.FeedbackNotNow, time.Hour)}
	until := now.Add(time.Minute)
	w.profile.Feedback[0].Until = &until
	at := now
	p, err := learner.NewProfiles(w, learner.DefaultConfig(), func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {59 * time.Second, 1}, {time.Minute, 0}} {
		at = now.Add(tt.after)
		profile, _, err := p.Load(t.Context(), ref, w, w)
		if err != nil || len(profile.Entries) != tt.want {
			t.Errorf("after %v: %+v, %v", tt.after, profile.Entries, err)
		}
	}
}

// TestFoldMakesNoTaste says "not now", "known" and reports about courses, and expects
// the same taste as without.
func TestFoldMakesNoTaste(t *testing.T) {
	courses := []string{"p1", "p2", "p3", "k1", "k2", "m1"}
	kinds := []lectern.FeedbackKind{lectern.FeedbackNotNow, lectern.FeedbackKnown, lectern.FeedbackReport}
	rapid.Check(t, func(rt *rapid.T) {
		w, p := school(t)
		w.profile.Learner = lectern.Learner{ID: "l", Interests: []string{"slow food"}, Consent: &lectern.Consent{Personalisation: true}}
		for _, c := range courses[:4] {
			if rapid.Bool().Draw(rt, c) {
				w.profile.Entries = append(w.profile.Entries, did(c, float64(rapid.IntRange(-5, 6).Draw(rt, "weight")), lectern.StateClicked))
			}
		}
		_, before, err := p.Load(t.Context(), ref, w, w)
		if err != nil {
			rt.Fatal(err)
		}
		for i := range rapid.IntRange(1, 5).Draw(rt, "said") {
			f := says(string(rune('a'+i)), rapid.SampledFrom(courses).Draw(rt, "course"), rapid.SampledFrom(kinds).Draw(rt, "kind"), time.Duration(i)*time.Minute)
			w.profile.Feedback = append(w.profile.Feedback, f)
		}
		w.profile.Version++
		_, after, err := p.Load(t.Context(), ref, w, w)
		if err != nil {
			rt.Fatal(err)
		}
		// A known course may show a level and give skills, as completed ones do.
		if diff := cmp.Diff(before, after, cmpopts.IgnoreFields(learner.Taste{}, "Level", "LevelEstimated", "Wanted"), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
			rt.Errorf("(-before +after):\n%s", diff)
		}
	})
}

func TestFeedbackMakesTaste(t *testing.T) {
	w, p := school(t)
	w.profile.Learner = lectern.Learner{ID: "l", Consent: &lectern.Consent{Personalisation: true}}
	w.profile.Entries = []lectern.ProfileEntry{did("k1", 3, enrolled)}
	before, err := p.Describe(t.Context(), ref, w, w)
	if err != nil {
		t.Fatal(err)
	}
	w.profile.Feedback = []lectern.Feedback{
		says("3", "p1", lectern.FeedbackMore, 0), says("2", "m1", lectern.FeedbackLess, time.Hour), says("1", "p2", lectern.FeedbackKnown, 2*time.Hour),
	}
	w.profile.Version++
	_, taste, err := p.Load(t.Context(), ref, w, w)
	if err != nil {
		t.Fatal(err)
	}
	if len(taste.Vectors) != 2 || taste.Vectors[0][0] != 1 || taste.Away == nil {
		t.Errorf("taste %+v", taste)
	}
	got, err := p.Describe(t.Context(), ref, w, w)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Photography", "Cooking"}, got.Names()); diff != "" {
		t.Errorf("interests:\n%s", diff)
	}
	var words []string
	for _, f := range got.Feedback {
		words = append(words, f.Text)
	}
	if diff := cmp.Diff([]string{"more like “Light and Lenses”", "less like “Chess”", "knows “Portraits” already"}, words); diff != "" {
		t.Errorf("in words:\n%s", diff)
	}
	if len(got.SkillsGained) != 1 || got.SkillsGained[0].Name != "Portraits" {
		t.Errorf("skills gained: %+v", got.SkillsGained)
	}
	if got.Courses != 3 {
		t.Errorf("%d courses, want k1, p1 and m1", got.Courses)
	}

	w.profile.Learner.Consent = &lectern.Consent{}
	w.profile.Version++
	profile, taste, err := p.Load(t.Context(), ref, w, w)
	if err != nil || taste.Vectors != nil || taste.Touched != nil {
		t.Errorf("without consent: %+v, %v", taste, err)
	}
	if i := slices.IndexFunc(profile.Entries, func(e lectern.ProfileEntry) bool { return e.CourseID == "p2" }); i < 0 || profile.Entries[i].State&lectern.StateLeftOut == 0 {
		t.Errorf("without consent p2 is not left out: %+v", profile.Entries)
	}

	w.profile.Learner.Consent, w.profile.Feedback = &lectern.Consent{Personalisation: true}, nil
	w.profile.Version++
	after, err := p.Describe(t.Context(), ref, w, w)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("taken back (-before +after):\n%s", diff)
	}
}

func TestPreferences(t *testing.T) {
	w, p := school(t)
	w.profile.Learner = lectern.Learner{ID: "l", Consent: &lectern.Consent{}}
	correct := func(body string) (learner.Description, error) {
		t.Helper()
		var patch learner.Patch
		if err := json.Unmarshal([]byte(body), &patch); err != nil {
			t.Fatal(err)
		}
		return p.Correct(t.Context(), ref, patch, w, w)
	}
	words := func(d learner.Description, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, n := range d.Preferences {
			out = append(out, n.Text)
		}
		return strings.Join(out, "; ")
	}
	for _, tt := range []struct{ body, want string }{
		{`{"preferences": {"challenging": "more", "popular": "less"}}`, "fewer courses that many take; more challenging courses"},
		{`{"goal": "photographer"}`, "fewer courses that many take; more challenging courses"},
		{`{"preferences": {"popular": null, "new": "more"}}`, "more recent courses; more challenging courses"},
		{`{"preferences": {}}`, "more recent courses; more challenging courses"},
		{`{"preferences": null}`, ""},
	} {
		if got := words(correct(tt.body)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.body, got, tt.want)
		}
	}
	if w.profile.Corrections.Preferences != nil {
		t.Errorf("kept: %+v", w.profile.Corrections)
	}
	_, err := correct(`{"preferences": {"cheap": "more", "new": "most", "short": "less"}, "pace": "frantic"}`)
	e, _ := errors.AsType[*lectern.Error](err)
	var fields []string
	for _, f := range e.Fields {
		fields = append(fields, f.Field)
	}
	if diff := cmp.Diff([]string{"pace", "preferences", "preferences.new"}, fields); diff != "" || lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, p := range lectern.Preferences() {
		for _, leaning := range []lectern.Leaning{lectern.LeanLess, lectern.LeanMore} {
			if got := words(correct(`{"preferences": {"` + string(p) + `": "` + string(leaning) + `"}}`)); got == "" || strings.Contains(got, string(leaning)+" "+string(p)) && p != lectern.PreferChallenging {
				t.Errorf("%s of %s is said as %q", leaning, p, got)
			}
			_, _ = correct(`{"preferences": null}`)
		}
	}
}
