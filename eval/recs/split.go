package recs

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Split says what of a log is held back to test on.
type Split struct {
	Kind  SplitKind
	Share float64   // of SplitTime: what is learnt from; of SplitFraction: what is held back; in (0, 1)
	At    time.Time // of SplitTime, in place of Share
}

// SplitKind names a way to split.
type SplitKind string

// The ways to split a log.
const (
	SplitTime     SplitKind = "time"     // everything from one moment on, for all learners
	SplitLast     SplitKind = "last"     // the last course of each learner
	SplitFraction SplitKind = "fraction" // the last part of each learner's courses
)

// ParseSplit reads "time:0.8", "time:2024-05-01", "last" or "fraction:0.2".
// Errors: CodeInvalid.
func ParseSplit(s string) (Split, error) {
	kind, of, _ := strings.Cut(s, ":")
	out := Split{Kind: SplitKind(kind)}
	if out.Kind == SplitLast && of == "" {
		return out, nil
	}
	if out.Kind == SplitTime || out.Kind == SplitFraction {
		share, err := strconv.ParseFloat(of, 64)
		number := err == nil
		if number && share > 0 && share < 1 {
			out.Share = share
			return out, nil
		}
		// A number that is no share may be seconds since 1970, but not of that very month.
		if seconds, err := readTime(of); out.Kind == SplitTime && err == nil && (!number || share >= 1e6) {
			out.At = time.Unix(seconds, 0).UTC()
			return out, nil
		}
	}
	return Split{}, invalid("%q is no split; allowed: last, fraction:0.2, time:0.8, time:2024-05-01 (shares lie between 0 and 1)", s)
}

// String says what is held back.
func (s Split) String() string {
	switch s.Kind {
	case SplitLast:
		return "the last course of each learner is held back"
	case SplitFraction:
		return fmt.Sprintf("the last %.3g %% of each learner's courses are held back", 100*s.Share)
	}
	return fmt.Sprintf("everything from %s on is held back", s.At.Format(time.RFC3339))
}

// parted is a log in two parts, both in the numbers of one log.
type parted struct {
	*Log
	before, after [][]Row // [learners]
}

// Hold holds back a part of a log. Errors: CodeInvalid when the log lacks the times
// or the order that the split needs, or when nothing is left on either side.
func Hold(l *Log, split Split, o Order) (*Set, error) {
	isOrdered, why := l.ordered(o)
	p := parted{Log: l, before: l.byLearner(), after: make([][]Row, len(l.Learners))}
	if split.Kind == SplitTime {
		if !l.Timed {
			return nil, invalid("a split by time needs a time in every row: a column timestamp, time or at")
		}
		if split.At.IsZero() {
			split.At = l.moment(split.Share)
		}
	} else if !isOrdered {
		return nil, invalid("a split by %s needs rows in the order of time, but the order is %s; --order time says that they are", split.Kind, why)
	}
	for i, rows := range p.before {
		if l.Timed {
			slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.At, b.At) })
		}
		at := split.cut(rows)
		p.before[i], p.after[i] = rows[:at], rows[at:]
		if split.Kind == SplitLast {
			p.after[i] = rows[at:min(at+1, len(rows))] // and nothing that came of it
		}
	}
	return p.set(Protocol{Name: string(split.Kind), Split: split.String(), Order: why, Ordered: isOrdered})
}

// moment returns the time that a share of the rows lies before.
func (l *Log) moment(share float64) time.Time {
	times := make([]int64, len(l.Rows))
	for i, r := range l.Rows {
		times[i] = r.At
	}
	slices.Sort(times)
	return time.Unix(times[min(int(share*float64(len(times))), len(times)-1)], 0).UTC()
}

// cut returns where a learner's rows, oldest first, are parted.
func (s Split) cut(rows []Row) int {
	if s.Kind == SplitTime {
		at := s.At.Unix()
		n, _ := slices.BinarySearchFunc(rows, at, func(r Row, at int64) int { return cmp.Compare(r.At, at) })
		return n
	}
	// Where each course was first taken, in order: what is held back begins there.
	var first []int
	taken := make(map[int32]bool)
	for i, r := range rows {
		if r.Wanted && !taken[r.Item] {
			first = append(first, i)
		}
		if r.Taken {
			taken[r.Item] = true
		}
	}
	hold := 1
	if s.Kind == SplitFraction {
		n := float64(len(first))
		hold = max(len(first)-int(math.Round((1-s.Share)*n)), 1)
	}
	if len(first) <= hold {
		return len(rows) // nothing would be left to go by
	}
	return first[len(first)-hold]
}

// Given takes one file to learn from and one to test on. negatives may be nil: then
// all courses are ranked. Errors: CodeInvalid when no learner can be tested.
func Given(train, test *Log, negatives *Negatives, o Order) (*Set, error) {
	isOrdered, why := train.ordered(o)
	l := &Log{
		Learners: slices.Clone(train.Learners), Items: slices.Clone(train.Items), Timed: train.Timed, Events: train.Events,
		learnerOf: make(map[string]int32), itemOf: make(map[string]int32),
		Rows: train.Rows, Problems: train.Problems, Repeats: train.Repeats,
	}
	for i, id := range l.Learners {
		l.learnerOf[id] = int32(i)
	}
	for i, id := range l.Items {
		l.itemOf[id] = int32(i)
	}
	p := parted{Log: l, before: train.byLearner()}
	for i, rows := range test.byLearner() {
		if len(rows) == 0 {
			continue
		}
		who := int(l.Learner(test.Learners[i]))
		for len(p.after) <= who {
			p.after = append(p.after, nil)
		}
		for _, r := range rows {
			r.Learner, r.Item = int32(who), l.Item(test.Items[r.Item])
			p.after[who] = append(p.after[who], r)
		}
	}
	for len(p.before) < len(l.Learners) {
		p.before = append(p.before, nil)
	}
	for len(p.after) < len(l.Learners) {
		p.after = append(p.after, nil)
	}
	if train.Timed {
		for _, rows := range p.before {
			slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.At, b.At) })
		}
	}
	set, err := p.set(Protocol{Name: protocolGiven, Split: "the files say what is held back", Order: why, Ordered: isOrdered})
	if err != nil {
		return nil, err
	}
	set.Data.TestProblems = test.Problems
	if negatives != nil {
		err = set.sample(negatives)
	}
	return set, err
}
