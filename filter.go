package lectern

import (
	"slices"
	"strings"
	"time"
)

// Filter narrows a list to courses that match every set part. Within a list of
// values any one suffices. Comparison of words ignores case. A course whose
// field is unknown does not match a filter on that field.
type Filter struct {
	Levels     []Level  `json:"levels,omitempty"`
	MinHours   *float64 `json:"min_hours,omitempty"` // workload of at least this many hours
	MaxHours   *float64 `json:"max_hours,omitempty"` // workload of at most this many hours
	Languages  []string `json:"languages,omitempty"` // "pt" also matches "pt-BR", and "pt-BR" a course in plain "pt": see LanguageAnswers
	Categories []string `json:"categories,omitempty"`
	Providers  []string `json:"providers,omitempty"`
	Skills     []string `json:"skills,omitempty"` // stated by the course

	// MinRating keeps courses whose mean rating is at least so many stars. Ratings
	// change without the course, so indexes do not keep them: they let everything
	// through here, and what makes lists holds them against what it knows.
	MinRating *float64 `json:"min_rating,omitempty"`

	// Eligible, when set, keeps only what this caller may be shown.
	Eligible *Eligibility `json:"-"`
	// ExcludeIDs leaves out single courses.
	ExcludeIDs []string `json:"-"`
	// OnlyIDs, when not nil, keeps only these courses.
	OnlyIDs []string `json:"-"`
}

// Narrows reports whether the caller filters by anything; Eligible, which every
// list has, does not count.
func (f Filter) Narrows() bool {
	return len(f.Levels)+len(f.Languages)+len(f.Categories)+len(f.Providers)+len(f.Skills)+len(f.ExcludeIDs) > 0 ||
		f.MinHours != nil || f.MaxHours != nil || f.MinRating != nil || f.OnlyIDs != nil
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

// LanguageAnswers reports whether a course answers to a filter on a language, both
// given as LanguageKeys: it does in that language or a narrower one, and in a
// broader one too. Who asks for "pt-BR" is offered plain "pt", but not "pt-PT".
func LanguageAnswers(course, want []string) bool {
	return len(course) > 0 && len(want) > 0 && (slices.Contains(course, want[0]) || slices.Contains(want, course[0]))
}

// Payload is what an index keeps beside a course's vectors to filter by.
// Strings are folded with FoldKey; zero values are unknown or unrestricted.
type Payload struct {
	Level         Level
	Hours         *float64
	Rating        float64  // mean stars; indexes do not keep it, see Filter.MinRating
	Languages     []string // LanguageKeys of the course's language
	Categories    []string
	Provider      string
	Skills        []string
	Status        Status
	EnrolFrom     *time.Time
	EnrolUntil    *time.Time
	Regions       []string
	Organisations []string
}

// PayloadOf derives the payload of a course. Its rating is the one that the
// platform states; who knows more ratings sets their mean.
func PayloadOf(c Course) Payload {
	status := c.Availability.Status
	if status == "" {
		status = StatusOpen
	}
	return Payload{
		Level:         c.Level,
		Hours:         c.WorkloadHours,
		Languages:     LanguageKeys(c.Language),
		Categories:    FoldKeys(c.Categories),
		Provider:      FoldKey(c.Provider),
		Rating:        c.Stated.RatingMean,
		Skills:        FoldKeys(c.Skills),
		Status:        status,
		EnrolFrom:     c.Availability.EnrolFrom,
		EnrolUntil:    c.Availability.EnrolUntil,
		Regions:       FoldKeys(c.Availability.Regions),
		Organisations: FoldKeys(c.Availability.Organisations),
	}
}

// FoldKeys is FoldKey of each, nil of none.
func FoldKeys(in []string) []string {
	if len(in) == 0 {
		return nil
	}
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = FoldKey(s)
	}
	return out
}
