package training_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ml/noise"
	"github.com/lectern-dev/lectern/training"
)

// events builds events one by one.
type events struct {
	list []lectern.Event
}

func (b *events) add(learner string, kind lectern.EventType, course string, hour int, change ...func(*lectern.Event)) {
	e := lectern.Event{
		ID: fmt.Sprintf("e%04d", len(b.list)), Type: kind, LearnerID: learner, CourseID: course,
		OccurredAt: now.AddDate(0, -1, 0).Add(time.Duration(hour) * time.Hour),
	}
	for _, f := range change {
		f(&e)
	}
	b.list = append(b.list, e)
}

func value(v float64) func(*lectern.Event) { return func(e *lectern.Event) { e.Value = &v } }

func properties(s string) func(*lectern.Event) {
	return func(e *lectern.Event) { e.Properties = json.RawMessage(s) }
}

func visitor(e *lectern.Event) { e.LearnerID, e.AnonymousID = "", "somebody" }

// histories are a snapshot's as text: course×weight@hour.
func histories(s *training.Snapshot) map[string][]string {
	out := map[string][]string{}
	begin := now.AddDate(0, -1, 0).Unix()
	for i, h := range s.Data.Histories {
		for _, x := range h {
			out[s.Data.Learners[i]] = append(out[s.Data.Learners[i]], fmt.Sprintf("%s×%.3g@%d", s.Data.Items[x.Item], x.Weight, (x.At-begin)/3600))
		}
	}
	return out
}

func TestSnapshot(t *testing.T) {
	s := newStore(t)
	w := writer(s)
	patches := []lectern.CoursePatch{}
	for _, c := range []lectern.Course{
		{ID: "a", Title: "A"}, {ID: "b", Title: "B"}, {ID: "c", Title: "C"}, {ID: "d", Title: "D"},
		{ID: "own", Title: "Own", Extra: map[string]json.RawMessage{"creator_ids": json.RawMessage(`["maker"]`)}},
		{ID: "old", Title: "Old", Availability: lectern.Availability{Status: lectern.StatusRetired}},
	} {
		patches = append(patches, lectern.CoursePatch{Course: c, Replace: true})
	}
	put(t, patches, w.PutCourses)
	put(t, []ingest.LearnerPatch{
		{Learner: lectern.Learner{ID: "silent", Consent: &lectern.Consent{}}, Replace: true},
	}, w.PutLearners)

	var b events
	// A course is taken when it is enrolled in, whatever was done before: 1 + 3 + 6, of at
	// most 10, are 3.33 enrolments. Two clicks a day apart are 0.67, one is too little.
	b.add("ann", "click", "b", 1)
	b.add("ann", "click", "a", 2)
	b.add("ann", "click", "a", 30)
	b.add("ann", "enrol", "b", 40)
	b.add("ann", "complete", "b", 90)
	b.add("ann", "click", "c", 100)
	b.add("ann", "view", "d", 100)
	b.add("ann", "search", "", 100, func(e *lectern.Event) { e.Query = "q" })
	// Turned down in the end: 3 − 5.
	b.add("ann", "enrol", "d", 101)
	b.add("ann", "drop", "d", 102)
	// Five stars are 5 of 3; a retired course is history.
	b.add("bob", "rate", "old", 5, value(5))
	b.add("bob", "save", "a", 4)
	// Progress: the last report counts, 3.5, and the repeat is a quarter of 3.25.
	b.add("cat", "progress", "a", 7, value(0.25))
	b.add("cat", "progress", "a", 8, value(0.5))
	// Noise: a course of one's own, a short look.
	b.add("maker", "enrol", "own", 1)
	b.add("maker", "enrol", "a", 2)
	b.add("dan", "click", "a", 1, properties(`{"dwell_ms":200}`))
	b.add("dan", "click", "a", 40, properties(`{"dwell_ms":20000}`))
	b.add("silent", "enrol", "a", 1)
	b.add("", "save", "c", 3, visitor)
	put(t, b.list, w.AppendEvents)

	got, err := training.TakeSnapshot(t.Context(), s, snapshotOptions())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"ann":      {"a×0.667@2", "b×3.33@40"},
		"bob":      {"a×0.667@4", "old×1.67@5"},
		"cat":      {"a×1.44@7"}, // (3.5 + 3.25/4) / 3
		"maker":    {"a×1@2"},
		"somebody": {"c×0.667@3"},
	}
	if d := cmp.Diff(want, histories(got)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a", "b", "c", "old"}, got.Data.Items); d != "" {
		t.Error(d)
	}
	if !slices.IsSorted(got.Data.Learners[1:]) || got.Data.Learners[0] != "somebody" { // visitors have no id
		t.Errorf("%v", got.Data.Learners)
	}
	if got.WithoutConsent != 1 || got.Events != len(b.list)-1 || got.Learners() != 2 || !got.Data.Ordered {
		t.Errorf("%+v", got)
	}
	if got.From != b.list[0].OccurredAt || got.To != b.list[9].OccurredAt {
		t.Errorf("%v to %v", got.From, got.To)
	}
	if d := cmp.Diff(map[string]noise.Touched{
		"creator": {Events: 1, Learners: 1, Lost: 1}, "short_clicks": {Events: 1, Learners: 1, Lost: 1}, "repeats": {Events: 1, Learners: 1, Lost: 0.75},
	}, got.Noise.Rules); d != "" {
		t.Error(d)
	}

	// Up to a time, and of the newest events only.
	o := snapshotOptions()
	o.Until = b.list[3].OccurredAt // ann's enrolment is in, and nothing of hers after it
	if got, err = training.TakeSnapshot(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a×0.667@2", "b×1.33@40"}, histories(got)["ann"]); d != "" || got.To.After(o.Until) {
		t.Error(d, got.To)
	}
	o = snapshotOptions()
	o.MaxEvents = 5 // as they arrived
	if got, err = training.TakeSnapshot(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string][]string{"maker": {"a×1@2"}, "somebody": {"c×0.667@3"}}, histories(got)); d != "" || got.Events != 5 {
		t.Error(d, got.Events)
	}
}
