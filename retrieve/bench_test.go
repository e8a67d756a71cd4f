package retrieve_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/retrieve"
)

// randomEmbedder gives every text a fixed random direction of 256 dimensions: the
// work of a search without the cost of making vectors.
type randomEmbedder struct{}

func (randomEmbedder) Dim() int            { return 256 }
func (randomEmbedder) Fingerprint() string { return "random" }

func (randomEmbedder) Embed(_ context.Context, _ lectern.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		var seed [32]byte
		copy(seed[:], t)
		out[i] = randomUnit(rand.New(rand.NewChaCha8(seed)))
	}
	return out, nil
}

func randomUnit(r *rand.Rand) []float32 {
	v := make([]float64, 256)
	norm := 0.0
	for i := range v {
		v[i] = r.NormFloat64()
		norm += v[i] * v[i]
	}
	return unit32(v, norm)
}

// bigCatalogue makes n courses out of a small vocabulary.
func bigCatalogue(n int) []lectern.Course {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 3000)
	for i := range words {
		words[i] = fmt.Sprintf("w%03dx", i)
	}
	phrase := func(k int) string {
		out := make([]string, k)
		for i := range out {
			out[i] = words[int(float64(len(words))*r.Float64()*r.Float64())]
		}
		return strings.Join(out, " ")
	}
	out := make([]lectern.Course, n)
	for i := range out {
		published := now.AddDate(0, 0, -r.IntN(2000))
		h := float64(r.IntN(90))
		out[i] = lectern.Course{
			ID: fmt.Sprintf("course-%06d", i), Title: phrase(4), Description: phrase(30), Language: "en",
			Provider: fmt.Sprintf("provider %d", r.IntN(60)), Categories: []string{fmt.Sprintf("category %d", r.IntN(24))},
			Skills: []string{phrase(1), phrase(2), phrase(1)}, Level: lectern.Levels()[r.IntN(4)], WorkloadHours: &h, PublishedAt: &published,
			Stated: lectern.StatedStats{RatingMean: 3 + 2*r.Float64(), RatingCount: r.IntN(5000), Enrolments: r.IntN(100_000)},
		}
	}
	return out
}

// BenchmarkList makes first pages of ten for a warm learner with thirty courses
// and two interests, searches of two words with and without the reviews that every
// course has, and similar courses.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{5_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkLists(b, n) })
	}
}

