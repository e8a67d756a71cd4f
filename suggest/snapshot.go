package suggest

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"unique"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// entry is one course. Only gone changes after it was made.
type entry struct {
	id         string
	title      string
	skills     []string
	categories []string
	provider   string
	payload    lectern.Payload
	prior      float32 // of popularity, in [0, 1]

	gone atomic.Bool // deleted, or replaced by another entry that can be found
}

func newEntry(c lectern.Course, stats lectern.CourseStats) *entry {
	e := &entry{
		id: c.ID, title: strings.ToValidUTF8(c.Title, "\uFFFD"), payload: lectern.PayloadOf(c),
		skills: shared(c.Skills), categories: shared(c.Categories), provider: share(c.Provider),
	}
	if mean, weight, _ := lectern.MeanRating(stats, c.Stated, uncountedRatings); weight > 0 {
		e.payload.Rating = mean
	}
	volume := float64(max(stats.RatingCount, c.Stated.RatingCount, c.Stated.Enrolments))
	for _, n := range stats.Activity {
		volume += n
	}
	e.prior = float32(min(math.Log1p(volume)/math.Log1p(mostVolume), 1))
	return e
}

// uncountedRatings is what a stated mean without a count stands for.
const uncountedRatings = 10

// mostVolume is the volume of ratings, enrolments and events from which a course
// is as popular as can be. It is fixed, so that the courses of two snapshots
// compare.
const mostVolume = 1e6

// share keeps one copy of texts that many courses have.
func share(s string) string { return unique.Make(strings.ToValidUTF8(s, "\uFFFD")).Value() }

func shared(in []string) []string {
	if len(in) == 0 {
		return nil
	}
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = share(s)
	}
	return out
}

// snapshot is a searchable state of some courses. Read only.
type snapshot struct {
	entries []*entry // by falling prior, then id
	courses *index   // items are entries
	shelves [shelves]shelf
}

// shelf is the phrases of one group of suggestions.
type shelf struct {
	phrases []phrase // by falling weight, then key
	index   *index   // items are phrases
}

// The shelves of a snapshot.
const (
	completions = iota
	skills
	categories
	providers
	shelves
)

// newSnapshot indexes the entries that may be shown. The function tells which
// share of the courses hold a word.
func newSnapshot(entries []*entry, share func(word string) float64) *snapshot {
	s := &snapshot{entries: make([]*entry, 0, len(entries))}
	for _, e := range entries {
		if e.payload.Status == lectern.StatusOpen {
			s.entries = append(s.entries, e)
		}
	}
	slices.SortFunc(s.entries, byPrior)
	analyzer := text.NewAnalyzer()
	titles := make([][]word, len(s.entries))
	for i, e := range s.entries {
		titles[i] = split(analyzer, e.title, false)
	}
	s.courses = newTitleIndex(courseSources(analyzer, s.entries, titles), share)
	s.makePhrases(analyzer, titles)
	return s
}

// courseSources lists the words of courses.
func courseSources(a *text.Analyzer, entries []*entry, titles [][]word) []source {
	out := make([]source, len(entries))
	known := make(map[string][]string) // words of skills and providers, which repeat
	fold := func(s string) []string {
		ws, ok := known[s]
		if !ok {
			for _, w := range split(a, s, false) {
				ws = append(ws, share(w.folded))
				if b := bare(w.folded); b != "" {
					ws = append(ws, share(b))
				}
			}
			known[s] = ws
		}
		return ws
	}
	for i, e := range entries {
		s := source{key: keyOf(titles[i]), prior: e.prior}
		s.words = placed(titles[i], inTitle)
		for _, skill := range e.skills {
			for _, w := range fold(skill) {
				s.words = append(s.words, sourceWord{w, noPlace, inSkill})
			}
		}
		for _, w := range fold(e.provider) {
			s.words = append(s.words, sourceWord{w, noPlace, inProvider})
		}
		out[i] = s
	}
	return out
}

// placed numbers the words of a text; the parts of a dotted name have its place.
func placed(ws []word, in field) []sourceWord {
	out := make([]sourceWord, len(ws))
	at := -1
	for i, w := range ws {
		if !w.part {
			at++
		}
		out[i] = sourceWord{w.folded, uint16(min(max(at, 0), noPlace-1)), in}
	}
	return withBare(out)
}

func byPrior(a, b *entry) int {
	return cmp.Or(cmp.Compare(b.prior, a.prior), strings.Compare(a.id, b.id))
}
