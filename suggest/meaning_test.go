package suggest

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func TestMeaning(t *testing.T) {
	s := made(t, withMeaning(wholeFixture()).Options, wholeFixture())
	tests := []struct{ query, courses, skills string }{
		// The graph knows the phrase; a course that is not there is left out.
		{"learn to code", "py:meaning react:meaning cs:meaning cpp:meaning node:meaning", "programming:meaning"},
		// Skills take turns.
		{"become a data analyst", "stats:meaning sql:meaning", "sql:meaning statistics:meaning"},
		// The words alone lead on by the vectors of phrases.
		{"celebrate fun", "party:meaning", ""},
		{"party fun", "party:meaning", ""},
		// What is being typed of the next word changes nothing.
		{"celebrate fun tog", "party:meaning", ""},
		{"programming", "py:meaning react:meaning cs:meaning cpp:meaning node:meaning", "programming:exact"},
		// Beginnings of words, weak names and words nobody knows mean nothing.
		{"py", "py:prefix ml:words", "Python:prefix"},
		{"celebr", "", ""},
		{"qqq zzz", "", ""},
		// A course that holds the words comes first, and once.
		{"js", "node:words py:meaning react:meaning cpp:meaning cs:meaning", "Node.js:words programming:meaning"},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			out := ask(t, s, tt.query)
			if d := cmp.Diff([]string{tt.courses, tt.skills}, []string{reasons(out.Courses), reasons(out.Skills)}); d != "" {
				t.Error(d)
			}
			if len(out.Degraded) > 0 {
				t.Errorf("degraded %v", out.Degraded)
			}
		})
	}
	if via := ask(t, s, "learn to code").Courses[0].Via; via != "Programming" {
		t.Errorf("via %q", via)
	}
	if got := reasons(ask(t, s, "progr").Skills); got != "programming:prefix" {
		t.Errorf("the graph's names are suggested: %s", got)
	}
}

// What changes about courses that were computed ahead shows at once.
func TestMeaningFollowsCourses(t *testing.T) {
	s := made(t, withMeaning(wholeFixture()).Options, wholeFixture())
	apply(t, s, nil, "py")
	renamed := wholeFixture()[14] // react
	renamed.Title = "Interfaces that React"
	apply(t, s, []lectern.Course{renamed})
	s.Refresh()
	out := ask(t, s, "learn to code").Courses
	if got := reasons(out); got != "react:meaning cs:meaning cpp:meaning node:meaning" || out[0].Text != renamed.Title {
		t.Errorf("%s, %q", got, out[0].Text)
	}
	out = func() []lectern.Suggestion {
		got, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: "learn to code", Filter: lectern.Filter{Providers: []string{"oslo"}}})
		if err != nil {
			t.Fatal(err)
		}
		return got.Courses
	}()
	if got := reasons(out); got != "cs:meaning cpp:meaning node:meaning" {
		t.Errorf("with a filter: %s", got)
	}
}

// Vectors of two embedders never meet: after a switch there are no suggestions by
// vectors until all phrases are embedded anew, and what the graph knows stays.
func TestMeaningOfAnotherEmbedder(t *testing.T) {
	o := withMeaning(wholeFixture())
	s := made(t, o.Options, wholeFixture())
	second := &senseEmbedder{print: "two", extra: 3}
	o.now.use(&titleIndex{embedder: second, courses: wholeFixture()}, second)
	out := ask(t, s, "celebrate fun")
	if got := reasons(out.Courses); got != "" || strings.Join(out.Degraded, " ") != DegradedSemantic {
		t.Errorf("after the switch: %s, degraded %v", got, out.Degraded)
	}
	if n := second.asked.Load(); n != 0 {
		t.Errorf("the new embedder was asked %d times for vectors that nothing compares with", n)
	}
	if got := reasons(ask(t, s, "learn to code").Courses); !strings.HasPrefix(got, "py:meaning") {
		t.Errorf("the graph: %s", got)
	}
	if err := s.Mean(t.Context()); err != nil {
		t.Fatal(err)
	}
	out = ask(t, s, "celebrate fun")
	if got := reasons(out.Courses); got != "party:meaning" || len(out.Degraded) > 0 {
		t.Errorf("embedded anew: %s, degraded %v", got, out.Degraded)
	}
}

// An answer that its words fill does without meaning, and is not worse for it.
func TestMeaningIsNotAskedForInVain(t *testing.T) {
	o := withMeaning(wholeFixture())
	s := made(t, o.Options, wholeFixture())
	before := o.embedder.asked.Load()
	o.embedder.dead.Store(true)
	out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: "machine learning", Limit: 3})
	if err != nil || len(out.Degraded) > 0 || len(out.Courses) != 3 || o.embedder.asked.Load() != before {
		t.Errorf("%v, degraded %v, %s", err, out.Degraded, reasons(out.Courses))
	}
}

// There are never more phrases than allowed, names before other wordings.
func TestPhrasesAreBounded(t *testing.T) {
	o := withMeaning(wholeFixture())
	o.Config.Phrases = 4
	s := made(t, o.Options, wholeFixture())
	m := s.meanings.Load()
	if len(m.rows) > 4 || m.at["SQL"] == 0 && m.at["Programming"] == 0 {
		t.Errorf("%v", m.at)
	}
	o.Config.Phrases = 0
	s = made(t, o.Options, wholeFixture())
	if out := ask(t, s, "learn to code"); strings.Contains(reasons(out.Courses), "meaning") || len(out.Degraded) > 0 {
		t.Errorf("switched off: %s, degraded %v", reasons(out.Courses), out.Degraded)
	}
}

// The cosine that counts is measured where it is not set: an embedder of which all
// vectors are alike must not make everything mean everything.
func TestSimilarityIsMeasured(t *testing.T) {
	for _, tt := range []struct {
		name   string
		common float32 // of all vectors
		lo, hi float64
	}{{"apart", 0, 0.45, 0.55}, {"alike", 3, 0.88, mostRare}} {
		const n, dim = 500, 33
		r := rand.New(rand.NewPCG(1, 2))
		m := &meanings{dim: dim}
		for i := range n {
			v, norm := make([]float32, dim), 0.0
			for j := range v {
				v[j] = float32(r.NormFloat64() / math.Sqrt(dim))
			}
			v[0] += tt.common
			for _, x := range v {
				norm += float64(x * x)
			}
			for j := range v {
				v[j] /= float32(math.Sqrt(norm))
			}
			m.matrix, m.rows = append(m.matrix, v...), append(m.rows, int32(i))
		}
		if got := m.rare(); got < tt.lo || got > tt.hi {
			t.Errorf("%s: %.2f, want %.2f to %.2f", tt.name, got, tt.lo, tt.hi)
		}
	}
	if got := (&meanings{}).rare(); got != mostRare {
		t.Errorf("without phrases: %v", got)
	}
}
