package seen_test

import (
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/seen"
)

func TestPlace(t *testing.T) {
	items := []lectern.RankedItem{{CourseID: "a"}, {CourseID: "b"}, {CourseID: "c"}}
	at := func(n int) *int { return &n }
	for name, tt := range map[string]struct {
		read   int
		course string
		stated *int
		want   int
	}{
		"by its course":                     {10, "b", nil, 1},
		"whatever the event says":           {10, "b", at(2), 1},
		"not of a list that was read whole": {10, "z", at(7), -1},
		"beyond what was read":              {3, "z", at(7), 7},
		"beyond what was read, at no place": {3, "z", nil, -1},
		"not where another stands":          {3, "z", at(1), -1},
		"at a place that is none":           {3, "z", at(-1), -1},
	} {
		if got := seen.Place(items, tt.read, tt.course, tt.stated); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	if got := seen.Place(nil, 0, "a", nil); got != -1 {
		t.Errorf("of no list: %d", got)
	}
}

func TestFrom(t *testing.T) {
	if got := seen.From(lectern.EventView, 4); got != 4 {
		t.Errorf("a view at 4 shows from %d on", got)
	}
	for _, kind := range []lectern.EventType{lectern.EventClick, lectern.EventEnrol, lectern.EventDismiss} {
		if got := seen.From(kind, 4); got != 0 {
			t.Errorf("%s at 4 shows from %d on", kind, got)
		}
	}
}
