package rerank

import (
	"fmt"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// maxClashes bounds how many clashes are told of one document.
const maxClashes = 100

// Clash is two rules that want contrary things of the same courses, in the same lists,
// for the same people, at the same time.
type Clash struct {
	Rules   [2]string `json:"rules"`             // ids, in the order of the document
	Wins    string    `json:"wins,omitempty"`    // the one that has its way; "" where neither has
	Courses []string  `json:"courses,omitempty"` // ids, where rules name courses
	Message string    `json:"message"`           // a sentence
}

// Clashes finds pairs of rules that clash, in the order of the document, up to a hundred:
// one hides what the other pins or boosts, one boosts what the other buries, two pin to
// one place, or one course to two. Rules that are switched off clash with nothing.
//
// Two rules are about the same courses when they name the same one, when one names
// courses that the other selects by name of provider, category or skill (which facts
// tells, nil for a course that it does not know), or when what one selects is part of
// what the other does. Whether two rules have a course in common of which one goes by
// provider and the other by skill, is not looked into.
func Clashes(rules []Rule, facts func(id string) *Facts) []Clash {
	compiled := make([]compiledRule, len(rules))
	for i := range rules {
		compiled[i] = compileRule(&rules[i])
	}
	var out []Clash
	for i := range compiled {
		for j := i + 1; j < len(compiled) && len(out) < maxClashes; j++ {
			if c, ok := clash(&compiled[i], &compiled[j], facts); ok {
				out = append(out, c)
			}
		}
	}
	return out
}

// contrary is what two actions have against each other.
type contrary int

const (
	agree    contrary = iota
	hidden            // one hides what the other pins or boosts
	weighted          // one boosts what the other buries
	bothPin
)

func contraryOf(a, b *compiledRule) contrary {
	has := func(x, y RuleAction) bool {
		return a.Action == x && b.Action == y || a.Action == y && b.Action == x
	}
	switch {
	case has(RuleHide, RulePin), has(RuleHide, RuleBoost):
		return hidden
	case has(RuleBoost, RuleBury):
		return weighted
	case has(RulePin, RulePin):
		return bothPin
	}
	return agree
}

// clash holds two rules against each other, a being the first in the document.
func clash(a, b *compiledRule, facts func(string) *Facts) (Clash, bool) {
	kind := contraryOf(a, b)
	if kind == agree || a.Off || b.Off || !a.meets(&b.audience) || !meetInTime(a.Rule, b.Rule) {
		return Clash{}, false
	}
	where, ok := sharedPlaces(a.Rule, b.Rule)
	if !ok {
		return Clash{}, false
	}
	what, courses, same := sharedCourses(a, b, facts)
	out := Clash{Rules: [2]string{a.ID, b.ID}, Courses: courses}
	overlap := where + sharedAudience(&a.audience, &b.audience) + sharedTime(a.Rule, b.Rule)
	switch {
	case kind == bothPin:
		return out.ofPins(a, b, what, overlap, same)
	case !same:
		return Clash{}, false
	case kind == hidden:
		hide, other := a, b
		if b.Action == RuleHide {
			hide, other = b, a
		}
		out.Wins = hide.ID
		out.Message = fmt.Sprintf("rule %q hides %s, which rule %q %ss, %s: %q wins, as hiding goes before all else",
			hide.ID, what, other.ID, other.Action, overlap, hide.ID)
		return out, true
	}
	boost, bury := a, b
	if a.Action == RuleBury {
		boost, bury = b, a
	}
	after := (Neutral + boost.strength*(1-Neutral)) * (1 - bury.strength)
	weight := "so neither outweighs the other"
	switch {
	case after > Neutral+tiny:
		out.Wins = boost.ID
	case after < Neutral-tiny:
		out.Wins = bury.ID
	}
	if out.Wins != "" {
		weight = fmt.Sprintf("so %q outweighs the other", out.Wins)
	}
	out.Message = fmt.Sprintf("rule %q boosts %s, which rule %q buries, %s: both count, and a score of %.2f becomes %.2f, %s",
		boost.ID, what, bury.ID, overlap, Neutral, after, weight)
	return out, true
}

// ofPins says what becomes of two pins, a being the first in the document.
func (c Clash) ofPins(a, b *compiledRule, what, overlap string, same bool) (Clash, bool) {
	from, to := max(a.Position, b.Position), min(a.Position+a.most(), b.Position+b.most())
	c.Wins = a.ID
	if same && len(a.Courses) > 0 && len(b.Courses) > 0 {
		c.Message = fmt.Sprintf("rules %q and %q both pin %s, %s: %q wins, as it comes first", a.ID, b.ID, what, overlap, a.ID)
		return c, true
	}
	c.Courses = nil
	if from >= to {
		return c, false
	}
	c.Message = fmt.Sprintf("rules %q and %q both pin to position %d, %s: %q wins, as it comes first, and what %q pins goes to the next free position",
		a.ID, b.ID, from, overlap, a.ID, b.ID)
	return c, true
}

// most is how many places a pin may take.
func (c *compiledRule) most() int {
	if len(c.Courses) > 0 {
		return len(c.Courses)
	}
	return max(c.Count, 1)
}

// sharedCourses finds what two rules are both about, in words, with the ids where rules
// name courses.
func sharedCourses(a, b *compiledRule, facts func(string) *Facts) (what string, courses []string, ok bool) {
	if a.selects[byCourse] == nil && b.selects[byCourse] == nil {
		return sharedNames(a, b)
	}
	ids := a.Courses
	if a.selects[byCourse] == nil {
		ids = b.Courses
	}
	byID := true // nothing but ids is asked for
	for kind := byCourse + 1; kind < selectorKinds; kind++ {
		byID = byID && a.selects[kind] == nil && b.selects[kind] == nil
	}
	for _, id := range ids {
		if slices.Contains(courses, id) || !holdsAny(a.selects[byCourse], id) || !holdsAny(b.selects[byCourse], id) {
			continue
		}
		if !byID {
			if facts == nil {
				continue
			}
			if f := facts(id); f == nil || !a.about(f) || !b.about(f) {
				continue
			}
		}
		courses = append(courses, id)
	}
	switch len(courses) {
	case 0:
		return "", nil, false
	case 1:
		return fmt.Sprintf("course %q", courses[0]), courses, true
	}
	return "courses " + named(courses), courses, true
}

// sharedNames finds what two rules that name no courses are both about: where both name
// a kind, what both name; and only if at most one of them names more kinds than the
// other.
func sharedNames(a, b *compiledRule) (what string, courses []string, ok bool) {
	words := [selectorKinds]string{byProvider: "provider", byCategory: "category", bySkill: "skill"}
	var more [2]bool
	for kind := byCourse + 1; kind < selectorKinds; kind++ {
		x, y := a.selects[kind], b.selects[kind]
		var names []string
		switch {
		case x == nil && y == nil:
			continue
		case y == nil:
			more[0], names = true, inOrder(x)
		case x == nil:
			more[1], names = true, inOrder(y)
		default:
			for _, name := range inOrder(x) {
				if _, both := y[name]; both {
					names = append(names, name)
				}
			}
			if len(names) == 0 {
				return "", nil, false
			}
		}
		if what != "" {
			what += " and "
		}
		what += words[kind] + " " + named(names)
	}
	return "courses of " + what, nil, what != "" && (!more[0] || !more[1])
}

// inOrder lists the values of a selector as the rule does.
func inOrder(selected map[string]int) []string {
	out := make([]string, 0, len(selected))
	for name := range selected {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int { return selected[a] - selected[b] })
	return out
}

// named writes names for people, the first few of many.
func named[T ~string](names []T) string {
	const few = 3
	out := ""
	for i, name := range names[:min(few, len(names))] {
		switch {
		case i == 0:
		case i == len(names)-1:
			out += " and "
		default:
			out += ", "
		}
		out += fmt.Sprintf("%q", name)
	}
	if rest := len(names) - few; rest > 0 {
		out += fmt.Sprintf(" and %d more", rest)
	}
	return out
}

// sharedPlaces says where both rules hold.
func sharedPlaces(a, b *Rule) (where string, ok bool) {
	var surfaces []lectern.Surface
	for _, s := range lectern.Surfaces() {
		if a.shown(s, "") && b.shown(s, "") {
			surfaces = append(surfaces, s)
		}
	}
	if len(surfaces) == len(lectern.Surfaces()) {
		return "on every surface", true
	}
	var rows []lectern.Row
	if !slices.Contains(surfaces, lectern.SurfaceHome) {
		for _, row := range lectern.Rows() {
			if a.shown(lectern.SurfaceHome, row) && b.shown(lectern.SurfaceHome, row) {
				rows = append(rows, row)
			}
		}
	}
	switch {
	case len(surfaces) > 0 && len(rows) > 0:
		return "on " + list(surfaces) + " and in rows of home: " + list(rows), true
	case len(rows) > 0:
		return "in rows of home: " + list(rows), true
	}
	return "on " + list(surfaces), len(surfaces) > 0
}

// meets reports whether somebody may belong to both audiences.
func (c *compiledRule) meets(b *Audience) bool {
	a := &c.audience
	if a.SignedIn != nil && b.SignedIn != nil && *a.SignedIn != *b.SignedIn {
		return false
	}
	least, most := sharedCount(a, b)
	return (most < 0 || least <= most) && meet(a.Regions, b.Regions) && meet(a.Organisations, b.Organisations) &&
		meet(a.Levels, b.Levels) && (len(a.Languages) == 0 || len(b.Languages) == 0 || len(sharedLanguages(a, b)) > 0)
}

// sharedCount is how many courses the people of both audiences have; most is −1 without
// an end.
func sharedCount(a, b *Audience) (least, most int) {
	most = -1
	for _, m := range []*int{a.MaxCourses, b.MaxCourses} {
		if m != nil && (most < 0 || *m < most) {
			most = *m
		}
	}
	return max(a.MinCourses, b.MinCourses), most
}

func meet[T comparable](a, b []T) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(x T) bool { return slices.Contains(b, x) })
}

