package suggest

import (
	"slices"

	"github.com/lectern-dev/lectern"
)

// newMatcher compiles a filter to be held against payloads. It decides as an
// index does; what is not open is never suggested.
func newMatcher(f lectern.Filter) func(id string, p *lectern.Payload) bool {
	f.Categories, f.Providers = lectern.FoldKeys(f.Categories), lectern.FoldKeys(f.Providers)
	f.Skills = lectern.FoldKeys(f.Skills)
	languages := make([][]string, len(f.Languages))
	for i, l := range f.Languages {
		languages[i] = lectern.LanguageKeys(l)
	}
	e := f.Eligible
	if e != nil {
		e = &lectern.Eligibility{At: e.At, Region: lectern.FoldKey(e.Region), Organisations: lectern.FoldKeys(e.Organisations)}
	}
	return func(id string, p *lectern.Payload) bool {
		return eligible(e, p) &&
			(len(f.Levels) == 0 || p.Level != "" && slices.Contains(f.Levels, p.Level)) &&
			(f.MaxHours == nil || p.Hours != nil && *p.Hours <= *f.MaxHours) &&
			(f.MinHours == nil || p.Hours != nil && *p.Hours >= *f.MinHours) &&
			(f.MinRating == nil || p.Rating > 0 && p.Rating >= *f.MinRating) &&
			(len(languages) == 0 || slices.ContainsFunc(languages, func(want []string) bool {
				return lectern.LanguageAnswers(p.Languages, want)
			})) &&
			(len(f.Skills) == 0 || overlap(p.Skills, f.Skills)) &&
			(len(f.Categories) == 0 || overlap(p.Categories, f.Categories)) &&
			(len(f.Providers) == 0 || p.Provider != "" && slices.Contains(f.Providers, p.Provider)) &&
			(f.OnlyIDs == nil || slices.Contains(f.OnlyIDs, id)) && !slices.Contains(f.ExcludeIDs, id)
	}
}

// visible takes what is hidden from somebody out of what matches.
func (s *Suggester) visible(ref lectern.LearnerRef, matches func(string, *lectern.Payload) bool) func(string, *lectern.Payload) bool {
	if s.o.Hidden == nil {
		return matches
	}
	hidden := s.o.Hidden(ref)
	if hidden == nil {
		return matches
	}
	return func(id string, p *lectern.Payload) bool { return matches(id, p) && !hidden(id) }
}

// eligible reports whether a course may be shown to this caller.
func eligible(e *lectern.Eligibility, p *lectern.Payload) bool {
	if p.Status != lectern.StatusOpen || e == nil {
		return p.Status == lectern.StatusOpen
	}
	return (p.EnrolFrom == nil || !e.At.Before(*p.EnrolFrom)) &&
		(p.EnrolUntil == nil || e.At.Before(*p.EnrolUntil)) &&
		(len(p.Regions) == 0 || e.Region != "" && slices.Contains(p.Regions, e.Region)) &&
		(len(p.Organisations) == 0 || overlap(p.Organisations, e.Organisations))
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
