package learner

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Correct applies what a learner says about what is known of them, and describes
// them as they are known then. Stated facts (interests, goal, level, hours) become
// those of the learner; removed interests and pace are kept beside them. A patch is
// applied whole or not at all, but for a failure of the store in between.
//
// Errors: CodeInvalid naming each field at fault, and for a name that is none of the
// learner's interests those that are; CodeNotFound; CodeUnavailable when index or
// embedder does not answer, or where corrections are not kept; and those of the
// store.
func (p *Profiles) Correct(
	ctx context.Context, ref lectern.LearnerRef, patch Patch, index lectern.VectorIndex, embedder lectern.Embedder,
) (Description, error) {
	if p.from.Corrections == nil {
		return Description{}, lectern.Errorf(lectern.CodeUnavailable, "corrections are not kept here")
	}
	k, err := p.load(ctx, ref, index, embedder)
	if err != nil {
		return Description{}, err
	}
	if k.known.taste.Partial && len(patch.RemoveInterests) > 0 {
		return Description{}, lectern.Errorf(lectern.CodeUnavailable, "the learner's interests cannot be read now: try again")
	}
	facts, corrections, bad := p.corrected(k, patch)
	if len(bad) > 0 {
		return Description{}, lectern.Invalid("the correction is not possible", bad...)
	}
	if !reflect.DeepEqual(corrections, k.profile.Corrections) {
		if err := p.from.Corrections.PutCorrections(ctx, ref, corrections); err != nil {
			return Description{}, fmt.Errorf("keep corrections: %w", err)
		}
	}
	if !reflect.DeepEqual(facts, k.profile.Learner) {
		facts.Consent = nil // as it is
		results, err := p.store.PutLearners(ctx, []lectern.Learner{facts})
		if err == nil && len(results) == 1 {
			err = results[0].Err
		}
		if err != nil {
			return Description{}, fmt.Errorf("keep what the learner states: %w", err)
		}
	}
	p.Forget(ref)
	return p.Describe(ctx, ref, index, embedder)
}

// corrected lays a patch over what is known.
func (p *Profiles) corrected(k kept, patch Patch) (lectern.Learner, lectern.Corrections, []lectern.FieldError) {
	bad := patch.check()
	l, c := k.profile.Learner, k.profile.Corrections
	l.Interests, c.RemovedInterests = slices.Clone(l.Interests), slices.Clone(c.RemovedInterests)
	for _, name := range patch.RestoreInterests {
		key := lectern.FoldKey(name)
		if !slices.Contains(c.RemovedInterests, key) {
			bad = append(bad, lectern.NewFieldError("restore_interests", name, "was not removed",
				"the removed interests: "+listed(c.RemovedInterests)))
			continue
		}
		c.RemovedInterests = slices.DeleteFunc(c.RemovedInterests, func(s string) bool { return s == key })
	}
	bad = append(bad, p.remove(k, patch.RemoveInterests, &l, &c)...)
	if patch.Interests.Given {
		l.Interests = nil
		if v := patch.Interests.Value; v != nil {
			l.Interests = slices.Clone(*v)
		}
		for _, s := range l.Interests {
			key := lectern.FoldKey(s)
			c.RemovedInterests = slices.DeleteFunc(c.RemovedInterests, func(r string) bool { return r == key })
		}
	}
	if patch.Goal.Given {
		l.Goal = strings.TrimSpace(orZero(patch.Goal.Value))
	}
	if patch.Level.Given {
		l.PreferredLevel = orZero(patch.Level.Value)
	}
	if patch.WeeklyHours.Given {
		l.WeeklyHours = patch.WeeklyHours.Value
	}
	if patch.Pace.Given {
		c.Pace = orZero(patch.Pace.Value)
	}
	if patch.Preferences.Given {
		c.Preferences = patch.preferences(c.Preferences)
	}
	if len(c.RemovedInterests) > maxRemoved {
		bad = append(bad, lectern.NewFieldError("remove_interests", len(c.RemovedInterests), "are too many in all", "at most 500"))
	}
	if len(c.RemovedInterests) == 0 {
		c.RemovedInterests = nil
	}
	return l, c, bad
}

// preferences lays those of a patch over what is preferred, nil for none at all.
func (p Patch) preferences(have map[lectern.Preference]lectern.Leaning) map[lectern.Preference]lectern.Leaning {
	out := make(map[lectern.Preference]lectern.Leaning)
	if p.Preferences.Value != nil { // else all are taken back
		maps.Copy(out, have)
		for name, leaning := range *p.Preferences.Value {
			if leaning == nil {
				delete(out, name)
			} else {
				out[name] = *leaning
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// remove takes interests out of what is stated and puts them among the removed ones,
// with what else is stated of the same. A goal that belongs to one stays the goal, and
// says which skills are wanted, but is no interest any more.
// Where that alone would leave most courses of an interest, as its name is not a word
// of theirs, what those have in common is removed too.
func (p *Profiles) remove(k kept, names []string, l *lectern.Learner, c *lectern.Corrections) []lectern.FieldError {
	if len(names) == 0 {
		return nil
	}
	var bad []lectern.FieldError
	facts := factsOf(k.known.facts)
	interests := p.interests(&k.known, facts, make(map[string]bool))
	for _, name := range names {
		key := lectern.FoldKey(name)
		if slices.Contains(c.RemovedInterests, key) {
			continue
		}
		words := []string{name}
		i := slices.IndexFunc(interests, func(n named) bool { return lectern.FoldKey(n.Name) == key })
		switch {
		case key == "":
			words = nil
		case i >= 0:
			words = p.from.covering(name, courses(interests[i].points), facts)
			for _, pt := range interests[i].points { // what is stated of it goes with it
				if pt.stated >= 0 {
					words = append(words, k.known.taste.Interests[pt.stated].Text)
				}
			}
		case !stated(*l, key) && !p.touches(k, facts, name):
			words = nil
		}
		if words == nil {
			all := slices.Clone(l.Interests)
			for _, n := range interests {
				if !slices.Contains(all, n.Name) {
					all = append(all, n.Name)
				}
			}
			bad = append(bad, lectern.NewFieldError("remove_interests", name, "is no interest of this learner",
				"the learner's interests: "+listed(all)))
			continue
		}
		for _, w := range words {
			if w := lectern.FoldKey(w); !slices.Contains(c.RemovedInterests, w) {
				c.RemovedInterests = append(c.RemovedInterests, w)
			}
		}
		l.Interests = slices.DeleteFunc(l.Interests, func(s string) bool { return slices.Contains(c.RemovedInterests, lectern.FoldKey(s)) })
		if lectern.FoldKey(l.Goal) == key {
			l.Goal = ""
		}
	}
	return bad
}

// stated reports whether the learner states an interest.
func stated(l lectern.Learner, key string) bool {
	return lectern.FoldKey(l.Goal) == key ||
		slices.ContainsFunc(l.Interests, func(s string) bool { return lectern.FoldKey(s) == key })
}

// touches reports whether the learner did something with a course about name.
func (p *Profiles) touches(k kept, facts map[string]CourseFacts, name string) bool {
	about := removals(lectern.Corrections{RemovedInterests: []string{name}})
	for _, e := range k.known.entries {
		if about.course(facts[e.id]) {
			return true
		}
	}
	return false
}

func orZero[T any](v *T) T {
	if v == nil {
		var zero T
		return zero
	}
	return *v
}
