package cf

import (
	"context"
	"io"
	"math"
	"slices"
)

// Popularity scores every course by how many took it, for everybody alike: the
// floor that a model must clear to be worth having.
type Popularity struct {
	params Params
	score  []float32 // [items] as a share of the highest
}

const (
	popularityName    = "popularity"
	popularityVersion = 1
	secondsPerDay     = 24 * 60 * 60
)

func popularityOptions() options {
	return options{{name: "half_life_days", def: 0, least: 0, most: 36500}} // 0: all times count alike
}

var _ Model = (*Popularity)(nil)

// Name implements Model.
func (m *Popularity) Name() string { return popularityName }

// Items implements Model.
func (m *Popularity) Items() int { return len(m.score) }

// Fit implements Model. With a half-life an interaction counts half as much for
// each half-life before the snapshot's last one; those without a time count as
// the oldest with one.
func (m *Popularity) Fit(ctx context.Context, d *Data) error {
	if err := check(d); err != nil {
		return err
	}
	var first, last int64
	for _, h := range d.Histories {
		for _, x := range h {
			if x.At > 0 {
				last = max(last, x.At)
				if first == 0 || x.At < first {
					first = x.At
				}
			}
		}
	}
	rate := 0.0
	if half := m.params["half_life_days"]; half > 0 {
		rate = math.Ln2 / (half * secondsPerDay)
	}
	count := make([]float64, len(d.Items))
	for _, h := range d.Histories {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, x := range h {
			at := x.At
			if at <= 0 {
				at = first
			}
			count[x.Item] += float64(strength(x.Weight)) * math.Exp(-rate*float64(last-at))
		}
	}
	top := slices.Max(count)
	m.score = make([]float32, len(count))
	for i, n := range count {
		m.score[i] = float32(n / top)
	}
	return nil
}

// Predict implements Model.
func (m *Popularity) Predict(_ History, candidates []int32, into []float32) {
	if candidates == nil {
		copy(into, m.score)
		return
	}
	for k, item := range candidates {
		into[k] = 0
		if item >= 0 && int(item) < len(m.score) {
			into[k] = m.score[item]
		}
	}
}

// Save implements Model.
func (m *Popularity) Save(w io.Writer) error {
	f := newFrame(w, popularityName, popularityVersion)
	f.params(m.params)
	f.u32(uint32(len(m.score)))
	f.floats(m.score)
	return f.close()
}

// Load implements Model.
func (m *Popularity) Load(r io.Reader) error {
	f := openFrame(r, popularityName, popularityVersion)
	params := f.params(popularityOptions())
	score := f.floats(int(f.u32()))
	if err := f.close(); err != nil {
		return err
	}
	m.params, m.score = params, score
	return nil
}
