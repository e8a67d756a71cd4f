package analytics

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
)

// listMark is what counts once of a list, by place: the day on which the item there was
// first seen and first clicked, what else was done about it, and how many reports of it
// stand. What it holds does not depend on the order in which it came.
type listMark struct {
	Seen     map[int]int  `json:"s,omitempty"`
	Clicked  map[int]int  `json:"c,omitempty"`
	Done     map[int]done `json:"a,omitempty"`
	Reported map[int]int  `json:"r,omitempty"`
}

// done are things that were done about an item.
type done uint8

const (
	doneEnrol done = 1 << iota
	doneDismiss
)

// doneBy is what an event does about an item, 0 where that has no part in a rate.
func doneBy(t lectern.EventType) done {
	switch t {
	case lectern.EventEnrol:
		return doneEnrol
	case lectern.EventDismiss:
		return doneDismiss
	}
	return 0
}

func parseListMark(s string) (*listMark, error) {
	m := &listMark{Seen: map[int]int{}, Clicked: map[int]int{}, Done: map[int]done{}, Reported: map[int]int{}}
	if s == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(s), m); err != nil {
		return nil, fmt.Errorf("read what was counted of a list: %w", err)
	}
	return m, nil
}

// origin is what an act is put down to.
type origin struct {
	Surface  lectern.Surface  `json:"s,omitempty"`
	Row      lectern.Row      `json:"r,omitempty"`
	Segment  lectern.Segment  `json:"g,omitempty"`
	Position int              `json:"p"`
	Explored string           `json:"x,omitempty"`
	Arms     []lectern.ArmRef `json:"a,omitempty"`
}

// key orders origins, so that of two acts at one time the same counts in any order.
func (o origin) key() string { return string(mustJSON(o)) }

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers only
	}
	return b
}

// act is something that was done first at a time.
type act struct {
	At   int64  `json:"t"` // microseconds
	Day  int    `json:"d"`
	From origin `json:"o"`
}

func (a *act) before(b *act) bool {
	if a.At != b.At {
		return a.At < b.At
	}
	return a.From.key() < b.From.key()
}

// share is the greatest share done of a course that was reported on a day.
type share struct {
	act
	Share float64 `json:"v"`
}

// takenMark is what counts once of a person and a course.
type takenMark struct {
	Hours  float64                    `json:"w,omitempty"` // workload of the course when it was first met
	First  map[lectern.EventType]*act `json:"f,omitempty"`
	Shares []share                    `json:"p,omitempty"` // rising by day and share
}

func parseTakenMark(s string) (*takenMark, error) {
	m := &takenMark{First: map[lectern.EventType]*act{}}
	if s == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(s), m); err != nil {
		return nil, fmt.Errorf("read what was counted of a course: %w", err)
	}
	return m, nil
}

// note keeps the first of each kind of act.
func (m *takenMark) note(t lectern.EventType, a act) {
	if old := m.First[t]; old == nil || a.before(old) {
		m.First[t] = &a
	}
}

// reach keeps, of what was reported, what was more than before: by day, so that their
// number is bounded by the days on which somebody got on.
func (m *takenMark) reach(s share) {
	if s.Share <= 0 {
		return
	}
	i, found := slices.BinarySearchFunc(m.Shares, s.Day, func(e share, day int) int { return cmp.Compare(e.Day, day) })
	switch {
	case i > 0 && m.Shares[i-1].Share >= s.Share:
		return
	case found && (m.Shares[i].Share > s.Share || m.Shares[i].Share == s.Share && !s.before(&m.Shares[i].act)):
		return
	case found:
		m.Shares[i] = s
	default:
		m.Shares = slices.Insert(m.Shares, i, s)
	}
	later := m.Shares[i+1:]
	kept := slices.IndexFunc(later, func(e share) bool { return e.Share > s.Share })
	if kept < 0 {
		kept = len(later)
	}
	m.Shares = slices.Delete(m.Shares, i+1, i+1+kept)
}

// join makes one mark of two.
func (m *takenMark) join(o *takenMark) {
	if m.Hours == 0 {
		m.Hours = o.Hours
	}
	for t, a := range o.First {
		m.note(t, *a)
	}
	for _, s := range o.Shares {
		m.reach(s)
	}
}
