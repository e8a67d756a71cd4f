package blob

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

func TestVector(t *testing.T) {
	v := []float32{1, -0.5, 0, math.MaxFloat32}
	b := FromVector(v)
	if want := []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf}; !bytes.Equal(b[:8], want) {
		t.Errorf("bytes %x, want %x", b[:8], want)
	}
	if got, err := Vector(b); err != nil || !slices.Equal(got, v) {
		t.Errorf("read back %v, %v", got, err)
	}
	if _, err := Vector(b[:5]); err == nil {
		t.Error("five bytes were read as a vector")
	}
	if _, err := Hash(make([]byte, 31)); err == nil {
		t.Error("31 bytes were read as a hash")
	}
	if h, err := Hash(bytes.Repeat([]byte{7}, 32)); err != nil || h[31] != 7 {
		t.Errorf("hash %x, %v", h, err)
	}
}
