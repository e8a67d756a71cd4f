package rerank

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// Bounds of what rules may hold.
const (
	MaxRules         = 1000
	MaxRuleValues    = 1000 // of one selector
	MaxRulePosition  = 200
	DefaultStrength  = 0.5 // of a boost or bury that states none
	maxRuleID        = 64
	maxRuleValue     = 500 // bytes
	maxRuleNote      = 2000
	ruleIDCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
)

// RuleActions lists every action.
func RuleActions() []RuleAction {
	return []RuleAction{RuleHide, RulePin, RuleBury, RuleBoost}
}

// strength is the rule's strength, or the default where it states none.
func (r *Rule) strength() float64 {
	if r.Strength == 0 && (r.Action == RuleBoost || r.Action == RuleBury) {
		return DefaultStrength
	}
	return r.Strength
}

// ruleProblems names every field of every rule that is not acceptable.
func ruleProblems(rules []Rule) []lectern.FieldError {
	v := checker{prefix: "rerank.rules"}
	v.check(len(rules) <= MaxRules, "", fmt.Sprintf("%d rules", len(rules)), fmt.Sprintf("at most %d rules", MaxRules))
	first := make(map[string]int, len(rules))
	for i := range rules {
		r := &rules[i]
		one := checker{prefix: fmt.Sprintf("rerank.rules[%d].", i)}
		one.rule(r)
		if before, ok := first[r.ID]; ok {
			one.check(false, "id", r.ID, fmt.Sprintf("an id that no other rule has: rules[%d] has it", before))
		} else {
			first[r.ID] = i
		}
		v.bad = append(v.bad, one.bad...)
	}
	return v.bad
}

// rule checks one rule by itself.
func (v *checker) rule(r *Rule) {
	v.check(r.ID != "" && len(r.ID) <= maxRuleID && strings.Trim(r.ID, ruleIDCharacters) == "", "id", r.ID,
		fmt.Sprintf("1 to %d letters, digits, dots, dashes and underscores", maxRuleID))
	known := slices.Contains(RuleActions(), r.Action)
	v.check(known, "action", string(r.Action), list(RuleActions()))
	v.values("courses", r.Courses)
	v.values("skills", r.Skills)
	v.values("categories", r.Categories)
	v.values("providers", r.Providers)
	v.check(len(r.Courses)+len(r.Skills)+len(r.Categories)+len(r.Providers) > 0, "courses", "nothing",
		"at least one value in courses, skills, categories or providers")
	for i, s := range r.Surfaces {
		v.check(slices.Contains(lectern.Surfaces(), s), fmt.Sprintf("surfaces[%d]", i), string(s), list(lectern.Surfaces()))
	}
	for i, row := range r.Rows {
		v.check(slices.Contains(lectern.Rows(), row), fmt.Sprintf("rows[%d]", i), string(row), list(lectern.Rows()))
	}
	v.check(len(r.Rows) == 0 || len(r.Surfaces) == 0 || slices.Contains(r.Surfaces, lectern.SurfaceHome), "rows", list(r.Rows),
		"none where surfaces are set without home: rows are parts of home")
	if r.From != nil && r.Until != nil {
		v.check(r.From.Before(*r.Until), "until", r.Until.Format("2006-01-02T15:04:05Z07:00"), "later than from")
	}
	v.check(utf8.ValidString(r.Note) && len(r.Note) <= maxRuleNote, "note", r.Note, fmt.Sprintf("up to %d bytes", maxRuleNote))
	v.audience(&r.Audience)
	if known {
		v.action(r)
	}
}

// action checks what only some actions have.
func (v *checker) action(r *Rule) {
	pin := r.Action == RulePin
	weighs := r.Action == RuleBoost || r.Action == RuleBury
	if pin {
		v.check(r.Position >= 0 && r.Position <= MaxRulePosition, "position", r.Position, fmt.Sprintf("0 to %d", MaxRulePosition))
	} else {
		v.check(r.Position == 0, "position", r.Position, "none: only pins have one")
	}
	if pin && len(r.Courses) == 0 {
		v.check(r.Count >= 0 && r.Count <= MaxRulePosition, "count", r.Count, fmt.Sprintf("1 to %d; 0 is 1", MaxRulePosition))
	} else {
		v.check(r.Count == 0, "count", r.Count, "none: only pins that do not name their courses have one")
	}
	if weighs {
		v.check(finite(r.Strength) && r.Strength >= 0 && r.Strength <= 1, "strength", r.Strength,
			fmt.Sprintf("over 0, at most 1; absent is %v", DefaultStrength))
	} else {
		v.check(r.Strength == 0, "strength", r.Strength, "none: only boost and bury have one")
	}
}

func (v *checker) audience(a *Audience) {
	v.check(a.MinCourses >= 0, "audience.min_courses", a.MinCourses, "at least 0")
	if a.MaxCourses != nil {
		v.check(*a.MaxCourses >= max(a.MinCourses, 0), "audience.max_courses", *a.MaxCourses, "at least min_courses")
	}
	v.values("audience.languages", a.Languages)
	v.values("audience.regions", a.Regions)
	v.values("audience.organisations", a.Organisations)
	for i, level := range a.Levels {
		v.check(slices.Contains(lectern.Levels(), level), fmt.Sprintf("audience.levels[%d]", i), string(level), list(lectern.Levels()))
	}
}

// values checks a list of names or ids.
func (v *checker) values(key string, values []string) {
	v.check(len(values) <= MaxRuleValues, key, fmt.Sprintf("%d values", len(values)), fmt.Sprintf("at most %d values", MaxRuleValues))
	for i, s := range values {
		v.check(lectern.FoldKey(s) != "" && len(s) <= maxRuleValue && utf8.ValidString(s), fmt.Sprintf("%s[%d]", key, i), s,
			fmt.Sprintf("1 to %d bytes of text", maxRuleValue))
	}
}
