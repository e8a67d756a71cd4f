package ingest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// value is a field's value after its check; which member counts depends on the
// field's type.
type value struct {
	null   bool
	text   string
	number float64
	flag   bool
	time   time.Time
	list   []string
	object map[string]json.RawMessage
}

// parse checks v, which is a string, bool, float64, json.Number, time.Time,
// []string, []any or json.RawMessage (an object).
func (f *Field) parse(v any) (value, []lectern.FieldError) {
	switch f.Type {
	case TypeTexts, TypeIDs, TypeLanguages:
		return f.parseList(v)
	case TypeNumber, TypeStars, TypeInteger:
		return f.parseNumber(v)
	case TypeTime, TypeDay:
		return f.parseTime(v)
	case TypeBool:
		if b, ok := v.(bool); ok {
			return value{flag: b}, nil
		}
		return f.wrong(v)
	case TypeObject:
		return f.parseObject(v)
	default:
		s, ok := v.(string)
		if !ok {
			return f.wrong(v)
		}
		text, reason := f.checkText(f.Type, f.Max, s)
		if reason != "" {
			return value{}, f.problem(s, reason)
		}
		return value{text: text}, nil
	}
}

// checkText checks one text of the given type and returns its stored form, or
// the reason why it cannot be stored.
func (f *Field) checkText(t Type, limit int, s string) (stored, reason string) {
	if !utf8.ValidString(s) {
		return "", "is not valid UTF-8"
	}
	switch t {
	case TypeID, TypeIDs:
		return s, checkLongID(s, cmp.Or(limit, lectern.MaxIDBytes))
	case TypeLanguage, TypeLanguages:
		return LanguageTag(s)
	case TypeEnum:
		if !slices.Contains(f.Allowed, s) {
			return "", "is not a known value" + nearest.Hint(s, f.Allowed)
		}
		return s, ""
	case TypeURL:
		if reason := checkLength(s, limit); reason != "" {
			return "", reason
		}
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return "", "is not an absolute web address"
		}
		return s, ""
	default:
		s = strings.TrimSpace(s)
		if strings.IndexByte(s, 0) >= 0 {
			return "", "contains a NUL character"
		}
		return s, checkLength(s, limit)
	}
}

func checkLength(s string, limit int) string {
	if len(s) > limit {
		if n := utf8.RuneCountInString(s); n > limit {
			return fmt.Sprintf("is %d characters long", n)
		}
	}
	return ""
}

func checkID(s string) string { return checkLongID(s, lectern.MaxIDBytes) }

func checkLongID(s string, limit int) string {
	switch {
	case s == "":
		return "is empty"
	case len(s) > limit:
		return fmt.Sprintf("is %d bytes long", len(s))
	case strings.ContainsFunc(s, unicode.IsControl):
		return "contains a control character"
	case s != strings.TrimSpace(s):
		return "begins or ends with a space"
	}
	return ""
}

func (f *Field) parseNumber(v any) (value, []lectern.FieldError) {
	var n float64
	switch x := v.(type) {
	case float64:
		n = x
	case json.Number:
		var err error
		if n, err = strconv.ParseFloat(string(x), 64); err != nil {
			return value{}, f.problem(x, "is out of range")
		}
	default:
		return f.wrong(v)
	}
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		return value{}, f.problem(v, "is not a finite number")
	case n < f.Low || n > f.High:
		return value{}, f.problem(v, "is out of range")
	case f.Type == TypeInteger && n != math.Trunc(n):
		return value{}, f.problem(v, "is not a whole number")
	case f.Type == TypeStars:
		n = math.Round(n*10) / 10
	}
	return value{number: n}, nil
}

