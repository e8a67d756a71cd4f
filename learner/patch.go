package learner

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// Patch is what a learner corrects about what is known of them. What it does not
// name stays as it is. As JSON, a field that is absent changes nothing, and null
// takes back what was stated, so that it is estimated again.
type Patch struct {
	// RemoveInterests are names of interests as the description has them, or skills
	// or categories of courses that the learner did something with. Courses about
	// them make no taste any more, those to come included, and what is stated under
	// the name is no longer.
	RemoveInterests []string `json:"remove_interests,omitempty"`
	// RestoreInterests are removed interests that count again.
	RestoreInterests []string `json:"restore_interests,omitempty"`
	// Interests take the place of those stated. One that had been removed is
	// restored.
	Interests   Change[[]string]      `json:"interests,omitzero"`
	Goal        Change[string]        `json:"goal,omitzero"`
	Level       Change[lectern.Level] `json:"level,omitzero"`
	WeeklyHours Change[float64]       `json:"weekly_hours,omitzero"`
	Pace        Change[lectern.Pace]  `json:"pace,omitzero"`
	// Preferences that are named are set, or taken back by null; null in place of them
	// all takes back every one.
	Preferences Change[map[lectern.Preference]*lectern.Leaning] `json:"preferences,omitzero"`
}

// Change is a field of a patch: left alone, taken back, or set. The zero value
// leaves it alone.
type Change[T any] struct {
	Given bool
	Value *T // nil takes back
}

// To is a change that sets a value.
func To[T any](v T) Change[T] { return Change[T]{Given: true, Value: &v} }

// Back is a change that takes back what was stated.
func Back[T any]() Change[T] { return Change[T]{Given: true} }

// UnmarshalJSON reads a field that is present: null takes back.
func (c *Change[T]) UnmarshalJSON(data []byte) error {
	c.Given, c.Value = true, nil
	return json.Unmarshal(data, &c.Value)
}

// MarshalJSON writes null for what is taken back.
func (c Change[T]) MarshalJSON() ([]byte, error) { return json.Marshal(c.Value) }

// IsZero reports whether the field is left alone.
func (c Change[T]) IsZero() bool { return !c.Given }

// The bounds of what a learner may state; they are those of imports.
const (
	maxInterestChars = 300
	maxInterests     = 500
	maxGoalChars     = 1_000
	maxWeeklyHours   = 168
	maxRemoved       = 500
)

// check returns what is wrong with a patch whatever is known of the learner.
func (p Patch) check() []lectern.FieldError {
	var bad []lectern.FieldError
	fail := func(field string, value any, allowed string) {
		bad = append(bad, lectern.NewFieldError(field, value, "is not allowed", allowed))
	}
	clean := func(field string, texts ...string) {
		for _, s := range texts {
			if strings.ContainsFunc(s, isControl) {
				fail(field, s, "no control characters")
			}
		}
	}
	clean("remove_interests", p.RemoveInterests...)
	clean("restore_interests", p.RestoreInterests...)
	if v := p.Interests.Value; v != nil {
		clean("interests", *v...)
		if len(*v) > maxInterests {
			fail("interests", len(*v), "at most 500")
		}
		for _, s := range *v {
			if strings.TrimSpace(s) == "" || utf8.RuneCountInString(s) > maxInterestChars {
				fail("interests", s, "1 to 300 characters each")
			}
		}
	}
	if v := p.Goal.Value; v != nil {
		clean("goal", *v)
	}
	if v := p.Goal.Value; v != nil && utf8.RuneCountInString(*v) > maxGoalChars {
		fail("goal", *v, "at most 1000 characters")
	}
	if v := p.Level.Value; v != nil && !slices.Contains(lectern.Levels(), *v) {
		fail("level", *v, words(lectern.Levels()))
	}
	if v := p.WeeklyHours.Value; v != nil && !(*v >= 0 && *v <= maxWeeklyHours) {
		fail("weekly_hours", *v, "0 to 168")
	}
	if v := p.Pace.Value; v != nil && !slices.Contains(lectern.Paces(), *v) {
		fail("pace", *v, words(lectern.Paces()))
	}
	return append(bad, p.checkPreferences()...)
}

// checkPreferences names the preferences and leanings that there are not, in order.
func (p Patch) checkPreferences() []lectern.FieldError {
	if p.Preferences.Value == nil {
		return nil
	}
	var bad []lectern.FieldError
	for _, name := range slices.Sorted(maps.Keys(*p.Preferences.Value)) {
		leaning := (*p.Preferences.Value)[name]
		switch {
		case !slices.Contains(lectern.Preferences(), name):
			bad = append(bad, lectern.NewFieldError("preferences", name, "is unknown", words(lectern.Preferences())))
		case leaning != nil && *leaning != lectern.LeanLess && *leaning != lectern.LeanMore:
			bad = append(bad, lectern.NewFieldError("preferences."+string(name), *leaning, "is not allowed", "less, more or null"))
		}
	}
	return bad
}

// isControl reports whether a character is none that is read: PostgreSQL cannot keep
// NUL, and those that turn text around make a name look like another. Ends of lines
// and the marks that Arabic and Hebrew are written with are read.
func isControl(r rune) bool {
	switch r {
	case '\n', '\r', '\t', '\u200e', '\u200f', '\u061c':
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

// words lists what a field may hold.
func words[T ~string](of []T) string {
	out := make([]string, len(of))
	for i, w := range of {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
