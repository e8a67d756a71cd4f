package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/ingesttest"
)

func ndjson(t *testing.T, svc ingest.Service, kind ingest.Kind, body string, limits ingest.Limits) []string {
	t.Helper()
	results, err := svc.NDJSON(context.Background(), kind, strings.NewReader(body), limits)
	if err != nil {
		t.Fatal(err)
	}
	return brief(results)
}

// brief prints results as "line id outcome: first problem".
func brief(results []ingest.LineResult) []string {
	var out []string
	for _, r := range results {
		s := fmt.Sprintf("%d %s %s", r.Line, r.ID, r.Outcome)
		if r.Err != nil {
			s += ": " + r.Err.Message
			if len(r.Err.Fields) > 0 {
				s = fmt.Sprintf("%d %s %s: %s %s", r.Line, r.ID, r.Outcome, r.Err.Fields[0].Field, r.Err.Fields[0].Reason)
			}
		}
		out = append(out, s)
	}
	return out
}

func TestNDJSON(t *testing.T) {
	store := ingesttest.New()
	got := ndjson(t, store.Service(), ingest.Courses, "\xEF\xBB\xBF"+`{"id":"a","title":"A"}

{"id":"a","title":"A2"}
{"id":"b","titel":"B"}
not json
{"id":"c"}
{"id":"a","title":"A2"}`, ingest.Limits{BatchRows: 2})
	want := []string{
		"1 a created", "3 a updated", // the same id: applied in order
		`4 b rejected: titel is not a known field; did you mean "title"?`,
		"5  rejected: the row is not valid JSON at byte 2",
		"6 c rejected: title is required for a new course", // by the store
		"7 a unchanged",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(store.Catalogue) != 1 || store.Catalogue["a"].Title != "A2" {
		t.Errorf("%v", store.Catalogue)
	}
}

func TestNDJSONOfOtherKinds(t *testing.T) {
	store := ingesttest.New()
	svc := store.Service()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	svc.Clock = func() time.Time { return now }
	svc.Delta = func(e lectern.Event) *lectern.ProfileDelta {
		return &lectern.ProfileDelta{Weight: 1, HalfLife: time.Hour}
	}
	store.Catalogue["c"] = lectern.Course{ID: "c", Title: "C"}
	rating := `{"course_id":"c","day":"2026-02-01","stars":5}` + "\n"
	if diff := cmp.Diff([]string{"1  created", "2  created", "3  created"}, ndjson(t, svc, ingest.Ratings, strings.Repeat(rating, 3), ingest.Limits{BatchRows: 1})); diff != "" {
		t.Error(diff) // numbered across the batches of a request
	}
	if diff := cmp.Diff([]string{"1  unchanged", "2  parked"}, ndjson(t, svc, ingest.Ratings, rating+strings.ReplaceAll(rating, `"c"`, `"x"`), ingest.Limits{})); diff != "" {
		t.Error(diff)
	}
	event := `{"id":"e","type":"click","learner_id":"l","course_id":"c","occurred_at":"2026-03-01"}` + "\n"
	if diff := cmp.Diff([]string{"1 e created", "2 e duplicate"}, ndjson(t, svc, ingest.Events, event+event, ingest.Limits{})); diff != "" {
		t.Error(diff)
	}
	if e := store.Events["e"]; !e.Event.ReceivedAt.Equal(now) || e.Delta == nil || e.Event.SchemaVersion != lectern.EventSchemaVersion {
		t.Errorf("%+v", e)
	}
	ndjson(t, svc, ingest.Learners, `{"id":"l","goal":"nurse","region":"DE"}`, ingest.Limits{})
	ndjson(t, svc, ingest.Learners, `{"id":"l","interests":["care"]}`+"\n"+`{"id":"l","region":null}`, ingest.Limits{})
	if diff := cmp.Diff(lectern.Learner{ID: "l", Goal: "nurse", Interests: []string{"care"}}, store.Learners[lectern.LearnerRef{ID: "l"}]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1 r created"}, ndjson(t, svc, ingest.Reviews, `{"id":"r","course_id":"c","text":"good"}`, ingest.Limits{})); diff != "" {
		t.Error(diff)
	}
}

func TestNDJSONWritesNothing(t *testing.T) {
	row := `{"id":"a","title":"A"}` + "\n"
	tests := []struct {
		name string
		body io.Reader
		want lectern.Code
	}{
		{"too many rows", strings.NewReader(strings.Repeat(row, 4)), lectern.CodeTooLarge},
		{"body that breaks off", io.MultiReader(strings.NewReader(row), iotest.ErrReader(errors.New("connection reset"))), lectern.CodeInternal},
		{"body over its limit", io.MultiReader(strings.NewReader(row), iotest.ErrReader(lectern.Errorf(lectern.CodeTooLarge, "body"))), lectern.CodeTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := ingesttest.New()
			_, err := store.Service().NDJSON(context.Background(), ingest.Courses, tt.body, ingest.Limits{MaxRows: 3})
			if lectern.ErrorCode(err) != tt.want || store.Writes != 0 {
				t.Errorf("error %v, %d writes", err, store.Writes)
			}
		})
	}
	if _, err := ingesttest.New().Service().NDJSON(context.Background(), "course", strings.NewReader(row), ingest.Limits{}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("unknown kind: %v", err)
	}
}

