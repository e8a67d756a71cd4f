package retrieve

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/lectern-dev/lectern"
)

// countFacets counts the candidates by the facets asked for. Of a facet that the
// request filters by, those count that pass the other filters.
func (e *Engine) countFacets(ctx context.Context, p *pass) (*lectern.FacetCounts, error) {
	if len(p.req.Facets) == 0 {
		return nil, nil
	}
	out := &lectern.FacetCounts{Courses: len(p.entries)}
	for _, f := range lectern.Facets() {
		if !slices.Contains(p.req.Facets, f) {
			continue
		}
		among := p.entries
		req := p.req
		if without(&req.Filter, facetFilters(f)...) {
			v, err := e.variant(ctx, p, req)
			if err != nil {
				return nil, err
			}
			among = v.entries
		}
		out.Facets = append(out.Facets, countFacet(f, among, &p.req.Filter))
	}
	return out, nil
}

// facetFilters names the filters that choose a facet's values.
func facetFilters(f lectern.Facet) []string {
	switch f {
	case lectern.FacetHours:
		return []string{"min_hours", "max_hours"}
	case lectern.FacetRating:
		return []string{"min_rating"}
	}
	return []string{string(f)}
}

// countFacet counts courses by one facet.
func countFacet(f lectern.Facet, among []*entry, filter *lectern.Filter) lectern.FacetCount {
	switch f {
	case lectern.FacetHours:
		return countHours(among, filter)
	case lectern.FacetRating:
		return countRatings(among, filter)
	}
	return countValues(f, among, filter)
}

// facetValue is a value as it is compared, and as it is shown.
type facetValue struct{ key, shown string }

// appendValues adds a course's values of a facet.
func (e *entry) appendValues(to []facetValue, f lectern.Facet) []facetValue {
	switch f {
	case lectern.FacetLevel:
		if e.facts.Level != "" {
			to = append(to, facetValue{string(e.facts.Level), string(e.facts.Level)})
		}
	case lectern.FacetLanguage:
		if n := len(e.facts.Languages); n > 0 {
			base := e.facts.Languages[n-1] // the language without region
			to = append(to, facetValue{base, base})
		}
	case lectern.FacetProvider:
		if e.facts.Provider != "" {
			to = append(to, facetValue{e.facts.Provider, e.provider})
		}
	case lectern.FacetCategory:
		for i, key := range e.payload.Categories {
			if key != "" && !slices.Contains(e.payload.Categories[:i], key) {
				to = append(to, facetValue{key, e.categories[i]})
			}
		}
	}
	return to
}

// selectedKeys are the values that a request filters a facet by, as compared.
func selectedKeys(f lectern.Facet, filter *lectern.Filter) (keys, shown []string) {
	switch f {
	case lectern.FacetLevel:
		for _, l := range filter.Levels {
			shown = append(shown, lectern.FoldKey(string(l)))
		}
	case lectern.FacetLanguage:
		for _, l := range filter.Languages {
			if all := lectern.LanguageKeys(l); len(all) > 0 {
				shown = append(shown, all[len(all)-1])
			}
		}
	case lectern.FacetCategory:
		shown = filter.Categories
	case lectern.FacetProvider:
		shown = filter.Providers
	}
	return lectern.FoldKeys(shown), shown
}

// tally is a value with how many courses have it.
type tally struct {
	facetValue
	count    int
	selected bool
}

