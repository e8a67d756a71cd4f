package index

import (
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

// plan is a Filter with its values looked up in one view. It answers for single
// rows (match) and for all of them (bitmap).
type plan struct {
	v       *view
	groups  []group // each must match
	hours   limits
	caller  *caller
	exclude []uint32 // rows
	only    []uint32 // rows, with hasOnly
	hasOnly bool
}

// group is the accepted values of one field, any of which suffices.
type group struct {
	facts []uint32
	rows  [][]uint32 // for each fact
}

// limits bound hours, both ends included.
type limits struct {
	least, most float64
	set         bool
}

// within reports whether hours, NaN for unknown, are inside.
func (l limits) within(hours float64) bool { return hours >= l.least && hours <= l.most }

// limitsOf are the limits of a filter.
func limitsOf(f lectern.Filter) limits {
	l := limits{least: math.Inf(-1), most: math.Inf(1), set: f.MinHours != nil || f.MaxHours != nil}
	if f.MinHours != nil {
		l.least = *f.MinHours
	}
	if f.MaxHours != nil {
		l.most = *f.MaxHours
	}
	return l
}

// plan looks a filter up. The caller holds x.mu.
func (x *Index) plan(f lectern.Filter) *plan {
	p := &plan{v: x.view}
	levels := make([]string, len(f.Levels))
	for i, l := range f.Levels {
		levels[i] = string(l)
	}
	x.addGroup(p, fieldLevel, levels, lectern.FoldKey)
	x.addLanguages(p, f.Languages)
	x.addGroup(p, fieldCategory, f.Categories, lectern.FoldKey)
	x.addGroup(p, fieldProvider, f.Providers, lectern.FoldKey)
	x.addGroup(p, fieldSkill, f.Skills, lectern.FoldKey)
	p.hours = limitsOf(f)
	if e := f.Eligible; e != nil {
		p.caller = &caller{
			at:     e.At.UnixMicro(),
			region: x.facts.lookup(fieldRegion, lectern.FoldKey(e.Region)),
		}
		for _, o := range e.Organisations {
			if n := x.facts.lookup(fieldOrganisation, lectern.FoldKey(o)); n != noFact {
				p.caller.organisations = append(p.caller.organisations, n)
			}
		}
	}
	p.exclude = x.rowsOf(f.ExcludeIDs)
	if f.OnlyIDs != nil {
		p.only, p.hasOnly = x.rowsOf(f.OnlyIDs), true
	}
	return p
}

// addLanguages accepts courses in each language or a narrower one, and those whose
// own is broader, as lectern.LanguageAnswers does.
func (x *Index) addLanguages(p *plan, tags []string) {
	if len(tags) == 0 {
		return
	}
	var g group
	for _, tag := range tags {
		for i, key := range lectern.LanguageKeys(tag) {
			if i == 0 {
				x.accept(&g, fieldLanguage, key)
				continue
			}
			x.accept(&g, fieldOwnLanguage, key)
		}
	}
	p.groups = append(p.groups, g)
}

func (x *Index) addGroup(p *plan, f field, values []string, fold func(string) string) {
	if len(values) == 0 {
		return
	}
	var g group
	for _, value := range values {
		x.accept(&g, f, fold(value))
	}
	p.groups = append(p.groups, g)
}

// accept adds a value, once, if any row has it.
func (x *Index) accept(g *group, f field, value string) {
	n := x.facts.lookup(f, value)
	if n != noFact && !slices.Contains(g.facts, n) {
		g.facts = append(g.facts, n)
		g.rows = append(g.rows, x.facts.rows[n])
	}
}

// rowsOf returns the live rows of those ids that exist.
func (x *Index) rowsOf(ids []string) []uint32 {
	var rows []uint32
	for _, id := range ids {
		if row, ok := x.rowOf[id]; ok {
			rows = append(rows, row)
		}
	}
	return rows
}

// everything reports that no row is filtered out.
func (p *plan) everything() bool {
	return len(p.groups) == 0 && !p.hours.set && p.caller == nil && len(p.exclude) == 0 && !p.hasOnly
}

// match reports whether a live row passes. It does not look at exclude and only.
func (p *plan) match(row uint32) bool {
	cols := &p.v.cols
	if p.caller != nil && !cols.eligible(row, p.caller) {
		return false
	}
	if p.hours.set && !p.hours.within(cols.hours[row]) {
		return false
	}
	for _, g := range p.groups {
		if !cols.hasAny(row, g.facts) {
			return false
		}
	}
	return true
}

// bitmap returns the live rows that pass; it may be the view's own, so it is
// for reading only.
func (p *plan) bitmap() bitset {
	if p.everything() {
		return p.v.live
	}
	if p.hasOnly {
		return p.among(p.only)
	}
	out := p.start()
	for _, g := range p.groups {
		p.keepGroup(out, g)
	}
	if p.hours.set {
		hours := p.v.cols.hours
		out.each(func(row uint32) {
			if !p.hours.within(hours[row]) {
				out.unset(row)
			}
		})
	}
	for _, row := range p.exclude {
		out.unset(row)
	}
	return out
}

// start returns the rows that the caller may be shown.
func (p *plan) start() bitset {
	v := p.v
	if p.caller == nil {
		return slices.Clone(v.live)
	}
	out := slices.Clone(v.free)
	for _, row := range v.limited {
		if v.live.has(row) && v.cols.eligible(row, p.caller) {
			out.set(row)
		}
	}
	return out
}

// keepGroup drops from out the rows that have none of the group's facts.
func (p *plan) keepGroup(out bitset, g group) {
	has := newBitset(p.v.n)
	for _, rows := range g.rows {
		for _, row := range rows {
			if int(row) >= p.v.n { // written after this view
				break
			}
			has.set(row)
		}
	}
	out.and(has)
}

// among returns those of the rows that pass, exclusions included.
func (p *plan) among(rows []uint32) bitset {
	out := newBitset(p.v.n)
	for _, row := range rows {
		if p.match(row) {
			out.set(row)
		}
	}
	for _, row := range p.exclude {
		out.unset(row)
	}
	return out
}

// allows reports for one live row what bitmap says for all.
func (p *plan) allows(row uint32) bool {
	return p.match(row) && !slices.Contains(p.exclude, row) && (!p.hasOnly || slices.Contains(p.only, row))
}

// sameFilter reports whether two filters are equal word for word.
func sameFilter(a, b lectern.Filter) bool {
	if (a.OnlyIDs == nil) != (b.OnlyIDs == nil) || (a.Eligible == nil) != (b.Eligible == nil) ||
		limitsOf(a) != limitsOf(b) {
		return false
	}
	if e, g := a.Eligible, b.Eligible; e != nil && e != g &&
		(!e.At.Equal(g.At) || e.Region != g.Region || !slices.Equal(e.Organisations, g.Organisations)) {
		return false
	}
	return slices.Equal(a.Levels, b.Levels) && slices.Equal(a.Languages, b.Languages) &&
		slices.Equal(a.Categories, b.Categories) && slices.Equal(a.Providers, b.Providers) && slices.Equal(a.Skills, b.Skills) &&
		slices.Equal(a.ExcludeIDs, b.ExcludeIDs) && slices.Equal(a.OnlyIDs, b.OnlyIDs)
}
