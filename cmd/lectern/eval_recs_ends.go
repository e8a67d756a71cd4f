package main

import (
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern/eval/recs"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/selection"
)

// soundEnds leaves out the last row of every learner where those rows have nothing to
// do with the rest, as after a file was cut off or converted badly: nothing can be
// learnt from them, and nothing tested on them. It returns a note for the report, ""
// where all is well. Rows with times, and an order that was asked for, are believed.
func (o *recsEval) soundEnds(l *recs.Log) string {
	if l.Timed || l.Events || recs.Order(o.order) != recs.OrderAuto {
		return ""
	}
	d := &cf.Data{Items: l.Items, Ordered: true, Histories: make([]cf.History, len(l.Learners))}
	last := make([]int, len(l.Learners)) // row of each learner
	for i, r := range l.Rows {
		d.Histories[r.Learner] = append(d.Histories[r.Learner], cf.Interaction{Item: r.Item, Weight: 1})
		last[r.Learner] = i
	}
	tail := selection.CheckTail(d)
	if !tail.Broken() {
		return ""
	}
	at := -1
	l.Rows = slices.DeleteFunc(l.Rows, func(r recs.Row) bool {
		at++
		return last[r.Learner] == at
	})
	return fmt.Sprintf("%s; those %d rows are left out as broken (--order time keeps them)", tail, len(last))
}

// noted adds a note, if there is one, to what the report says of the data, and keeps
// in mind among how many others a test row is ranked: validation does the same.
func (o *recsEval) noted(s *recs.Set, note string) *recs.Set {
	if s == nil {
		return nil
	}
	if note != "" {
		s.Protocol.Notes = append(s.Protocol.Notes, note)
	}
	if s.Protocol.Sampled && len(s.Cases) > 0 {
		o.sampled = max(1, len(s.Cases[0].Candidates)-1)
	}
	return s
}
