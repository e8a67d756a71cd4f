package explore

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// lots draws seeds from a secret, so that nobody can foresee what a list will try.
type lots struct{ hashes *sync.Pool } // of *keyed

// keyed is a hash with the secret, and room for what goes in and out.
type keyed struct {
	hash.Hash
	text []byte
	sum  []byte
}

func newLots(secret []byte) lots {
	secret = bytes.Clone(secret)
	return lots{&sync.Pool{New: func() any { return &keyed{Hash: hmac.New(sha256.New, secret)} }}}
}

// of hashes parts, of which none can run into the next.
func (s lots) of(parts ...string) uint64 {
	h := s.hashes.Get().(*keyed)
	defer s.hashes.Put(h)
	h.text = h.text[:0]
	for _, part := range parts {
		h.text = binary.LittleEndian.AppendUint64(h.text, uint64(len(part)))
		h.text = append(h.text, part...)
	}
	h.Reset()
	_, _ = h.Write(h.text) // a hash never fails
	h.sum = h.Sum(h.sum[:0])
	return binary.LittleEndian.Uint64(h.sum)
}

// seed is the same for a person, a day in UTC and a list. Its upper half is the same
// for all lists of the person on that day: see personDay.
func (s lots) seed(req *lectern.ExploreRequest) uint64 {
	day := req.At.UTC().Format(time.DateOnly)
	person := s.of("day", req.Learner.ID, req.Learner.AnonymousID, day)
	l := s.of("list", req.Learner.ID, req.Learner.AnonymousID, day, string(req.Surface), string(req.Row), req.About)
	return person&^0xffffffff | l&0xffffffff
}

// personDay is who a list was made for, and on which day, as far as its seed tells: it
// is what a day of exploration is counted by, across processes, without knowing who it
// is. Two people share one in four thousand million.
func personDay(seed uint64) uint32 { return uint32(seed >> 32) }

// taken is the place of a learner in [0, 1) that decides whether their lists explore.
func (s lots) taken(ref lectern.LearnerRef) float64 {
	return float64(s.of("share", ref.ID, ref.AnonymousID)>>11) / (1 << 53)
}

// Streams of randomness of one seed: what fills the list, and what finds the
// probabilities.
const (
	streamFill   = 0x66696c6c
	streamChance = 0x6f646473
)

func source(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// dice is a source of randomness that is used again.
type dice struct {
	pcg rand.PCG
	rng *rand.Rand
}

// source is what source returns, in this room.
func (d *dice) source(seed, stream uint64) *rand.Rand {
	if d.rng == nil {
		d.rng = rand.New(&d.pcg)
	}
	d.pcg.Seed(seed, stream)
	return d.rng
}
