package recs

import (
	"fmt"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Log is what learners did, as it was read: ids are numbered in the order of their
// first mention.
type Log struct {
	Learners []string
	Items    []string
	Rows     []Row // in the order of the file
	// Timed reports whether every row has a time.
	Timed bool
	// Events reports whether rows are events of several kinds, and not the bare fact
	// that somebody took something.
	Events   bool
	Problems Problems
	Repeats  int // rows whose learner has the item already

	learnerOf, itemOf map[string]int32
}

// Row is one act.
type Row struct {
	Learner, Item int32   // into Log
	Weight        float32 // implicit strength; 0 or less takes earlier interest back
	Taken         bool    // the learner took the course, or said no to it: it is not offered again
	Wanted        bool    // counts as found when a list has it: a course that was taken
	At            int64   // Unix seconds, 0 where unknown
}

// Problems are rows that could not be read.
type Problems struct {
	Count int
	First []Problem // the first few
}

// Problem is one row that could not be read.
type Problem struct {
	Line   int // 1-based
	Reason string
}

// maxProblems bounds the problems that are told one by one.
const maxProblems = 10

func (p *Problems) add(line int, format string, args ...any) {
	p.Count++
	if len(p.First) < maxProblems {
		p.First = append(p.First, Problem{line, fmt.Sprintf(format, args...)})
	}
}

// NewLog returns an empty log to add rows to.
func NewLog() *Log {
	return &Log{learnerOf: make(map[string]int32), itemOf: make(map[string]int32)}
}

// Learner numbers a learner.
func (l *Log) Learner(id string) int32 { return number(l.learnerOf, &l.Learners, id) }

// Item numbers an item.
func (l *Log) Item(id string) int32 { return number(l.itemOf, &l.Items, id) }

func number(of map[string]int32, ids *[]string, id string) int32 {
	n, ok := of[id]
	if !ok {
		n = int32(len(*ids))
		id = string([]byte(id)) // not a part of a whole line that would be kept with it
		of[id] = n
		*ids = append(*ids, id)
	}
	return n
}

// byLearner returns the rows of each learner, in the order of the log.
func (l *Log) byLearner() [][]Row {
	counts := make([]int, len(l.Learners))
	for _, r := range l.Rows {
		counts[r.Learner]++
	}
	out := make([][]Row, len(l.Learners))
	for i, n := range counts {
		out[i] = make([]Row, 0, n)
	}
	for _, r := range l.Rows {
		out[r.Learner] = append(out[r.Learner], r)
	}
	return out
}

// countRepeats counts rows that say of a learner and an item what an earlier row
// said, so that people can see what was merged.
func (l *Log) countRepeats() {
	l.Repeats = 0
	type pair struct{ learner, item int32 }
	seen := make(map[pair]bool, len(l.Rows))
	for _, r := range l.Rows {
		p := pair{r.Learner, r.Item}
		if seen[p] {
			l.Repeats++
		}
		seen[p] = true
	}
}

// span returns the times of the first and the last row; zero without times.
func (l *Log) span() (first, last time.Time) {
	if !l.Timed || len(l.Rows) == 0 {
		return time.Time{}, time.Time{}
	}
	low := slices.MinFunc(l.Rows, func(a, b Row) int { return int(min(max(a.At-b.At, -1), 1)) }).At
	high := slices.MaxFunc(l.Rows, func(a, b Row) int { return int(min(max(a.At-b.At, -1), 1)) }).At
	return time.Unix(low, 0).UTC(), time.Unix(high, 0).UTC()
}

func invalid(format string, args ...any) error {
	return lectern.Errorf(lectern.CodeInvalid, format, args...)
}
