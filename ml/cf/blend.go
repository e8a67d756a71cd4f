package cf

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/lectern-dev/lectern"
)

// Blend scores by a weighted sum of other models' scores, each brought to mean 0
// and standard deviation 1 over the courses that the learner has not taken, so that
// weights mean the same for every model and learner (linear stacking, Breiman 1996,
// "Stacked Regressions"; on recommendations Sill et al. 2009, "Feature-Weighted
// Linear Stacking"). Weights are not learnt by Fit, which would see its own training
// data: package selection fits them on a validation cut.
//
// It is a [Successor] too: of what the parts that are say of a course, as
// many-sided as they are.
type Blend struct {
	parts   []Part
	scratch sync.Pool // of []float32
}

// Part is one model of a blend.
type Part struct {
	Model  Model
	Weight float64 // > 0
}

const (
	blendName    = "blend"
	blendVersion = 1
	maxParts     = 32
	maxBlend     = 1e6 // a weight
)

var _ Successor = (*Blend)(nil)

// NewBlend makes a blend of models that are fitted on the same data, or of unfitted
// ones. Errors: CodeInvalid without parts, or for parts that cannot go together.
func NewBlend(parts ...Part) (*Blend, error) {
	if len(parts) == 0 || len(parts) > maxParts {
		return nil, lectern.Errorf(lectern.CodeInvalid, "a blend of %d models is not one of 1 to %d", len(parts), maxParts)
	}
	names := make(map[string]bool)
	for _, p := range parts {
		name := p.Model.Name()
		switch {
		case !(p.Weight > 0) || p.Weight > maxBlend:
			return nil, lectern.Errorf(lectern.CodeInvalid, "the weight %g of %s is not above 0", p.Weight, name)
		case p.Model.Items() != parts[0].Model.Items():
			return nil, lectern.Errorf(lectern.CodeInvalid, "%s scores %d courses, %s %d", name, p.Model.Items(), parts[0].Model.Name(), parts[0].Model.Items())
		case names[name]:
			return nil, lectern.Errorf(lectern.CodeInvalid, "%s is in the blend twice", name)
		}
		names[name] = true
	}
	return &Blend{parts: slices.Clone(parts)}, nil
}

// blendSpec says how to make a [Blend]: its parameters are weights by the names of
// models, those of an even blend when there are none.
func blendSpec() Spec {
	even := Params{easeName: 1, sessionName: 1}
	return Spec{
		Name: blendName, Source: "Breiman 1996, Stacked Regressions", Defaults: even, MaxItems: maxItemsEASE,
		New: func(p Params) (Model, error) {
			if len(p) == 0 {
				p = even
			}
			var parts []Part
			for _, name := range slices.Sorted(maps.Keys(p)) {
				m, err := newPart(name)
				if err != nil {
					return nil, lectern.Invalid("parameters of the model blend are not acceptable",
						lectern.NewFieldError(name, p[name], "is not a model that can be blended", "weights by the names of models"))
				}
				parts = append(parts, Part{m, p[name]})
			}
			return NewBlend(parts...)
		},
	}
}

// newPart makes an unfitted model by name, with its defaults.
func newPart(name string) (Model, error) {
	for _, s := range Specs() {
		if s.Name == name {
			return s.New(nil)
		}
	}
	return nil, fmt.Errorf("no model %q", name)
}

// Name implements Model.
func (m *Blend) Name() string { return blendName }

// Parts returns the models with their weights. Read only.
func (m *Blend) Parts() []Part { return m.parts }

// Weights returns the weights by the names of the models.
func (m *Blend) Weights() Params {
	p := make(Params, len(m.parts))
	for _, x := range m.parts {
		p[x.Model.Name()] = x.Weight
	}
	return p
}

// Fit implements Model: it fits every part. Weights stay.
func (m *Blend) Fit(ctx context.Context, d *Data) error {
	for _, p := range m.parts {
		if err := p.Model.Fit(ctx, d); err != nil {
			return fmt.Errorf("fit %s: %w", p.Model.Name(), err)
		}
	}
	return nil
}

// Items implements Model.
func (m *Blend) Items() int { return m.parts[0].Model.Items() }

