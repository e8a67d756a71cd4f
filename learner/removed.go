package learner

import (
	"slices"
	"strings"
	"unicode"

	"github.com/lectern-dev/lectern"
)

// removal are the interests that a learner removed.
type removal struct {
	keys  map[string]bool // folded
	words []string        // each with spaces around it and in between
}

// removals reads a learner's corrections.
func removals(c lectern.Corrections) removal {
	r := removal{keys: make(map[string]bool, len(c.RemovedInterests))}
	for _, s := range c.RemovedInterests {
		key := lectern.FoldKey(s)
		if key == "" || r.keys[key] {
			continue
		}
		r.keys[key] = true
		if w := spaced(s); w != " " {
			r.words = append(r.words, w)
		}
	}
	return r
}

// none reports whether nothing was removed.
func (r removal) none() bool { return len(r.keys) == 0 }

// text reports whether a stated interest is one that was removed.
func (r removal) text(s string) bool { return r.keys[lectern.FoldKey(s)] }

// course reports whether a course is about something removed: by a skill or a
// category, or by the words of its title.
func (r removal) course(f CourseFacts) bool {
	if r.none() {
		return false
	}
	for key := range labelsOf(f) {
		if r.keys[key] {
			return true
		}
	}
	title := spaced(f.Title)
	for _, w := range r.words {
		if strings.Contains(title, w) {
			return true
		}
	}
	return false
}

// spaced folds a text to its words, with spaces around each.
func spaced(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) })
	return " " + strings.Join(words, " ") + strings.Repeat(" ", min(1, len(words)))
}

// Counted returns a profile without the courses and stated interests that are, by
// their words, about something that the learner removed: for those who make a taste
// of profiles by themselves.
func (s Sources) Counted(p lectern.Profile) lectern.Profile {
	r := removals(p.Corrections)
	if r.none() {
		return p
	}
	p.Learner.Interests = slices.DeleteFunc(slices.Clone(p.Learner.Interests), r.text)
	if r.text(p.Learner.Goal) {
		p.Learner.Goal = ""
	}
	if s.Courses == nil {
		return p
	}
	ids := make([]string, len(p.Entries))
	for i, e := range p.Entries {
		ids[i] = e.CourseID
	}
	facts := s.Courses.Facts(ids)
	kept := make([]lectern.ProfileEntry, 0, len(p.Entries))
	for i, e := range p.Entries {
		if !r.course(facts[i]) {
			kept = append(kept, e)
		}
	}
	p.Entries = kept
	return p
}
