package feedback_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// desk is a service on a real store, with a clock that stands still.
type desk struct {
	*feedback.Service
	t     *testing.T
	store *sqlite.Store
	now   time.Time
}

func newDesk(t *testing.T, rules feedback.Rules) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return d.now }
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.store = store
	var patches []lectern.CoursePatch
	for _, id := range []string{"a", "b", "c"} {
		patches = append(patches, lectern.CoursePatch{Replace: true, Course: lectern.Course{
			ID: id, Title: "Title of " + id, Provider: "Uni", Availability: lectern.Availability{Status: lectern.StatusOpen},
		}})
	}
	if _, err := store.PutCourses(t.Context(), patches); err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutLearners(t.Context(), []lectern.Learner{{ID: "ada"}, {ID: "bob"}, {ID: "v", Anonymous: true}}); err != nil {
		t.Fatal(err)
	}
	d.Service = feedback.New(feedback.Options{
		Store: store, Rankings: store, Courses: store, Learners: store, Rules: rules, Clock: clock, Random: rand.NewChaCha8([32]byte{1}),
	})
	return d
}

// shown records a list of a, b and c in which these terms put them there.
func (d *desk) shown(id string, ref lectern.LearnerRef) {
	d.t.Helper()
	err := d.store.PutRankings(d.t.Context(), []lectern.Ranking{{
		ID: id, Learner: ref, Surface: lectern.SurfaceHome, Row: lectern.RowForYou, CreatedAt: d.now, ConfigVersion: "v7",
		Weights: []lectern.TermWeight{{Name: "similarity", Weight: 0.5}, {Name: "popularity", Weight: 0.3}, {Name: "quality", Weight: 0.2}, {Name: "trend"}},
		Items: []lectern.RankedItem{
			{CourseID: "a", Terms: []float64{0.6, 1, 0.9, 1}}, // .5·.1 = .05, .3·.5 = .15, .2·.4 = .08
			{CourseID: "b", Terms: []float64{0.6, 1, 0.9, 1}, Adjusted: []lectern.Term{{Name: "rule:summer", Weight: 1, Value: 0.2, Contribution: 0.2}}},
			{CourseID: "c", Terms: []float64{0.6, 1, 0.9, 1}, Pinned: "first"},
		},
	}})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) say(ref lectern.LearnerRef, g feedback.Given) lectern.Feedback {
	d.t.Helper()
	f, created, err := d.Say(d.t.Context(), ref, g)
	if err != nil || !created {
		d.t.Fatalf("%+v: created %v, %v", g, created, err)
	}
	return f
}

func report(course string, reason lectern.ReportReason) feedback.Given {
	return feedback.Given{Kind: lectern.FeedbackReport, CourseID: course, Reason: reason}
}

var (
	ada = lectern.LearnerRef{ID: "ada"}
	bob = lectern.LearnerRef{ID: "bob"}
	v   = lectern.LearnerRef{AnonymousID: "v"}
)

func ptr[T any](v T) *T { return &v }

