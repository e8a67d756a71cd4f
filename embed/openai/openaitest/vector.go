package openaitest

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"unicode"
)

// stem is how many letters of a word stand for its other forms.
const stem = 5

// Vector is what the server answers for a text: the sum of one random direction
// per word and per beginning of a word, each following from its letters, and one
// small direction that all texts share. It does not have unit length.
func Vector(text string, dim int) []float32 {
	out := make([]float32, dim)
	add(out, "\x00", 0.1)
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, w := range words {
		add(out, w, 1)
		if runes := []rune(w); len(runes) > stem {
			add(out, string(runes[:stem])+"…", 1)
		}
	}
	return out
}

// add adds the direction of a feature.
func add(v []float32, feature string, weight float32) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(feature)) // never fails
	random := rand.New(rand.NewPCG(h.Sum64(), 1))
	for i := range v {
		v[i] += weight * (2*random.Float32() - 1)
	}
}

func numbers(v []float32) []any {
	out := make([]any, len(v))
	for i, x := range v {
		out[i] = x
	}
	return out
}
