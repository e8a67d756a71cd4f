package feedback_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

// lateRules are settings that are made after the desk whose store they are kept in.
type lateRules struct{ *settings.Service }

// newRuleDesk is a desk whose rules go into real settings.
func newRuleDesk(t *testing.T) (*desk, *settings.Service) {
	t.Helper()
	late := &lateRules{}
	d := newDesk(t, late)
	s, err := settings.New(settings.Options{
		Config: settings.DefaultConfig(), Store: d.store, File: rerank.DefaultConfig(),
		Clock: func() time.Time { return d.now }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	late.Service = s
	return d, s
}

func TestRule(t *testing.T) {
	d, s := newRuleDesk(t)
	ctx := t.Context()
	d.say(ada, report("a", lectern.ReportOutdated))
	d.say(bob, report("a", lectern.ReportOther))
	courses, _, err := d.ByCourse(ctx, feedback.Query{})
	if err != nil {
		t.Fatal(err)
	}
	until := time.Date(2026, 5, 30, 12, 0, 0, 0, time.UTC) // in 90 days
	note := "“Title of a”: 2 reports until 1 March 2026: 1 other, 1 outdated"
	suggested := []rerank.Rule{
		{ID: "report-bury-a", Action: rerank.RuleBury, Courses: []string{"a"}, Strength: 0.5, Until: &until, Note: note},
		{ID: "report-hide-a", Action: rerank.RuleHide, Courses: []string{"a"}, Until: &until, Note: note},
	}
	if diff := cmp.Diff(suggested, courses[0].SuggestedRules); diff != "" {
		t.Errorf("suggested (-want +got):\n%s", diff)
	}
	made, err := d.Rule(ctx, "a", feedback.RuleGiven{Action: rerank.RuleBury, Author: "key"})
	if err != nil {
		t.Fatal(err)
	}
	want := feedback.RuleMade{Rule: suggested[0], Version: 1, Name: "v1", ETag: `"v1"`, Changed: true, Resolved: 2, Warnings: []settings.Warning{}}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	now, err := s.Get(ctx)
	if err != nil || len(now.Config.Rules) != 1 || s.Reranker().Version() != "v1" {
		t.Fatalf("settings %+v, %v", now.Config.Rules, err)
	}
	courses, _, err = d.ByCourse(ctx, feedback.Query{})
	if err != nil || courses[0].Status != lectern.ReportResolved || courses[0].Note != "rule report-bury-a in v1" || courses[0].By != "key" {
		t.Errorf("the reports: %+v, %v", courses[0], err)
	}
	// The same once more changes nothing; another strength takes its place.
	made, err = d.Rule(ctx, "a", feedback.RuleGiven{Action: rerank.RuleBury, Author: "key"})
	if err != nil || made.Changed || made.Version != 1 || made.Resolved != 0 {
		t.Errorf("again: %+v, %v", made, err)
	}
	end := d.now.AddDate(0, 0, 7)
	made, err = d.Rule(ctx, "a", feedback.RuleGiven{
		Action: rerank.RuleBury, Strength: ptr(0.9), Until: &end, Surfaces: []lectern.Surface{lectern.SurfaceHome}, IfMatch: `"v1"`, Author: "key", Comment: "more",
	})
	if err != nil || !made.Changed || made.Version != 2 {
		t.Fatalf("stronger: %+v, %v", made, err)
	}
	now, _ = s.Get(ctx)
	if r := now.Config.Rules; len(r) != 1 || r[0].Strength != 0.9 || !r[0].Until.Equal(end) || len(r[0].Surfaces) != 1 {
		t.Errorf("rules %+v", r)
	}
	if _, err = d.Rule(ctx, "a", feedback.RuleGiven{Action: rerank.RuleHide, IfMatch: `"v1"`}); lectern.ErrorCode(err) != lectern.CodePrecondition {
		t.Errorf("stale: %v", err)
	}
	if now, _ = s.Get(ctx); now.Version != 2 || len(now.Config.Rules) != 1 {
		t.Errorf("a stale rule left %+v", now.Config.Rules)
	}
}

func TestRuleRefuses(t *testing.T) {
	d, s := newRuleDesk(t)
	d.say(ada, report("a", lectern.ReportOutdated))
	for _, tt := range []struct {
		name   string
		course string
		given  feedback.RuleGiven
		code   lectern.Code
		fields []string
	}{
		{"everything", "a", feedback.RuleGiven{Action: "pin", Surfaces: []lectern.Surface{"tv"}, Until: ptr(d.now), Strength: ptr(2.0)}, lectern.CodeInvalid, []string{"action", "surfaces[0]", "until", "strength"}},
		{"a strength of hide", "a", feedback.RuleGiven{Action: rerank.RuleHide, Strength: ptr(0.5)}, lectern.CodeInvalid, []string{"strength"}},
		{"nobody reported it", "b", feedback.RuleGiven{Action: rerank.RuleHide}, lectern.CodeNotFound, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := d.Rule(t.Context(), tt.course, tt.given)
			e, _ := errors.AsType[*lectern.Error](err)
			if e == nil || e.Code != tt.code {
				t.Fatalf("%v", err)
			}
			var fields []string
			for _, f := range e.Fields {
				fields = append(fields, f.Field)
			}
			if diff := cmp.Diff(tt.fields, fields); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if now, err := s.Get(t.Context()); err != nil || now.Version != 0 {
		t.Errorf("a refusal left version %d, %v", now.Version, err)
	}
	if _, err := newDesk(t, nil).Rule(t.Context(), "a", feedback.RuleGiven{Action: rerank.RuleHide}); lectern.ErrorCode(err) != lectern.CodeUnavailable {
		t.Errorf("without settings: %v", err)
	}
}

// TestRuleRaces makes rules from many sides while somebody patches the settings:
// nothing is lost.
func TestRuleRaces(t *testing.T) {
	d, s := newRuleDesk(t)
	for _, course := range []string{"a", "b", "c"} {
		d.say(ada, report(course, lectern.ReportOutdated))
	}
	var all sync.WaitGroup
	for _, course := range []string{"a", "b", "c"} {
		for _, action := range []rerank.RuleAction{rerank.RuleBury, rerank.RuleHide} {
			all.Go(func() {
				if _, err := d.Rule(t.Context(), course, feedback.RuleGiven{Action: action}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Go(func() {
		if _, err := s.Patch(t.Context(), settings.Change{Body: []byte(`{"lists": {"max_provider_run": 5}}`)}); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	now, err := s.Get(t.Context())
	if err != nil || len(now.Config.Rules) != 6 || now.Config.Lists.MaxProviderRun != 5 || now.Version != 7 {
		t.Errorf("version %d: %+v, %v", now.Version, now.Config.Rules, err)
	}
}

// TestRuleIDs makes rules of courses whose ids no rule can have.
func TestRuleIDs(t *testing.T) {
	d, s := newRuleDesk(t)
	courses := []string{"a b", "ab", "ü/1", "ü/2", strings.Repeat("x", 128), strings.Repeat("x", 127) + "y"}
	for _, id := range courses {
		_, err := d.store.PutCourses(t.Context(), []lectern.CoursePatch{{Replace: true, Course: lectern.Course{
			ID: id, Title: strings.Repeat("ü", 500), Availability: lectern.Availability{Status: lectern.StatusOpen},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		d.say(ada, report(id, lectern.ReportOutdated))
		if _, err := d.Rule(t.Context(), id, feedback.RuleGiven{Action: rerank.RuleHide}); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	now, err := s.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range now.Config.Rules {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) != len(courses) {
		t.Errorf("ids %q", ids)
	}
}
