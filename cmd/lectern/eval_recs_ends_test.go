package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern/eval/recs"
)

// Ids that lost their last digit at the end of each learner's row.
func TestBrokenEndsAreLeftOut(t *testing.T) {
	read := func(end func(next int) int) *recs.Log {
		var csv strings.Builder
		csv.WriteString("user,item\n")
		for u := range 1000 {
			for k := range 6 {
				item := 1000 + (u*37+k)%400
				if k == 5 {
					item = end(item)
				}
				fmt.Fprintf(&csv, "%d,%d\n", u, item)
			}
		}
		l, err := recs.Read(strings.NewReader(csv.String()), recs.DefaultStrengths())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	sound := func(item int) int { return item }
	broken := func(item int) int { return item / 10 }
	for name, c := range map[string]struct {
		end   func(int) int
		order recs.Order
		rows  int
	}{
		"sound":             {sound, recs.OrderAuto, 6000},
		"broken":            {broken, recs.OrderAuto, 5000},
		"broken, but asked": {broken, recs.OrderTime, 6000},
	} {
		l := read(c.end)
		o := recsEval{order: string(c.order)}
		note := o.soundEnds(l)
		if len(l.Rows) != c.rows || (note != "") != (c.rows == 5000) {
			t.Errorf("%s: %d rows are left, want %d; note %q", name, len(l.Rows), c.rows, note)
		}
		for _, r := range l.Rows {
			if c.rows == 5000 && len(l.Items[r.Item]) != 4 {
				t.Fatalf("%s: the row of item %s is left", name, l.Items[r.Item])
			}
		}
	}
}
