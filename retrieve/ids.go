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
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// parseUUID reads the form that formatUUID writes.
func parseUUID(s string) (id [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	b, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	if err != nil {
		return id, false
	}
	copy(id[:], b)
	return id, true
}
