package qdranttest

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/qdrant/go-client/qdrant"
)

// A payload is kept as JSON in Go: nil, bool, int64, float64, string, []any and
// map[string]any.

func payloadOf(in map[string]*qdrant.Value) (map[string]any, error) {
	out := make(map[string]any, len(in))
	for k, v := range in {
		value, err := valueOf(v)
		if err != nil {
			return nil, err
		}
		out[k] = value
	}
	return out, nil
}

func valueOf(v *qdrant.Value) (any, error) {
	switch k := v.GetKind().(type) {
	case nil, *qdrant.Value_NullValue:
		return nil, nil
	case *qdrant.Value_BoolValue:
		return k.BoolValue, nil
	case *qdrant.Value_IntegerValue:
		return k.IntegerValue, nil
	case *qdrant.Value_DoubleValue:
		if math.IsNaN(k.DoubleValue) || math.IsInf(k.DoubleValue, 0) {
			return nil, malformed("cannot convert to json number")
		}
		return k.DoubleValue, nil
	case *qdrant.Value_StringValue:
		return k.StringValue, nil
	case *qdrant.Value_ListValue:
		out := make([]any, len(k.ListValue.GetValues()))
		for i, e := range k.ListValue.GetValues() {
			var err error
			if out[i], err = valueOf(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *qdrant.Value_StructValue:
		return payloadOf(k.StructValue.GetFields())
	default:
		return nil, unimplemented("payload value %T", k)
	}
}

func protoPayload(in map[string]any) map[string]*qdrant.Value {
	out := make(map[string]*qdrant.Value, len(in))
	for k, v := range in {
		out[k] = protoValue(v)
	}
	return out
}

func protoValue(v any) *qdrant.Value {
	switch v := v.(type) {
	case bool:
		return &qdrant.Value{Kind: &qdrant.Value_BoolValue{BoolValue: v}}
	case int64:
		return &qdrant.Value{Kind: &qdrant.Value_IntegerValue{IntegerValue: v}}
	case float64:
		return &qdrant.Value{Kind: &qdrant.Value_DoubleValue{DoubleValue: v}}
	case string:
		return &qdrant.Value{Kind: &qdrant.Value_StringValue{StringValue: v}}
	case []any:
		list := &qdrant.ListValue{Values: make([]*qdrant.Value, len(v))}
		for i, e := range v {
			list.Values[i] = protoValue(e)
		}
		return &qdrant.Value{Kind: &qdrant.Value_ListValue{ListValue: list}}
	case map[string]any:
		return &qdrant.Value{Kind: &qdrant.Value_StructValue{StructValue: &qdrant.Struct{Fields: protoPayload(v)}}}
	default:
		return &qdrant.Value{Kind: &qdrant.Value_NullValue{}}
	}
}

// path is a parsed key such as `a.b[].c` or `"a.b"[0]`.
type path []step

// step is a key of an object, one element of an array, or all of them.
type step struct {
	key   string
	index int // -1 for a key, -2 for every element
}

const (
	stepKey = -1
	stepAll = -2
)

func parsePath(s string) (path, error) {
	rest, out := s, path{}
	fail := func() (path, error) { return nil, malformed("Invalid json path: '%s'", s) }
	for rest != "" || len(out) == 0 {
		if len(out) > 0 && rest[0] == '[' {
			inside, after, ok := strings.Cut(rest[1:], "]")
			if !ok {
				return fail()
			}
			st := step{index: stepAll}
			if inside != "" {
				n, err := strconv.ParseUint(inside, 10, 31)
				if err != nil {
					return fail()
				}
				st.index = int(n)
			}
			out, rest = append(out, st), after
			continue
		}
		if len(out) > 0 {
			if rest[0] != '.' {
				return fail()
			}
			rest = rest[1:]
		}
		key, after, ok := cutKey(rest)
		if !ok {
			return fail()
		}
		out, rest = append(out, step{key: key, index: stepKey}), after
	}
	return out, nil
}

// cutKey reads one key, bare or in quotes.
func cutKey(s string) (key, rest string, ok bool) {
	if strings.HasPrefix(s, `"`) {
		key, rest, ok = strings.Cut(s[1:], `"`)
		return key, rest, ok && !strings.Contains(key, `\`)
	}
	end := strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_' && r != '-'
	})
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:], end > 0
}

// values are what is at the path, none where something on the way is absent. An
// array at the end is one value.
func (p path) values(payload map[string]any) []any {
	at := []any{payload}
	for _, st := range p {
		var next []any
		for _, v := range at {
			switch v := v.(type) {
			case map[string]any:
				if e, ok := v[st.key]; ok && st.index == stepKey {
					next = append(next, e)
				}
			case []any:
				if st.index == stepAll {
					next = append(next, v...)
				} else if st.index >= 0 && st.index < len(v) {
					next = append(next, v[st.index])
				}
			}
		}
		at = next
	}
	return at
}

// timeLayouts are the forms of a date and time; one without a zone is in UTC.
var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999Z07",
	"2006-01-02 15:04:05.999999999Z07",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04",
	"2006-01-02",
}

func parseTime(s string) (time.Time, bool) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
