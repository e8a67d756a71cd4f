package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/ingesttest"
)

// Events cite suggestions by tokens longer than other ids. What is stored carries
// the id that stands for the token; a token that is not accepted rejects its own
// event alone.
func TestEventsCiteSuggestions(t *testing.T) {
	store := ingesttest.New()
	store.Catalogue["c"] = lectern.Course{ID: "c"}
	svc := store.Service()
	token := "ac." + strings.Repeat("x", 290)
	svc.Cite = func(_ context.Context, events []lectern.Event) ([]error, error) {
		problems := make([]error, len(events))
		for i := range events {
			switch events[i].RankingID {
			case token:
				events[i].RankingID = "the-list"
			case "ac.forged":
				problems[i] = lectern.Invalid("forged", lectern.NewFieldError("ranking_id", "", "is forged", ""))
			}
		}
		return problems, nil
	}
	row := func(id, ranking string) string {
		return `{"id":"` + id + `","type":"click","learner_id":"l","course_id":"c","occurred_at":"2026-03-01","surface":"autocomplete","ranking_id":"` + ranking + `"}` + "\n"
	}
	got := ndjson(t, svc, ingest.Events, row("1", token)+row("2", "ac.forged")+row("3", "plain")+row("4", strings.Repeat("y", 200))+row("5", strings.Repeat("z", 513)), ingest.Limits{})
	want := []string{
		"1 1 created",
		"2 2 rejected: ranking_id is forged",
		"3 3 created",
		"4 4 rejected: ranking_id is neither the id of a list nor that of suggestions",
		"5 5 rejected: ranking_id is 513 bytes long",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(store.Events) != 2 || store.Events["1"].Event.RankingID != "the-list" || store.Events["3"].Event.RankingID != "plain" {
		t.Errorf("%+v", store.Events)
	}

	svc.Cite = func(context.Context, []lectern.Event) ([]error, error) { return nil, errors.New("away") }
	if _, err := svc.AppendEvents(t.Context(), []lectern.Event{{ID: "6"}}); err == nil || len(store.Events) != 2 {
		t.Error("an event is stored without what it cites")
	}
	svc.Cite = nil
	results, err := svc.AppendEvents(t.Context(), []lectern.Event{{ID: "7", CourseID: "c", RankingID: token}})
	if err != nil || results[0].Outcome != lectern.OutcomeRejected {
		t.Errorf("%v, %v", results, err)
	}
}

// The caller's events stay as they are.
func TestAppendEventsLeavesItsInput(t *testing.T) {
	svc := ingesttest.New().Service()
	svc.Cite = func(_ context.Context, events []lectern.Event) ([]error, error) {
		events[0].RankingID = "changed"
		return make([]error, 1), nil
	}
	events := []lectern.Event{{ID: "1", RankingID: "mine"}}
	if _, err := svc.AppendEvents(t.Context(), events); err != nil || events[0].RankingID != "mine" {
		t.Errorf("%v, %+v", err, events)
	}
}
