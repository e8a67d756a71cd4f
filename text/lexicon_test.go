package text_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

func doc(title, description string) text.Document {
	return text.Document{Sections: []lectern.TextSection{
		{Field: lectern.FieldTitle, Text: title}, {Field: lectern.FieldDescription, Text: description},
	}}
}

func dot(a, b lectern.SparseVector) float64 {
	sum := 0.0
	for i, id := range a.Indices {
		if j, ok := slices.BinarySearch(b.Indices, id); ok {
			sum += float64(a.Values[i]) * float64(b.Values[j])
		}
	}
	return sum
}

// plain are parameters with which the arithmetic can be done by hand.
func plain() text.Params {
	return text.Params{K1: 1, B: 0.5, AverageLength: 4, DefaultWeight: 1,
		Weights: map[lectern.CourseField]float64{lectern.FieldTitle: 2}}
}

func TestVectorsAreBM25(t *testing.T) {
	l := text.NewLexicon(plain())
	d := l.Put("a", doc("python", "python data"))
	l.Put("b", doc("cooking", "bread"))
	// Counts: python 2+1 = 3, data 1; length 4, the average, so the norm is k1 = 1.
	// python 3·2/(3+1) = 1.5, data 1·2/(1+1) = 1.
	// N = 2, df = 1: idf = ln(1 + 1.5/1.5) = ln 2.
	q := l.QueryVector("python data ", text.QueryOptions{Mode: text.ModeWord})
	want := 1.5*math.Ln2 + 1*math.Ln2
	if got := dot(d, q); math.Abs(got-want) > 1e-6 {
		t.Errorf("score = %v, want %v", got, want)
	}
	// Twice the length doubles the length part of the norm: 1·(0.5 + 0.5·8/4) = 1.5.
	long := l.DocVector(doc("", "data one two three four five six seven"))
	if got, want := dot(long, l.QueryVector("data", text.QueryOptions{Mode: text.ModeWord})), 2/(1+1.5)*math.Ln2; math.Abs(got-want) > 1e-6 {
		t.Errorf("long score = %v, want %v", got, want)
	}
}

func TestQueryExpansion(t *testing.T) {
	l := text.NewLexicon(text.DefaultParams())
	docs := map[string]string{
		"ml": "machine learning", "java": "java basics", "js": "javascript basics", "py": "python programming",
		"es": "programación", "it": "IT support", "zh": "机器学习",
	}
	vectors := map[string]lectern.SparseVector{}
	for id, title := range docs {
		d := doc(title, "")
		if id == "es" {
			d.Language = "es"
		}
		vectors[id] = l.Put(id, d)
	}
	find := func(q string, m text.Mode) []string {
		qv := l.QueryVector(q, text.QueryOptions{Mode: m})
		var ids []string
		for id, v := range vectors {
			if dot(v, qv) > 0 {
				ids = append(ids, id)
			}
		}
		slices.SortFunc(ids, func(a, b string) int {
			if d := dot(vectors[b], qv) - dot(vectors[a], qv); math.Abs(d) > 1e-9 {
				return int(math.Copysign(1, d))
			}
			return strings.Compare(a, b)
		})
		return ids
	}
	tests := []struct {
		name, q string
		mode    text.Mode
		want    []string
	}{
		{"exact", "machine", text.ModeWord, []string{"ml"}},
		{"the last word may be unfinished", "mach", text.ModeSmart, []string{"ml"}},
		{"but not in word mode", "mach", text.ModeWord, nil},
		{"a space ends the word", "mach ", text.ModeSmart, nil},
		{"a known word comes before its completions", "java", text.ModeSmart, []string{"java", "js"}},
		{"letter missing", "machne learning", text.ModeSmart, []string{"ml"}},
		{"letter wrong", "pithon ", text.ModeSmart, []string{"py"}},
		{"letter too many", "pythoon ", text.ModeSmart, []string{"py"}},
		{"letters swapped", "pyhton ", text.ModeSmart, []string{"py"}},
		{"typos are not corrected in word mode", "pyhton ", text.ModeWord, nil},
		{"another language's stem, without its accent", "programacion ", text.ModeSmart, []string{"es", "py"}},
		{"a stop word may be a name", "it support", text.ModeSmart, []string{"it"}},
		{"one letter of a pair", "机", text.ModeSmart, []string{"zh"}},
		{"nothing known", "zzzzzz", text.ModeSmart, nil},
		{"empty", "", text.ModeSmart, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, find(tt.q, tt.mode)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tt.q, diff)
			}
		})
	}
}

