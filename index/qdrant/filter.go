package qdrant

import (
	"math"
	"slices"

	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
)

// conditions translates a filter. A nil filter lets everything through; ok is
// false where nothing can pass, and then there is no need to ask.
func conditions(f lectern.Filter) (filter *pb.Filter, ok bool) {
	b := builder{ok: true}
	levels := make([]string, len(f.Levels))
	for i, l := range f.Levels {
		levels[i] = string(l)
	}
	b.anyOf(fieldLevel, levels, lectern.FoldKey)
	b.languages(f.Languages)
	b.anyOf(fieldCategories, f.Categories, lectern.FoldKey)
	b.anyOf(fieldProvider, f.Providers, lectern.FoldKey)
	b.anyOf(fieldSkills, f.Skills, lectern.FoldKey)
	b.hours(f.MinHours, f.MaxHours)
	if f.Eligible != nil {
		b.eligible(f.Eligible)
	}
	if f.OnlyIDs != nil {
		b.only(f.OnlyIDs)
	}
	if ids := pointIDs(f.ExcludeIDs); len(ids) > 0 {
		b.mustNot = append(b.mustNot, pb.NewHasID(ids...))
	}
	if !b.ok || (len(b.must) == 0 && len(b.mustNot) == 0) {
		return nil, b.ok
	}
	return &pb.Filter{Must: b.must, MustNot: b.mustNot}, true
}

// builder gathers conditions, each of which must hold.
type builder struct {
	must, mustNot []*pb.Condition
	ok            bool // false once nothing can pass
}

// anyOf asks for one of these values. No values are no condition, blank ones
// match nothing.
func (b *builder) anyOf(field string, values []string, key func(string) string) {
	if len(values) == 0 {
		return
	}
	keys := fold(values, key)
	if len(keys) == 0 {
		b.ok = false
		return
	}
	b.must = append(b.must, pb.NewMatchKeywords(field, keys...))
}

// languages asks for courses in each language or a narrower one, and for those
// whose own is broader, as lectern.LanguageAnswers does.
func (b *builder) languages(tags []string) {
	if len(tags) == 0 {
		return
	}
	var keys []string
	for _, tag := range tags {
		for i, key := range lectern.LanguageKeys(tag) {
			if i > 0 {
				key = ownLanguage + key
			}
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if keys = slices.Compact(keys); len(keys) == 0 {
		b.ok = false
		return
	}
	b.must = append(b.must, pb.NewMatchKeywords(fieldLanguages, keys...))
}

// hours leaves out points without hours too, which have no such field. A limit
// that is infinite asks for no more than that they are known.
func (b *builder) hours(least, most *float64) {
	if least == nil && most == nil {
		return
	}
	var limits pb.Range
	switch {
	case least == nil || math.IsInf(*least, -1):
	case math.IsNaN(*least) || math.IsInf(*least, 1):
		b.ok = false
	default:
		limits.Gte = least
	}
	switch {
	case most == nil || math.IsInf(*most, 1):
	case math.IsNaN(*most) || math.IsInf(*most, -1):
		b.ok = false
	default:
		limits.Lte = most
	}
	if limits.Gte == nil && limits.Lte == nil {
		b.mustNot = append(b.mustNot, pb.NewIsEmpty(fieldHours))
		return
	}
	b.must = append(b.must, pb.NewRange(fieldHours, &limits))
}

// eligible asks for what a caller may be shown: the window is [from, until).
func (b *builder) eligible(e *lectern.Eligibility) {
	at := float64(micros(e.At))
	b.must = append(b.must,
		pb.NewMatchKeyword(fieldStatus, string(lectern.StatusOpen)),
		pb.NewRange(fieldFrom, &pb.Range{Lte: &at}),
		pb.NewRange(fieldUntil, &pb.Range{Gt: &at}),
		pb.NewMatchKeywords(fieldRegions, allowed([]string{e.Region})...),
		pb.NewMatchKeywords(fieldOrganisations, allowed(e.Organisations)...))
}

// allowed is what a course's limit may name for the caller to be within it.
func allowed(values []string) []string {
	return append([]string{anyone}, fold(values, lectern.FoldKey)...)
}

func (b *builder) only(ids []string) {
	if len(ids) == 0 {
		b.ok = false
		return
	}
	b.must = append(b.must, pb.NewHasID(pointIDs(ids)...))
}

// sameFilter reports whether two filters are equal word for word, so that one
// translation does for both.
func sameFilter(a, b lectern.Filter) bool {
	if (a.OnlyIDs == nil) != (b.OnlyIDs == nil) || !sameNumber(a.MinHours, b.MinHours) || !sameNumber(a.MaxHours, b.MaxHours) ||
		!sameCaller(a.Eligible, b.Eligible) {
		return false
	}
	return slices.Equal(a.Levels, b.Levels) && slices.Equal(a.Languages, b.Languages) &&
		slices.Equal(a.Categories, b.Categories) && slices.Equal(a.Providers, b.Providers) && slices.Equal(a.Skills, b.Skills) &&
		slices.Equal(a.ExcludeIDs, b.ExcludeIDs) && slices.Equal(a.OnlyIDs, b.OnlyIDs)
}

func sameNumber(a, b *float64) bool {
	return a == b || (a != nil && b != nil && *a == *b)
}

func sameCaller(a, b *lectern.Eligibility) bool {
	return a == b || (a != nil && b != nil && a.At.Equal(b.At) && a.Region == b.Region &&
		slices.Equal(a.Organisations, b.Organisations))
}
