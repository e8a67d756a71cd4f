package retrieve_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
)

// TestSpellingOfPhrases: the words of a query are corrected together, a suggestion
// goes on from the correction, and both are written as the catalogue writes them.
func TestSpellingOfPhrases(t *testing.T) {
	var courses []lectern.Course
	put := func(times int, title, language string) {
		for range times {
			courses = append(courses, lectern.Course{ID: fmt.Sprintf("c%02d", len(courses)), Title: title, Language: language})
		}
	}
	put(25, "Machine Learning", "en")
	put(1, "Lerning on the farm", "en")
	put(25, "Python with a machine", "en")
	put(4, "Pyton snakes", "en")
	put(6, "Jetzt lernen wir französisch und künstliche Sprachen", "de")
	w := newWorld(t, courses)
	tests := []struct{ query, corrected, suggestion, reason string }{
		{"machne lerning", "machine learning", "", "learning"},
		{"machine lerning", "", "machine learning", "lerning"},
		{"Machne pyton", "machine pyton", "machine python", "pyton"},
		{"franzosich", "französisch", "", "französisch"},
		{"kunstliche", "", "", "künstliche"},
	}
	for _, tt := range tests {
		l := w.list(search(tt.query))
		suggestion := ""
		if l.Suggestion != nil {
			suggestion = l.Suggestion.Query
		}
		if l.Corrected != tt.corrected || suggestion != tt.suggestion {
			t.Errorf("%q: corrected %q, want %q; suggestion %q, want %q", tt.query, l.Corrected, tt.corrected, suggestion, tt.suggestion)
		}
		if len(l.Items) == 0 || !strings.Contains(fmt.Sprint(l.Items[0].Reasons), tt.reason) {
			t.Errorf("%q: the reasons do not say %q", tt.query, tt.reason)
		}
	}
	req := search("Machne pyton")
	req.Exact = true
	if l := w.list(req); l.Corrected != "" || l.Suggestion == nil || l.Suggestion.Query != "machine python" {
		t.Errorf("exactly: corrected %q, suggestion %+v", l.Corrected, l.Suggestion)
	}
}
