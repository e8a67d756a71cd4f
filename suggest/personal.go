package suggest

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/lectern-dev/lectern"
)

// DegradedPersonal is the name under which an answer says that what is known of
// the learner could not be read in time.
const DegradedPersonal = "personal"

// Profiles are what is known of learners. Both methods err with CodeNotFound for
// somebody nobody knows.
type Profiles interface {
	Profile(ctx context.Context, ref lectern.LearnerRef) (lectern.Profile, error)
	ProfileVersion(ctx context.Context, ref lectern.LearnerRef) (int64, error)
}

// Reading what is known of learners goes on in the background for so long when it
// was not waited for, and for so many at a time.
const (
	readGiveUp = 2 * time.Second
	readAtOnce = 32
)

// person is a learner as suggestions need them. Read only.
type person struct {
	version       int64
	region        string
	organisations []string
	personal      bool     // allows suggestions made from what is known of them
	taste         *taste   // nil for none
	unfinished    []string // courses, the latest first
}

// somebody returns who asks, nil for nobody the store knows; ok is false when that
// could not be found out in time.
func (s *Suggester) somebody(ctx context.Context, ref lectern.LearnerRef) (p *person, ok bool) {
	if ref.IsZero() || s.o.Profiles == nil {
		return nil, true
	}
	p, err := s.people.get(ctx, ref, s.o.Config.ProfileTimeout, func(ctx context.Context, before *person, ok bool) (*person, error) {
		if ok && before != nil {
			version, err := s.o.Profiles.ProfileVersion(ctx, ref)
			if err != nil {
				return known(nil, err)
			}
			if version == before.version {
				return before, nil
			}
		}
		profile, err := s.o.Profiles.Profile(ctx, ref)
		if err != nil {
			return known(nil, err)
		}
		return s.meet(profile), nil
	})
	return p, err == nil
}

// known makes nobody of somebody whom the store does not know.
func known(p *person, err error) (*person, error) {
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil, nil
	}
	return p, err
}

// maxUnfinished is how many unfinished courses of a learner are looked at.
const maxUnfinished = 20

// meet makes a person of a profile.
func (s *Suggester) meet(profile lectern.Profile) *person {
	l := profile.Learner
	consent := lectern.DefaultConsent()
	if l.Consent != nil {
		consent = *l.Consent
	}
	p := &person{version: profile.Version, region: l.Region, organisations: l.Organisations, personal: consent.Personalisation}
	if !p.personal {
		return p
	}
	begun := slices.DeleteFunc(slices.Clone(profile.Entries), func(e lectern.ProfileEntry) bool {
		const over = lectern.StateCompleted | lectern.StateDropped | lectern.StateDismissed
		return e.State&(lectern.StateEnrolled|lectern.StateProgressed) == 0 || e.State&over != 0
	})
	slices.SortFunc(begun, func(a, b lectern.ProfileEntry) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), strings.Compare(a.CourseID, b.CourseID))
	})
	for _, e := range begun[:min(len(begun), maxUnfinished)] {
		p.unfinished = append(p.unfinished, e.CourseID)
	}
	p.taste = s.tasteOf(profile)
	return p
}

// taste is what a learner likes: for each feature of courses the root of the share
// that courses with it have in all that speaks for the learner's taste, in (0, 1].
// The root lets several tastes count beside the strongest.
type taste struct {
	concepts, skills, categories, providers, words map[string]float32
}

// What the features of a course count in its affinity, the strongest of each kind.
const (
	subjectShare  = 0.5 // concepts of the graph, or skills as the platform tags them
	categoryShare = 0.2
	providerShare = 0.1
	wordShare     = 0.2
)

// How a profile is read.
const (
	maxTasteCourses = 100
	statedWeight    = 3 // of an interest or the goal, as an enrolment weighs
)

