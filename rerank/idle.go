package rerank

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// Names are what the courses of a catalogue are told apart by, folded.
type Names struct {
	Providers  map[string]bool
	Categories map[string]bool
	Skills     map[string]bool
}

// Idle is a rule, or a value of one, that has no effect.
type Idle struct {
	Rule    string   // id
	Courses []string // that the catalogue does not have
	Message string   // a sentence
}

const (
	// maxIdle bounds how many of them are told of one document.
	maxIdle = 100
	// maxIdleNames bounds the values in one sentence.
	maxIdleNames = 5
)

// IdleRules finds rules without effect, in the order of the document, up to a hundred:
// those whose time is over, those for people that there cannot be, and values that no
// course has. facts tells of a course, nil where the catalogue does not have it; names
// returns what its courses have. Without either, the catalogue is not looked into.
func IdleRules(rules []Rule, at time.Time, facts func(id string) *Facts, names func() Names) []Idle {
	var out []Idle
	var known *Names
	for i := range rules {
		r := &rules[i]
		if r.Off {
			continue
		}
		if r.Until != nil && !at.Before(*r.Until) {
			out = append(out, Idle{Rule: r.ID, Message: fmt.Sprintf("rule %q ended at %s, so it has no effect", r.ID, r.Until.UTC().Format(time.RFC3339))})
			continue
		}
		if why := r.Audience.nobody(); why != "" {
			out = append(out, Idle{Rule: r.ID, Message: fmt.Sprintf("rule %q is for nobody: %s", r.ID, why)})
		}
		if facts == nil || names == nil {
			continue
		}
		if known == nil && len(r.Providers)+len(r.Categories)+len(r.Skills) > 0 {
			n := names()
			known = &n
		}
		out = append(out, r.unknown(facts, known)...)
	}
	return out[:min(len(out), maxIdle)]
}

// nobody says why an audience has no members; "" where it may have some.
func (a *Audience) nobody() string {
	visitors := a.SignedIn != nil && !*a.SignedIn
	if visitors && len(a.Organisations) > 0 {
		return "who is not signed in belongs to no organisation"
	}
	return ""
}

// unknown finds the values of a rule that no course has.
func (r *Rule) unknown(facts func(id string) *Facts, names *Names) []Idle {
	var out []Idle
	var missing []string
	for _, id := range r.Courses {
		if facts(id) == nil {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		out = append(out, Idle{Rule: r.ID, Courses: missing, Message: fmt.Sprintf("rule %q names courses that the catalogue does not have: %s", r.ID, quoted(missing))})
	}
	if names == nil {
		return out
	}
	for _, s := range []struct {
		noun   string
		values []string
		known  map[string]bool
	}{{"provider", r.Providers, names.Providers}, {"category", r.Categories, names.Categories}, {"skill", r.Skills, names.Skills}} {
		missing, hint := missing[:0], ""
		for _, v := range s.values {
			if s.known[lectern.FoldKey(v)] {
				continue
			}
			if missing = append(missing, v); len(missing) == 1 {
				hint = nearestName(v, s.known)
			}
		}
		if len(missing) > 0 {
			out = append(out, Idle{Rule: r.ID, Message: fmt.Sprintf("rule %q names a %s that no course has: %s%s", r.ID, s.noun, quoted(missing), hint)})
		}
	}
	return out
}

// maxNearest bounds among how many names the nearest one is looked for.
const maxNearest = 20_000

// nearestName suggests what a name was meant to be.
func nearestName(name string, known map[string]bool) string {
	if len(known) > maxNearest {
		return ""
	}
	all := make([]string, 0, len(known))
	for n := range known {
		if n != "" {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return nearest.Hint(lectern.FoldKey(name), all)
}

// quoted lists a few values.
func quoted(values []string) string {
	words := make([]string, 0, maxIdleNames+1)
	for i, v := range values {
		if i == maxIdleNames {
			words = append(words, fmt.Sprintf("and %d more", len(values)-i))
			break
		}
		words = append(words, fmt.Sprintf("%q", v))
	}
	return strings.Join(words, ", ")
}
