package sqlite

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

const microsPerDay = int64(24 * time.Hour / time.Microsecond)

// micros is how times are kept: microseconds since 1970 UTC.
func micros(t time.Time) int64 { return lectern.Timestamp(t).UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

func microsOrNil(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	n := micros(*t)
	return &n
}

func timeOrNil(n *int64) *time.Time {
	if n == nil {
		return nil
	}
	t := fromMicros(*n)
	return &t
}

// dayOf returns the number of whole days between 1970 and t, in UTC.
func dayOf(us int64) int64 {
	d := us / microsPerDay
	if us%microsPerDay < 0 {
		d--
	}
	return d
}

// encodeList writes a list as a JSON array; nil and empty are both [].
func encodeList(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	return jsonText(list)
}

// decodeList reads what encodeList wrote; an empty list is nil.
func decodeList(s string) ([]string, error) {
	if s == "[]" {
		return nil, nil
	}
	if out := splitList(s); out != nil {
		return out, nil
	}
	var out []string
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		return nil, fmt.Errorf("stored list: %w", err)
	}
	return out, nil
}

// splitList cuts a JSON array of strings without escapes, as nearly all lists
// are, into parts of s; nil if it is anything else.
func splitList(s string) []string {
	body, ok := strings.CutPrefix(s, `["`)
	if !ok {
		return nil
	}
	if body, ok = strings.CutSuffix(body, `"]`); !ok || !utf8.ValidString(body) {
		return nil
	}
	n := 1
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\\' || c < ' ':
			return nil
		case c == '"':
			if !strings.HasPrefix(body[i:], `","`) {
				return nil
			}
			n++
			i += 2
		}
	}
	out := make([]string, 0, n)
	for range n - 1 {
		item, rest, _ := strings.Cut(body, `","`)
		out, body = append(out, item), rest
	}
	return append(out, body)
}

// jsonText encodes strings and numbers, which cannot fail.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return string(b)
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func boolIntOrNil(b *bool) *int64 {
	if b == nil {
		return nil
	}
	n := boolInt(*b)
	return &n
}

func strOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// checkID refuses what no external id may be.
func checkID(field, id string) error {
	switch {
	case id == "":
		return lectern.Invalid("a required id is missing", lectern.NewFieldError(field, id, "is empty", ""))
	case len(id) > lectern.MaxIDBytes:
		return lectern.Invalid("an id is too long", lectern.NewFieldError(field, id,
			fmt.Sprintf("has %d bytes", len(id)), fmt.Sprintf("at most %d bytes", lectern.MaxIDBytes)))
	case !utf8.ValidString(id) || strings.ContainsRune(id, 0):
		return lectern.Invalid("an id is not text", lectern.NewFieldError(field, id, "is not valid UTF-8 text", ""))
	}
	return nil
}

// starsTenths turns stars into the tenths that are kept.
func starsTenths(field string, stars float64) (int64, error) {
	if !(stars >= lectern.MinStars && stars <= lectern.MaxStars) { // also refuses NaN
		return 0, lectern.Invalid("stars are out of range",
			lectern.NewFieldError(field, stars, "is out of range", "1 to 5"))
	}
	return int64(math.Round(stars * 10)), nil
}

// rejected is the result of a row that cannot be applied.
func rejected(err error) lectern.WriteResult {
	return lectern.WriteResult{Outcome: lectern.OutcomeRejected, Err: err}
}

func outcome(o lectern.WriteOutcome) lectern.WriteResult { return lectern.WriteResult{Outcome: o} }

func notFound(what string) error { return lectern.Errorf(lectern.CodeNotFound, "no such %s", what) }