func TestNDJSONLongLine(t *testing.T) {
	store := ingesttest.New()
	body := `{"id":"a","title":"` + strings.Repeat("x", 200_000) + `"}` + "\n" + `{"id":"b","title":"B"}`
	want := []string{"1  rejected: the line is longer than 1000 bytes", "2 b created"}
	if diff := cmp.Diff(want, ndjson(t, store.Service(), ingest.Courses, body, ingest.Limits{MaxLineBytes: 1000})); diff != "" {
		t.Error(diff)
	}
}

func TestNDJSONStoreFails(t *testing.T) {
	store := ingesttest.New()
	store.Fail = func(int) error {
		if store.Writes == 1 {
			return errors.New("disk full")
		}
		return nil
	}
	rows := `{"id":"a","title":"A"}` + "\n" + `{"id":"b","title":"B"}`
	results, err := store.Service().NDJSON(context.Background(), ingest.Courses, strings.NewReader(rows), ingest.Limits{BatchRows: 1})
	if err == nil || len(results) != 1 || results[0].Outcome != lectern.OutcomeCreated {
		t.Errorf("%v, %v", brief(results), err)
	}
}

func TestFeed(t *testing.T) {
	seed := func() *ingesttest.Memory {
		store := ingesttest.New()
		for _, id := range []string{"a", "b", "c", "d"} {
			store.Catalogue[id] = lectern.Course{ID: id, Title: id, Provider: "P"}
		}
		store.Catalogue["old"] = lectern.Course{ID: "old", Title: "old", Availability: lectern.Availability{Status: lectern.StatusRetired}}
		return store
	}
	t.Run("missing means retired", func(t *testing.T) {
		store := seed()
		body := `{"id":"a","title":"A"}` + "\n" + `{"id":"b","title":7}` + "\n" + `{"id":"c","title":"c"}` + "\n" + `{"id":"old","title":"old"}` + "\n" + `{"id":"new","title":"N"}`
		res, err := store.Service().Feed(context.Background(), strings.NewReader(body), ingest.Limits{}, 0.25)
		if err != nil || res.Retired != 1 {
			t.Fatal(res, err)
		}
		want := []string{"1 a updated", "2 b rejected: title must be a text, not a number", "3 c updated", "4 old updated", "5 new created"}
		if diff := cmp.Diff(want, brief(res.Lines)); diff != "" {
			t.Error(diff)
		}
		status := map[string]lectern.Status{}
		for id, c := range store.Catalogue {
			status[id] = c.Availability.Status
		}
		if diff := cmp.Diff(map[string]lectern.Status{"a": "", "b": "", "c": "", "d": lectern.StatusRetired, "old": "", "new": ""}, status); diff != "" {
			t.Error(diff) // a rejected row keeps its course; a course that is back is open again
		}
		if store.Catalogue["a"].Provider != "" || store.Catalogue["b"].Provider != "P" {
			t.Error("a line of a feed replaces its course; a rejected one does not")
		}
	})
	refused := map[string]string{
		"too many would go":      `{"id":"a","title":"A"}`,
		"empty":                  "\n",
		"an id cannot be read":   `{"id":"a","title":"A"}` + "\n" + `{"id":"b","title":"A"}` + "\n" + `{"id":"c","title":"A"}` + "\n" + `{"id":"d`,
		"an id that is no UTF-8": `{"id":"a","title":"A"}` + "\n" + `{"id":"b","title":"A"}` + "\n" + `{"id":"c","title":"A"}` + "\n" + "{\"id\":\"d\xff\"}",
	}
	for name, body := range refused {
		t.Run(name, func(t *testing.T) {
			store := seed()
			_, err := store.Service().Feed(context.Background(), strings.NewReader(body), ingest.Limits{}, 0.5)
			if lectern.ErrorCode(err) != lectern.CodeRefused {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(seed().Catalogue, store.Catalogue); diff != "" {
				t.Error("something was applied", diff)
			}
		})
	}
}

// A batch whose rows contradict each other is written as what it comes to, so
// that the same batch again changes nothing.
func TestOnce(t *testing.T) {
	store := ingesttest.New()
	svc := store.Service()
	course := func(doc string) lectern.CoursePatch {
		p, err := ingest.DecodeCourse([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	outcomes := func(results []lectern.WriteResult, err error) (out []lectern.WriteOutcome) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			out = append(out, r.Outcome)
		}
		return out
	}
	const created, updated, unchanged, rejected = lectern.OutcomeCreated, lectern.OutcomeUpdated, lectern.OutcomeUnchanged, lectern.OutcomeRejected
	courses := []lectern.CoursePatch{
		course(`{"id":"a","level":"mixed"}`), // nobody knows it yet: refused, as alone
		course(`{"id":"a","title":"A","provider":"P","extra":{"x":1}}`),
		course(`{"id":"b","title":"B"}`),
		course(`{"id":"a","title":"A2","extra":{"y":2}}`),
		course(`{"id":"a","provider":null}`),
	}
	if d := cmp.Diff([]lectern.WriteOutcome{rejected, created, created, updated, updated}, outcomes(svc.PutCoursesOnce(t.Context(), courses))); d != "" {
		t.Error(d)
	}
	want := lectern.Course{ID: "a", Title: "A2", Extra: map[string]json.RawMessage{"x": json.RawMessage("1"), "y": json.RawMessage("2")}}
	if d := cmp.Diff(want, store.Catalogue["a"]); d != "" {
		t.Error(d)
	}
	// Now that it is there, its level is taken, and from then on nothing changes.
	if d := cmp.Diff([]lectern.WriteOutcome{updated, updated, unchanged, updated, updated}, outcomes(svc.PutCoursesOnce(t.Context(), courses))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]lectern.WriteOutcome{unchanged, unchanged, unchanged, unchanged, unchanged}, outcomes(svc.PutCoursesOnce(t.Context(), courses))); d != "" {
		t.Error(d)
	}

	consent := &lectern.Consent{Exploration: true}
	learners := []ingest.LearnerPatch{
		{Learner: lectern.Learner{ID: "l", Goal: "g", Consent: consent}, Fields: []string{"goal"}},
		{Learner: lectern.Learner{ID: "l", Anonymous: true}, Fields: []string{"anonymous"}},
		{Learner: lectern.Learner{ID: "l", Goal: "h", Region: "DE"}, Fields: []string{"goal", "region"}},
	}
	if d := cmp.Diff([]lectern.WriteOutcome{created, created, updated}, outcomes(svc.PutLearnersOnce(t.Context(), learners))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(lectern.Learner{ID: "l", Goal: "h", Region: "DE", Consent: consent}, store.Learners[lectern.LearnerRef{ID: "l"}]); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]lectern.WriteOutcome{unchanged, unchanged, unchanged}, outcomes(svc.PutLearnersOnce(t.Context(), learners))); d != "" {
		t.Error(d)
	}

	reviews := []lectern.Review{{ID: "r", CourseID: "b", Text: "x"}, {ID: "r", CourseID: "b", Text: "y"}}
	if d := cmp.Diff([]lectern.WriteOutcome{created, updated}, outcomes(svc.PutReviewsOnce(t.Context(), reviews))); d != "" || store.Reviews["r"].Text != "y" {
		t.Error(d, store.Reviews)
	}
	if d := cmp.Diff([]lectern.WriteOutcome{unchanged, unchanged}, outcomes(svc.PutReviewsOnce(t.Context(), reviews))); d != "" {
		t.Error(d)
	}
}

