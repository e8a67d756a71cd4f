package ingest

import (
	"testing"

	"github.com/lectern-dev/lectern"
)

// TestLearnerMinor states, keeps and takes back that somebody is a child.
func TestLearnerMinor(t *testing.T) {
	base := lectern.Learner{ID: "l", Minor: true}
	for body, want := range map[string]bool{
		`{"id": "l", "minor": true}`:  true,
		`{"id": "l", "minor": false}`: false,
		`{"id": "l", "minor": null}`:  false,
		`{"id": "l", "goal": "x"}`:    true, // not said: as it was
	} {
		patch, err := DecodeLearner([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if got := patch.Apply(base).Minor; got != want {
			t.Errorf("%s: minor %t, want %t", body, got, want)
		}
	}
	if _, err := DecodeLearner([]byte(`{"id": "l", "minor": 7}`)); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("minor 7: %v", err)
	}
}
