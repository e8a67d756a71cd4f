package suggest

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// remote is a backend that answers late or not at all. Late means by its own
// clock: it does not look at deadlines.
type remote struct {
	delay atomic.Int64
	dead  atomic.Bool
	asked atomic.Int64
}

var errDead = errors.New("connection refused")

func (r *remote) answer() error {
	r.asked.Add(1)
	time.Sleep(time.Duration(r.delay.Load()))
	if r.dead.Load() {
		return errDead
	}
	return nil
}

// senses are the directions of the test embedder: words of one line mean the same.
var senses = [...]string{
	"code coding programming python c c# node.js react program servers js",
	"data analyst analysis sql statistics",
	"machine learning",
	"economics macroeconomics money finance markets",
	"french café language français",
	"party celebrate celebration planning fun",
}

// senseEmbedder embeds texts by the senses of their words.
type senseEmbedder struct {
	remote
	print string
	extra int // zeros behind every vector
}

func (e *senseEmbedder) Dim() int            { return len(senses) + e.extra }
func (e *senseEmbedder) Fingerprint() string { return e.print }

func (e *senseEmbedder) Embed(_ context.Context, _ lectern.EmbedKind, texts []string) ([][]float32, error) {
	if err := e.answer(); err != nil {
		return nil, err
	}
	out := make([][]float32, len(texts))
	for i, t := range texts {
		v, norm := make([]float32, e.Dim()), 0.0
		for w := range strings.FieldsSeq(strings.ToLower(t)) {
			for j, s := range senses {
				if slices.Contains(strings.Fields(s), w) {
					v[j]++
				}
			}
		}
		for _, x := range v {
			norm += float64(x * x)
		}
		if norm == 0 {
			continue
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(norm))
		}
		out[i] = v
	}
	return out, nil
}

// titleIndex finds courses by the vectors of their titles.
type titleIndex struct {
	lectern.VectorIndex
	remote
	embedder *senseEmbedder
	courses  []lectern.Course
}

func (x *titleIndex) Search(ctx context.Context, queries []lectern.VectorQuery) ([][]lectern.Hit, error) {
	if err := x.answer(); err != nil {
		return nil, err
	}
	out := make([][]lectern.Hit, len(queries))
	for i, q := range queries {
		for _, c := range x.courses {
			vectors, err := (&senseEmbedder{extra: x.embedder.extra}).Embed(ctx, lectern.EmbedDocument, []string{c.Title})
			if err != nil {
				return nil, err
			}
			dot := float32(0)
			for j, v := range vectors[0] {
				dot += v * q.Dense[j]
			}
			if dot > 0 {
				out[i] = append(out[i], lectern.Hit{ID: c.ID, Score: dot})
			}
		}
		slices.SortStableFunc(out[i], func(a, b lectern.Hit) int { return cmp.Compare(b.Score, a.Score) })
		out[i] = out[i][:min(len(out[i]), q.K)]
	}
	return out, nil
}

// switching is a pipeline whose generation changes.
type switching struct {
	mu       sync.Mutex
	index    lectern.VectorIndex
	embedder lectern.Embedder
}

func (g *switching) Generation() (lectern.VectorIndex, lectern.Embedder) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.index, g.embedder
}

func (g *switching) use(x lectern.VectorIndex, e lectern.Embedder) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.index, g.embedder = x, e
}

// smallGraph is a skill graph over the fixture.
type smallGraph struct{ version atomic.Uint64 }

func (g *smallGraph) Version() uint64 { return g.version.Load() }

func (g *smallGraph) Concepts() []Concept {
	out := []Concept{
		{ID: "programming", Name: "Programming", Aliases: []string{"coding"}, Phrases: []string{"learn to code", "make programs"}, Courses: 4},
		{ID: "sql", Name: "SQL", Courses: 1},
		{ID: "statistics", Name: "Statistics", Courses: 1},
		{ID: "events", Name: "Party planning", Phrases: []string{"celebrate together"}, Courses: 1},
		{ID: "none", Name: "Nobody teaches this", Courses: 0},
	}
	if g.version.Load() > 0 {
		out = append(out, Concept{ID: "french", Name: "Spoken French", Courses: 1})
	}
	return out
}

func (g *smallGraph) Courses(id string, n int) []string {
	all := map[string][]string{
		"programming": {"py", "react", "cpp", "cs", "gone"}, "sql": {"sql"}, "statistics": {"stats"}, "events": {"party"}, "french": {"cafe"},
	}[id]
	return all[:min(n, len(all))]
}

func (g *smallGraph) Tags(course string) []string {
	return map[string][]string{"py": {"programming"}, "react": {"programming"}, "stats": {"statistics"}, "sql": {"sql"}}[course]
}

func (g *smallGraph) Expand(query string) []Asked {
	switch strings.ToLower(strings.TrimSpace(query)) {
	case "learn to code", "programming":
		return []Asked{{ID: "programming", Weight: 0.9}}
	case "become a data analyst":
		return []Asked{{ID: "sql", Weight: 0.4}, {ID: "statistics", Weight: 0.35}}
	case "py":
		return []Asked{{ID: "programming", Weight: 0.5}} // a weak name
	case "machne lerning":
		return []Asked{{ID: "statistics", Weight: 0.64, Misspelt: true}}
	case "js":
		return []Asked{{ID: "programming", Weight: 1}}
	}
	return nil
}

// meaningOptions are those of a suggester with all that can be slow or dead.
type meaningOptions struct {
	Options
	embedder *senseEmbedder
	index    *titleIndex
	now      *switching
	graph    *smallGraph
}

func withMeaning(courses []lectern.Course) meaningOptions {
	o := meaningOptions{embedder: &senseEmbedder{print: "one"}, graph: &smallGraph{}}
	o.index = &titleIndex{embedder: o.embedder, courses: courses}
	o.now = &switching{index: o.index, embedder: o.embedder}
	o.Options = Options{Config: DefaultConfig(), Clock: testNow, Generations: o.now, Concepts: o.graph}
	return o
}

// wholeFixture is the fixture with a course that only means what it is asked for.
func wholeFixture() []lectern.Course {
	return append(fixture(), course("sql", "Asking Databases", "", "Data Science", "Oslo", 10))
}

// patient gives backends all the time they want: what a late answer costs is tested
// with the budgets that ship, in bubbles of time (running).
func patient(c Config) Config {
	if c == (Config{}) {
		c = DefaultConfig()
	}
	c.ProfileTimeout, c.EmbedTimeout, c.EmbedGiveUp, c.MeaningsTimeout = time.Minute, time.Minute, time.Minute, time.Minute
	return c
}

// made is a suggester over courses, at rest.
func made(t testing.TB, o Options, courses []lectern.Course) *Suggester {
	t.Helper()
	o.Config = patient(o.Config)
	s, err := NewWith(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), upserts(courses), nil, true); err != nil {
		t.Fatal(err)
	}
	s.Rebuild()
	if o.Generations != nil || o.Concepts != nil {
		if err := s.Mean(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.ReadSearches()
	return s
}

// reasons lists items with their reasons.
func reasons(in []lectern.Suggestion) string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = cmp.Or(s.ID, s.Text) + ":" + string(s.Reason)
	}
	return strings.Join(out, " ")
}
