package api

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
)

// knownLearner is a learner of whom something is known, and remembers corrections.
type knownLearner struct{ patch learner.Patch }

func (k *knownLearner) Describe(_ context.Context, ref lectern.LearnerRef) (learner.Description, error) {
	if ref.ID != "ada" && ref.AnonymousID != "v" {
		return learner.Description{}, lectern.Errorf(lectern.CodeNotFound, "nobody")
	}
	hours := 4.5
	return learner.Description{
		Personalisation: true, Stated: learner.Stated{Interests: []string{"statistics"}},
		Interests: []learner.InterestNote{{
			Name: "Statistics", Weight: 1, Source: "stated",
			Courses: []learner.CourseNote{{ID: "stats-1", Title: "Statistics", Weight: 3}}, LastAt: testNow(),
		}},
		TurnedDown: []learner.TopicNote{}, SkillsGained: []learner.SkillNote{{Name: "Regression", Amount: .5, Courses: []string{"stats-1"}}},
		SkillsWanted: []learner.SkillNote{}, Level: learner.LevelNote{Source: "unknown"}, Pace: learner.PaceNote{Source: "unknown"},
		WeeklyHours: learner.HoursNote{Value: &hours, Source: "estimated", Evidence: 3}, RemovedInterests: []string{}, Courses: 1, EventsCounted: 2,
		Preferences: []learner.PreferenceNote{{Name: lectern.PreferNew, Leaning: lectern.LeanMore, Text: "more recent courses"}},
		Feedback:    []learner.FeedbackNote{{ID: "f", Kind: lectern.FeedbackNotNow, CourseID: "stats-1", At: testNow(), Text: "“stats-1” not now"}},
	}, nil
}

func (k *knownLearner) Correct(ctx context.Context, ref lectern.LearnerRef, patch learner.Patch) (learner.Description, error) {
	k.patch = patch
	return k.Describe(ctx, ref)
}

func TestProfile(t *testing.T) {
	known := &knownLearner{}
	e := newEnv(t, func(d *Deps, _ *Config) { d.Profiles = known })
	for _, target := range []string{"/v1/learners/ada/profile", "/v1/visitors/v/profile"} {
		var got learner.Description
		e.call(lectern.ScopeServer, http.MethodGet, target, "").want(http.StatusOK, "").into(&got)
		if len(got.Interests) != 1 || *got.WeeklyHours.Value != 4.5 {
			t.Errorf("%s: %+v", target, got)
		}
	}
	e.call(lectern.ScopePublic, http.MethodGet, "/v1/learners/ada/profile", "").want(http.StatusForbidden, lectern.CodeForbidden)
	e.call(lectern.ScopePublic, http.MethodGet, "/v1/learners/ada/profile", "", header{"X-Learner-Token", e.token("ada")}).want(http.StatusOK, "")
	e.call(lectern.ScopeServer, http.MethodGet, "/v1/learners/bob/profile", "").want(http.StatusNotFound, lectern.CodeNotFound).mentions("bob")

	body := `{"remove_interests": ["Baking"], "restore_interests": ["chess"], "level": "advanced", "weekly_hours": null, "pace": "steady", "interests": ["statistics"],
		"preferences": {"popular": "less", "new": null}}`
	e.call(lectern.ScopeServer, http.MethodPatch, "/v1/learners/ada/profile", body).want(http.StatusOK, "")
	less := lectern.LeanLess
	want := learner.Patch{
		RemoveInterests: []string{"Baking"}, RestoreInterests: []string{"chess"}, Level: learner.To(lectern.LevelAdvanced),
		WeeklyHours: learner.Back[float64](), Pace: learner.To(lectern.PaceSteady), Interests: learner.To([]string{"statistics"}),
		Preferences: learner.To(map[lectern.Preference]*lectern.Leaning{lectern.PreferPopular: &less, lectern.PreferNew: nil}),
	}
	if d := cmp.Diff(want, known.patch); d != "" {
		t.Error(d)
	}
	for _, tt := range []struct {
		name, body string
		want       lectern.Code
	}{
		{"an unknown field", `{"remove": ["x"]}`, "unknown_field"},
		{"a preference", `{"preferences": {"cheap": "more"}}`, "unknown_field"},
		{"a leaning", `{"preferences": {"popular": "most"}}`, lectern.CodeInvalid},
		{"a pace", `{"pace": "frantic"}`, lectern.CodeInvalid},
		{"too many hours", `{"weekly_hours": 500}`, lectern.CodeInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e.on(t).call(lectern.ScopeServer, http.MethodPatch, "/v1/learners/ada/profile", tt.body).want(http.StatusBadRequest, tt.want)
		})
	}
}
