package eval_test

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/eval"
	"github.com/lectern-dev/lectern/internal/fusion"
	"github.com/lectern-dev/lectern/text"
)

type lexIndex struct {
	lex  *text.Lexicon
	ids  []string
	post map[uint32][]posting
	acc  []float32
}
type posting struct {
	doc int32
	w   float32
}

func newLexIndex(p text.Params, courses []lectern.Course) *lexIndex {
	x := &lexIndex{lex: text.NewLexicon(p), post: map[uint32][]posting{}, acc: make([]float32, len(courses))}
	for i, c := range courses {
		x.ids = append(x.ids, c.ID)
		v := x.lex.Put(c.ID, text.CourseDocument(c, lectern.FieldSkills))
		for j, id := range v.Indices {
			x.post[id] = append(x.post[id], posting{int32(i), v.Values[j]})
		}
	}
	return x
}
func (x *lexIndex) search(q lectern.SparseVector, k int) []lectern.Hit {
	clear(x.acc)
	for i, id := range q.Indices {
		for _, p := range x.post[id] {
			x.acc[p.doc] += p.w * q.Values[i]
		}
	}
	return top(x.ids, x.acc, k)
}
func top(ids []string, scores []float32, k int) []lectern.Hit {
	var hits []lectern.Hit
	for i, s := range scores {
		if s > 0 {
			hits = append(hits, lectern.Hit{ID: ids[i], Score: s})
		}
	}
	slices.SortFunc(hits, func(a, b lectern.Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return hits[:min(k, len(hits))]
}

type denseIndex struct {
	e    lectern.Embedder
	ids  []string
	vecs [][]float32
}

func newDenseIndex(e lectern.Embedder, courses []lectern.Course) *denseIndex {
	x := &denseIndex{e: e}
	for _, c := range courses {
		x.ids = append(x.ids, c.ID)
		v, _ := e.Embed(context.Background(), lectern.EmbedDocument, []string{c.EmbeddingText(lectern.FieldSkills)})
		x.vecs = append(x.vecs, v[0])
	}
	return x
}
func (x *denseIndex) search(q []float32, k int) []lectern.Hit {
	if q == nil {
		return nil
	}
	s := make([]float32, len(x.ids))
	for i, v := range x.vecs {
		if v != nil {
			s[i] = vek32.Dot(q, v)
		}
	}
	return top(x.ids, s, k)
}
func (x *denseIndex) query(s string) []float32 {
	v, _ := x.e.Embed(context.Background(), lectern.EmbedQuery, []string{s})
	return v[0]
}

func idsOf(h []lectern.Hit) []string {
	out := make([]string, len(h))
	for i := range h {
		out[i] = h[i].ID
	}
	return out
}

func half(q eval.Query) int { h := fnv.New32a(); h.Write([]byte(q.Text)); return int(h.Sum32()>>7) & 1 }

func run(t *testing.T, name string, set []eval.Query, qrels eval.Qrels, f func(q string, k int) []lectern.Hit) {
	r, err := eval.Search(context.Background(), []eval.SearchRanker{{Name: name, Search: func(_ context.Context, q string, k int) ([]string, error) { return idsOf(f(q, k)), nil }}}, set, qrels)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Rankers[0]
	fmt.Printf("%-60s n=%d ndcg %.4f recall50 %.4f mrr %.4f ms %.3f\n", name, r.Queries, s.NDCG, s.Recall, s.MRR, s.MS)
}

func TestTune(t *testing.T) {
	what := os.Getenv("TUNE")
	if what == "" {
		t.Skip()
	}
	courses := courseraCourses(t)
	set, qrels := eval.SkillQueries(courses)
	fmt.Println(len(courses), "courses", len(set.Queries), "queries")
	var val []eval.Query
	for _, q := range set.Queries {
		if half(q) == 0 {
			val = append(val, q)
		}
	}
	word := text.QueryOptions{Mode: text.ModeWord}
	if strings.Contains(what, "bm25") {
		for _, k1 := range []float64{0.8, 1.2, 1.8} {
			for _, b := range []float64{0.2, 0.4, 0.6} {
				p := text.DefaultParams()
				p.K1, p.B = k1, b
				x := newLexIndex(p, courses)
				if k1 == 1.2 && b == .4 {
					fmt.Println(x.lex.Stats())
				}
				run(t, fmt.Sprint("word k1 ", k1, " b ", b), val, qrels, func(q string, k int) []lectern.Hit { return x.search(x.lex.QueryVector(q, word), k) })
			}
		}
		for _, tw := range []float64{2, 3, 6} {
			for _, cw := range []float64{1, 2, 4} {
				p := text.DefaultParams()
				p.Weights = map[lectern.CourseField]float64{lectern.FieldTitle: tw, lectern.FieldCategories: cw}
				x := newLexIndex(p, courses)
				run(t, fmt.Sprint("word title ", tw, " cat ", cw), val, qrels, func(q string, k int) []lectern.Hit { return x.search(x.lex.QueryVector(q, word), k) })
			}
		}
	}
	if strings.Contains(what, "smart") {
		x := newLexIndex(text.DefaultParams(), courses)
		for n, s := range map[string]eval.QuerySet{"full": set, "prefix": eval.Prefixes(set), "typo": eval.Typos(set, 1)} {
			var v []eval.Query
			for i, q := range s.Queries {
				if half(set.Queries[i]) == 0 {
					v = append(v, q)
				}
			}
			run(t, "word "+n, v, qrels, func(q string, k int) []lectern.Hit { return x.search(x.lex.QueryVector(q, word), k) })
			run(t, "smart "+n, v, qrels, func(q string, k int) []lectern.Hit { return x.search(x.lex.QueryVector(q, text.QueryOptions{}), k) })
		}
	}
	if strings.Contains(what, "svd") {
		x := newLexIndex(text.DefaultParams(), courses)
		var docs []string
		for _, c := range courses {
			docs = append(docs, c.EmbeddingText(lectern.FieldSkills))
		}
		start := time.Now()
		e, err := embed.Train(t.Context(), slices.Values(docs), embed.DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("train", time.Since(start), e.Features())
		start = time.Now()
		d := newDenseIndex(e, courses)
		fmt.Println("embed docs", time.Since(start))
		run(t, "word", val, qrels, func(q string, k int) []lectern.Hit { return x.search(x.lex.QueryVector(q, word), k) })
		run(t, "svd", val, qrels, func(q string, k int) []lectern.Hit { return d.search(d.query(q), k) })
		for _, w := range []float64{.3, .5, .7} {
			for _, depth := range []int{100, 300, 1000} {
				run(t, fmt.Sprint("hybrid ", w, " ", depth), val, qrels, func(q string, k int) []lectern.Hit {
					return fusion.MaxNorm([][]lectern.Hit{x.search(x.lex.QueryVector(q, text.QueryOptions{}), depth), d.search(d.query(q), depth)}, []float64{w, 1 - w}, k)
				})
			}
		}
	}
}
