package eval_test

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/mat"

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
	if strings.Contains(what, "fuse") {
		x := newLexIndex(text.DefaultParams(), courses)
		var docs []string
		for _, c := range courses {
			docs = append(docs, c.EmbeddingText(lectern.FieldSkills))
		}
		e := cachedEmbedder(t, docs)
		d := newDenseIndex(e, courses)
		fuse(t, what, courses, x, d, val, qrels)
	}
	if strings.Contains(what, "grid") {
		x := newLexIndex(text.DefaultParams(), courses)
		var docs []string
		for _, c := range courses {
			docs = append(docs, c.EmbeddingText(lectern.FieldSkills))
		}
		try := func(name string, change func(o *embed.Options)) {
			o := embed.DefaultOptions()
			change(&o)
			start := time.Now()
			e, err := embed.Train(t.Context(), slices.Values(docs), o)
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			d := newDenseIndex(e, courses)
			run(t, fmt.Sprintf("svd %s (%.1fs)", name, took.Seconds()), val, qrels, func(q string, k int) []lectern.Hit { return d.search(d.query(q), k) })
			at := map[string]int{}
			for i, id := range d.ids {
				at[id] = i
			}
			run(t, "   hybrid .5", val, qrels, func(q string, k int) []lectern.Hit {
				return fusion.MaxNorm([][]lectern.Hit{x.search(x.lex.QueryVector(q, text.QueryOptions{}), 300), d.search(d.query(q), 300)}, []float64{.5, .5}, k)
			})
			run(t, "   prf .5", val, qrels, func(q string, k int) []lectern.Hit {
				l, qv := x.search(x.lex.QueryVector(q, text.QueryOptions{}), 300), d.query(q)
				first := fusion.MaxNorm([][]lectern.Hit{l, d.search(qv, 300)}, []float64{.5, .5}, 50)
				return fusion.MaxNorm([][]lectern.Hit{l, d.search(d.feedback(qv, first, 5, 1, at), 300)}, []float64{.5, .5}, k)
			})
		}
		grid(what, try)
	}
}

func grid(what string, try func(string, func(*embed.Options))) {
	if strings.Contains(what, "grid2") {
		try("base", func(o *embed.Options) {})
		try("nochars", func(o *embed.Options) { o.MaxChars = 0 })
		try("nochars nopairs", func(o *embed.Options) { o.MaxChars = 0; o.MaxPairs = 0 })
		try("nochars pairs 100k", func(o *embed.Options) { o.MaxChars = 0; o.MaxPairs = 100000 })
		try("ngrams 20k .2", func(o *embed.Options) { o.MaxNgrams = 20000; o.CharsWeight = .2 })
		try("ngrams 80k .2", func(o *embed.Options) { o.MaxNgrams = 80000; o.CharsWeight = .2 })
		try("ngrams 80k .4", func(o *embed.Options) { o.MaxNgrams = 80000; o.CharsWeight = .4 })
		try("ngrams 80k .4 pairs 60k", func(o *embed.Options) { o.MaxNgrams = 80000; o.CharsWeight = .4; o.MaxPairs = 60000 })
		try("share .15", func(o *embed.Options) { o.MaxShare = .15 })
		try("384", func(o *embed.Options) { o.Dim = 384 })
	}
	if what == "grid0" {
		try("base", func(o *embed.Options) {})
	}
	if strings.Contains(what, "grid4") {
		try("base", func(o *embed.Options) {})
		try("title 2", func(o *embed.Options) { o.TitleWeight = 2 })
		try("chars .1", func(o *embed.Options) { o.CharsWeight = .1 })
		try("white 0", func(o *embed.Options) { o.Whitening = 0 })
		try("white .5", func(o *embed.Options) { o.Whitening = .5 })
		try("share .15", func(o *embed.Options) { o.MaxShare = .15 })
		try("map 30", func(o *embed.Options) { o.MapRidge = 30 })
		try("chars .1 ngrams 40k pairs 40k", func(o *embed.Options) { o.CharsWeight = .1; o.MaxNgrams = 40000; o.MaxPairs = 40000 })
	}
}