func TestRewrite(t *testing.T) {
	l := text.NewLexicon(text.DefaultParams())
	l.Put("a", doc("machine learning", "python"))
	for q, want := range map[string]string{
		"machine": "machine", "Machine pyt": "machine python", "machne learning": "machine learning", "qqqqq": "qqqqq", "": "",
	} {
		got, changed := l.Rewrite(q, text.QueryOptions{})
		if got != want || changed != (q != want) {
			t.Errorf("Rewrite(%q) = %q, %v; want %q", q, got, changed, want)
		}
	}
}

// A lexicon that saw documents come and go equals one that saw only the rest.
func TestPutAndRemoveLeaveNoTrace(t *testing.T) {
	words := []string{"data", "python", "art", "law", "bread", "music"}
	rapid.Check(t, func(t *rapid.T) {
		moved, live := text.NewLexicon(text.DefaultParams()), map[string]string{}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "id")
			if rapid.Bool().Draw(t, "remove") {
				moved.Remove(id)
				delete(live, id)
				continue
			}
			body := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 6).Draw(t, "body"), " ")
			moved.Put(id, doc(body, ""))
			live[id] = body
		}
		fresh := text.NewLexicon(text.DefaultParams())
		for id, body := range live {
			fresh.Put(id, doc(body, ""))
		}
		for _, w := range append(words, "pyt", "pyhton ") {
			if diff := cmp.Diff(fresh.QueryVector(w, text.QueryOptions{}), moved.QueryVector(w, text.QueryOptions{})); diff != "" {
				t.Fatalf("query %q (-fresh +moved):\n%s", w, diff)
			}
		}
		if f, m := fresh.Stats(), moved.Stats(); f.Documents != m.Documents || math.Abs(f.MeanLength-m.MeanLength) > 1e-6 {
			t.Fatalf("stats: fresh %+v, moved %+v", f, m)
		}
	})
}

func TestLexiconIsSafeForConcurrentUse(t *testing.T) {
	l := text.NewLexicon(text.DefaultParams())
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				id := fmt.Sprint(g, "-", i%20)
				v := l.Put(id, doc(fmt.Sprintf("course %d word%d", i, i), "about things"))
				if !slices.IsSorted(v.Indices) {
					t.Error("indices do not rise")
				}
				l.QueryVector("wor", text.QueryOptions{})
				l.Rewrite("cuorse", text.QueryOptions{})
				l.Remove(id)
			}
		})
	}
	wg.Wait()
	if s := l.Stats(); s.Documents != 0 || s.MeanLength != 0 {
		t.Errorf("stats after removing all: %+v", s)
	}
}

// bigLexicon has n documents over a vocabulary with the skew of real text.
func bigLexicon(n int) *text.Lexicon {
	l := text.NewLexicon(text.DefaultParams())
	for i := range n {
		var b strings.Builder
		for j := range 60 {
			x := uint64(i*60+j) * 0x9e3779b97f4a7c15
			u := float64(x>>11) / (1 << 53)
			fmt.Fprintf(&b, "w%s ", word26(int(math.Exp(u*12))))
		}
		l.Put(fmt.Sprint(i), doc("", b.String()))
	}
	return l
}

// word26 spells a number in letters.
func word26(n int) string {
	var b []byte
	for n > 0 {
		b = append(b, byte('a'+n%26))
		n /= 26
	}
	return string(b)
}

func BenchmarkQueryVector(b *testing.B) {
	l := bigLexicon(100_000)
	b.Logf("%+v", l.Stats())
	for _, q := range []string{"wab ", "wab wc", "wabc qqxyzz wcd", "w"} {
		b.Run(strings.TrimSpace(q), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.QueryVector(q, text.QueryOptions{})
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	l := text.NewLexicon(text.DefaultParams())
	body := strings.Repeat("Learn the foundations of machine learning with Python and TensorFlow: regression, classification. ", 10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Put(fmt.Sprint(i), doc(fmt.Sprint("course ", i), body))
	}
}
