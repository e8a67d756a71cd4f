package analytics

import (
	"cmp"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

// compare sets each value beside that of the period before, of n days.
func (t *table) compare(past *table, n int, wanted []Metric) {
	for k, values := range t.values {
		before := k
		if k.Day != 0 {
			before.Day -= n
		}
		for i := range wanted {
			m := &wanted[i]
			v := values[m.Name]
			v.Compared = change(m, v, past.values[before][m.Name])
			values[m.Name] = v
		}
	}
}

func change(m *Metric, now, then Value) *Change {
	c := &Change{Previous: then.Value}
	if now.Value == nil || then.Value == nil {
		return c
	}
	c.Absolute = number(*now.Value - *then.Value)
	if *then.Value != 0 {
		c.Relative = number(*now.Value / *then.Value - 1)
	}
	if half, ok := uncertainty(m, now, then); ok {
		c.Low, c.High = number(*c.Absolute-half), number(*c.Absolute+half)
	}
	return c
}

// uncertainty is half of the 95 % interval of a change: of shares by their counts, of
// means by their own intervals.
func uncertainty(m *Metric, now, then Value) (float64, bool) {
	variance := func(v Value) (float64, bool) {
		switch {
		case m.share && v.Denominator != nil && *v.Denominator > 0 && *v.Value >= 0 && *v.Value <= 1:
			// Two are added to each side (Agresti & Caffo 2000), so that none and all
			// are no certainty.
			n := *v.Denominator + 2
			p := (*v.Value**v.Denominator + 1) / n
			return p * (1 - p) / n, true
		case !m.share && v.Low != nil && v.High != nil:
			half := (*v.High - *v.Value) / normal95
			return half * half, true
		}
		return 0, false
	}
	a, ok := variance(now)
	b, known := variance(then)
	return normal95 * math.Sqrt(a+b), ok && known
}

// rows returns the groups in order.
func (t *table) rows(by []lectern.MetricDimension) []Row {
	slices.SortFunc(t.groups, func(a, b groupKey) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Surface, b.Surface), cmp.Compare(a.Row, b.Row),
			cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Arm, b.Arm), cmp.Compare(a.Segment, b.Segment),
			cmp.Compare(a.Position, b.Position), cmp.Compare(a.Explored, b.Explored))
	})
	out := make([]Row, 0, len(t.groups))
	for _, k := range t.groups {
		values := t.values[k]
		delete(values, "")
		out = append(out, Row{Keys: keysOf(k, by), Values: values})
	}
	return out
}

// keysOf writes a group's dimensions as people know them.
func keysOf(k groupKey, by []lectern.MetricDimension) map[string]any {
	orNone := func(s, none string) string {
		if s == "" {
			return none
		}
		return s
	}
	out := map[string]any{}
	for _, d := range by {
		switch d {
		case lectern.ByDay:
			out["day"] = Date(k.Day)
		case lectern.BySurface:
			out["surface"] = orNone(string(k.Surface), None)
		case lectern.ByRow:
			out["row"] = orNone(string(k.Row), None)
		case lectern.ByArm:
			out["experiment"], out["arm"] = k.Experiment, k.Arm
		case lectern.BySegment:
			out["segment"] = orNone(string(k.Segment), None)
		case lectern.ByPosition:
			switch k.Position {
			case lectern.NoPosition:
				out["position"] = None
			case lectern.MetricPositions:
				out["position"] = Beyond
			default:
				out["position"] = k.Position
			}
		case lectern.ByExplored:
			out["explored"] = orNone(k.Explored, None)
		}
	}
	return out
}

// The names of what is of no list, row, segment or place, and of places beyond those
// that are told apart.
const (
	None   = "none"
	Beyond = "beyond"
)
