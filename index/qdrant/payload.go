package qdrant

import (
	"math"
	"slices"
	"time"

	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
)

// The fields of a point's payload. All but the id are filtered by.
const (
	fieldID            = "id" // the course's own, as the platform knows it
	fieldStatus        = "status"
	fieldLevel         = "level"
	fieldLanguages     = "languages"
	fieldCategories    = "categories"
	fieldProvider      = "provider"
	fieldSkills        = "skills"
	fieldHours         = "hours"       // absent when unknown
	fieldFrom          = "enrol_from"  // microseconds since 1970
	fieldUntil         = "enrol_until" // microseconds since 1970, exclusive
	fieldRegions       = "regions"
	fieldOrganisations = "organisations"
)

// A point without a limit says so with a value, so that every condition is one
// lookup or one range. anyone stands in capital letters, which a folded region
// or organisation never has; nobody is what remains of a list of blank names.
const (
	anyone = "ANY"
	nobody = "NONE"
)

// ownLanguage marks, among the keys of a course's language, the one that the
// others are cut from: "pt-BR" has pt-br, pt and =pt-br, plain "pt" has pt and =pt.
const ownLanguage = "="

// Times without a limit: powers of two, so exact in a range, whose bounds are
// float64, and some 146,000 years away. Microseconds themselves are exact there
// up to the year 2255, which the time that a caller asks about does not pass.
const (
	always = -1 << 62
	never  = 1 << 62
)

// facts are a lectern.Payload in the form that is stored: folded, sorted, each
// value once.
type facts struct {
	status, level, provider string
	languages, categories   []string
	skills                  []string
	regions, organisations  []string
	hours                   float64 // NaN is unknown
	from, until             int64
}

// factsOf folds a payload once more, so that filters match even if the writer
// forgot to.
func factsOf(p lectern.Payload) facts {
	f := facts{
		status:        string(p.Status),
		level:         lectern.FoldKey(string(p.Level)),
		provider:      lectern.FoldKey(p.Provider),
		languages:     languages(p.Languages),
		skills:        fold(p.Skills, lectern.FoldKey),
		categories:    fold(p.Categories, lectern.FoldKey),
		regions:       limit(p.Regions),
		organisations: limit(p.Organisations),
		hours:         math.NaN(),
		from:          always,
		until:         never,
	}
	if f.status == "" {
		f.status = string(lectern.StatusOpen)
	}
	if p.Hours != nil && !math.IsInf(*p.Hours, 0) {
		f.hours = *p.Hours
	}
	if t := p.EnrolFrom; t != nil && !t.IsZero() {
		f.from = micros(*t)
	}
	if t := p.EnrolUntil; t != nil && !t.IsZero() {
		f.until = micros(*t)
	}
	return f
}

// fold returns the values in the form that is compared, without blank ones.
func fold(values []string, key func(string) string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		if v = key(v); v != "" {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// languages folds the keys of a course's language and marks its own.
func languages(keys []string) []string {
	out := fold(keys, lectern.FoldKey)
	own := ""
	for _, k := range out {
		if len(k) > len(own) {
			own = k
		}
	}
	if own == "" {
		return out
	}
	return slices.Insert(out, 0, ownLanguage+own) // sorts before letters
}

// limit folds a list to which a course is restricted; an empty one is no limit.
func limit(values []string) []string {
	if len(values) == 0 {
		return []string{anyone}
	}
	if out := fold(values, lectern.FoldKey); len(out) > 0 {
		return out
	}
	return []string{nobody}
}

func micros(t time.Time) int64 { return min(max(t.UnixMicro(), always), never) }

// payload is what Qdrant keeps beside a course's vectors.
func (f facts) payload(id string) map[string]*pb.Value {
	out := map[string]*pb.Value{
		fieldID:            pb.NewValueString(id),
		fieldStatus:        pb.NewValueString(f.status),
		fieldFrom:          pb.NewValueInt(f.from),
		fieldUntil:         pb.NewValueInt(f.until),
		fieldRegions:       stringValues(f.regions),
		fieldOrganisations: stringValues(f.organisations),
	}
	if f.level != "" {
		out[fieldLevel] = pb.NewValueString(f.level)
	}
	if f.provider != "" {
		out[fieldProvider] = pb.NewValueString(f.provider)
	}
	if len(f.languages) > 0 {
		out[fieldLanguages] = stringValues(f.languages)
	}
	if len(f.categories) > 0 {
		out[fieldCategories] = stringValues(f.categories)
	}
	if len(f.skills) > 0 {
		out[fieldSkills] = stringValues(f.skills)
	}
	if !math.IsNaN(f.hours) {
		out[fieldHours] = pb.NewValueDouble(f.hours)
	}
	return out
}

// factsIn reads back what payload wrote. What is not there or of another kind
// comes back as nothing, so that it differs from any facts.
func factsIn(p map[string]*pb.Value) facts {
	f := facts{
		status:        p[fieldStatus].GetStringValue(),
		level:         p[fieldLevel].GetStringValue(),
		provider:      p[fieldProvider].GetStringValue(),
		languages:     stringsIn(p[fieldLanguages]),
		categories:    stringsIn(p[fieldCategories]),
		skills:        stringsIn(p[fieldSkills]),
		regions:       stringsIn(p[fieldRegions]),
		organisations: stringsIn(p[fieldOrganisations]),
		hours:         math.NaN(),
		from:          p[fieldFrom].GetIntegerValue(),
		until:         p[fieldUntil].GetIntegerValue(),
	}
	switch v := p[fieldHours].GetKind().(type) {
	case *pb.Value_DoubleValue:
		f.hours = v.DoubleValue
	case *pb.Value_IntegerValue: // JSON does not tell 10 from 10.0
		f.hours = float64(v.IntegerValue)
	}
	return f
}

// equal reports whether two facts are the same. Hours go through decimal text on
// the server, so their last bits may differ.
func (f facts) equal(g facts) bool {
	hours := f.hours == g.hours || (math.IsNaN(f.hours) && math.IsNaN(g.hours)) ||
		math.Abs(f.hours-g.hours) <= 1e-12*math.Abs(f.hours)
	return hours && f.status == g.status && f.level == g.level && f.provider == g.provider &&
		f.from == g.from && f.until == g.until &&
		slices.Equal(f.languages, g.languages) && slices.Equal(f.categories, g.categories) &&
		slices.Equal(f.skills, g.skills) &&
		slices.Equal(f.regions, g.regions) && slices.Equal(f.organisations, g.organisations)
}

func stringValues(values []string) *pb.Value {
	out := make([]*pb.Value, len(values))
	for i, v := range values {
		out[i] = pb.NewValueString(v)
	}
	return pb.NewValueFromList(out...)
}

func stringsIn(v *pb.Value) []string {
	var out []string
	for _, each := range v.GetListValue().GetValues() {
		out = append(out, each.GetStringValue())
	}
	return out
}