// shared is what both name, or what the one names that names any.
func shared[T comparable](a, b []T) []T {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	var out []T
	for _, x := range a {
		if slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// sharedLanguages are the narrower ones of languages that contain each other.
func sharedLanguages(a, b *Audience) []string {
	if len(a.Languages) == 0 || len(b.Languages) == 0 {
		return shared(a.Languages, b.Languages)
	}
	var out []string
	for _, x := range a.Languages {
		for _, y := range b.Languages {
			narrow := ""
			if slices.Contains(lectern.LanguageKeys(x), y) {
				narrow = x
			} else if slices.Contains(lectern.LanguageKeys(y), x) {
				narrow = y
			}
			if narrow != "" && !slices.Contains(out, narrow) {
				out = append(out, narrow)
			}
		}
	}
	return out
}

// sharedAudience says who belongs to both audiences; nothing where that is everybody.
func sharedAudience(a, b *Audience) string {
	out := ""
	for _, signedIn := range []*bool{a.SignedIn, b.SignedIn} {
		if signedIn != nil {
			out = ", for visitors"
			if *signedIn {
				out = ", for learners"
			}
		}
	}
	if least, most := sharedCount(a, b); most >= 0 {
		out += fmt.Sprintf(", with %d to %d courses", least, most)
	} else if least > 0 {
		out += fmt.Sprintf(", with %d courses or more", least)
	}
	for _, part := range []struct {
		word   string
		values string
	}{
		{"who read", list(sharedLanguages(a, b))}, {"in region", list(shared(a.Regions, b.Regions))},
		{"of organisation", list(shared(a.Organisations, b.Organisations))}, {"of level", list(shared(a.Levels, b.Levels))},
	} {
		if part.values != "" {
			out += ", " + part.word + " " + part.values
		}
	}
	return out
}

// spanOf is when both rules hold; nil is without a start, or an end.
func spanOf(a, b *Rule) (from, until *time.Time) {
	from, until = a.From, a.Until
	if b.From != nil && (from == nil || b.From.After(*from)) {
		from = b.From
	}
	if b.Until != nil && (until == nil || b.Until.Before(*until)) {
		until = b.Until
	}
	return from, until
}

func meetInTime(a, b *Rule) bool {
	from, until := spanOf(a, b)
	return from == nil || until == nil || from.Before(*until)
}

// sharedTime says when both rules hold; nothing where that is always.
func sharedTime(a, b *Rule) string {
	from, until := spanOf(a, b)
	out := ""
	if from != nil {
		out += ", from " + from.UTC().Format(time.RFC3339)
	}
	if until != nil {
		out += ", until " + until.UTC().Format(time.RFC3339)
	}
	return out
}
