package retrieve

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// matcher is a Filter with its words folded, to be held against payloads in
// memory. It decides as an index does.
type matcher struct {
	levels     []lectern.Level
	minHours   *float64
	maxHours   *float64
	minRating  *float64
	languages  [][]string // LanguageKeys of each
	categories []string
	providers  []string
	skills     []string
	only       map[string]bool // nil is everything
	exclude    map[string]bool
	narrow     bool // anything of the above but exclude is asked for

	enrolled      bool // the learner is in the courses: windows and listing do not matter
	at            time.Time
	region        string
	organisations []string
}

// newMatcher compiles a filter; its Eligible must be set.
func newMatcher(f lectern.Filter) *matcher {
	m := &matcher{
		minHours:      f.MinHours,
		maxHours:      f.MaxHours,
		minRating:     f.MinRating,
		categories:    lectern.FoldKeys(f.Categories),
		providers:     lectern.FoldKeys(f.Providers),
		skills:        lectern.FoldKeys(f.Skills),
		at:            f.Eligible.At,
		region:        lectern.FoldKey(f.Eligible.Region),
		organisations: lectern.FoldKeys(f.Eligible.Organisations),
		exclude:       setOf(f.ExcludeIDs),
	}
	for _, l := range f.Levels {
		m.levels = append(m.levels, lectern.Level(lectern.FoldKey(string(l))))
	}
	for _, l := range f.Languages {
		m.languages = append(m.languages, lectern.LanguageKeys(l))
	}
	if f.OnlyIDs != nil {
		m.only = setOf(f.OnlyIDs)
	}
	f.ExcludeIDs = nil
	m.narrow = f.Narrows()
	return m
}

// enrolledIn is the same for courses that the learner is in: they may go on when
// enrolment is over, and with what lists do not show.
func (m *matcher) enrolledIn() *matcher {
	out := *m
	out.enrolled = true
	return &out
}

// allows reports whether a course may be in the list.
func (m *matcher) allows(id string, p *lectern.Payload) bool {
	return m.ineligible(p) == "" && m.filtered(id, p) == ""
}

// admits is allows for a course in memory. Most courses are open to all and most requests
// ask for no less than everything, which is told without a look at the payload.
func (m *matcher) admits(en *entry) bool {
	if en.unlimited && !m.narrow {
		return len(m.exclude) == 0 || !m.exclude[en.facts.ID]
	}
	return m.allows(en.facts.ID, &en.payload)
}

// unlimited reports whether a course may be shown at all times, everywhere and to
// everybody.
func unlimited(p *lectern.Payload) bool {
	return p.Status == lectern.StatusOpen && p.EnrolFrom == nil && p.EnrolUntil == nil &&
		len(p.Regions) == 0 && len(p.Organisations) == 0
}

// ineligible names the rule of eligibility that a course breaks, "" for none.
func (m *matcher) ineligible(p *lectern.Payload) string {
	switch {
	case p.Status != lectern.StatusOpen && (!m.enrolled || p.Status != lectern.StatusUnlisted):
		return "status"
	case m.enrolled: // regions and organisations still hold
	case p.EnrolFrom != nil && m.at.Before(*p.EnrolFrom):
		return "enrol_from"
	case p.EnrolUntil != nil && !m.at.Before(*p.EnrolUntil):
		return "enrol_until"
	}
	switch {
	case len(p.Regions) > 0 && (m.region == "" || !slices.Contains(p.Regions, m.region)):
		return "regions"
	case len(p.Organisations) > 0 && !overlap(p.Organisations, m.organisations):
		return "organisations"
	}
	return ""
}

// ineligibleDetail says in a sentence which rule a course breaks and how.
func (m *matcher) ineligibleDetail(p *lectern.Payload) string {
	switch m.ineligible(p) {
	case "status":
		return fmt.Sprintf("its status is %s; lists show open courses only", p.Status)
	case "enrol_from":
		return "enrolment opens at " + p.EnrolFrom.UTC().Format(time.RFC3339)
	case "enrol_until":
		return "enrolment closed at " + p.EnrolUntil.UTC().Format(time.RFC3339)
	case "regions":
		return fmt.Sprintf("it is offered in %s; the learner's region is %s", strings.Join(p.Regions, ", "), orUnknown(m.region))
	case "organisations":
		return fmt.Sprintf("it is offered to organisations %s; the learner's are %s",
			strings.Join(p.Organisations, ", "), orUnknown(strings.Join(m.organisations, ", ")))
	}
	return "open, inside its enrolment window, and offered to this learner"
}