func cachedEmbedder(t *testing.T, docs []string) *embed.Local {
	file := "/tmp/emb.bin"
	if f, err := os.Open(file); err == nil {
		defer f.Close()
		e, err := embed.LoadLocal(f)
		if err == nil {
			return e
		}
		fmt.Println(err)
	}
	o := embed.DefaultOptions()
	o.MaxNgrams, o.MaxPairs, o.CharsWeight = 80000, 60000, .2
	e, err := embed.Train(t.Context(), slices.Values(docs), o)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := os.Create(file)
	e.Save(f)
	f.Close()
	return e
}

func unit(v []float32) []float32 {
	n := vek32.Norm(v)
	if n == 0 {
		return v
	}
	return vek32.DivNumber(v, n)
}

// smooth replaces each vector by itself plus gamma times the mean of its n nearest.
func (x *denseIndex) smooth(n int, gamma float32) *denseIndex {
	y := &denseIndex{e: x.e, ids: x.ids, vecs: make([][]float32, len(x.vecs))}
	at := map[string]int{}
	for i, id := range x.ids {
		at[id] = i
	}
	for i, v := range x.vecs {
		if v == nil {
			continue
		}
		sum := make([]float32, len(v))
		var tot float32
		for _, h := range x.search(v, n+1) {
			if at[h.ID] != i {
				vek32.Add_Inplace(sum, vek32.MulNumber(x.vecs[at[h.ID]], h.Score))
				tot += h.Score
			}
		}
		out := slices.Clone(v)
		if tot > 0 {
			vek32.Add_Inplace(out, vek32.MulNumber(sum, gamma/tot))
		}
		y.vecs[i] = unit(out)
	}
	return y
}

func (x *denseIndex) feedback(qv []float32, hits []lectern.Hit, m int, beta float32, at map[string]int) []float32 {
	out := make([]float32, x.e.Dim())
	if qv != nil {
		copy(out, qv)
	}
	var tot float32
	sum := make([]float32, len(out))
	for _, h := range hits[:min(m, len(hits))] {
		if v := x.vecs[at[h.ID]]; v != nil {
			vek32.Add_Inplace(sum, vek32.MulNumber(v, h.Score))
			tot += h.Score
		}
	}
	if tot > 0 {
		vek32.Add_Inplace(out, vek32.MulNumber(unit(sum), beta))
	}
	return unit(out)
}

