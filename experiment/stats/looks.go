package stats

// Looks are all looks at a comparison so far: what held at one of them holds on.
// The zero Looks are none.
type Looks struct {
	Count    int      `json:"count"`
	Absolute Interval `json:"absolute"` // shared by the always-valid intervals of all looks
	Relative Interval `json:"relative"`
	P        float64  `json:"p"` // least of the always-valid p-values
}

// Add adds a look.
func (l *Looks) Add(c *Comparison) {
	if l.Count == 0 {
		l.Absolute, l.Relative, l.P = Everything(), Everything(), 1
	}
	l.Count++
	l.Absolute = l.Absolute.Meet(c.Absolute.Always)
	l.Relative = l.Relative.Meet(c.Relative.Always)
	l.P = min(l.P, c.AlwaysP)
}
