package retrieve_test

import (
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

// TestOffers: what evaluation sees of the stages is what makes the list that is served.
func TestOffers(t *testing.T) {
	w := newWorld(t, fixture(t))
	w.act(ada, lectern.EventComplete, "mus-1")
	req := home(ada)
	got, err := w.engine.Offers(t.Context(), req, 5)
	if err != nil {
		t.Fatal(err)
	}
	served, err := w.engine.TopIDs(t.Context(), req, 5)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.List, served) {
		t.Errorf("list %v, served %v", got.List, served)
	}
	offered := make(map[string]bool)
	names := make(map[string]bool)
	for _, s := range got.Sources {
		if names[s.Source] {
			t.Errorf("source %s is there twice", s.Source)
		}
		names[s.Source] = true
		for _, id := range s.IDs {
			offered[id] = true
		}
	}
	if !names[retrieve.SourceProfile] || !names[retrieve.SourcePopular] {
		t.Errorf("sources %v", names)
	}
	for _, id := range got.Candidates {
		if !offered[id] {
			t.Errorf("candidate %s comes from nowhere", id)
		}
		if id == "mus-1" {
			t.Error("what was completed is a candidate")
		}
	}
	for _, id := range got.List {
		if !slices.Contains(got.Candidates, id) {
			t.Errorf("%s was listed and is no candidate", id)
		}
	}
	if _, err := w.engine.Offers(t.Context(), lectern.ListRequest{Surface: "nowhere"}, 5); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Error(err)
	}
}
