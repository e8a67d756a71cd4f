package eval_test

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/eval"
	"github.com/lectern-dev/lectern/internal/fusion"
	"github.com/lectern-dev/lectern/text"
)

// What search is expected to gain over words, on the whole set of queries.
const (
	wantNDCGGain   = 0.02
	wantRecallGain = 0.08
)

// listDepth is how many courses of each list are fused.
const listDepth = 300

// searcher ranks a catalogue by brute force: the smallest thing that has the
// scores of a real index.
type searcher struct {
	words    *text.Lexicon
	embedder lectern.Embedder
	ids      []string
	postings map[uint32][]posting
	vectors  map[string][]float32
}

type posting struct {
	course int
	weight float32
}

func newSearcher(t testing.TB, courses []lectern.Course, leaveOut []lectern.CourseField) *searcher {
	t.Helper()
	s := &searcher{words: text.NewLexicon(text.DefaultParams()), postings: map[uint32][]posting{}, vectors: map[string][]float32{}}
	texts := make([]string, len(courses))
	for i, c := range courses {
		s.ids = append(s.ids, c.ID)
		texts[i] = c.EmbeddingText(leaveOut...)
		v := s.words.Put(c.ID, text.CourseDocument(c, leaveOut...))
		for j, term := range v.Indices {
			s.postings[term] = append(s.postings[term], posting{i, v.Values[j]})
		}
	}
	start := time.Now()
	local, err := embed.Train(t.Context(), slices.Values(texts), embed.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	trained := time.Since(start)
	s.embedder = local
	vectors, err := local.Embed(t.Context(), lectern.EmbedDocument, texts)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("trained on %d courses in %.1f s (%d features), embedded at %.0f a second",
		len(texts), trained.Seconds(), local.Features(), float64(len(texts))/(time.Since(start)-trained).Seconds())
	for i, v := range vectors {
		if v != nil {
			s.vectors[s.ids[i]] = v
		}
	}
	return s
}

func (s *searcher) byWords(q string, mode text.Mode) []lectern.Hit {
	scores := make([]float32, len(s.ids))
	v := s.words.QueryVector(q, text.QueryOptions{Mode: mode})
	for i, term := range v.Indices {
		for _, p := range s.postings[term] {
			scores[p.course] += p.weight * v.Values[i]
		}
	}
	return s.best(scores)
}

func (s *searcher) byVector(q []float32) []lectern.Hit {
	if q == nil {
		return nil
	}
	scores := make([]float32, len(s.ids))
	for i, id := range s.ids {
		if v := s.vectors[id]; v != nil {
			scores[i] = vek32.Dot(q, v)
		}
	}
	return s.best(scores)
}

func (s *searcher) best(scores []float32) []lectern.Hit {
	var hits []lectern.Hit
	for i, score := range scores {
		if score > 0 {
			hits = append(hits, lectern.Hit{ID: s.ids[i], Score: score})
		}
	}
	slices.SortFunc(hits, func(a, b lectern.Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return hits[:min(len(hits), listDepth)]
}

// queryVector embeds a query, with its slips corrected if asked.
func (s *searcher) queryVector(q string, correct bool) []float32 {
	if correct {
		q, _ = s.words.Rewrite(q, text.QueryOptions{})
	}
	v, err := s.embedder.Embed(context.Background(), lectern.EmbedQuery, []string{q})
	if err != nil {
		return nil
	}
	return v[0]
}

// hybrid fuses words and meaning, the latter after feedback from the first
// answer when feedback is over 0 courses.
func (s *searcher) hybrid(q string, share float64, feedback int, beta float64) []lectern.Hit {
	weights := []float64{share, 1 - share}
	words, v := s.byWords(q, text.ModeSmart), s.queryVector(q, true)
	fused := fusion.MaxNorm([][]lectern.Hit{words, s.byVector(v)}, weights, listDepth)
	if feedback == 0 {
		return fused
	}
	leading := fused[:min(feedback, len(fused))]
	vectors := make([][]float32, len(leading))
	for i, h := range leading {
		vectors[i] = s.vectors[h.ID]
	}
	moved := s.byVector(fusion.Feedback(v, leading, vectors, beta))
	return fusion.MaxNorm([][]lectern.Hit{words, moved}, weights, listDepth)
}

func (s *searcher) rankers() []eval.SearchRanker {
	ranker := func(name string, search func(q string) []lectern.Hit) eval.SearchRanker {
		return eval.SearchRanker{Name: name, Search: func(_ context.Context, q string, k int) ([]string, error) {
			hits := search(q)
			ids := make([]string, min(k, len(hits)))
			for i := range ids {
				ids[i] = hits[i].ID
			}
			return ids, nil
		}}
	}
	return []eval.SearchRanker{
		ranker("word", func(q string) []lectern.Hit { return s.byWords(q, text.ModeWord) }),
		ranker("word, expanded", func(q string) []lectern.Hit { return s.byWords(q, text.ModeSmart) }),
		ranker("latent", func(q string) []lectern.Hit { return s.byVector(s.queryVector(q, false)) }),
		ranker("hybrid without feedback", func(q string) []lectern.Hit { return s.hybrid(q, 0.5, 0, 0) }),
		ranker("hybrid", func(q string) []lectern.Hit { return s.hybrid(q, 0.5, 3, 1) }),
	}
}

// part splits queries in two by a hash of their text: 0 was tuned on, 1 was not.
func part(q eval.Query) uint32 {
	h := fnv.New32a()
	h.Write([]byte(q.Text))
	return h.Sum32() >> 7 & 1
}

// TestSearchQuality ranks all courses of two real catalogues for queries made
// from their skill tags, prints the table of docs/measured/search.md, and fails
// when the hybrid loses what it gains over words.
func TestSearchQuality(t *testing.T) {
	if testing.Short() {
		t.Skip("trains on 3,529 courses")
	}
	courses := courseraCourses(t)
	set, qrels := eval.SkillQueries(courses)
	s := newSearcher(t, courses, set.LeaveOut)
	tuned := slices.DeleteFunc(slices.Clone(set.Queries), func(q eval.Query) bool { return part(q) == 1 })
	held := slices.DeleteFunc(slices.Clone(set.Queries), func(q eval.Query) bool { return part(q) == 0 })
	report := make(map[string]eval.Report)
	for _, v := range []struct {
		name    string
		queries []eval.Query
	}{
		{"all", set.Queries}, {"tuned on", tuned}, {"held out", held},
		{"first 60 % of letters", eval.Prefixes(set).Queries}, {"one typo", eval.Typos(set, 1).Queries},
	} {
		r, err := eval.Search(t.Context(), s.rankers(), v.queries, qrels)
		if err != nil {
			t.Fatal(err)
		}
		report[v.name] = r
		if testing.Verbose() {
			fmt.Printf("\n%s\n", v.name)
			_ = r.WriteTable(os.Stdout)
		}
	}
	word, hybrid := report["all"].Rankers[0], report["all"].Rankers[4]
	ndcg, recall := gain(word, hybrid)
	t.Logf("gain of %s over %s: nDCG@10 %.4f [%.4f, %.4f], Recall@50 %.4f [%.4f, %.4f]", hybrid.Name, word.Name,
		ndcg.Mean, ndcg.Low, ndcg.High, recall.Mean, recall.Low, recall.High)
	if ndcg.Mean < wantNDCGGain || recall.Mean < wantRecallGain {
		t.Errorf("hybrid gains %.4f nDCG@10 and %.4f Recall@50 over words, want %v and %v", ndcg.Mean, recall.Mean, wantNDCGGain, wantRecallGain)
	}
}

// gain compares two rankers query by query.
func gain(base, better eval.RankerScore) (ndcg, recall eval.Interval) {
	column := func(s eval.RankerScore, of func(eval.QueryScore) float64) []float64 {
		out := make([]float64, len(s.PerQuery))
		for i, q := range s.PerQuery {
			out[i] = of(q)
		}
		return out
	}
	rng := rand.New(rand.NewPCG(1, 2))
	compare := func(of func(eval.QueryScore) float64) eval.Interval {
		return eval.PairedBootstrap(column(better, of), column(base, of), 2000, rng)
	}
	return compare(func(q eval.QueryScore) float64 { return q.NDCG }), compare(func(q eval.QueryScore) float64 { return q.Recall })
}
