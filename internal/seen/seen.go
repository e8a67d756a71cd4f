// Package seen decides which courses of a list somebody has seen, for all who count it:
// what is learnt, what is estimated, and what is reported.
package seen

import (
	"slices"

	"github.com/lectern-dev/lectern"
)

// Place returns at which place of a list a course stands that an event is about, from 0
// on; −1 where it is none of the list's. By items are the first of the list, of which at
// most read were asked for: only a course that is not among them, of a list that goes on
// behind them, stands where the event says.
func Place(items []lectern.RankedItem, read int, course string, stated *int) int {
	place := slices.IndexFunc(items, func(it lectern.RankedItem) bool { return it.CourseID == course })
	if place < 0 && stated != nil && len(items) >= read && *stated >= len(items) {
		return *stated
	}
	return place
}

// From returns the first of the places, up to that of the course that an event is about,
// which an event that cites the list shows to have been seen. Who did something about a
// course has come past all above it; a view tells of its own course alone.
func From(kind lectern.EventType, place int) int {
	if kind == lectern.EventView {
		return place
	}
	return 0
}