func (f *Field) parseTime(v any) (value, []lectern.FieldError) {
	var t time.Time
	switch x := v.(type) {
	case time.Time:
		t = x
	case string:
		var err error
		if t, err = parseTimeText(x); err != nil {
			return value{}, f.problem(x, "is not a time")
		}
	default:
		return f.wrong(v)
	}
	t = lectern.Timestamp(t)
	if t.Year() < 1900 || t.Year() > 9999 {
		return value{}, f.problem(v, "lies outside the years 1900 to 9999")
	}
	if f.Type == TypeDay {
		t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	return value{time: t}, nil
}

// parseTimeText reads a date as its midnight UTC, or an RFC 3339 time. The date
// comes first by hand: ratings bring millions of them.
func parseTimeText(s string) (time.Time, error) {
	if len(s) == len(time.DateOnly) {
		return time.Parse(time.DateOnly, s)
	}
	return time.Parse(time.RFC3339, s)
}

func (f *Field) parseList(v any) (value, []lectern.FieldError) {
	var items []any
	switch x := v.(type) {
	case []any:
		items = x
	case []string:
		items = make([]any, len(x))
		for i, s := range x {
			items[i] = s
		}
	default:
		return f.wrong(v)
	}
	if len(items) > f.Max {
		return value{}, f.problem(fmt.Sprintf("%d items", len(items)), "has too many items")
	}
	out := make([]string, 0, len(items))
	seen := make(map[string]bool, len(items))
	var problems []lectern.FieldError
	for i, item := range items {
		s, ok := item.(string)
		reason := "must be a text"
		if ok {
			if s, reason = f.checkText(f.Type, f.ItemMax, s); reason == "" && s == "" {
				reason = "is empty"
			}
		}
		if reason != "" {
			problems = append(problems, lectern.NewFieldError(fmt.Sprintf("%s[%d]", f.Name, i), shown(item), reason, f.describeItem()))
			continue
		}
		if !seen[s] { // a list names each thing once
			seen[s] = true
			out = append(out, s)
		}
	}
	if problems != nil {
		return value{}, problems
	}
	return value{list: out}, nil
}

func (f *Field) parseObject(v any) (value, []lectern.FieldError) {
	raw, ok := v.(json.RawMessage)
	if !ok {
		return f.wrong(v)
	}
	if len(raw) > f.Max {
		return value{}, f.problem(fmt.Sprintf("%d bytes", len(raw)), "is too large")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return value{}, f.problem(string(raw), "is not an object")
	}
	if len(object) > MaxObjectKeys {
		return value{}, f.problem(fmt.Sprintf("%d keys", len(object)), "has too many keys")
	}
	return value{object: object, text: string(raw)}, nil
}

func (f *Field) problem(v any, reason string) []lectern.FieldError {
	return []lectern.FieldError{lectern.NewFieldError(f.Name, shown(v), reason, f.describe())}
}

func (f *Field) wrong(v any) (value, []lectern.FieldError) {
	return value{}, f.problem(v, "must be "+article(string(f.Type))+", not "+jsonTypeOf(v))
}

// shown is how a bad value is printed: as JSON where it is not a plain text.
func shown(v any) any {
	switch x := v.(type) {
	case json.RawMessage:
		return string(x)
	case []any:
		if b, err := json.Marshal(x); err == nil {
			return string(b)
		}
	case time.Time:
		return x.Format(time.RFC3339Nano)
	}
	return v
}

func jsonTypeOf(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case bool:
		return "true or false"
	case float64, json.Number:
		return "a number"
	case []any, []string:
		return "a list"
	case json.RawMessage:
		return "an object"
	}
	return fmt.Sprintf("%T", v)
}

// describe says what the field accepts.
func (f *Field) describe() string {
	switch f.Type {
	case TypeEnum:
		return strings.Join(f.Allowed, ", ")
	case TypeNumber, TypeStars, TypeInteger:
		return fmt.Sprintf("%s from %s to %s", article(string(f.Type)), trimNumber(f.Low), trimNumber(f.High))
	case TypeText:
		return fmt.Sprintf("a text of at most %d characters", f.Max)
	case TypeTexts, TypeIDs, TypeLanguages:
		return fmt.Sprintf("a list of at most %d items", f.Max)
	case TypeObject:
		return fmt.Sprintf("an object of at most %d bytes and %d keys", f.Max, MaxObjectKeys)
	case TypeID:
		return fmt.Sprintf("1 to %d bytes without control characters or spaces at the ends", cmp.Or(f.Max, lectern.MaxIDBytes))
	case TypeLanguage:
		return "a BCP 47 tag such as en or pt-BR"
	case TypeTime:
		return "an RFC 3339 time or a date, such as 2026-01-31T12:00:00Z or 2026-01-31"
	case TypeDay:
		return "a date such as 2026-01-31"
	case TypeURL:
		return fmt.Sprintf("an http or https address of at most %d characters", f.Max)
	}
	return string(f.Type)
}

func (f *Field) describeItem() string {
	item := Field{Name: f.Name, Max: f.ItemMax, Type: TypeText}
	switch f.Type {
	case TypeIDs:
		item.Type = TypeID
	case TypeLanguages:
		item.Type = TypeLanguage
	}
	return item.describe()
}

func trimNumber(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func article(noun string) string {
	switch {
	case noun == string(TypeBool):
		return noun
	case noun == string(TypeStars):
		return "a number of stars"
	case strings.IndexByte("aeiou", noun[0]) >= 0:
		return "an " + noun
	}
	return "a " + noun
}
