package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones by name, also on machines that have none
)

// Layouts that are no pattern.
const (
	layoutUnix      = "unix"    // seconds since 1970
	layoutUnixMilli = "unix_ms" // milliseconds since 1970
	layoutRFC3339   = "rfc3339"
)

// tokens of patterns with Go's spelling, longer ones first.
func tokens() [][2]string {
	return [][2]string{
		{"YYYY", "2006"}, {"YY", "06"}, {"MMMM", "January"}, {"MMM", "Jan"}, {"MM", "01"}, {"M", "1"},
		{"DDDD", "Monday"}, {"DDD", "Mon"}, {"DD", "02"}, {"D", "2"},
		{"hh", "15"}, {"h", "3"}, {"mm", "04"}, {"ss", "05"}, {"AM", "PM"}, {"ZZ", "-07:00"}, {"Z", "Z07:00"}, {"T", "T"},
	}
}

// layoutOf turns a pattern such as DD/MM/YYYY into a layout for time.Parse. A
// layout as Go writes it is left as it is.
func layoutOf(pattern string) (string, error) {
	switch {
	case pattern == layoutUnix, pattern == layoutUnixMilli:
		return pattern, nil
	case pattern == layoutRFC3339:
		return time.RFC3339, nil
	case strings.Contains(pattern, "2006"):
		return pattern, nil
	case !strings.Contains(pattern, "YY") || !strings.Contains(pattern, "M") || !strings.Contains(pattern, "D"):
		return "", fmt.Errorf("time pattern %q needs at least YYYY, MM and DD; or write rfc3339, unix or unix_ms", pattern)
	}
	var b strings.Builder
next:
	for rest := pattern; rest != ""; {
		for _, t := range tokens() {
			if after, ok := strings.CutPrefix(rest, t[0]); ok {
				b.WriteString(t[1])
				rest = after
				continue next
			}
		}
		if c := rest[0]; (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') {
			return "", fmt.Errorf("time pattern %q has %q, which is none of YYYY YY MMMM MMM MM M DDDD DDD DD D hh h mm ss AM ZZ Z T", pattern, rest[:1])
		}
		b.WriteByte(rest[0])
		rest = rest[1:]
	}
	return b.String(), nil
}

// parseTime reads a time by the first layout that fits.
func parseTime(s string, layouts []string, zone *time.Location) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	if layouts == nil {
		layouts = []string{time.RFC3339, time.DateOnly, time.DateTime, "2006-01-02T15:04:05"}
	}
	for _, layout := range layouts {
		if t, err := parseOne(s, layout, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time of the given form", s)
}

var errNotUnix = errors.New("not a whole number")

func parseOne(s, layout string, zone *time.Location) (time.Time, error) {
	if layout != layoutUnix && layout != layoutUnixMilli {
		return time.ParseInLocation(layout, s, zone)
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(s, ".0"), 10, 64)
	if err != nil {
		return time.Time{}, errNotUnix
	}
	if layout == layoutUnixMilli {
		return time.UnixMilli(n).UTC(), nil
	}
	return time.Unix(n, 0).UTC(), nil
}
