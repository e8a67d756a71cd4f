package experiment

import (
	"math/bits"

	"github.com/lectern-dev/lectern"
)

// Buckets is how many buckets a layer has.
const Buckets = 10_000

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// salt begins the hash of people with a name. Names of different layers and
// experiments give hashes that have nothing to do with each other.
func salt(kind, name string) uint64 {
	return mix(fold(fold(fnvOffset, kind), name))
}

// fold goes on with a hash (FNV-1a) over a text and its end.
func fold(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return (h ^ 0xff) * fnvPrime
}

// mix is the finaliser of MurmurHash3: every bit of the hash moves every other.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// person is the hash of who somebody is: their learner id where there is one, so that
// it is the same on every device; else their anonymous id.
func person(ref lectern.LearnerRef) uint64 {
	if ref.ID != "" {
		return mix(fold(fold(fnvOffset, "learner"), ref.ID))
	}
	return mix(fold(fold(fnvOffset, "visitor"), ref.AnonymousID))
}

// bucket is a person's bucket by a salt.
func bucket(salt, person uint64) int {
	x := mix(mix(salt^person) + person*0x9e3779b97f4a7c15)
	hi, _ := bits.Mul64(x, Buckets) // without the bias of a remainder
	return int(hi)
}

// part is a person's place in [0, 1) by a salt.
func part(salt, person uint64) float64 {
	x := mix(mix(salt^person) + person*0x9e3779b97f4a7c15)
	return float64(x>>11) / (1 << 53)
}
