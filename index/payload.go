package index

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// field names a payload field that is filtered by value.
type field uint8

const (
	fieldStatus field = iota
	fieldLevel
	fieldLanguage
	fieldOwnLanguage // the longest of the keys alone
	fieldCategory
	fieldProvider
	fieldSkill
	fieldRegion
	fieldOrganisation
)

// fact is one value of one field, for example category "data science".
type fact struct {
	field field
	value string
}

// flags say which parts of eligibility apply to a row.
type flags uint8

const (
	flagOpen flags = 1 << iota // listed at all
	flagWindowed
	flagRegional
	flagOrganisational
)

// Times without a limit.
const (
	always = math.MinInt64
	never  = math.MaxInt64
)

// encoded is a payload in the form that the columns keep.
type encoded struct {
	flags flags
	hours float64 // NaN is unknown
	from  int64   // microseconds; always is unlimited
	until int64   // microseconds, exclusive; never is unlimited
	facts []fact  // sorted, each once
}

// encode folds a payload once more, so that filters match even if the writer
// forgot to.
func encode(p lectern.Payload) encoded {
	status := p.Status
	if status == "" {
		status = lectern.StatusOpen
	}
	e := encoded{hours: math.NaN(), from: always, until: never}
	e.add(fieldStatus, string(status))
	e.add(fieldLevel, string(p.Level))
	e.add(fieldProvider, p.Provider)
	e.add(fieldLanguage, p.Languages...)
	e.add(fieldOwnLanguage, longest(p.Languages))
	e.add(fieldSkill, p.Skills...)
	e.add(fieldCategory, p.Categories...)
	e.add(fieldRegion, p.Regions...)
	e.add(fieldOrganisation, p.Organisations...)
	slices.SortFunc(e.facts, func(a, b fact) int {
		return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.value, b.value))
	})
	e.facts = slices.Compact(e.facts)

	if status == lectern.StatusOpen {
		e.flags |= flagOpen
	}
	if p.Hours != nil {
		e.hours = *p.Hours
	}
	if p.EnrolFrom != nil && !p.EnrolFrom.IsZero() {
		e.flags |= flagWindowed
		e.from = p.EnrolFrom.UnixMicro()
	}
	if p.EnrolUntil != nil && !p.EnrolUntil.IsZero() {
		e.flags |= flagWindowed
		e.until = p.EnrolUntil.UnixMicro()
	}
	if len(p.Regions) > 0 {
		e.flags |= flagRegional
	}
	if len(p.Organisations) > 0 {
		e.flags |= flagOrganisational
	}
	return e
}

// longest is the key of a language that all others are cut from, "" for none.
func longest(keys []string) string {
	out := ""
	for _, k := range keys {
		if len(k) > len(out) {
			out = k
		}
	}
	return out
}

func (e *encoded) add(f field, values ...string) {
	for _, v := range values {
		if v = lectern.FoldKey(v); v != "" {
			e.facts = append(e.facts, fact{f, v})
		}
	}
}

// columns hold the payload by row. All are append-only.
type columns struct {
	flags []flags
	hours []float64
	from  []int64
	until []int64
	facts [][]uint32 // numbers of facts, in the order of encoded.facts
}

func (c *columns) append(e encoded, facts []uint32) {
	c.flags = append(c.flags, e.flags)
	c.hours = append(c.hours, e.hours)
	c.from = append(c.from, e.from)
	c.until = append(c.until, e.until)
	c.facts = append(c.facts, facts)
}

// eligible reports whether a row may be shown to the caller: the window is
// [from, until).
func (c *columns) eligible(row uint32, e *caller) bool {
	f := c.flags[row]
	if f&flagOpen == 0 {
		return false
	}
	if f == flagOpen {
		return true
	}
	if f&flagWindowed != 0 && (e.at < c.from[row] || e.at >= c.until[row]) {
		return false
	}
	if f&flagRegional != 0 && !slices.Contains(c.facts[row], e.region) {
		return false
	}
	return f&flagOrganisational == 0 || c.hasAny(row, e.organisations)
}

// hasAny reports whether the row has one of these facts.
func (c *columns) hasAny(row uint32, facts []uint32) bool {
	for _, have := range c.facts[row] {
		if slices.Contains(facts, have) {
			return true
		}
	}
	return false
}

// caller is an Eligibility with its values looked up.
type caller struct {
	at            int64 // microseconds
	region        uint32
	organisations []uint32
}

// noFact is the number of a value that no row has.
const noFact = math.MaxUint32

// dictionary numbers facts and lists the rows that have each. It is guarded by
// Index.mu; the lists are append-only, so a slice taken under the lock may be
// read after it.
type dictionary struct {
	number map[fact]uint32
	rows   [][]uint32 // by number: rows, rising, dead ones among them
	facts  []fact     // by number
}

func newDictionary() dictionary { return dictionary{number: map[fact]uint32{}} }

// lookup returns the number of a value after folding, noFact when it is new.
func (d *dictionary) lookup(f field, value string) uint32 {
	if n, ok := d.number[fact{f, value}]; ok && value != "" {
		return n
	}
	return noFact
}

// intern returns the number of a fact, giving it the next one if it is new.
func (d *dictionary) intern(f fact) uint32 {
	n, ok := d.number[f]
	if !ok {
		n = uint32(len(d.rows))
		f.value = strings.Clone(f.value) // let go of the text it was cut from
		d.number[f] = n
		d.rows = append(d.rows, nil)
		d.facts = append(d.facts, f)
	}
	return n
}

// add records that a row has these facts and returns their numbers.
func (d *dictionary) add(row uint32, facts []fact) []uint32 {
	if len(facts) == 0 {
		return nil
	}
	out := make([]uint32, len(facts))
	for i, f := range facts {
		n := d.intern(f)
		out[i] = n
		// Status is asked for through the flags only, and nearly all rows share
		// one value, so it has no list.
		if f.field != fieldStatus {
			d.rows[n] = append(d.rows[n], row)
		}
	}
	return out
}
