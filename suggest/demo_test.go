package suggest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/index"
	"github.com/lectern-dev/lectern/skills"
	"github.com/lectern-dev/lectern/suggest"
)

func now() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

// concepts is the shipped skill graph over a catalogue.
type concepts struct{ *skills.Index }

func (c concepts) Concepts() (out []suggest.Concept) {
	for n := range c.Names() {
		out = append(out, suggest.Concept(n))
	}
	return out
}

func (c concepts) Courses(id string, n int) (out []string) {
	for _, s := range c.Index.Courses(id) {
		if len(out) < n {
			out = append(out, s.CourseID)
		}
	}
	return out
}

func (c concepts) Tags(courseID string) (out []string) {
	for _, t := range c.Index.Tags(courseID) {
		out = append(out, t.SkillID)
	}
	return out
}

func (c concepts) Expand(query string) (out []suggest.Asked) {
	for _, t := range c.Matcher().Expand(query) {
		out = append(out, suggest.Asked{ID: t.SkillID, Weight: t.Weight, Misspelt: t.Why.Misspelt})
	}
	return out
}

// generation is an index with the embedder of its vectors.
type generation struct {
	index    lectern.VectorIndex
	embedder lectern.Embedder
}

func (g generation) Generation() (lectern.VectorIndex, lectern.Embedder) { return g.index, g.embedder }

// whole is everything that suggestions are made of, over one catalogue; without g,
// no vectors of courses.
func whole(t testing.TB, courses []lectern.Course, o suggest.Options, g *suggest.Generations) *suggest.Suggester {
	t.Helper()
	ctx := t.Context()
	graph, err := skills.Default()
	if err != nil {
		t.Fatal(err)
	}
	tagged := skills.NewIndex(skills.NewMatcher(graph), skills.IndexOptions{})
	if err := tagged.Apply(ctx, courses, nil, true); err != nil {
		t.Fatal(err)
	}
	if err := tagged.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(courses))
	entries := make([]suggest.Entry, len(courses))
	for i, c := range courses {
		texts[i], entries[i] = c.EmbeddingText(), suggest.Entry{Course: c}
	}
	options := embed.DefaultOptions()
	options.MaxDocs = 1000
	local, err := embed.Train(ctx, slices.Values(texts), options)
	if err != nil {
		t.Fatal(err)
	}
	var x lectern.VectorIndex = silent{}
	if g != nil {
		x = indexed(t, courses, texts, local)
		*g = generation{x, local}
	}
	o.Clock, o.Generations, o.Local, o.Concepts = now, generation{x, local}, lectern.KnowsCatalogueOnly, concepts{tagged}
	o.Config = suggest.DefaultConfig()
	o.Config.MeaningsTimeout = time.Minute // a busy machine is no fault
	s, err := suggest.NewWith(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(ctx, entries, nil, true); err != nil {
		t.Fatal(err)
	}
	s.Rebuild()
	if err := s.Mean(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// indexed is an index of courses by the vectors of their texts.
func indexed(t testing.TB, courses []lectern.Course, texts []string, local lectern.Embedder) lectern.VectorIndex {
	t.Helper()
	ctx := t.Context()
	vectors, err := local.Embed(ctx, lectern.EmbedDocument, texts)
	if err != nil {
		t.Fatal(err)
	}
	points := make([]lectern.Point, len(courses))
	for i, c := range courses {
		points[i] = lectern.Point{ID: c.ID, Payload: lectern.PayloadOf(c), Dense: map[string][]float32{}}
		if vectors[i] != nil {
			points[i].Dense[lectern.VectorContent] = vectors[i]
		}
	}
	x := index.New(index.Options{})
	if err := x.Upsert(ctx, points); err != nil {
		t.Fatal(err)
	}
	return x
}

// On the demo platform's catalogue, what people want leads to what teaches it, by
// the graph or by the vectors of phrases.
func TestDemoCatalogue(t *testing.T) {
	if testing.Short() {
		t.Skip("trains an embedder; run without -short")
	}
	s := whole(t, demo.Catalog(600, 1, now()), suggest.Options{}, new(suggest.Generations))
	tests := []struct {
		query string
		want  []string // titles hold these, each at least one of the first six
		via   string   // what the first stands behind
	}{
		{"learn to code", []string{"Python"}, "Programming"},
		{"become a data analyst", []string{"Data Analysis", "Database", "Statistic"}, ""},
		{"speak without fear", []string{"Public Speaking"}, "Public speaking"},
		{"take better photos", []string{"Photography"}, "Photography"},
		{"understanding stars and planets", []string{"Astronomy"}, "Astronomy"},
		{"making a website for", []string{"Web Development"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: tt.query, Limit: 8})
			if err != nil || len(out.Degraded) > 0 {
				t.Fatal(err, out.Degraded)
			}
			var shown strings.Builder
			for _, c := range out.Courses {
				fmt.Fprintf(&shown, "%s, %s, by %s\n", c.Text, c.Reason, c.Via)
			}
			for _, want := range tt.want {
				if !strings.Contains(shown.String(), want) {
					t.Errorf("nothing about %s in\n%s", want, shown.String())
				}
			}
			if tt.via != "" && (len(out.Courses) == 0 || out.Courses[0].Via != tt.via || out.Courses[0].Reason != lectern.SuggestMeaning) {
				t.Errorf("the first is not by %s:\n%s", tt.via, shown.String())
			}
		})
	}
	for _, q := range []string{"py", "pho", "xylophone tuning", "introduction to", "qwrtz", "🎉", "'; DROP TABLE courses; --", strings.Repeat("x", 500)} {
		out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: q})
		if err != nil || len(out.Degraded) > 0 {
			t.Errorf("%q: %v, degraded %v", q, err, out.Degraded)
		}
		for _, c := range slices.Concat(out.Courses, out.Skills) {
			if c.Reason == lectern.SuggestMeaning {
				t.Errorf("%q: %s by its meaning", q, c.Text)
			}
		}
	}
}