func fuse(t *testing.T, what string, courses []lectern.Course, x *lexIndex, d *denseIndex, val []eval.Query, qrels eval.Qrels) {
	at := map[string]int{}
	for i, id := range d.ids {
		at[id] = i
	}
	lexq := func(q string) []lectern.Hit { return x.search(x.lex.QueryVector(q, text.QueryOptions{}), 300) }
	run(t, "svd", val, qrels, func(q string, k int) []lectern.Hit { return d.search(d.query(q), k) })
	if strings.Contains(what, "fuse1") {
		for _, w := range []float64{.3, .4, .5, .6, .7} {
			run(t, fmt.Sprint("hybrid ", w), val, qrels, func(q string, k int) []lectern.Hit {
				return fusion.MaxNorm([][]lectern.Hit{lexq(q), d.search(d.query(q), 300)}, []float64{w, 1 - w}, k)
			})
		}
		for _, m := range []int{3, 5, 10, 20} {
			for _, beta := range []float32{.5, 1, 2} {
				for _, w := range []float64{.5, .65} {
					run(t, fmt.Sprint("prf from hybrid m ", m, " beta ", beta, " w ", w), val, qrels, func(q string, k int) []lectern.Hit {
						l, qv := lexq(q), d.query(q)
						first := fusion.MaxNorm([][]lectern.Hit{l, d.search(qv, 300)}, []float64{.6, .4}, 50)
						fb := d.feedback(qv, first, m, beta, at)
						return fusion.MaxNorm([][]lectern.Hit{l, d.search(fb, 300)}, []float64{w, 1 - w}, k)
					})
				}
			}
		}
	}
	type shape struct {
		name string
		f    func([]lectern.Hit) []lectern.Hit
	}
	pow := func(p float64) func([]lectern.Hit) []lectern.Hit {
		return func(h []lectern.Hit) []lectern.Hit {
			out := slices.Clone(h)
			for i := range out {
				out[i].Score = float32(math.Pow(float64(out[i].Score), p))
			}
			return out
		}
	}
	floor := func(share float32) func([]lectern.Hit) []lectern.Hit {
		return func(h []lectern.Hit) []lectern.Hit {
			out := slices.Clone(h)
			if len(h) == 0 {
				return out
			}
			low := h[len(h)-1].Score * share
			for i := range out {
				out[i].Score -= low
			}
			return out
		}
	}
	if strings.Contains(what, "shape") {
		for _, s := range []shape{{"id", pow(1)}, {"pow1.5", pow(1.5)}, {"pow2", pow(2)}, {"pow3", pow(3)}, {"floor1", floor(1)}, {"floor.5", floor(.5)}} {
			for _, w := range []float64{.4, .5, .6} {
				run(t, fmt.Sprint("hybrid ", s.name, " ", w), val, qrels, func(q string, k int) []lectern.Hit {
					return fusion.MaxNorm([][]lectern.Hit{lexq(q), s.f(d.search(d.query(q), 300))}, []float64{w, 1 - w}, k)
				})
				run(t, fmt.Sprint("prf5/2 ", s.name, " ", w), val, qrels, func(q string, k int) []lectern.Hit {
					l, qv := lexq(q), d.query(q)
					first := fusion.MaxNorm([][]lectern.Hit{l, d.search(qv, 300)}, []float64{.6, .4}, 50)
					fb := d.feedback(qv, first, 5, 2, at)
					return fusion.MaxNorm([][]lectern.Hit{l, s.f(d.search(fb, 300))}, []float64{w, 1 - w}, k)
				})
			}
		}
		for _, w := range []float64{.4, .5, .6} {
			for _, p := range []float64{.5, .75} {
				run(t, fmt.Sprint("prf lex pow ", p, " ", w), val, qrels, func(q string, k int) []lectern.Hit {
					l, qv := lexq(q), d.query(q)
					first := fusion.MaxNorm([][]lectern.Hit{l, d.search(qv, 300)}, []float64{.6, .4}, 50)
					fb := d.feedback(qv, first, 5, 2, at)
					return fusion.MaxNorm([][]lectern.Hit{pow(p)(l), d.search(fb, 300)}, []float64{w, 1 - w}, k)
				})
			}
			run(t, fmt.Sprint("prf + first ", w), val, qrels, func(q string, k int) []lectern.Hit {
				l, qv := lexq(q), d.query(q)
				lat := d.search(qv, 300)
				first := fusion.MaxNorm([][]lectern.Hit{l, lat}, []float64{.6, .4}, 50)
				fb := d.feedback(nil, first, 5, 2, at)
				return fusion.MaxNorm([][]lectern.Hit{l, lat, d.search(fb, 300)}, []float64{w, (1 - w) / 2, (1 - w) / 2}, k)
			})
		}
	}
	if strings.Contains(what, "ridge") {
		for _, use := range []string{"t", "ts", "tsc", "tsw", "tsd", "sw", "tscdw"} {
			for _, lambda := range []float64{1, 10} {
				m := ridge(d, courses, lambda, use)
				qmap := func(q string) []float32 {
					v := d.query(q)
					if v == nil {
						return nil
					}
					return unit(m(v))
				}
				run(t, fmt.Sprint("ridge ", use, " lambda ", lambda), val, qrels, func(q string, k int) []lectern.Hit { return d.search(qmap(q), k) })
				for _, w := range []float64{.4, .5} {
					run(t, fmt.Sprint("   hybrid ", w), val, qrels, func(q string, k int) []lectern.Hit {
						return fusion.MaxNorm([][]lectern.Hit{lexq(q), d.search(qmap(q), 300)}, []float64{w, 1 - w}, k)
					})
					for _, beta := range []float32{1} {
						run(t, fmt.Sprint("   prf ", w, " ", beta), val, qrels, func(q string, k int) []lectern.Hit {
							l, qv := lexq(q), qmap(q)
							first := fusion.MaxNorm([][]lectern.Hit{l, d.search(qv, 300)}, []float64{w, 1 - w}, 50)
							fb := d.feedback(qv, first, 5, beta, at)
							return fusion.MaxNorm([][]lectern.Hit{l, d.search(fb, 300)}, []float64{w, 1 - w}, k)
						})
					}
				}
			}
		}
	}
	if strings.Contains(what, "smooth") {
		for _, n := range []int{5, 15} {
			for _, g := range []float32{.3, .6, 1} {
				y := d.smooth(n, g)
				run(t, fmt.Sprint("svd smoothed n ", n, " gamma ", g), val, qrels, func(q string, k int) []lectern.Hit { return y.search(y.query(q), k) })
				run(t, "   hybrid .6", val, qrels, func(q string, k int) []lectern.Hit {
					return fusion.MaxNorm([][]lectern.Hit{lexq(q), y.search(y.query(q), 300)}, []float64{.6, .4}, k)
				})
			}
		}
	}
}

