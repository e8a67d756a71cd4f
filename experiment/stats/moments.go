package stats

// dims is how many numbers a Unit has for its Sample: value, per, before, before per,
// and whether the time before is unknown.
const dims = 5

// The places of those numbers.
const (
	atValue = iota
	atPer
	atBefore
	atBeforePer
	atUnknown
)

// Unit is what one person adds to a metric. A metric is the sum of Value over the sum
// of Per: with Per 1 for everybody it is a mean over people (enrolments a person), with
// what people saw it is a ratio (clicks an impression).
type Unit struct {
	Value float64
	Per   float64
	// Before and BeforePer are Value and Per of a time before exposure; of use only
	// where Known.
	Before    float64
	BeforePer float64
	Known     bool // the person was there in the time before
}

// Sample is what is kept of the units of one arm for one metric. It can be added to,
// merged and kept as JSON; the zero Sample is empty. Sums of squares are kept about the
// means, which loses no digits however large the values (Chan, Golub and LeVeque 1983).
type Sample struct {
	N       float64             `json:"n"`
	NonZero float64             `json:"non_zero"` // units with a Value other than 0
	Means   [dims]float64       `json:"means"`
	Squares [dims][dims]float64 `json:"squares"` // sums of products about the means
}

// Add adds a unit.
func (s *Sample) Add(u Unit) {
	v := [dims]float64{u.Value, u.Per, u.Before, u.BeforePer, 0}
	if !u.Known {
		v[atBefore], v[atBeforePer], v[atUnknown] = 0, 0, 1
	}
	s.N++
	if u.Value != 0 {
		s.NonZero++
	}
	share := (s.N - 1) / s.N
	var off [dims]float64
	for i := range v {
		off[i] = v[i] - s.Means[i]
		s.Means[i] += off[i] / s.N
	}
	for i := range off {
		for j := range off {
			s.Squares[i][j] += share * off[i] * off[j]
		}
	}
}

// Merge adds the units of another sample of the same metric.
func (s *Sample) Merge(o *Sample) {
	if o.N == 0 {
		return
	}
	n := s.N + o.N
	var off [dims]float64
	for i := range off {
		off[i] = o.Means[i] - s.Means[i]
	}
	for i := range off {
		for j := range off {
			s.Squares[i][j] += o.Squares[i][j] + off[i]*off[j]*s.N*o.N/n
		}
	}
	for i := range off {
		s.Means[i] += off[i] * o.N / n
	}
	s.N, s.NonZero = n, s.NonZero+o.NonZero
}

// Value returns the metric: the sum of Value over the sum of Per, 0 where that is 0.
func (s *Sample) Value() float64 {
	if s.Means[atPer] == 0 {
		return 0
	}
	return s.Means[atValue] / s.Means[atPer]
}

// Per returns the mean of Per over units.
func (s *Sample) Per() float64 { return s.Means[atPer] }

// residual returns the sum of squares of Value − r Per about its mean.
func (s *Sample) residual(r float64) float64 {
	q := &s.Squares
	return max(0, q[atValue][atValue]-2*r*q[atValue][atPer]+r*r*q[atPer][atPer])
}

// Variance returns the variance over units of what the metric's standard error is made
// of: Value for means, Value − ratio × Per for ratios. Plans are made from it.
func (s *Sample) Variance() float64 {
	if s.N < 2 {
		return 0
	}
	return s.residual(s.Value()) / (s.N - 1)
}
