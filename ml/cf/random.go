package cf

import (
	"context"
	"io"
)

// Random scores by chance, the same for the same history and course: the floor
// below all floors.
type Random struct {
	params Params
	items  int
}

const (
	randomName    = "random"
	randomVersion = 1
)

func randomOptions() options {
	return options{{name: "seed", def: 1, least: 0, most: 1 << 32, wholeNumbers: true}}
}

var _ Model = (*Random)(nil)

// Name implements Model.
func (m *Random) Name() string { return randomName }

// Items implements Model.
func (m *Random) Items() int { return m.items }

// Fit implements Model.
func (m *Random) Fit(ctx context.Context, d *Data) error {
	if err := check(d); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.items = len(d.Items)
	return nil
}

// Predict implements Model.
func (m *Random) Predict(h History, candidates []int32, into []float32) {
	state := mix(uint64(m.params["seed"]))
	for _, x := range h {
		state = mix(state ^ uint64(uint32(x.Item)))
	}
	for k := range into {
		item := int32(k)
		if candidates != nil {
			item = candidates[k]
		}
		into[k] = float32(mix(state^uint64(uint32(item))<<20)>>40) / (1 << 24)
	}
}

// mix spreads the bits of x (the finaliser of SplitMix64, Steele et al. 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Save implements Model.
func (m *Random) Save(w io.Writer) error {
	f := newFrame(w, randomName, randomVersion)
	f.params(m.params)
	f.u32(uint32(m.items))
	return f.close()
}

// Load implements Model.
func (m *Random) Load(r io.Reader) error {
	f := openFrame(r, randomName, randomVersion)
	params := f.params(randomOptions())
	items := f.u32()
	if items > maxSavedItems {
		f.fail("claims %d courses", items)
	}
	if err := f.close(); err != nil {
		return err
	}
	m.params, m.items = params, int(items)
	return nil
}