// countValues counts the values of a facet. Those that are filtered by are always
// among them, so that they can be taken back.
func countValues(f lectern.Facet, among []*entry, filter *lectern.Filter) lectern.FacetCount {
	out := lectern.FacetCount{Facet: f, Courses: len(among), Values: []lectern.FacetValue{}}
	at := make(map[string]int)
	var tallies []tally
	keys, shown := selectedKeys(f, filter)
	for i, key := range keys {
		if _, ok := at[key]; !ok && key != "" {
			at[key] = len(tallies)
			tallies = append(tallies, tally{facetValue{key, shown[i]}, 0, true})
		}
	}
	var values []facetValue
	for _, en := range among {
		values = en.appendValues(values[:0], f)
		if len(values) == 0 {
			out.Unknown++
		}
		for _, v := range values {
			i, ok := at[v.key]
			if !ok {
				i = len(tallies)
				at[v.key] = i
				tallies = append(tallies, tally{facetValue: v})
			}
			if tallies[i].count == 0 {
				tallies[i].shown = v.shown // as the catalogue writes it
			}
			tallies[i].count++
		}
	}
	slices.SortFunc(tallies, func(a, b tally) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.key, b.key))
	})
	listed := make(map[string]bool, lectern.MaxFacetValues)
	for _, t := range mostOf(tallies) {
		listed[t.key] = true
		out.Values = append(out.Values, lectern.FacetValue{Value: t.shown, Count: t.count, Selected: t.selected})
	}
	if len(tallies) > len(listed) {
		out.Other = countOther(f, among, listed)
	}
	return out
}

// mostOf keeps so many values as are shown, those that are filtered by first.
func mostOf(tallies []tally) []tally {
	if len(tallies) <= lectern.MaxFacetValues {
		return tallies
	}
	room := lectern.MaxFacetValues
	for _, t := range tallies {
		if t.selected {
			room--
		}
	}
	out := make([]tally, 0, lectern.MaxFacetValues)
	for _, t := range tallies {
		switch {
		case t.selected:
			out = append(out, t)
		case room > 0:
			out = append(out, t)
			room--
		}
	}
	return out
}

// countOther counts the courses that have none of the listed values but others.
func countOther(f lectern.Facet, among []*entry, listed map[string]bool) int {
	n := 0
	var values []facetValue
	for _, en := range among {
		values = en.appendValues(values[:0], f)
		if len(values) > 0 && !slices.ContainsFunc(values, func(v facetValue) bool { return listed[v.key] }) {
			n++
		}
	}
	return n
}

// hourRanges are the workloads that are told apart, in hours. Both ends belong to a
// range, as they do to the filters.
func hourRanges() [][2]float64 { return [][2]float64{{0, 2}, {2, 10}, {10, 40}, {40, -1}} }

// countHours counts workloads.
func countHours(among []*entry, filter *lectern.Filter) lectern.FacetCount {
	out := lectern.FacetCount{Facet: lectern.FacetHours, Courses: len(among)}
	for _, r := range hourRanges() {
		least, most := r[0], r[1]
		v := lectern.FacetValue{Value: number(least) + "-" + number(most), Min: &least, Max: &most}
		if least == 0 {
			v.Min = nil
		}
		if most < 0 {
			v.Value, v.Max = number(least)+"+", nil
		}
		v.Selected = sameBound(v.Min, filter.MinHours) && sameBound(v.Max, filter.MaxHours)
		for _, en := range among {
			if h := en.facts.Hours; h != nil && *h >= least && (most < 0 || *h <= most) {
				v.Count++
			}
		}
		out.Values = append(out.Values, v)
	}
	for _, en := range among {
		if en.facts.Hours == nil {
			out.Unknown++
		}
	}
	return out
}

// leastRatings are the ratings from which courses are counted, in stars.
func leastRatings() []float64 { return []float64{4.5, 4, 3} }

// countRatings counts ratings from a least one on.
func countRatings(among []*entry, filter *lectern.Filter) lectern.FacetCount {
	out := lectern.FacetCount{Facet: lectern.FacetRating, Courses: len(among)}
	for _, least := range leastRatings() {
		v := lectern.FacetValue{Value: number(least), Min: &least, Selected: filter.MinRating != nil && *filter.MinRating == least}
		for _, en := range among {
			if en.payload.Rating >= least {
				v.Count++
			}
		}
		out.Values = append(out.Values, v)
	}
	for _, en := range among {
		if en.payload.Rating <= 0 {
			out.Unknown++
		}
	}
	return out
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// sameBound reports whether two bounds are the same; a least of 0 hours is none.
func sameBound(a, b *float64) bool {
	if a == nil || b == nil {
		return (a == nil || *a == 0) && (b == nil || *b == 0)
	}
	return *a == *b
}
