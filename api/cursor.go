package api

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"

	"github.com/lectern-dev/lectern"
)

// pageCursor is where a plain (unranked) page goes on. Ranked lists have cursors
// of their own, which the ranker makes.
type pageCursor struct {
	Of    string `json:"o"` // what is paged, with everything that must stay the same
	After int64  `json:"a,omitempty"`
	ID    string `json:"i,omitempty"`
}

func (p pageCursor) String() string {
	body, err := json.Marshal(p)
	if err != nil { // strings and a number always marshal
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(body, checksum(body)))
}

// parsePageCursor reads a cursor that was made for of. Errors: CodeInvalid for
// anything we did not make, CodeCursorMismatch for another request's.
func parsePageCursor(text, of string) (pageCursor, error) {
	var p pageCursor
	if text == "" {
		return pageCursor{Of: of}, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < 4 || checksum(raw[:len(raw)-4]) != binary.BigEndian.Uint32(raw[len(raw)-4:]) ||
		json.Unmarshal(raw[:len(raw)-4], &p) != nil {
		return p, lectern.Invalid("the cursor is not one of ours",
			lectern.NewFieldError("cursor", text, "is damaged or made up", "next_cursor of the page before"))
	}
	if p.Of != of {
		return p, &lectern.Error{Code: lectern.CodeCursorMismatch, Message: "the cursor was made for another list",
			Fields: []lectern.FieldError{{Field: "cursor", Reason: "belongs to " + p.Of, Allowed: "a cursor of " + of}}}
	}
	return p, nil
}

func checksum(body []byte) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(body) // never fails
	return h.Sum32()
}
