package ope

import "math"

// slope is the derivative of a value by the columns of the sums it is made of.
type slope struct {
	columns []int
	by      []float64
}

func (s *slope) clear() { s.columns, s.by = s.columns[:0], s.by[:0] }

func (s *slope) add(column int, by float64) {
	s.columns, s.by = append(s.columns, column), append(s.by, by)
}

// of is by how much a row moves the value, to first order: its influence (Hampel 1974).
func (s *slope) of(row []float64) float64 {
	sum := 0.0
	for i, c := range s.columns {
		sum += s.by[i] * row[c]
	}
	return sum
}

// slopes are the derivatives of values by the sums that they came from, beside values.
func (t *sums) slopes(total, values []float64, out []slope) []slope {
	if len(out) != len(values) {
		out = make([]slope, len(values))
	}
	n := total[colUnits]
	for k := range out {
		out[k].clear()
		if k != atWeight {
			out[k].add(colUnits, -values[k]/n)
		}
		for _, c := range plainColumns(k) {
			out[k].add(c, 1/n)
		}
	}
	if open := total[colOpen]; open > 0 {
		out[atWeight].add(colOpenWeight, 1/open)
		out[atWeight].add(colOpen, -values[atWeight]/open)
	}
	for g := range t.strata {
		at := colStrata + perStratum*g
		weight, mass := total[at+1], total[at+2]
		if weight <= 0 {
			continue
		}
		for _, x := range [2][2]int{{atSNIPS, at}, {atSNDR, at + 3}} {
			s, ratio := &out[x[0]], total[x[1]]/weight
			s.add(x[1], mass/weight/n)
			s.add(at+1, -ratio*mass/weight/n)
			s.add(at+2, ratio/n)
		}
	}
	return out
}

// plainColumns are the columns that a value is the sum of, over units.
func plainColumns(k int) []int {
	switch k {
	case atLogged:
		return []int{colLogged}
	case atIPS:
		return []int{colIPS}
	case atDM, atSNDR:
		return []int{colDM}
	case atDR:
		return []int{colDM, colDR}
	case atSwitch:
		return []int{colDM, colSwitch}
	case atShrinkage:
		return []int{colDM, colShrink}
	}
	return nil
}

// errors are the standard errors of values, and behind them those of their differences
// to what was logged, with people counted so many times each.
func (t *sums) errors(times []uint16, slopes []slope) []float64 {
	n := len(slopes)
	out := make([]float64, 2*n)
	for person, count := range times {
		if count == 0 {
			continue
		}
		row := t.row(person)
		logged := slopes[atLogged].of(row)
		for k := range slopes {
			moved := slopes[k].of(row)
			out[k] += float64(count) * moved * moved
			out[n+k] += float64(count) * sq(moved-logged)
		}
	}
	for k, v := range out {
		out[k] = math.Sqrt(v)
	}
	return out
}
