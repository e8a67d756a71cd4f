package qdranttest

import (
	"cmp"
	"math"
	"slices"

	"github.com/qdrant/go-client/qdrant"
)

// readVectors takes the vectors of one point, as the collection stores them.
func (c *collection) readVectors(in *qdrant.Vectors) (map[string][]float32, map[string]sparseVector, error) {
	named := map[string]*qdrant.Vector{}
	switch v := in.GetVectorsOptions().(type) {
	case *qdrant.Vectors_Vector:
		named[""] = v.Vector
	case *qdrant.Vectors_Vectors:
		named = v.Vectors.GetVectors()
	default:
		return nil, nil, malformed("No vector options provided")
	}
	dense, sparse := map[string][]float32{}, map[string]sparseVector{}
	for name, vector := range named {
		switch v := vector.GetVector().(type) {
		case *qdrant.Vector_Dense:
			d, err := c.readDense(name, v.Dense.GetData())
			if err != nil {
				return nil, nil, err
			}
			dense[name] = d
		case *qdrant.Vector_Sparse:
			s, err := c.readSparse(name, v.Sparse)
			if err != nil {
				return nil, nil, err
			}
			sparse[name] = s
		case nil:
			return nil, nil, malformed("No vector provided for %q", name)
		default:
			return nil, nil, unimplemented("vector %T", v)
		}
	}
	return dense, sparse, nil
}

// readDense checks a dense vector, stored or asked for, and makes it of unit
// length where the distance is the cosine.
func (c *collection) readDense(name string, data []float32) ([]float32, error) {
	space, ok := c.dense[name]
	if !ok {
		return nil, c.noDense(name)
	}
	if len(data) != space.size {
		return nil, wrongInput("Vector dimension error: expected dim: %d, got %d", space.size, len(data))
	}
	if space.distance == qdrant.Distance_Cosine {
		return normalised(data), nil
	}
	return slices.Clone(data), nil
}

func (c *collection) noDense(name string) error {
	if _, ok := c.sparse[name]; ok {
		return wrongInput("Conversion between sparse and regular vectors failed")
	}
	return wrongInput("Not existing vector name error: %s", name)
}

// readSparse checks a sparse vector and sorts it by index.
func (c *collection) readSparse(name string, v *qdrant.SparseVector) (sparseVector, error) {
	if _, ok := c.sparse[name]; !ok {
		if _, dense := c.dense[name]; dense {
			return sparseVector{}, wrongInput("Conversion between sparse and regular vectors failed")
		}
		return sparseVector{}, wrongInput("Not existing vector name error: %s", name)
	}
	return sortSparse(v)
}

func sortSparse(v *qdrant.SparseVector) (sparseVector, error) {
	if len(v.GetIndices()) != len(v.GetValues()) {
		return sparseVector{}, invalid("values", "must be the same length as indices")
	}
	order := make([]int, len(v.GetIndices()))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(v.Indices[a], v.Indices[b]) })
	out := sparseVector{indices: make([]uint32, len(order)), values: make([]float32, len(order))}
	for to, from := range order {
		out.indices[to], out.values[to] = v.Indices[from], v.Values[from]
		if to > 0 && out.indices[to] == out.indices[to-1] {
			return sparseVector{}, invalid("indices", "must be unique")
		}
	}
	return out, nil
}

// normalised leaves a vector alone that is zero or of unit length already.
func normalised(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	out := slices.Clone(v)
	if sum < 1e-12 || math.Abs(sum-1) <= 1e-6 {
		return out
	}
	length := math.Sqrt(sum)
	for i, x := range v {
		out[i] = float32(float64(x) / length)
	}
	return out
}

// score compares two dense vectors of the same length.
func score(distance qdrant.Distance, a, b []float32) float32 {
	switch distance {
	case qdrant.Distance_Euclid:
		var sum float64
		for i := range a {
			d := float64(a[i]) - float64(b[i])
			sum += d * d
		}
		return float32(math.Sqrt(sum))
	case qdrant.Distance_Manhattan:
		var sum float64
		for i := range a {
			sum += math.Abs(float64(a[i]) - float64(b[i]))
		}
		return float32(sum)
	default:
		return product(a, b)
	}
}

// product sums in eight lanes, as servers do: faster than one after another,
// and closer to the true sum.
func product(a, b []float32) float32 {
	var lanes [8]float32
	b = b[:len(a)]
	i := 0
	for ; i+8 <= len(a); i += 8 {
		x, y := a[i:i+8:i+8], b[i:i+8:i+8]
		lanes[0] += x[0] * y[0]
		lanes[1] += x[1] * y[1]
		lanes[2] += x[2] * y[2]
		lanes[3] += x[3] * y[3]
		lanes[4] += x[4] * y[4]
		lanes[5] += x[5] * y[5]
		lanes[6] += x[6] * y[6]
		lanes[7] += x[7] * y[7]
	}
	for ; i < len(a); i++ {
		lanes[0] += a[i] * b[i]
	}
	var sum float32
	for _, l := range lanes {
		sum += l
	}
	return sum
}

// largerIsBetter is the order of scores.
func largerIsBetter(d qdrant.Distance) bool {
	return d == qdrant.Distance_Cosine || d == qdrant.Distance_Dot
}

// sparseProduct sums over the indices that both have, and says whether there
// is any.
func sparseProduct(a, b sparseVector) (sum float32, shared bool) {
	i, j := 0, 0
	for i < len(a.indices) && j < len(b.indices) {
		switch {
		case a.indices[i] < b.indices[j]:
			i++
		case a.indices[i] > b.indices[j]:
			j++
		default:
			sum += a.values[i] * b.values[j]
			shared = true
			i++
			j++
		}
	}
	return sum, shared
}

// weighIDF multiplies the query's weights by the inverse document frequency
// ln(1 + (n - df + 0.5) / (df + 0.5)), where n counts the points that have the
// vector and df those whose vector has the index.
func (c *collection) weighIDF(name string, q sparseVector) sparseVector {
	n := 0
	df := make([]int, len(q.indices))
	for _, p := range c.points {
		v, ok := p.sparse[name]
		if !ok {
			continue
		}
		n++
		for i, index := range q.indices {
			if _, found := slices.BinarySearch(v.indices, index); found {
				df[i]++
			}
		}
	}
	out := sparseVector{indices: q.indices, values: make([]float32, len(q.values))}
	for i, w := range q.values {
		d := float64(df[i])
		out.values[i] = w * float32(math.Log(1+(float64(n)-d+0.5)/(d+0.5)))
	}
	return out
}
