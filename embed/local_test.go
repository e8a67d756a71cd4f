package embed_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/embed/embedtest"
)

// topics have words of their own and one in common.
var topics = [][]string{
	strings.Fields("python programming code software variables functions debugging loops algorithms compiler course"),
	strings.Fields("baking bread flour oven yeast pastry dough recipe kitchen kneading course"),
	strings.Fields("guitar music chords melody rhythm harmony scales song tuning fretboard course"),
	strings.Fields("contracts law court legal rights justice statute attorney evidence trial course"),
}

// corpus writes n documents, each on one topic.
func corpus(n int) []string {
	rng := rand.New(rand.NewPCG(7, 7))
	docs := make([]string, n)
	for i := range docs {
		words := topics[i%len(topics)]
		pick := func(k int) string {
			out := make([]string, k)
			for j := range out {
				out[j] = words[rng.IntN(len(words))]
			}
			return strings.Join(out, " ")
		}
		docs[i] = fmt.Sprintf("%s\n%s; %s\nAbout %s. And %s.", pick(2), pick(1), pick(2), pick(8), pick(8))
	}
	return docs
}

func train(t testing.TB, docs []string, change func(*embed.Options)) *embed.Local {
	t.Helper()
	o := embed.DefaultOptions()
	o.Dim = 32
	if change != nil {
		change(&o)
	}
	l, err := embed.Train(t.Context(), slices.Values(docs), o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func one(t testing.TB, e lectern.Embedder, kind lectern.EmbedKind, s string) []float32 {
	t.Helper()
	v, err := e.Embed(t.Context(), kind, []string{s})
	if err != nil {
		t.Fatal(err)
	}
	return v[0]
}

func cosine(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func TestConformance(t *testing.T) {
	small, large := train(t, corpus(40), nil), train(t, corpus(600), nil)
	for name, l := range map[string]*embed.Local{"without query map": small, "with query map": large} {
		t.Run(name, func(t *testing.T) {
			embedtest.Run(t, embedtest.Subject{
				Embedder: l,
				Known:    []string{"python programming\nloops and functions", "Bread recipe", "guitar", "a trial in court"},
				Unknown:  []string{"", "   \n", "机", "?!"},
			})
		})
	}
}

func TestLearnsTopics(t *testing.T) {
	for _, n := range []int{40, 600} {
		l := train(t, corpus(n), func(o *embed.Options) { o.Dim = 8 }) // fewer than words, more than topics
		// These words never meet in one text, only in texts that share others.
		near := cosine(one(t, l, lectern.EmbedQuery, "yeast"), one(t, l, lectern.EmbedDocument, "kneading pastry"))
		far := cosine(one(t, l, lectern.EmbedQuery, "yeast"), one(t, l, lectern.EmbedDocument, "legal statute"))
		if near < 0.5 || far > 0.3 {
			t.Errorf("%d documents: same topic %.2f, other topic %.2f", n, near, far)
		}
		// Letters carry a word with a slip in it.
		if slip := cosine(one(t, l, lectern.EmbedQuery, "progamming"), one(t, l, lectern.EmbedDocument, "python code")); slip < 0.4 {
			t.Errorf("%d documents: a typo is %.2f from its topic", n, slip)
		}
	}
}

func TestTinyCatalogues(t *testing.T) {
	for _, n := range []int{1, 2, 5} {
		docs := corpus(n)
		l := train(t, docs, nil)
		for _, d := range docs {
			v := one(t, l, lectern.EmbedDocument, d)
			if len(v) != 32 || cosine(v, v) < 0.999 {
				t.Errorf("%d documents: vector of %d floats, squared length %v", n, len(v), cosine(v, v))
			}
		}
	}
}

func TestNothingToLearnFrom(t *testing.T) {
	for _, docs := range [][]string{nil, {""}, {"!?", "  \n"}} {
		_, err := embed.Train(t.Context(), slices.Values(docs), embed.DefaultOptions())
		if lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%q: %v", docs, err)
		}
	}
}

func TestTrainStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := embed.Train(ctx, slices.Values(corpus(20)), embed.DefaultOptions())
	if lectern.ErrorCode(err) != lectern.CodeDeadline {
		t.Errorf("error = %v", err)
	}
}

func TestTrainingIsReproducible(t *testing.T) {
	docs := corpus(600)
	a := train(t, docs, func(o *embed.Options) { o.Workers = 1; o.MaxDocs = 400 })
	b := train(t, docs, func(o *embed.Options) { o.Workers = 3; o.MaxDocs = 400 })
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("one and three workers disagree")
	}
	if c := train(t, docs, func(o *embed.Options) { o.Seed = 2; o.MaxDocs = 400 }); c.Fingerprint() == a.Fingerprint() {
		t.Error("the seed changes nothing")
	}
}

func TestSaveAndLoad(t *testing.T) {
	for _, n := range []int{5, 600} {
		l := train(t, corpus(n), nil)
		var b bytes.Buffer
		if err := l.Save(&b); err != nil {
			t.Fatal(err)
		}
		got, err := embed.LoadLocal(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if got.Fingerprint() != l.Fingerprint() || got.Dim() != l.Dim() || got.Features() != l.Features() {
			t.Errorf("loaded %s, %d, %d; saved %s, %d, %d", got.Fingerprint(), got.Dim(), got.Features(), l.Fingerprint(), l.Dim(), l.Features())
		}
		for _, kind := range []lectern.EmbedKind{lectern.EmbedDocument, lectern.EmbedQuery} {
			if diff := cmp.Diff(one(t, l, kind, "python bread"), one(t, got, kind, "python bread")); diff != "" {
				t.Errorf("vectors differ:\n%s", diff)
			}
		}
	}
}

func TestLoadRefusesDamage(t *testing.T) {
	var b bytes.Buffer
	if err := train(t, corpus(8), nil).Save(&b); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	flipped := slices.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	for name, body := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)-1], "header alone": whole[:20], "a bit flipped": flipped, "longer": append(slices.Clone(whole), 0),
	} {
		if _, err := embed.LoadLocal(bytes.NewReader(body)); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLoadLocal(f *testing.F) {
	var b bytes.Buffer
	if err := train(f, corpus(2), func(o *embed.Options) { o.Dim = 2; o.MaxNgrams = 10 }).Save(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("LECTEMB2"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if l, err := embed.LoadLocal(bytes.NewReader(body)); err == nil {
			one(t, l, lectern.EmbedQuery, "python")
		}
	})
}

func BenchmarkEmbed(b *testing.B) {
	l := train(b, corpus(2000), func(o *embed.Options) { o.Dim = 256 })
	doc := corpus(1)[0] + strings.Repeat("\nLearn the foundations of programming with functions and loops, from legal contracts to guitar chords.", 10)
	for name, c := range map[string]struct {
		kind lectern.EmbedKind
		text string
	}{"query": {lectern.EmbedQuery, "python programming for music"}, "document": {lectern.EmbedDocument, doc}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				one(b, l, c.kind, c.text)
			}
		})
	}
}
