package slate_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/slate"
)

func recorded(n int) lectern.Ranking {
	r := lectern.Ranking{
		ID: "a", Surface: lectern.SurfaceHome, Row: lectern.RowNew, RequestHash: "h", ConfigVersion: "v3",
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Weights: []lectern.TermWeight{{Name: "quality", Weight: 1}},
	}
	for i := range n {
		r.Items = append(r.Items, lectern.RankedItem{
			CourseID: string(rune('a' + i)), Score: 0.5, Propensity: 1, Terms: []float64{0.5},
			Adjusted: []lectern.Term{{Name: "rule:x", Value: 1, Weight: 0.1, Contribution: 0.1}}, Pinned: "p",
		})
	}
	return r
}

func TestHead(t *testing.T) {
	full := recorded(5)
	full.Items[0].Reasons = []lectern.Reason{{Code: "popular"}}
	body, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]lectern.Ranking{0: recorded(0), 2: recorded(2), 5: recorded(5), 9: recorded(5)} {
		got, err := slate.Head(body, n)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Head(%d): -want +got\n%s", n, diff)
		}
	}
	// The first page, which comes before the items.
	full.Served = 3
	if body, err = json.Marshal(full); err != nil {
		t.Fatal(err)
	}
	page, err := slate.Head(body, lectern.FirstPage)
	if err != nil || len(page.Items) != 3 {
		t.Errorf("the first page has %d items, %v", len(page.Items), err)
	}
	// What stands behind the items that are wanted is not looked at.
	if _, err := slate.Head(body[:len(body)-40], 2); err != nil {
		t.Errorf("a head was not read: %v", err)
	}
	for _, bad := range []string{"", "[]", `{"id": 7}`, `{"items": 3}`, `{"items": [3]}`, `{"items": [`} {
		if _, err := slate.Head([]byte(bad), 1); err == nil && bad != `{"items": [` {
			t.Errorf("Head(%s) read it", bad)
		}
	}
	if got, err := slate.Head([]byte(`{"id": "x", "later": {"a": [1]}, "items": null}`), 3); err != nil || got.ID != "x" {
		t.Errorf("Head = %v, %v", got, err)
	}
}

func BenchmarkHead(b *testing.B) {
	r := recorded(0)
	for i := range 200 {
		terms := make([]float64, 13)
		for j := range terms {
			terms[j] = float64((i*31+j*17)%1000) / 1000
		}
		r.Items = append(r.Items, lectern.RankedItem{CourseID: "course-0001", Score: .5, Propensity: 1, Terms: terms,
			Sources: []string{"content", "popular"}, Reasons: []lectern.Reason{{Code: "popular", Params: map[string]string{"a": "b"}}}})
	}
	body, err := json.Marshal(r)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := slate.Head(body, 20); err != nil {
			b.Fatal(err)
		}
	}
}
