package lectern

import (
	"strings"
	"time"
)

// Filter narrows a list to courses that match every set part. Within a list of
// values any one suffices. Comparison of words ignores case. A course whose
// field is unknown does not match a filter on that field.
type Filter struct {
	Levels     []Level  `json:"levels,omitempty"`
	MaxHours   *float64 `json:"max_hours,omitempty"` // workload of at most this many hours
	Languages  []string `json:"languages,omitempty"` // "pt" also matches "pt-BR"
	Categories []string `json:"categories,omitempty"`
	Providers  []string `json:"providers,omitempty"`

	// Eligible, when set, keeps only what this caller may be shown.
	Eligible *Eligibility `json:"-"`
	// ExcludeIDs leaves out single courses.
	ExcludeIDs []string `json:"-"`
	// OnlyIDs, when not nil, keeps only these courses.
	OnlyIDs []string `json:"-"`
}

// Eligibility is the hard filter of every list: open, inside its enrolment
// window, and offered to this region and these organisations. A course that is
// restricted to regions or organisations is hidden from a caller whose region or
// organisation is unknown.
type Eligibility struct {
	At            time.Time
	Region        string
	Organisations []string
}

// FoldKey is the form in which categories, providers, regions, organisations
// and languages are compared: lower case, spaces trimmed and folded.
func FoldKey(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}

// LanguageKeys returns what a course in this language answers to: its folded
// tag and every shorter tag, so "pt-BR" gives ["pt-br", "pt"].
func LanguageKeys(tag string) []string {
	key := strings.ReplaceAll(FoldKey(tag), "_", "-")
	if key == "" {
		return nil
	}
	keys := []string{key}
	for i := strings.LastIndexByte(key, '-'); i > 0; i = strings.LastIndexByte(key[:i], '-') {
		keys = append(keys, key[:i])
	}
	return keys
}

// Payload is what an index keeps beside a course's vectors to filter by.
// Strings are folded with FoldKey; zero values are unknown or unrestricted.
type Payload struct {
	Level         Level
	Hours         *float64
	Languages     []string // LanguageKeys of the course's language
	Categories    []string
	Provider      string
	Status        Status
	EnrolFrom     *time.Time
	EnrolUntil    *time.Time
	Regions       []string
	Organisations []string
}

// PayloadOf derives the payload of a course.
func PayloadOf(c Course) Payload {
	status := c.Availability.Status
	if status == "" {
		status = StatusOpen
	}
	return Payload{
		Level:         c.Level,
		Hours:         c.WorkloadHours,
		Languages:     LanguageKeys(c.Language),
		Categories:    foldAll(c.Categories),
		Provider:      FoldKey(c.Provider),
		Status:        status,
		EnrolFrom:     c.Availability.EnrolFrom,
		EnrolUntil:    c.Availability.EnrolUntil,
		Regions:       foldAll(c.Availability.Regions),
		Organisations: foldAll(c.Availability.Organisations),
	}
}

func foldAll(in []string) []string {
	if len(in) == 0 {
		return nil
	}
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = FoldKey(s)
	}
	return out
}
