package retrieve

import (
	"encoding/hex"
	"fmt"
	"io"
	"sync"

	"github.com/lectern-dev/lectern"
)

// RankingIDs returns a maker of UUIDs of version 7 (RFC 9562), which sort by
// time. random must not fail; crypto/rand.Reader does not. The maker is safe for
// concurrent use.
func RankingIDs(clock lectern.Clock, random io.Reader) func() string {
	var mu sync.Mutex
	return func() string {
		var id [16]byte
		mu.Lock()
		_, err := io.ReadFull(random, id[6:])
		mu.Unlock()
		if err != nil {
			panic(fmt.Sprintf("retrieve: no randomness for a ranking id: %v", err))
		}
		ms := uint64(clock().UnixMilli())
		for i := range 6 {
			id[i] = byte(ms >> (40 - 8*i))
		}
		id[6] = id[6]&0x0f | 0x70
		id[8] = id[8]&0x3f | 0x80
		return formatUUID(id)
	}
}

func formatUUID(id [16]byte) string {
	var out [36]byte
	rest, at := id[:], 0
	for _, n := range [...]int{4, 2, 2, 2, 6} {
		if at > 0 {
			out[at] = '-'
			at++
		}
		at += hex.Encode(out[at:], rest[:n])
		rest = rest[n:]
	}
	return string(out[:])
}

// parseUUID reads the form that formatUUID writes.
func parseUUID(s string) (id [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	var digits [32]byte
	n := 0
	for _, part := range [...]string{s[:8], s[9:13], s[14:18], s[19:23], s[24:]} {
		n += copy(digits[n:], part)
	}
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return [16]byte{}, false
	}
	return id, true
}