func TestSay(t *testing.T) {
	d := newDesk(t, nil)
	d.shown("rk", ada)
	tests := []struct {
		name  string
		given feedback.Given
		want  lectern.Feedback
	}{
		{"more", feedback.Given{ID: "1", Kind: lectern.FeedbackMore, CourseID: "a"}, lectern.Feedback{ID: "1", Kind: lectern.FeedbackMore, CourseID: "a"}},
		{"not now", feedback.Given{ID: "2", Kind: lectern.FeedbackNotNow, CourseID: "a"},
			lectern.Feedback{ID: "2", Kind: lectern.FeedbackNotNow, CourseID: "a", Until: ptr(d.now.AddDate(0, 0, 30))}},
		{"not for a week", feedback.Given{ID: "3", Kind: lectern.FeedbackNotNow, CourseID: "b", Days: ptr(7)},
			lectern.Feedback{ID: "3", Kind: lectern.FeedbackNotNow, CourseID: "b", Until: ptr(d.now.AddDate(0, 0, 7))}},
		{"a report of a list", feedback.Given{ID: "4", Kind: lectern.FeedbackReport, CourseID: "a", Reason: lectern.ReportOutdated, Comment: "Of 2009,\nand “ü”", RankingID: "rk", Position: ptr(0)},
			lectern.Feedback{ID: "4", Kind: lectern.FeedbackReport, CourseID: "a", Reason: lectern.ReportOutdated, Comment: "Of 2009,\nand “ü”", RankingID: "rk", Position: ptr(0),
				Surface: lectern.SurfaceHome, Row: lectern.RowForYou, Term: "popularity", ConfigVersion: "v7"}},
		{"what a rule put there", feedback.Given{ID: "5", Kind: lectern.FeedbackReport, CourseID: "b", Reason: lectern.ReportOther, RankingID: "rk"},
			lectern.Feedback{ID: "5", Kind: lectern.FeedbackReport, CourseID: "b", Reason: lectern.ReportOther, RankingID: "rk", Position: ptr(1),
				Surface: lectern.SurfaceHome, Row: lectern.RowForYou, Term: "rule:summer", ConfigVersion: "v7"}},
		{"what a rule pinned there", feedback.Given{ID: "6", Kind: lectern.FeedbackLess, CourseID: "c", RankingID: "rk"},
			lectern.Feedback{ID: "6", Kind: lectern.FeedbackLess, CourseID: "c", RankingID: "rk", Position: ptr(2),
				Surface: lectern.SurfaceHome, Row: lectern.RowForYou, Term: "rule:first", ConfigVersion: "v7"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.At = d.now
			if diff := cmp.Diff(tt.want, d.say(ada, tt.given)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			before, err := d.store.Profile(t.Context(), ada)
			if err != nil {
				t.Fatal(err)
			}
			d.now = d.now.Add(time.Minute)
			again, created, err := d.Say(t.Context(), ada, tt.given)
			if err != nil || created {
				t.Errorf("sent again: created %v, %v", created, err)
			}
			if diff := cmp.Diff(tt.want, again); diff != "" {
				t.Errorf("sent again (-want +got):\n%s", diff)
			}
			after, err := d.store.Profile(t.Context(), ada)
			if err != nil || after.Version != before.Version {
				t.Errorf("sent again, the version goes from %d to %d, %v", before.Version, after.Version, err)
			}
			d.now = d.now.Add(-time.Minute)
		})
	}
	said, err := d.Said(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range said {
		got = append(got, fmt.Sprint(s.ID, " ", s.Holds))
	}
	if diff := cmp.Diff([]string{"6 true", "5 true", "4 true", "3 true", "2 true", "1 false"}, got); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	if f := d.say(bob, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "a"}); len(f.ID) != 32 {
		t.Errorf("an id was made: %q", f.ID)
	}
	_, _, err = d.Say(t.Context(), bob, feedback.Given{ID: "1", Kind: lectern.FeedbackMore, CourseID: "a"})
	if lectern.ErrorCode(err) != lectern.CodeConflict {
		t.Errorf("somebody else's id: %v", err)
	}
	if err := d.TakeBack(t.Context(), bob, "1"); lectern.ErrorCode(err) != lectern.CodeNotFound {
		t.Errorf("somebody else's feedback: %v", err)
	}
}

func TestSayRefuses(t *testing.T) {
	d := newDesk(t, nil)
	d.shown("rk", ada)
	d.shown("of nobody", lectern.LearnerRef{})
	tests := []struct {
		name   string
		ref    lectern.LearnerRef
		given  feedback.Given
		code   lectern.Code
		fields []string
	}{
		{"everything", ada, feedback.Given{ID: strings.Repeat("x", 200), Kind: "hate", CourseID: "zzz", RankingID: "zzz", Position: ptr(-1), Days: ptr(0), Reason: "dull", Comment: "no"},
			lectern.CodeInvalid, []string{"comment", "course_id", "days", "id", "kind", "position", "ranking_id", "reason"}},
		{"nothing", ada, feedback.Given{}, lectern.CodeInvalid, []string{"course_id", "kind"}},
		{"an unknown course", ada, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "zzz"}, lectern.CodeNotFound, []string{"course_id"}},
		{"a report", ada, feedback.Given{Kind: lectern.FeedbackReport, CourseID: "a", Comment: strings.Repeat("ü", 2001)}, lectern.CodeInvalid, []string{"comment", "reason"}},
		{"an odd report", ada, feedback.Given{Kind: lectern.FeedbackReport, CourseID: "a", Comment: "a\x00b", Reason: "dull"}, lectern.CodeInvalid, []string{"comment", "reason"}},
		{"too long", ada, feedback.Given{Kind: lectern.FeedbackNotNow, CourseID: "a", Days: ptr(3651)}, lectern.CodeInvalid, []string{"days"}},
		{"a place in no list", ada, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "a", Position: ptr(1)}, lectern.CodeInvalid, []string{"position"}},
		{"an unknown list", ada, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "a", RankingID: "zzz"}, lectern.CodeInvalid, []string{"ranking_id"}},
		{"somebody else's list", bob, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "a", RankingID: "rk"}, lectern.CodeInvalid, []string{"ranking_id"}},
		{"a stranger with a list", lectern.LearnerRef{AnonymousID: "new"}, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "a", RankingID: "rk"}, lectern.CodeInvalid, []string{"ranking_id"}},
		{"another place", ada, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "a", RankingID: "rk", Position: ptr(2)}, lectern.CodeInvalid, []string{"position"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := d.Say(t.Context(), tt.ref, tt.given)
			e, _ := errors.AsType[*lectern.Error](err)
			if e == nil || e.Code != tt.code {
				t.Fatalf("%v", err)
			}
			var fields []string
			for _, f := range e.Fields {
				fields = append(fields, f.Field)
				if f.Reason == "" {
					t.Errorf("%s: no reason", f.Field)
				}
			}
			slices.Sort(fields)
			if diff := cmp.Diff(tt.fields, fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
	for _, ref := range []lectern.LearnerRef{ada, bob, v} {
		if said, err := d.store.Feedback(t.Context(), ref); err != nil || len(said) > 0 {
			t.Errorf("%+v: %v, %v", ref, said, err)
		}
	}
	d.say(lectern.LearnerRef{AnonymousID: "new"}, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "a", RankingID: "of nobody"})
	// A list of the time before signing in is the learner's own.
	d.shown("of v", v)
	if err := d.store.MergeVisitor(t.Context(), "v", "bob"); err != nil {
		t.Fatal(err)
	}
	d.say(bob, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "a", RankingID: "of v"})
	d.say(v, feedback.Given{Kind: lectern.FeedbackMore, CourseID: "b", RankingID: "of v"})
}

