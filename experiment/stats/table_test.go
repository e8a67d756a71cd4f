package stats

import (
	"math"
	"testing"
)

// TestTable: of ten segments one has an effect; corrected for ten looks it is still
// called, and the others are not.
func TestTable(t *testing.T) {
	var groups [][]Sample
	for i := range 10 {
		mean := 1.0
		if i == 3 {
			mean = 1.2
		}
		groups = append(groups, []Sample{arm(1000, 1, uint64(100+i)), arm(1000, mean, uint64(200+i))})
	}
	rows := Table(groups, Options{})
	for i, r := range rows {
		c, e := r.Corrected[0], r.Result.Comparisons[0]
		if called := c.Holm <= 0.05 && c.BH <= 0.05 && c.EBH <= 0.05 && e.Absolute.Always.Low > 0; called != (i == 3) {
			t.Errorf("segment %d: %+v %+v", i, c, e.Absolute)
		}
		if alone := Analyse(groups[i], Options{Units: 1000}).Comparisons[0]; width(e.Absolute.Always) <= width(alone.Absolute.Always) {
			t.Errorf("segment %d: no wider for ten looks: %v, alone %v", i, e.Absolute.Always, alone.Absolute.Always)
		}
	}
	if p := Differ(rows, 0); p > 0.001 {
		t.Errorf("the segments do not differ: %g", p)
	}
	if p := Differ(append(rows[:3:3], rows[4:]...), 0); p < 0.01 {
		t.Errorf("segments without effect differ: %g", p)
	}
	if p := Differ(rows[:1], 0); p != 1 {
		t.Errorf("one segment differs from itself: %g", p)
	}
}

// Effects 1 and 3 with errors 1 and 1: Q = 1 + 1 = 2 about 2, one degree of freedom:
// p = erfc(√(2/2)) = 0.1573.
func TestDifferByHand(t *testing.T) {
	row := func(effect float64) Row {
		return Row{Result: Result{Comparisons: []Comparison{{SE: 1, Absolute: Effect{Value: effect}}}}}
	}
	near(t, "p", Differ([]Row{row(1), row(3)}, 0), math.Erfc(1), 1e-12)
}