// Predict implements Model. Every part scores all courses, candidates or not: what
// a score is worth shows only beside the others.
func (m *Blend) Predict(h History, candidates []int32, into []float32) {
	n := m.Items()
	room, _ := m.scratch.Get().(*[]float32)
	if room == nil || len(*room) < 2*n {
		room = new(make([]float32, 2*n))
	}
	defer m.scratch.Put(room)
	sum, own := (*room)[:n], (*room)[n:2*n]
	clear(sum)
	for _, p := range m.parts {
		p.Model.Predict(h, nil, own)
		mean, scale := Standardise(h, own)
		w := float32(p.Weight) * scale
		for i, v := range own {
			sum[i] += w * (v - mean)
		}
	}
	if candidates == nil {
		copy(into, sum)
		return
	}
	for k, item := range candidates {
		if item >= 0 && int(item) < n {
			into[k] = sum[item]
		} else {
			into[k] = slices.Min(sum)
		}
	}
}

// Standardise returns what brings the scores of all courses to mean 0 and standard
// deviation 1 over those that are not in the history: (score − mean)·scale. Scale
// is 0 where all score alike. Scores are written to, and are what they were after.
func Standardise(h History, scores []float32) (mean, scale float32) {
	// Taken courses may score far from all others, so they are left out and not taken
	// off the sums again, which would leave nothing but rounding.
	aside := make([]float32, len(h))
	hole := float32(math.NaN())
	for k, x := range h {
		if x.Item >= 0 && int(x.Item) < len(scores) {
			aside[k], scores[x.Item] = scores[x.Item], hole
		}
	}
	count, sum, squares := 0., 0., 0.
	for _, v := range scores {
		if v == v {
			count++
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
	}
	for k := len(h) - 1; k >= 0; k-- { // backwards, for a course that is there twice
		if i := h[k].Item; i >= 0 && int(i) < len(scores) {
			scores[i] = aside[k]
		}
	}
	if count < 2 {
		return 0, 0
	}
	middle := sum / count
	variance := squares/count - middle*middle
	if !(variance > 1e-10*(squares/count)) || math.IsInf(variance, 0) {
		return float32(middle), 0
	}
	return float32(middle), float32(1 / math.Sqrt(variance))
}

// Next implements Successor: the weighted sum of what the parts that are one say,
// each scaled to at most 1.
func (m *Blend) Next(item int32, into []float32) {
	clear(into)
	own := make([]float32, len(into))
	for _, p := range m.parts {
		s, ok := p.Model.(Successor)
		if !ok {
			continue
		}
		s.Next(item, own)
		most := float32(0)
		for _, v := range own {
			most = max(most, v)
		}
		if most == 0 {
			continue
		}
		for i, v := range own {
			into[i] += float32(p.Weight) * v / most
		}
	}
}

// Bytes is the memory that the model takes.
func (m *Blend) Bytes() int {
	total := 0
	for _, p := range m.parts {
		if b, ok := p.Model.(interface{ Bytes() int }); ok {
			total += b.Bytes()
		}
	}
	return total
}

// Save implements Model: names and weights, then the parts.
func (m *Blend) Save(w io.Writer) error {
	f := newFrame(w, blendName, blendVersion)
	f.u32(uint32(len(m.parts)))
	for _, p := range m.parts {
		f.text(p.Model.Name())
		f.float(p.Weight)
	}
	if err := f.close(); err != nil {
		return err
	}
	for _, p := range m.parts {
		if err := p.Model.Save(w); err != nil {
			return fmt.Errorf("save %s: %w", p.Model.Name(), err)
		}
	}
	return nil
}

// Load implements Model.
func (m *Blend) Load(r io.Reader) error {
	f := openFrame(r, blendName, blendVersion)
	n := f.u32()
	if n < 1 || n > maxParts {
		f.fail("claims %d parts", n)
	}
	var parts []Part
	for i := uint32(0); i < n && f.err == nil; i++ {
		p := Part{}
		name := f.text()
		p.Weight = f.float()
		var err error
		if p.Model, err = newPart(name); err != nil {
			f.fail("has a part that cannot be: %w", err)
		}
		parts = append(parts, p)
	}
	if err := f.close(); err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.Model.Load(r); err != nil {
			return fmt.Errorf("load %s: %w", p.Model.Name(), err)
		}
	}
	loaded, err := NewBlend(parts...)
	if err != nil {
		return err
	}
	m.parts = loaded.parts
	return nil
}