func benchmarkLists(b *testing.B, n int) {
	courses := bigCatalogue(n)
	var cfg retrieve.Config
	w := newWorld(b, courses, func(w *world, c *retrieve.Config, _ *rerankConfig) {
		w.embedder = randomEmbedder{}
		w.reviews = make(map[string]string, n)
		for _, course := range courses {
			w.reviews[course.ID] = course.ID
		}
		cfg = *c
	})
	w.profiles[ada] = lectern.Profile{Version: 1, Learner: lectern.Learner{ID: "ada", Interests: []string{"w001x w010x", "w200x"}}}
	for i := range 30 {
		w.act(ada, lectern.EventEnrol, fmt.Sprintf("course-%06d", i*7))
	}
	for _, c := range []struct {
		name    string
		req     lectern.ListRequest
		reviews float64
	}{
		{"home", home(ada), cfg.ReviewsWeight},
		{"nobody", home(lectern.LearnerRef{}), cfg.ReviewsWeight},
		{"search", search("w003x w040x"), cfg.ReviewsWeight},
		{"search-without-reviews", search("w003x w040x"), 0},
		{"similar", lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "course-000003"}, cfg.ReviewsWeight},
	} {
		b.Run(c.name, func(b *testing.B) {
			cfg.ReviewsWeight = c.reviews
			w.build(cfg, linearDefault(b))
			c.req.Limit = 10
			w.list(c.req)
			var took []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				w.list(c.req)
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkNextPage cuts the second page from the recorded list.
func BenchmarkNextPage(b *testing.B) {
	w := newWorld(b, bigCatalogue(5_000))
	req := home(lectern.LearnerRef{})
	req.Limit = 10
	req.Cursor = w.list(req).NextCursor
	b.ReportAllocs()
	for b.Loop() {
		w.list(req)
	}
}

// BenchmarkCatalogFill reads 100,000 courses into memory; BenchmarkCatalogOne
// changes one of them.
func BenchmarkCatalogFill(b *testing.B) {
	entries := entriesOf(bigCatalogue(100_000))
	b.ReportAllocs()
	for b.Loop() {
		c := retrieve.NewCatalog(retrieve.DefaultConfig(), nil, lectern.SystemClock)
		if err := c.Apply(context.Background(), entries, nil, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCatalogOne(b *testing.B) {
	entries := entriesOf(bigCatalogue(100_000))
	c := retrieve.NewCatalog(retrieve.DefaultConfig(), nil, lectern.SystemClock)
	if err := c.Apply(context.Background(), entries, nil, true); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := c.Apply(context.Background(), entries[i%1000:i%1000+1], nil, false); err != nil {
			b.Fatal(err)
		}
	}
}

func entriesOf(courses []lectern.Course) []retrieve.CatalogEntry {
	out := make([]retrieve.CatalogEntry, len(courses))
	for i, c := range courses {
		out[i].Course = c
	}
	return out
}

// BenchmarkTaste makes the taste of a learner with a hundred courses anew.
func BenchmarkTaste(b *testing.B) {
	w := newWorld(b, bigCatalogue(1000), func(w *world, _ *retrieve.Config, _ *rerankConfig) { w.embedder = randomEmbedder{} })
	for i := range 100 {
		w.act(ada, lectern.EventEnrol, fmt.Sprintf("course-%06d", i))
	}
	profiles, err := learner.NewProfiles(learnerStore{w: w}, learner.DefaultConfig(), w.time)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p := w.profiles[ada]
		p.Version++ // as after an event
		w.profiles[ada] = p
		if _, _, err := profiles.Load(context.Background(), ada, w.index, w.embedder); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSearchPage makes first pages of twenty over a catalogue of the size of
// a large platform's, with descriptions as long as real ones: as they are, with all
// facets counted, and with all facets counted of a search that filters by two.
func BenchmarkSearchPage(b *testing.B) {
	courses := bigCatalogue(3_529)
	for i := range courses {
		long := courses[i].Description
		for j := range 6 {
			long += ". " + courses[(i+j)%len(courses)].Description
		}
		words := strings.Fields(long)
		for j, word := range words {
			if j%10 != 0 { // as in a language, words begin with different letters
				words[j] = string(rune('a'+(word[1]+word[2]*3+word[3]*7)%26)) + word[1:]
			}
		}
		courses[i].Description = strings.Join(words, " ")
	}
	w := newWorld(b, courses, func(w *world, c *retrieve.Config, _ *rerankConfig) {
		w.embedder = randomEmbedder{}
	})
	filtered := lectern.Filter{Levels: []lectern.Level{lectern.LevelBeginner}, Languages: []string{"en"}}
	for _, c := range []struct {
		name   string
		facets []lectern.Facet
		filter lectern.Filter
	}{
		{"plain", nil, lectern.Filter{}},
		{"facets", lectern.Facets(), lectern.Filter{}},
		{"filtered", nil, filtered},
		{"filtered-facets", lectern.Facets(), filtered},
	} {
		b.Run(c.name, func(b *testing.B) {
			req := search("w003x w040x")
			req.Limit, req.Facets, req.Filter = 20, c.facets, c.filter
			b.ReportAllocs()
			for b.Loop() {
				w.list(req)
			}
		})
	}
}

// BenchmarkWithoutIndex makes first pages of searches from memory: of two words,
// and of one that no title, skill or category has, for which texts are read.
func BenchmarkWithoutIndex(b *testing.B) {
	for _, n := range []int{5_000, 100_000} {
		courses := bigCatalogue(n)
		courses[n/2].Description += " packaging"
		courses[n/2].Stated.Enrolments = 1_000_000 // among those whose texts are read
		w := newWorld(b, courses, wordsOnly)
		w.indexErr = errors.New("down")
		for _, q := range []string{"w003x w040x", "packaging"} {
			b.Run(fmt.Sprintf("%d/%s", n, strings.ReplaceAll(q, " ", "+")), func(b *testing.B) {
				req := search(q)
				if l := w.list(req); len(l.Items) == 0 {
					b.Fatal("nothing found")
				}
				b.ReportAllocs()
				for b.Loop() {
					w.list(req)
				}
			})
		}
	}
}