func ridge(d *denseIndex, courses []lectern.Course, lambda float64, use string) func([]float32) []float32 {
	n := d.e.Dim()
	var a, b []float64
	rows := 0
	add := func(q, v []float32) {
		if q == nil || v == nil {
			return
		}
		for i := range q {
			a = append(a, float64(q[i]))
			b = append(b, float64(v[i]))
		}
		rows++
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range courses {
		lines := []string{c.Title, strings.Join(c.Categories, " "), c.Description, strings.Join(c.Syllabus, " ")}
		without := func(k int) []float32 {
			l := slices.Clone(lines)
			l[k] = ""
			v, _ := d.e.Embed(context.Background(), lectern.EmbedDocument, []string{strings.Join(l, "\n")})
			return v[0]
		}
		if strings.Contains(use, "t") {
			add(d.query(c.Title), without(0))
		}
		if strings.Contains(use, "s") {
			v := without(3)
			for _, s := range c.Syllabus {
				add(d.query(s), v)
			}
		}
		if strings.Contains(use, "c") {
			v := without(1)
			for _, s := range c.Categories {
				add(d.query(s), v)
			}
		}
		if strings.Contains(use, "d") {
			v := without(2)
			for i, s := range strings.Split(c.Description, ". ") {
				if i < 5 {
					add(d.query(s), v)
				}
			}
		}
		if strings.Contains(use, "w") {
			v := without(-1 + 3)
			words := strings.Fields(c.Description)
			for range 5 {
				if len(words) > 4 {
					i := rng.IntN(len(words) - 3)
					add(d.query(strings.Join(words[i:i+1+rng.IntN(3)], " ")), v)
				}
			}
		}
	}
	A, B := mat.NewDense(rows, n, a), mat.NewDense(rows, n, b)
	var g, r, m mat.Dense
	g.Mul(A.T(), A)
	for i := range n {
		g.Set(i, i, g.At(i, i)+lambda)
	}
	r.Mul(A.T(), B)
	if err := m.Solve(&g, &r); err != nil {
		panic(err)
	}
	return func(v []float32) []float32 {
		out := make([]float32, n)
		for i := range n {
			for j := range n {
				out[j] += v[i] * float32(m.At(i, j))
			}
		}
		return out
	}
}
