package rerank

import (
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// The kinds of selectors.
const (
	byCourse = iota
	byProvider
	byCategory
	bySkill
	selectorKinds
)

// rulebook are compiled rules. It is read only, and safe for concurrent use.
type rulebook struct {
	rules []compiledRule
	// index finds rules by what they select: each rule stands under the values of one of
	// its selectors, so that a candidate meets only rules that may be about it, however
	// many there are.
	index [selectorKinds]map[string][]int32
	hints [selectorKinds]hints
	pins  bool
}

// compiledRule is a rule with its names folded as the catalogue folds them.
type compiledRule struct {
	*Rule
	term     string                        // what it is called among the terms
	selects  [selectorKinds]map[string]int // value → place in the rule; nil is any
	audience Audience                      // folded
	plain    bool                          // it has one selector
	strength float64
}

// newRulebook compiles usable rules, without those that are switched off.
func newRulebook(rules []Rule) *rulebook {
	b := &rulebook{}
	for i := range rules {
		if rules[i].Off {
			continue
		}
		c := compileRule(&rules[i])
		kind := slices.IndexFunc(c.selects[:], func(s map[string]int) bool { return s != nil })
		if kind < 0 {
			continue // about nothing
		}
		at := int32(len(b.rules))
		b.rules = append(b.rules, c)
		b.pins = b.pins || c.Action == RulePin
		if b.index[kind] == nil {
			b.index[kind] = make(map[string][]int32)
		}
		for value := range c.selects[kind] {
			b.index[kind][value] = append(b.index[kind][value], at)
			b.hints[kind].add(value)
		}
	}
	return b
}

func compileRule(r *Rule) compiledRule {
	c := compiledRule{Rule: r, term: ruleTermPrefix + r.ID, audience: r.Audience.folded(), strength: r.strength()}
	c.selects[byCourse] = places(r.Courses, func(s string) string { return s })
	c.selects[byProvider] = places(r.Providers, lectern.FoldKey)
	c.selects[byCategory] = places(r.Categories, lectern.FoldKey)
	c.selects[bySkill] = places(r.Skills, lectern.FoldKey)
	set := 0
	for _, s := range c.selects {
		if s != nil {
			set++
		}
	}
	c.plain = set == 1
	return c
}

// places numbers the values of a selector; nil when it has none.
func places(values []string, fold func(string) string) map[string]int {
	if len(values) == 0 {
		return nil
	}
	out := make(map[string]int, len(values))
	for i, v := range values {
		if _, ok := out[fold(v)]; !ok {
			out[fold(v)] = i
		}
	}
	return out
}

// hints say, of most values that no rule selects, that there is no use in looking them
// up: each value stands for one of 1,024 bits.
type hints struct {
	bits [16]uint64
	some bool
}

func (h *hints) add(s string) {
	at := hint(s)
	h.bits[at>>6] |= 1 << (at & 63)
	h.some = true
}

func (h *hints) may(s string) bool {
	at := hint(s)
	return h.bits[at>>6]&(1<<(at&63)) != 0
}

// hint mixes a few letters, most of them from the end, where names of a kind differ.
func hint(s string) uint32 {
	n := len(s)
	if n < 4 {
		h := uint32(n)
		for i := range n {
			h = h*31 + uint32(s[i])
		}
		return h * 0x9e3779b1 >> 22
	}
	h := uint32(s[n-1]) | uint32(s[n-2])<<8 | uint32(s[n-3])<<16 | uint32(s[n-4])<<24
	h = h*0x85ebca6b ^ (uint32(s[0]) | uint32(s[n/2])<<8 | uint32(n)<<16)
	return h * 0x9e3779b1 >> 22
}

// active marks the rules that hold for a request, and reports whether any does.
func (b *rulebook) active(req *Request, marks []bool) ([]bool, bool) {
	marks = append(marks[:0], make([]bool, len(b.rules))...)
	some := false
	for i := range b.rules {
		if b.rules[i].holds(req) {
			marks[i], some = true, true
		}
	}
	return marks, some
}

// holds reports whether a rule is for this list, at this time, for this person.
func (c *compiledRule) holds(req *Request) bool {
	return c.shown(req.Surface, req.Row) && c.during(req.At) && c.audience.includes(&req.Who)
}

// shown reports whether a rule is for a list. A row is part of home, whatever surface
// lends it its weights.
func (r *Rule) shown(s lectern.Surface, row lectern.Row) bool {
	if s != lectern.SurfaceHome && row == "" {
		return len(r.Surfaces) == 0 && len(r.Rows) == 0 || slices.Contains(r.Surfaces, s)
	}
	return (len(r.Surfaces) == 0 || slices.Contains(r.Surfaces, lectern.SurfaceHome)) &&
		(len(r.Rows) == 0 || slices.Contains(r.Rows, row))
}

func (r *Rule) during(at time.Time) bool {
	return (r.From == nil || !at.Before(*r.From)) && (r.Until == nil || at.Before(*r.Until))
}

// matches appends the active rules about a course to out, in the order of the document.
func (b *rulebook) matches(f *Facts, active []bool, out []int32) []int32 {
	if h := &b.hints[byCourse]; h.some && h.may(f.ID) {
		out = b.look(byCourse, f.ID, f, active, out)
	}
	if h := &b.hints[byProvider]; h.some && h.may(f.Provider) {
		out = b.look(byProvider, f.Provider, f, active, out)
	}
	if h := &b.hints[byCategory]; h.some {
		for _, s := range f.Categories {
			if h.may(s) {
				out = b.look(byCategory, s, f, active, out)
			}
		}
	}
	if h := &b.hints[bySkill]; h.some {
		for _, s := range f.Skills {
			if h.may(s) {
				out = b.look(bySkill, s, f, active, out)
			}
		}
	}
	if len(out) > 1 {
		slices.Sort(out)
		out = slices.Compact(out) // a rule may name several skills of one course
	}
	return out
}

// look appends the rules that stand under one value, if the rest of them matches too.
func (b *rulebook) look(kind int, value string, f *Facts, active []bool, out []int32) []int32 {
	for _, at := range b.index[kind][value] {
		if active[at] && (b.rules[at].plain || b.rules[at].about(f)) {
			out = append(out, at)
		}
	}
	return out
}

// about reports whether a course matches every selector.
func (c *compiledRule) about(f *Facts) bool {
	return holdsAny(c.selects[byCourse], f.ID) && holdsAny(c.selects[byProvider], f.Provider) &&
		holdsAny(c.selects[byCategory], f.Categories...) && holdsAny(c.selects[bySkill], f.Skills...)
}

func holdsAny(selected map[string]int, values ...string) bool {
	if selected == nil {
		return true
	}
	for _, v := range values {
		if _, ok := selected[v]; ok {
			return true
		}
	}
	return false
}

// ruleTermPrefix stands before a rule's id in the name of what it adjusts.
const ruleTermPrefix = "rule:"

// adjusted is a score after the boosts and buries among the rules that match:
// (score + B·(1 − score))·(1 − D), where B and D are 1 − Π(1 − strength) of either.
func (b *rulebook) adjusted(score float64, matching []int32) float64 {
	for _, at := range matching {
		if c := &b.rules[at]; c.Action == RuleBoost {
			score += c.strength * (1 - score)
		}
	}
	for _, at := range matching {
		if c := &b.rules[at]; c.Action == RuleBury {
			score -= c.strength * score
		}
	}
	return score
}

// terms lays out what every rule adjusted, step by step as adjusted does: a boost gives
// strength × what was missing to 1, a bury takes strength × what there was.
func (b *rulebook) terms(score float64, matching []int32, out []lectern.Term) []lectern.Term {
	add := func(c *compiledRule, weight, value float64) {
		out = append(out, lectern.Term{Name: c.term, Value: value, Weight: weight, Contribution: weight * value})
		score += weight * value
	}
	for _, at := range matching {
		if c := &b.rules[at]; c.Action == RuleBoost {
			add(c, c.strength, 1-score)
		}
	}
	for _, at := range matching {
		if c := &b.rules[at]; c.Action == RuleBury {
			add(c, -c.strength, score)
		}
	}
	return out
}

// hides reports whether one of the rules that match hides the course.
func (b *rulebook) hides(matching []int32) bool {
	for _, at := range matching {
		if b.rules[at].Action == RuleHide {
			return true
		}
	}
	return false
}

// Pins returns the courses that rules pin for a request, in the order of the rules.
// Those that rules pin by anything but id are among the candidates already, or are not
// pinned.
func (l *Linear) Pins(req Request) []string {
	if !l.rules.pins {
		return nil
	}
	var out []string
	for i := range l.rules.rules {
		if c := &l.rules.rules[i]; c.Action == RulePin && len(c.Courses) > 0 && c.holds(&req) {
			for _, id := range c.Courses {
				if !slices.Contains(out, id) {
					out = append(out, id)
				}
			}
		}
	}
	return out
}

// HiddenBy returns the id of the rule that hides a course from a list, or "".
func (l *Linear) HiddenBy(req Request, f *Facts) string {
	for i := range l.rules.rules {
		if c := &l.rules.rules[i]; c.Action == RuleHide && c.about(f) && c.holds(&req) {
			return c.ID
		}
	}
	return ""
}

// Hides returns what decides quickly, of many courses, whether rules hide them from a
// list; nil where no rule hides anything from it. What it returns is for one goroutine.
func (l *Linear) Hides(req Request) func(*Facts) bool {
	active, some := make([]bool, len(l.rules.rules)), false
	for i := range l.rules.rules {
		if c := &l.rules.rules[i]; c.Action == RuleHide && c.holds(&req) {
			active[i], some = true, true
		}
	}
	if !some {
		return nil
	}
	var found []int32
	return func(f *Facts) bool {
		found = l.rules.matches(f, active, found[:0])
		return len(found) > 0
	}
}

// Phase counts the instants up to a time at which rules begin or end: what is kept of
// lists made in another phase may show what rules hide by now.
func (l *Linear) Phase(at time.Time) int {
	n := 0
	for i := range l.rules.rules {
		r := &l.rules.rules[i]
		if r.From != nil && !at.Before(*r.From) {
			n++
		}
		if r.Until != nil && !at.Before(*r.Until) {
			n++
		}
	}
	return n
}