// tasteOf sums up a profile, nil for one that says nothing.
func (s *Suggester) tasteOf(profile lectern.Profile) *taste {
	t := &taste{
		concepts: make(map[string]float32), skills: make(map[string]float32), categories: make(map[string]float32),
		providers: make(map[string]float32), words: make(map[string]float32),
	}
	total := float32(0)
	entries := slices.Clone(profile.Entries)
	for i, e := range s.coursesOf(entries) {
		if e == nil {
			continue
		}
		w := float32(s.decayed(entries[i]))
		total += max(w, 0)
		t.add(e, s.tagsOf(e), w)
	}
	for _, said := range append(slices.Clone(profile.Learner.Interests), profile.Learner.Goal) {
		if strings.TrimSpace(said) == "" {
			continue
		}
		total += statedWeight
		for w := range contentWords(said) {
			t.words[w] += statedWeight
		}
		if s.o.Concepts != nil {
			for _, a := range s.o.Concepts.Expand(said) {
				t.concepts[a.ID] += statedWeight * float32(a.Weight)
			}
		}
	}
	if total == 0 {
		return nil
	}
	for _, m := range []map[string]float32{t.concepts, t.skills, t.categories, t.providers, t.words} {
		maps.DeleteFunc(m, func(_ string, w float32) bool { return w <= 0 })
		for k, w := range m {
			m[k] = float32(math.Sqrt(float64(min(w/total, 1))))
		}
	}
	return t
}

// coursesOf returns the courses of a profile's first entries, nil for what is not
// there. It sorts the entries, the weightiest first.
func (s *Suggester) coursesOf(entries []lectern.ProfileEntry) []*entry {
	slices.SortFunc(entries, func(a, b lectern.ProfileEntry) int {
		return cmp.Or(cmp.Compare(math.Abs(s.decayed(b)), math.Abs(s.decayed(a))), strings.Compare(a.CourseID, b.CourseID))
	})
	out := make([]*entry, min(len(entries), maxTasteCourses))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range out {
		out[i] = s.byID[entries[i].CourseID]
	}
	return out
}

// decayed is what an entry weighs now.
func (s *Suggester) decayed(e lectern.ProfileEntry) float64 {
	age := max(0, s.clock().Sub(e.WeightAt).Seconds())
	return e.Weight * math.Exp2(-age/s.o.Config.HalfLife.Seconds())
}

func (s *Suggester) tagsOf(e *entry) []string {
	if s.o.Concepts == nil {
		return nil
	}
	return s.o.Concepts.Tags(e.id)
}

// add counts a course.
func (t *taste) add(e *entry, tags []string, w float32) {
	for _, id := range tags {
		t.concepts[id] += w
	}
	for _, skill := range e.skills {
		t.skills[skill] += w
	}
	for _, c := range e.payload.Categories {
		t.categories[c] += w
	}
	if e.payload.Provider != "" {
		t.providers[e.payload.Provider] += w
	}
	for word := range contentWords(e.title) {
		t.words[word] += w
	}
}

// of is how much a course is to the learner's taste, in [0, 1].
func (t *taste) of(e *entry, tags []string) float32 {
	var subject, category, word float32
	for _, id := range tags {
		subject = max(subject, t.concepts[id])
	}
	for _, s := range e.skills {
		subject = max(subject, t.skills[s])
	}
	for _, c := range e.payload.Categories {
		category = max(category, t.categories[c])
	}
	for w := range contentWords(e.title) {
		word = max(word, t.words[w])
	}
	return subjectShare*subject + categoryShare*category +
		providerShare*t.providers[e.payload.Provider] + wordShare*word
}

// contentWords yields the words of a text that say something, in lower case: those
// of four letters and more that are not about learning as such.
func contentWords(s string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for w := range strings.FieldsFuncSeq(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if len(w) >= 4 && !isIntent(w) && !yield(w) {
				return
			}
		}
	}
}

// personalDepth is how many items of a group are put in a learner's order.
const personalDepth = 24

// personalise orders hits of the same reason by
//
//	score + weight × affinity × the best score of that reason
//
// and leaves each reason in the places that it had.
func personalise(hits []found, weight float32, affinity func(*found) float32) {
	var done []lectern.SuggestReason
	var places []int
	for i := range hits {
		reason := hits[i].reason
		if slices.Contains(done, reason) {
			continue
		}
		done = append(done, reason)
		places = places[:0]
		var own []found
		for j := i; j < len(hits); j++ {
			if hits[j].reason == reason {
				places = append(places, j)
				own = append(own, hits[j])
			}
		}
		if len(own) < 2 {
			continue
		}
		head := float32(0)
		for j := range own {
			head = max(head, own[j].score)
		}
		for j := range own {
			own[j].score += weight * affinity(&own[j]) * head
		}
		slices.SortStableFunc(own, func(a, b found) int { return cmp.Compare(b.score, a.score) })
		for j, at := range places {
			hits[at] = own[j]
		}
	}
}
