// Package blob is the form in which every store keeps vectors and hashes as bytes.
// It is one for all, because rows move from store to store as they are.
package blob

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/lectern-dev/lectern"
)

// FromVector returns a vector as little-endian float32, four bytes a number.
func FromVector(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// Vector reads what FromVector wrote.
func Vector(b []byte) ([]float32, error) {
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("stored vector has %d bytes", len(b))
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, nil
}

// Hash reads a content hash.
func Hash(b []byte) (lectern.ContentHash, error) {
	var h lectern.ContentHash
	if len(b) != len(h) {
		return h, fmt.Errorf("stored content hash has %d bytes", len(b))
	}
	copy(h[:], b)
	return h, nil
}