func TestReports(t *testing.T) {
	d := newDesk(t, nil)
	for i := range 12 {
		ref := lectern.LearnerRef{ID: fmt.Sprint("l", i)}
		d.now = d.now.Add(time.Hour)
		if _, err := d.store.PutLearners(t.Context(), []lectern.Learner{{ID: ref.ID}}); err != nil {
			t.Fatal(err)
		}
		g := report("a", lectern.ReportOutdated)
		switch i % 3 {
		case 1:
			g = report("b", lectern.ReportIrrelevant)
		case 2:
			id := fmt.Sprint("rk", i)
			d.shown(id, ref)
			g.RankingID = id
			g.Comment = fmt.Sprint("comment ", i)
		}
		d.say(ref, g)
	}
	d.now = d.now.Add(time.Hour)
	d.say(lectern.LearnerRef{ID: "l0"}, report("a", lectern.ReportOther)) // in place of the first
	courses, totals, err := d.ByCourse(t.Context(), feedback.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if totals != (feedback.Totals{Reports: 12, Groups: 2}) || len(courses) != 2 {
		t.Fatalf("%+v, %d courses", totals, len(courses))
	}
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	got := courses[0]
	want := feedback.CourseReports{
		CourseID: "a", Title: "Title of a", Provider: "Uni", Reports: 8, Reporters: 8,
		Reasons:  []feedback.Count{{Name: "outdated", Count: 7}, {Name: "other", Count: 1}},
		Terms:    []feedback.Count{{Name: "", Count: 4}, {Name: "popularity", Count: 4}},
		Surfaces: []feedback.Count{{Name: "", Count: 4}, {Name: "home/for_you", Count: 4}},
		Versions: []feedback.Count{{Name: "", Count: 4}, {Name: "v7", Count: 4}},
		Status:   lectern.ReportOpen, Statuses: []feedback.Count{{Name: "open", Count: 8}},
		FirstAt: start.Add(3 * time.Hour), NewestAt: start.Add(13 * time.Hour),
		Comments: []feedback.Comment{
			{Text: "comment 11", Reason: "outdated", At: start.Add(12 * time.Hour)}, {Text: "comment 8", Reason: "outdated", At: start.Add(9 * time.Hour)},
			{Text: "comment 5", Reason: "outdated", At: start.Add(6 * time.Hour)}, {Text: "comment 2", Reason: "outdated", At: start.Add(3 * time.Hour)},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(got, "SuggestedRules")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	terms, _, err := d.ByTerm(t.Context(), feedback.Query{Statuses: []lectern.ReportStatus{lectern.ReportOpen}})
	if err != nil || len(terms) != 2 {
		t.Fatalf("%+v, %v", terms, err)
	}
	unknown := feedback.TermReports{
		Term: "", Reports: 8, Courses: 2, Reasons: []feedback.Count{{Name: "irrelevant", Count: 4}, {Name: "outdated", Count: 3}, {Name: "other", Count: 1}},
		Surfaces: []feedback.Count{{Count: 8}}, Versions: []feedback.Count{{Count: 8}}, Statuses: []feedback.Count{{Name: "open", Count: 8}},
		NewestAt: start.Add(13 * time.Hour), Most: []feedback.CourseCount{{CourseID: "a", Title: "Title of a", Reports: 4}, {CourseID: "b", Title: "Title of b", Reports: 4}},
	}
	if diff := cmp.Diff(unknown, terms[0]); diff != "" {
		t.Errorf("by term (-want +got):\n%s", diff)
	}
	if terms[1].Term != "popularity" || terms[1].Reports != 4 {
		t.Errorf("by term: %+v", terms[1])
	}
	few, totals, err := d.ByCourse(t.Context(), feedback.Query{CourseID: "b", Limit: 1, Since: start.Add(6 * time.Hour)})
	if err != nil || totals.Reports != 2 || few[0].Reports != 2 {
		t.Errorf("since: %+v, %+v, %v", few, totals, err)
	}
}

func TestSettle(t *testing.T) {
	d := newDesk(t, nil)
	d.say(ada, report("a", lectern.ReportOutdated))
	d.say(bob, report("a", lectern.ReportOther))
	settle := func(t feedback.Settlement) int {
		d.t.Helper()
		t.By = "key"
		n, err := d.Settle(d.t.Context(), "a", t)
		if err != nil {
			d.t.Fatal(err)
		}
		return n
	}
	state := func() string {
		d.t.Helper()
		courses, _, err := d.ByCourse(d.t.Context(), feedback.Query{CourseID: "a"})
		if err != nil {
			d.t.Fatal(err)
		}
		c := courses[0]
		return fmt.Sprint(c.Status, " ", c.Statuses, " ", c.Note, " ", c.By)
	}
	if n := settle(feedback.Settlement{Status: ptr(lectern.ReportLooking)}); n != 2 {
		t.Errorf("%d set", n)
	}
	if n := settle(feedback.Settlement{Note: ptr("hm")}); n != 2 || state() != "in_review [{in_review 2}] hm key" {
		t.Errorf("%d set: %s", n, state())
	}
	if n := settle(feedback.Settlement{Status: ptr(lectern.ReportRejected)}); n != 2 || state() != "rejected [{rejected 2}] hm key" {
		t.Errorf("%d set: %s", n, state())
	}
	if n := settle(feedback.Settlement{Status: ptr(lectern.ReportOpen)}); n != 0 {
		t.Errorf("%d settled ones set", n)
	}
	d.now = d.now.Add(time.Hour)
	d.say(bob, report("a", lectern.ReportQuality)) // again
	if n := settle(feedback.Settlement{Status: ptr(lectern.ReportResolved), Note: ptr("")}); n != 1 || state() != "resolved [{rejected 1} {resolved 1}]  key" {
		t.Errorf("%d set: %s", n, state())
	}
	if n := settle(feedback.Settlement{Status: ptr(lectern.ReportOpen), From: []lectern.ReportStatus{lectern.ReportRejected}}); n != 1 {
		t.Errorf("%d rejected ones set", n)
	}
	_, err := d.Settle(t.Context(), "b", feedback.Settlement{Note: ptr("x")})
	if lectern.ErrorCode(err) != lectern.CodeNotFound {
		t.Errorf("nobody reported it: %v", err)
	}
	_, err = d.Settle(t.Context(), "a", feedback.Settlement{Status: ptr(lectern.ReportStatus("gone")), Note: ptr(strings.Repeat("x", 2001)), From: []lectern.ReportStatus{"x"}})
	if e, _ := errors.AsType[*lectern.Error](err); e == nil || len(e.Fields) != 3 {
		t.Errorf("%v", err)
	}
}
