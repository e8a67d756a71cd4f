package rerank

import (
	"slices"

	"github.com/lectern-dev/lectern"
)

// Includes reports whether somebody belongs to the audience. What is not known of them
// meets no condition.
func (a Audience) Includes(w Who) bool {
	folded := a.folded()
	return folded.includes(&w)
}

// folded returns the audience with its names as Who has them.
func (a Audience) folded() Audience {
	if len(a.Languages) > 0 {
		languages := make([]string, 0, len(a.Languages))
		for _, tag := range a.Languages {
			if keys := lectern.LanguageKeys(tag); len(keys) > 0 {
				languages = append(languages, keys[0])
			}
		}
		a.Languages = languages
	}
	a.Regions, a.Organisations = lectern.FoldKeys(a.Regions), lectern.FoldKeys(a.Organisations)
	return a
}

// includes is Includes of a folded audience. Nothing is allocated where regions and
// organisations are written as they were folded.
func (a *Audience) includes(w *Who) bool {
	switch {
	case a.SignedIn != nil && *a.SignedIn != w.SignedIn,
		w.Courses < a.MinCourses,
		a.MaxCourses != nil && w.Courses > *a.MaxCourses,
		len(a.Levels) > 0 && !slices.Contains(a.Levels, w.Level):
		return false
	}
	// Whoever speaks en-GB has the keys en-gb and en.
	if len(a.Languages) > 0 && !slices.ContainsFunc(w.Languages, func(key string) bool { return slices.Contains(a.Languages, key) }) {
		return false
	}
	if len(a.Regions) > 0 && !slices.Contains(a.Regions, lectern.FoldKey(w.Region)) {
		return false
	}
	return len(a.Organisations) == 0 || slices.ContainsFunc(w.Organisations, func(o string) bool {
		return slices.Contains(a.Organisations, lectern.FoldKey(o))
	})
}
