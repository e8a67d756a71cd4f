package rerank_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// TestDocumentedWeights: the table of terms in docs/ranking.md holds every term with
// the weights that hold by default.
func TestDocumentedWeights(t *testing.T) {
	page, err := os.ReadFile("../docs/ranking.md")
	if err != nil {
		t.Fatal(err)
	}
	surfaces := []lectern.Surface{lectern.SurfaceHome, lectern.SurfaceSearch, lectern.SurfaceSimilar, lectern.SurfaceNext, lectern.SurfaceTrending}
	l, names := linear(t, nil), rerank.TermNames()
	var said []string
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		name := strings.Trim(strings.TrimSpace(cells[0]), "`")
		if len(cells) != 2+len(surfaces) || !slices.Contains(names, name) {
			continue
		}
		said = append(said, name)
		for i, s := range surfaces {
			want := 0.0
			if cell := strings.TrimSpace(cells[2+i]); cell != "–" {
				if want, err = strconv.ParseFloat(cell, 64); err != nil {
					t.Errorf("%s of %s: %v", name, s, err)
				}
			}
			if got := weightsOf(l, rerank.Request{Surface: s})[name]; fmt.Sprintf("%.6f", got) != fmt.Sprintf("%.6f", want) {
				t.Errorf("%s of %s weighs %v, and the page says %v", name, s, got, want)
			}
		}
	}
	slices.Sort(said)
	slices.Sort(names)
	if !slices.Equal(said, names) {
		t.Errorf("the page has the terms %v, want %v", said, names)
	}
	for _, code := range rerank.ReasonCodes() {
		if !strings.Contains(string(page), "`"+code+"`") {
			t.Errorf("the page does not say when %s is a reason", code)
		}
	}
}
