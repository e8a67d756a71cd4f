package retrieve

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"slices"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// The parts of a request that a cursor is bound to, each by a hash of its own so
// that a mismatch can be named. Limit, cursor, explain and facets may differ from
// page to page: they change how much is shown, not what is in the list.
var requestParts = [...]string{"surface", "learner", "query", "course", "filter", "sort", "exact", "row", "fit_time"}

// rowPart is the place of the row among them.
const rowPart = 7

// partBytes is the length of one part's hash.
const partBytes = 8

// requestHash identifies a request, part by part.
type requestHash [len(requestParts) * partBytes]byte

// hashRequest hashes a request without limit, cursor, explain and facets.
func hashRequest(req lectern.ListRequest) requestHash {
	f := req.Filter
	f.Eligible = nil // derived from the learner
	f.Levels = slices.Clone(f.Levels)
	slices.Sort(f.Levels)
	f.Languages, f.Categories, f.Providers = sortedFold(f.Languages), sortedFold(f.Categories), sortedFold(f.Providers)
	f.Skills = sortedFold(f.Skills)
	// A filter is plain values: encoding cannot fail.
	filter, _ := json.Marshal(struct {
		Filter        lectern.Filter
		Exclude, Only []string
		HasOnly       bool
	}{f, f.ExcludeIDs, f.OnlyIDs, f.OnlyIDs != nil})
	learner, _ := json.Marshal(req.Learner)
	var h requestHash
	order := cmp.Or(req.Sort, lectern.SortRelevance)
	exact := strconv.FormatBool(req.Exact)
	for i, part := range [...]string{
		string(req.Surface), string(learner), req.Query, req.CourseID, string(filter), string(order), exact,
		string(req.Row), strconv.FormatBool(req.FitTime),
	} {
		sum := sha256.Sum256([]byte(part))
		copy(h[i*partBytes:], sum[:partBytes])
	}
	return h
}

func sortedFold(in []string) []string {
	out := lectern.FoldKeys(in)
	slices.Sort(out)
	return slices.Compact(out)
}

// of is the hash of the same request for a row.
func (h requestHash) of(row lectern.Row) requestHash {
	sum := sha256.Sum256([]byte(row))
	copy(h[rowPart*partBytes:(rowPart+1)*partBytes], sum[:])
	return h
}

func (h requestHash) String() string { return hex.EncodeToString(h[:]) }

// differences names the parts in which two requests differ.
func (h requestHash) differences(other requestHash) []string {
	var out []string
	for i, name := range requestParts {
		at := i * partBytes
		if [partBytes]byte(h[at:at+partBytes]) != [partBytes]byte(other[at:at+partBytes]) {
			out = append(out, name)
		}
	}
	return out
}

// cursor points into a recorded ranking.
type cursor struct {
	ranking string // UUID
	offset  int    // slot in the ranking at which the page starts
	request requestHash
}

const (
	cursorVersion = 3
	cursorMAC     = 16 // bytes
	maxCursor     = 256
)

// encodeCursor writes a cursor as base64url: version, ranking id, request hash,
// offset, and a keyed checksum over all of it.
func encodeCursor(c cursor, key []byte) string {
	return signCursor(c, hmac.New(sha256.New, key))
}

// signCursor is encodeCursor with the keyed hash of it, for many.
func signCursor(c cursor, mac hash.Hash) string {
	id, _ := parseUUID(c.ranking) // ours, made by RankingIDs
	var room [160]byte
	b := append(room[:0], cursorVersion)
	b = append(b, id[:]...)
	b = append(b, c.request[:]...)
	b = binary.AppendUvarint(b, uint64(c.offset))
	mac.Reset()
	_, _ = mac.Write(b) // a hash never fails
	body := len(b)
	b = mac.Sum(b)[:body+cursorMAC]
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeCursor reads a cursor. Errors: CodeInvalid for anything that
// encodeCursor did not write with this key.
func decodeCursor(s string, key []byte) (cursor, error) {
	bad := lectern.Invalid("the cursor is not one of ours",
		lectern.NewFieldError("cursor", s, "is not a cursor that this service gave out", "next_cursor of an earlier page, unchanged"))
	if len(s) > maxCursor {
		return cursor{}, bad
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 1+16+len(requestHash{})+1+cursorMAC || b[0] != cursorVersion {
		return cursor{}, bad
	}
	body, sum := b[:len(b)-cursorMAC], b[len(b)-cursorMAC:]
	if !hmac.Equal(sum, cursorSum(body, key)) {
		return cursor{}, bad
	}
	var c cursor
	c.ranking = formatUUID([16]byte(body[1:17]))
	rest := body[17:]
	n := copy(c.request[:], rest)
	offset, size := binary.Uvarint(rest[n:])
	if size <= 0 || size != len(rest[n:]) || offset > 1<<20 {
		return cursor{}, bad
	}
	c.offset = int(offset)
	return c, nil
}

func cursorSum(b, key []byte) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write(b) // a hash never fails
	return mac.Sum(nil)[:cursorMAC]
}

// openCursor decodes a request's cursor and holds it against the request.
// Errors: CodeInvalid, CodeCursorMismatch naming what differs.
func openCursor(req lectern.ListRequest, key []byte) (cursor, error) {
	c, err := decodeCursor(req.Cursor, key)
	if err != nil {
		return cursor{}, err
	}
	diff := hashRequest(req).differences(c.request)
	if len(diff) == 0 {
		return c, nil
	}
	e := lectern.Errorf(lectern.CodeCursorMismatch,
		"the cursor belongs to another request: %s differs; repeat the first page's request with the cursor, or leave the cursor out",
		strings.Join(diff, ", "))
	for _, part := range diff {
		e.Fields = append(e.Fields, lectern.NewFieldError(part, "", "differs from the request that the cursor was made for", "the same as on the first page"))
	}
	return cursor{}, e
}
