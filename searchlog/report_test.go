package searchlog

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func TestReport(t *testing.T) {
	store := newFakeStore()
	row := func(q string, searches, zero, opened, before int) lectern.SearchCount {
		return lectern.SearchCount{Folded: q, Query: q, Searches: searches, Zero: zero, Opened: opened, Before: before}
	}
	store.counts[lectern.SearchesByCount] = []lectern.SearchCount{row("a", 20, 0, 10, 0), row("b", 6, 0, 0, 0), row("c", 4, 4, 0, 0)}
	store.counts[lectern.SearchesByZero] = []lectern.SearchCount{row("c", 4, 4, 0, 0)}
	store.counts[lectern.SearchesByMissed] = []lectern.SearchCount{
		row("a", 20, 0, 10, 0), // half of them opened
		row("b", 6, 0, 0, 0),
		row("d", 6, 2, 0, 0), // 4 with results say little
		row("e", 30, 0, 3, 0),
	}
	store.counts[lectern.SearchesByGrowing] = []lectern.SearchCount{row("slow", 30, 0, 0, 20), row("fast", 10, 0, 0, 0), row("steady", 5, 0, 0, 5)}
	store.pairs = []lectern.Reformulation{{From: "pyhton", To: "python", Count: 3, Opened: 2}, {From: "x", To: "y", Count: 9}}
	got, err := NewReport(t.Context(), store, 30, 2, testClock())
	if err != nil {
		t.Fatal(err)
	}
	want := Report{
		From: testClock().AddDate(0, 0, -30), To: testClock(),
		Searches: 30, Queries: 3, Zero: 4, Opened: 10,
		Top:         []lectern.SearchCount{row("a", 20, 0, 10, 0), row("b", 6, 0, 0, 0)},
		ZeroResults: []lectern.SearchCount{row("c", 4, 4, 0, 0)},
		LowClick:    []lectern.SearchCount{row("b", 6, 0, 0, 0), row("e", 30, 0, 3, 0)},
		Trending:    []lectern.SearchCount{row("fast", 10, 0, 0, 0), row("slow", 30, 0, 0, 20)}, // 15/5 before 35/25
		Corrections: []lectern.Reformulation{{From: "pyhton", To: "python", Count: 3, Opened: 2}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
