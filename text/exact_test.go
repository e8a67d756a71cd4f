package text_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// bm25 is the document vector as the formula is written down, from the public
// tokens and with a map.
func bm25(p text.Params, d text.Document) lectern.SparseVector {
	freq, length := map[string]float64{}, 0.0
	for _, s := range d.Sections {
		w, ok := p.Weights[s.Field]
		if !ok {
			w = p.DefaultWeight
		}
		if s.Field == lectern.FieldTitle {
			for _, t := range text.NewAnalyzer().Tokens(s.Text, d.Language) {
				if t.Stop {
					freq[t.Surface+"\x00title"] += w
				}
			}
		}
		for _, term := range text.Terms(s.Text, d.Language) {
			freq[term] += w
			length += w
		}
	}
	norm := p.K1 * (1 - p.B + p.B*length/p.AverageLength)
	byID := map[uint32]float32{}
	for term, tf := range freq {
		byID[text.TermID(term)] += float32(tf * (p.K1 + 1) / (tf + norm))
	}
	v := lectern.SparseVector{Indices: []uint32{}, Values: []float32{}}
	for id := range byID {
		v.Indices = append(v.Indices, id)
	}
	slices.Sort(v.Indices)
	for _, id := range v.Indices {
		v.Values = append(v.Values, byID[id])
	}
	return v
}

// TestVectorsAreExact holds the remembered words to the formula: a lexicon that
// has read other texts before, in other languages, makes the same vectors.
func TestVectorsAreExact(t *testing.T) {
	p := text.DefaultParams()
	p.DefaultWeight = 0.7 // sums that round
	l := text.NewLexicon(p)
	word := rapid.SampledFrom([]string{
		"data", "Data", "the", "IT", "it", "node.js", "Élève", "élève", "snake_case", "l'analyse", "机器学习",
		"C++", "programming", "programmes", "основы", "risk.You", "̀", "'", "3.14", "Straße",
	})
	rapid.Check(t, func(t *rapid.T) {
		section := func(f lectern.CourseField) lectern.TextSection {
			s := ""
			for _, w := range rapid.SliceOfN(word, 1, 30).Draw(t, "words") {
				s += w + " "
			}
			return lectern.TextSection{Field: f, Text: s}
		}
		d := text.Document{
			Sections: []lectern.TextSection{section(lectern.FieldTitle), section(lectern.FieldDescription)},
			Language: rapid.SampledFrom([]string{"", "en", "fr", "zh-CN", "ru"}).Draw(t, "language"),
		}
		want := bm25(p, d)
		if diff := cmp.Diff(want, l.DocVector(d)); diff != "" {
			t.Errorf("DocVector (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, l.Put("x", d)); diff != "" {
			t.Errorf("Put (-want +got):\n%s", diff)
		}
	})
}

func TestAnalyzerIsSafeForConcurrentUse(t *testing.T) {
	a := text.NewAnalyzer()
	in := "Learn the foundations of node.js, l'analyse and 机器学习 in the U.S."
	want := text.NewAnalyzer().Tokens(in, "fr")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if diff := cmp.Diff(want, a.Tokens(in, "fr")); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	wg.Wait()
}
