package explore

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/lectern-dev/lectern"
)

// lots draws seeds from a secret, so that nobody can foresee what a list will try.
type lots struct{ secret []byte }

// of hashes parts, of which none can run into the next.
func (s lots) of(parts ...string) uint64 {
	h := hmac.New(sha256.New, s.secret)
	var size [8]byte
	for _, part := range parts {
		binary.LittleEndian.PutUint64(size[:], uint64(len(part)))
		_, _ = h.Write(size[:]) // a hash never fails
		_, _ = h.Write([]byte(part))
	}
	return binary.LittleEndian.Uint64(h.Sum(nil))
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
