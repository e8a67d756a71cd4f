package retrieve

import (
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/text"
)

// newEntry derives what ranking needs from a course and its statistics.
func (c *Catalog) newEntry(course lectern.Course, stats lectern.CourseStats) *entry {
	e := &entry{
		facts: rerank.Facts{
			ID: course.ID, Title: course.Title, Level: course.Level, Hours: course.WorkloadHours,
			Language: course.Language, Needs: course.Prerequisites,
		},
		payload:    lectern.PayloadOf(course),
		skills:     course.Skills,
		needs:      course.Prerequisites,
		provider:   course.Provider,
		categories: course.Categories,
		title:      c.normalTitle(course.Title, course.Language),
		stated:     course.Stated,
	}
	c.shared.share(&e.facts, &e.payload)
	e.unlimited = unlimited(&e.payload)
	e.facts.Languages = e.payload.Languages
	e.facts.Provider = e.payload.Provider
	e.facts.TitleKey = rerank.TitleKey(course.Title, e.payload.Provider)
	e.facts.Skills, e.facts.Categories = e.payload.Skills, e.payload.Categories
	if len(e.payload.Categories) > 0 {
		e.facts.Category = e.payload.Categories[0]
	}
	if course.PublishedAt != nil {
		e.facts.PublishedAt, e.facts.FreshAt = *course.PublishedAt, *course.PublishedAt
	}
	if course.UpdatedAt != nil && course.UpdatedAt.After(e.facts.FreshAt) {
		e.facts.FreshAt = *course.UpdatedAt
	}
	for _, part := range [][]string{{course.Title}, course.Skills, course.Categories} {
		for _, s := range part {
			e.terms = append(e.terms, c.termIDs(s, course.Language)...)
		}
	}
	e.phrases = c.phrasesOf(course)
	slices.Sort(e.terms)
	e.terms = slices.Clip(slices.Compact(e.terms))
	for _, skill := range e.payload.Skills {
		e.skillBits.add(maphash.String(c.seed, skill))
	}
	e.setStats(stats, &c.cfg)
	e.hash = c.hashCourse(&course)
	return e
}

// hashCourse tells one version of a course from another, within this process.
func (c *Catalog) hashCourse(course *lectern.Course) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	line := func(parts ...string) {
		for _, s := range parts {
			_, _ = h.WriteString(s) // a hash never fails
			_ = h.WriteByte(0)
		}
		_ = h.WriteByte(1)
	}
	instant := func(t *time.Time) {
		if t != nil {
			maphash.WriteComparable(&h, t.UnixMicro())
		}
		_ = h.WriteByte(2)
	}
	line(course.ID, course.Title, course.Description, course.Language, course.Provider, string(course.Level), course.URL, course.ImageURL)
	a := course.Availability
	for _, list := range [][]string{course.Instructors, course.Categories, course.Skills, course.Syllabus, course.Prerequisites, a.Regions, a.Organisations} {
		line(list...)
	}
	line(string(a.Status))
	for _, t := range []*time.Time{course.PublishedAt, course.UpdatedAt, a.EnrolFrom, a.EnrolUntil} {
		instant(t)
	}
	if course.WorkloadHours != nil {
		maphash.WriteComparable(&h, *course.WorkloadHours)
	}
	maphash.WriteComparable(&h, course.Stated)
	for _, key := range slices.Sorted(maps.Keys(course.Extra)) {
		line(key, string(course.Extra[key]))
	}
	return h.Sum64()
}

// normalTitle is the form in which a query is compared with a title: its words,
// folded.
func (c *Catalog) normalTitle(s, language string) string {
	tokens := c.analyzer.Tokens(s, language)
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = t.Surface
	}
	return strings.Join(words, " ")
}

// termIDs returns the hashed terms of a text.
func (c *Catalog) termIDs(s, language string) []uint32 {
	terms := c.analyzer.Terms(s, language)
	out := make([]uint32, len(terms))
	for i, t := range terms {
		out[i] = text.TermID(t)
	}
	return out
}

// holds reports whether the course's title, skills or categories have a term.
func (e *entry) holds(term uint32) bool {
	_, ok := slices.BinarySearch(e.terms, term)
	return ok
}

// setStats combines the statistics with what the platform states.
func (e *entry) setStats(s lectern.CourseStats, cfg *PopularityConfig) {
	e.stats = s
	e.facts.RatingMean, e.facts.RatingWeight, e.facts.RatingCount = lectern.MeanRating(s, e.stated, cfg.StatedMeanWeight)
	e.payload.Rating = 0
	if e.facts.RatingWeight > 0 {
		e.payload.Rating = e.facts.RatingMean
	}
	e.facts.Sentiment, e.facts.SentimentWeight = s.Sentiment, s.SentimentWeight
	e.facts.Views = s.Activity[lectern.EventView]
	e.volume = max(float64(s.RatingCount), float64(e.stated.RatingCount), float64(e.stated.Enrolments))
	e.activity = cfg.Weights.sum(s.Activity)
}

// keepMeasured takes over what is measured now and then, and not with every change of a
// course, from the courses as they were.
func (c *Catalog) keepMeasured(fresh []*entry) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range fresh {
		if old := c.byID[e.facts.ID]; old != nil {
			e.keepRecent(old)
			e.finishers = old.finishers
		}
	}
}

// sum is what decayed event counts come to.
func (w ActivityWeights) sum(a map[lectern.EventType]float64) float64 {
	return w.Click*a[lectern.EventClick] + w.Save*a[lectern.EventSave] + w.Enrol*a[lectern.EventEnrol] +
		w.Progress*a[lectern.EventProgress] + w.Complete*a[lectern.EventComplete] + w.Rate*a[lectern.EventRate]
}

// include widens the scale to an entry that lists may show.
func (s *popularityScale) include(e *entry) {
	if e.payload.Status == lectern.StatusOpen {
		s.activity = max(s.activity, e.activity)
		s.volume = max(s.volume, e.volume)
	}
}

// outgrown reports whether entries go well beyond the scale.
func (s popularityScale) outgrown(fresh []*entry) bool {
	var top popularityScale
	for _, e := range fresh {
		top.include(e)
	}
	return top.activity > 1.25*s.activity || top.volume > 1.25*s.volume
}

// popularity is share × log(1 + activity)/log(1 + most activity) + (1 − share) ×
// the same of volume. A side that the whole catalogue lacks leaves its share to
// the other; without both, popularity is unknown.
func (s popularityScale) popularity(e *entry, share float64) rerank.Signal {
	activity, volume := damped(e.activity, s.activity), damped(e.volume, s.volume)
	switch {
	case s.activity == 0 && s.volume == 0:
		return rerank.Signal{}
	case s.activity == 0:
		return rerank.Known(volume)
	case s.volume == 0:
		return rerank.Known(activity)
	}
	return rerank.Known(share*activity + (1-share)*volume)
}

func damped(x, most float64) float64 {
	if most <= 0 {
		return 0
	}
	return min(math.Log1p(max(x, 0))/math.Log1p(most), 1)
}

// languageCount counts open courses by base language.
type languageCount map[string]int

// add counts a course, or with by −1 takes it back.
func (l languageCount) add(e *entry, by int) {
	if e.payload.Status != lectern.StatusOpen || len(e.facts.Languages) == 0 {
		return
	}
	l[e.facts.Languages[len(e.facts.Languages)-1]] += by // the language without region
}

// most is the language of more than half of the courses that state one, none
// when there is no such.
func (l languageCount) most() []string {
	all := 0
	for _, n := range l {
		all += n
	}
	for language, n := range l {
		if 2*n > all {
			return []string{language}
		}
	}
	return nil
}
