package suggest_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/suggest"
	"github.com/lectern-dev/lectern/text"
)

// oneLearner has taken some courses.
type oneLearner struct{ entries []lectern.ProfileEntry }

func (l oneLearner) Profile(context.Context, lectern.LearnerRef) (lectern.Profile, error) {
	return lectern.Profile{Version: 1, Entries: l.entries}, nil
}

func (l oneLearner) ProfileVersion(context.Context, lectern.LearnerRef) (int64, error) { return 1, nil }

// rules are synonyms as an admin writes them.
type rules struct{ *text.Synonyms }

func (r rules) Variants(query string) (out []suggest.Variant) {
	for _, v := range r.Synonyms.Variants(query) {
		out = append(out, suggest.Variant{Query: v.Text, From: v.From, To: v.To})
	}
	return out
}

// searchedTitles are titles that people searched for.
type searchedTitles []suggest.Searched

func (s searchedTitles) Opened() (int64, []suggest.Searched) { return 1, s }
func (s searchedTitles) Trending(int) []string               { return nil }

// questions are what people ask in their own words.
var questions = []string{
	"learn to code", "become a data analyst", "speak without fear", "take better photos", "make a website", "cook healthy meals",
	"save money every month", "how do vaccines work", "write a short story", "understanding stars and planets", "manage a project",
	"speak spanish on holiday", "build an app for my phone", "play the guitar", "what is machine learning", "draw people",
}

// BenchmarkSuggestWhole types with every part at work: words, synonyms, searches,
// the skill graph, vectors of phrases and a learner's taste; titles and questions,
// cut at every length, both also with a typing error.
func BenchmarkSuggestWhole(b *testing.B) {
	sizes := []int{5_000, 100_000}
	if os.Getenv("LECTERN_TEST_LARGE") != "" {
		sizes = append(sizes, 250_000)
	}
	for _, size := range sizes {
		b.Run(fmt.Sprint("courses=", size), func(b *testing.B) { typeAtWhole(b, size) })
	}
}

// silent is an index that finds nothing: how quickly a key is answered does not
// depend on which courses were computed ahead by vectors.
type silent struct{ lectern.VectorIndex }

func (silent) Search(_ context.Context, queries []lectern.VectorQuery) ([][]lectern.Hit, error) {
	return make([][]lectern.Hit, len(queries)), nil
}

func typeAtWhole(b *testing.B, size int) {
	courses := demo.Catalog(size, 1, now())
	learner := oneLearner{}
	var titles searchedTitles
	for i := range 60 {
		c := courses[i*len(courses)/60]
		learner.entries = append(learner.entries, lectern.ProfileEntry{CourseID: c.ID, Weight: 3, WeightAt: now(), State: lectern.StateEnrolled})
		titles = append(titles, suggest.Searched{Text: c.Title, Weight: 1})
	}
	synonyms, err := text.CompileSynonyms(lectern.SynonymRules{Rules: []lectern.SynonymRule{
		{Synonyms: []string{"photos", "photography"}}, {From: "website", To: []string{"web development"}}, {Synonyms: []string{"app", "application"}},
	}})
	if err != nil {
		b.Fatal(err)
	}
	s := whole(b, courses, suggest.Options{Profiles: learner, Synonyms: rules{synonyms}, Searches: titles}, nil)
	s.ReadSearches()
	var typed, asked, wrong []string
	for i := range 100 {
		title := courses[i*len(courses)/100].Title
		typed = append(typed, beginnings(title)...)
		wrong = append(wrong, beginnings(title[:4] + title[5:])[3:]...)
	}
	for _, q := range questions {
		asked = append(asked, beginnings(q)...)
		wrong = append(wrong, beginnings(q[:4] + q[5:])[3:]...)
	}
	for _, set := range []struct {
		name    string
		queries []string
	}{{"titles", typed}, {"questions", asked}, {"typos", wrong}} {
		for _, who := range []lectern.LearnerRef{{}, {ID: "one"}} {
			b.Run(fmt.Sprintf("%s/learner=%v", set.name, !who.IsZero()), func(b *testing.B) {
				b.ReportAllocs()
				var times []time.Duration
				for i := 0; b.Loop(); i += 7 { // without a common factor with their number: all are asked
					began := time.Now()
					if _, err := s.Suggest(b.Context(), lectern.SuggestRequest{Query: set.queries[i%len(set.queries)], Learner: who}); err != nil {
						b.Fatal(err)
					}
					times = append(times, time.Since(began))
				}
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
}

// beginnings cuts a text after every letter.
func beginnings(s string) (out []string) {
	for i := range s {
		if i > 0 {
			out = append(out, s[:i])
		}
	}
	return append(out, s)
}
