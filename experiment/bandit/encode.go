package bandit

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// encoding is the first byte of an encoded posterior. It rises when the layout does
// not stay what it is: version, length and name of the feature set, columns, ridge,
// half-life, landmark, time of the latest impression, both counts, and the
// statistics; integers and floats of 8 bytes, little endian.
const encoding = 1

// noTime stands for the time of a posterior that has learnt nothing.
const noTime = math.MinInt64

// Encode writes the posterior so that Decode gives back the very same one.
func (p *Posterior) Encode() []byte {
	out := make([]byte, 0, 2+len(p.set.Name)+8*(7+len(p.gram)+len(p.sum)))
	out = append(out, encoding, byte(len(p.set.Name)))
	out = append(out, p.set.Name...)
	landmark, at := int64(noTime), int64(noTime)
	if !p.at.IsZero() {
		landmark, at = p.landmark.UnixNano(), p.at.UnixNano()
	}
	for _, v := range []uint64{
		uint64(p.set.Dim()), math.Float64bits(p.ridge), uint64(p.halfLife), uint64(landmark), uint64(at),
		uint64(p.seen), uint64(p.rewarded),
	} {
		out = binary.LittleEndian.AppendUint64(out, v)
	}
	for _, v := range p.gram {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
	}
	for _, v := range p.sum {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
	}
	return out
}

// Decode reads what Encode wrote. Errors: CodeRefused for a posterior of another
// feature set or another layout, which has to be learnt anew; CodeInternal for what
// is damaged.
func Decode(body []byte, set FeatureSet) (*Posterior, error) {
	if len(body) < 2 {
		return nil, damaged("it ends early")
	}
	if body[0] != encoding {
		return nil, lectern.Errorf(lectern.CodeRefused, "the posterior is of layout %d, and this build reads layout %d: learn it anew from the log", body[0], encoding)
	}
	size := int(body[1])
	if len(body) < 2+size {
		return nil, damaged("it ends early")
	}
	if name := string(body[2 : 2+size]); name != set.Name {
		return nil, lectern.Errorf(lectern.CodeRefused, "the posterior was learnt from features %q, and this build makes %q: learn it anew from the log", name, set.Name)
	}
	r := words(body[2+size:])
	if len(r) < 7*8 {
		return nil, damaged("it ends early")
	}
	if d := r.next(); d != uint64(set.Dim()) {
		return nil, lectern.Errorf(lectern.CodeRefused, "the posterior has %d columns, and features %q have %d: learn it anew from the log", d, set.Name, set.Dim())
	}
	p := NewPosterior(set, math.Float64frombits(r.next()), 0)
	p.halfLife = time.Duration(r.next())
	landmark, at := int64(r.next()), int64(r.next())
	if at != noTime {
		p.landmark, p.at = time.Unix(0, landmark).UTC(), time.Unix(0, at).UTC()
	}
	p.seen, p.rewarded = int64(r.next()), int64(r.next())
	if len(r) != 8*(len(p.gram)+len(p.sum)) {
		return nil, damaged("it is not as long as its columns say")
	}
	for i := range p.gram {
		p.gram[i] = math.Float64frombits(r.next())
	}
	for i := range p.sum {
		p.sum[i] = math.Float64frombits(r.next())
	}
	return p, p.check()
}

// check finds what no posterior holds.
func (p *Posterior) check() error {
	if !(p.ridge > 0) || math.IsInf(p.ridge, 1) || p.halfLife < 0 || p.seen < 0 || p.rewarded < 0 || p.landmark.After(p.at) {
		return damaged("its numbers are out of their bounds")
	}
	sum := 0.0
	for _, v := range p.gram {
		sum += v * 0 // NaN once anything is no number
	}
	for _, v := range p.sum {
		sum += v * 0
	}
	if sum != 0 {
		return damaged("its statistics are no numbers")
	}
	return nil
}

func damaged(why string) error {
	return lectern.Errorf(lectern.CodeInternal, "the stored posterior is damaged: %s", why)
}

// words reads 8 bytes at a time.
type words []byte

func (w *words) next() uint64 {
	v := binary.LittleEndian.Uint64(*w)
	*w = (*w)[8:]
	return v
}