// Written once or one by one, a batch comes to the same.
func TestOnceIsAsOneByOne(t *testing.T) {
	docs := []string{
		`{"id":"a","title":"A"}`, `{"id":"a","title":"B","level":"mixed"}`, `{"id":"a","level":null}`, `{"id":"a","skills":["s"],"extra":{"x":1}}`,
		`{"id":"a","extra":{"y":2}}`, `{"id":"b","provider":"P"}`, `{"id":"b","title":"T","provider":"Q"}`,
	}
	rapid.Check(t, func(rt *rapid.T) {
		var patches []lectern.CoursePatch
		for _, doc := range rapid.SliceOfN(rapid.SampledFrom(docs), 1, 8).Draw(rt, "docs") {
			decode := ingest.Decoder{Replace: strings.Contains(doc, "title") && rapid.Bool().Draw(rt, "replace")}.Course
			p, err := decode([]byte(doc))
			if err != nil {
				rt.Fatal(err)
			}
			patches = append(patches, p)
		}
		once, apart := ingesttest.New(), ingesttest.New()
		together, err := once.Service().PutCoursesOnce(t.Context(), patches)
		if err != nil {
			rt.Fatal(err)
		}
		for i, p := range patches {
			alone, err := apart.Service().PutCourses(t.Context(), []lectern.CoursePatch{p})
			if err != nil {
				rt.Fatal(err)
			}
			if (alone[0].Err == nil) != (together[i].Err == nil) {
				rt.Fatalf("row %d: %+v alone, %+v together", i, alone[0], together[i])
			}
		}
		if d := cmp.Diff(apart.Catalogue, once.Catalogue, cmpopts.EquateEmpty()); d != "" {
			rt.Fatal(d)
		}
	})
}