// filtered names the part of the caller's filter that a course does not match,
// "" for none.
func (m *matcher) filtered(id string, p *lectern.Payload) string {
	switch {
	case len(m.levels) > 0 && (p.Level == "" || !slices.Contains(m.levels, p.Level)):
		return "level"
	case m.minHours != nil && (p.Hours == nil || *p.Hours < *m.minHours):
		return "min_hours"
	case m.maxHours != nil && (p.Hours == nil || *p.Hours > *m.maxHours):
		return "max_hours"
	case m.minRating != nil && (p.Rating <= 0 || p.Rating < *m.minRating):
		return "min_rating"
	case len(m.languages) > 0 && !m.speaks(p):
		return "language"
	case len(m.categories) > 0 && !overlap(p.Categories, m.categories):
		return "category"
	case len(m.providers) > 0 && (p.Provider == "" || !slices.Contains(m.providers, p.Provider)):
		return "provider"
	case len(m.skills) > 0 && !overlap(p.Skills, m.skills):
		return "skill"
	case m.only != nil && !m.only[id]:
		return "only"
	case m.exclude[id]:
		return "exclude"
	}
	return ""
}

// speaks reports whether a course is in one of the languages asked for.
func (m *matcher) speaks(p *lectern.Payload) bool {
	return slices.ContainsFunc(m.languages, func(want []string) bool { return lectern.LanguageAnswers(p.Languages, want) })
}

// filteredDetail says in a sentence which filter a course does not match.
func (m *matcher) filteredDetail(id string, p *lectern.Payload) string {
	switch m.filtered(id, p) {
	case "level":
		return fmt.Sprintf("level: it has %s, the filter wants %s", orUnknown(string(p.Level)), joinLevels(m.levels))
	case "min_hours":
		return fmt.Sprintf("min_hours: its workload is %s hours, the filter wants %g", hoursOf(p), *m.minHours)
	case "max_hours":
		return fmt.Sprintf("max_hours: its workload is %s hours, the filter allows %g", hoursOf(p), *m.maxHours)
	case "min_rating":
		return fmt.Sprintf("min_rating: its mean rating is %s, the filter wants %g", ratingOf(p), *m.minRating)
	case "language":
		var want []string
		for _, keys := range m.languages {
			want = append(want, append(keys, "")[0])
		}
		return fmt.Sprintf("language: it has %s, the filter wants %s", orUnknown(strings.Join(p.Languages, ", ")), strings.Join(want, ", "))
	case "skill":
		return fmt.Sprintf("skill: it has %s, the filter wants %s", orUnknown(strings.Join(p.Skills, ", ")), strings.Join(m.skills, ", "))
	case "category":
		return fmt.Sprintf("category: it has %s, the filter wants %s", orUnknown(strings.Join(p.Categories, ", ")), strings.Join(m.categories, ", "))
	case "provider":
		return fmt.Sprintf("provider: it has %s, the filter wants %s", orUnknown(p.Provider), strings.Join(m.providers, ", "))
	case "only":
		return "only: it is not among the courses asked for"
	case "exclude":
		return "exclude: the request leaves it out"
	}
	return "it matches every filter of the request"
}

func hoursOf(p *lectern.Payload) string {
	if p.Hours == nil {
		return "unknown"
	}
	return fmt.Sprintf("%g", *p.Hours)
}

func ratingOf(p *lectern.Payload) string {
	if p.Rating == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.2f", p.Rating)
}

func joinLevels(levels []lectern.Level) string {
	words := make([]string, len(levels))
	for i, l := range levels {
		words[i] = string(l)
	}
	return strings.Join(words, ", ")
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func setOf(ids []string) map[string]bool {
	if len(ids) == 0 {
		return map[string]bool{}
	}
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
