package openai

import (
	"errors"
	"fmt"
	"math"

	goopenai "github.com/sashabaranov/go-openai"
)

// errDimension is an answer of the wrong dimension, which no retry mends.
type errDimension struct{ got, want int }

func (e errDimension) Error() string {
	return fmt.Sprintf("a vector has %d dimensions where %d are expected", e.got, e.want)
}

// errNull is a number that the server could not write down, such as NaN.
var errNull = errors.New("a vector holds null in place of a number")

// smallestNorm is the length below which a vector says nothing of its direction.
const smallestNorm = 1e-12

// read checks an answer to n texts and returns its vectors in the texts' order,
// at unit length. Without dim, all must be equally long.
func read(data []goopenai.Embedding, n, dim int) ([][]float32, error) {
	if len(data) != n {
		return nil, fmt.Errorf("%d vectors for %d texts", len(data), n)
	}
	out := make([][]float32, n)
	for _, d := range data { // servers need not keep the order
		if d.Index < 0 || d.Index >= n {
			return nil, fmt.Errorf("a vector for text %d of %d", d.Index, n)
		}
		if out[d.Index] != nil {
			return nil, fmt.Errorf("two vectors for text %d", d.Index)
		}
		if len(d.Embedding) == 0 {
			return nil, fmt.Errorf("an empty vector for text %d", d.Index)
		}
		if dim == 0 {
			dim = len(d.Embedding)
		}
		if len(d.Embedding) != dim {
			return nil, errDimension{got: len(d.Embedding), want: dim}
		}
		if !normalise(d.Embedding) {
			return nil, fmt.Errorf("a vector without a direction for text %d", d.Index)
		}
		out[d.Index] = d.Embedding
	}
	return out, nil
}

// normalise scales v to unit length. It returns false where v has no direction:
// zero, or with a number that is not finite.
func normalise(v []float32) bool {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	norm := math.Sqrt(sum)
	if !(norm > smallestNorm) || math.IsInf(norm, 0) {
		return false
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / norm)
	}
	return true
}
