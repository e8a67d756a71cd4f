package transfer

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Sum is a checksum over a table's rows that does not depend on their order.
type Sum struct {
	Rows int64
	sum  [2]uint64
	text []byte // reused
}

// String is the checksum in hexadecimal.
func (s *Sum) String() string { return fmt.Sprintf("%016x%016x", s.sum[0], s.sum[1]) }

// Equal reports whether both were made from the same rows.
func (s *Sum) Equal(o *Sum) bool { return s.Rows == o.Rows && s.sum == o.sum }

// Add counts a row in.
func (s *Sum) Add(r Row) {
	b := s.text[:0]
	for _, v := range r {
		b = appendValue(b, v)
	}
	s.text = b
	h := sha256.Sum256(b)
	s.Rows++
	s.sum[0] += binary.BigEndian.Uint64(h[:8])
	s.sum[1] += binary.BigEndian.Uint64(h[8:16])
}

func appendValue(b []byte, v any) []byte {
	sized := func(kind byte, text string) []byte {
		b = append(b, kind)
		b = binary.AppendUvarint(b, uint64(len(text)))
		return append(b, text...)
	}
	switch v := v.(type) {
	case nil:
		return append(b, '-')
	case int64:
		return binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v)) //nolint:gosec // bits
	case float64:
		if v == 0 {
			v = 0 // without a sign, which not every backend keeps
		}
		return binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
	case bool:
		if v {
			return append(b, 't')
		}
		return append(b, 'n')
	case string:
		return sized('s', v)
	case []byte:
		return sized('b', string(v))
	case []string:
		b = binary.AppendUvarint(append(b, 'l'), uint64(len(v)))
		for _, text := range v {
			b = sized('s', text)
		}
		return b
	}
	return sized('?', fmt.Sprint(v))
}

// clean takes out of texts what not every backend can keep, and reports whether
// there was any: characters U+0000, and bytes that are not UTF-8.
func clean(r Row) bool {
	found := false
	fix := func(s string) string {
		if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
			return s
		}
		found = true
		return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	}
	for i, v := range r {
		switch v := v.(type) {
		case string:
			r[i] = fix(v)
		case []string:
			for j := range v {
				v[j] = fix(v[j])
			}
		}
	}
	return found
}
