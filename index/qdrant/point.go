package qdrant

import (
	"cmp"
	"slices"

	"github.com/google/uuid"
	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
)

// Namespace is the namespace of the ids of points: a point's is the UUIDv5 of the
// course's id in it. It is itself the UUIDv5 of this module's address as a URL,
// and never changes.
const Namespace = "3a512110-0fc5-5ad0-9afd-43f20f05695f"

var namespace = uuid.MustParse(Namespace)

// PointID returns the id of a course's point, or a learner's.
func PointID(id string) string { return uuid.NewSHA1(namespace, []byte(id)).String() }

// pointIDs returns the ids of points, each once.
func pointIDs(ids []string) []*pb.PointId {
	out := make([]*pb.PointId, 0, len(ids))
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, pb.NewIDUUID(PointID(id)))
		}
	}
	return out
}

// encode makes a point as Qdrant takes it. It shares the vectors' memory.
func encode(p lectern.Point) *pb.PointStruct {
	vectors := make(map[string]*pb.Vector, len(p.Dense)+len(p.Sparse))
	for name, v := range p.Dense {
		if len(v) > 0 {
			vectors[name] = pb.NewVectorDense(v)
		}
	}
	for name, v := range p.Sparse {
		if len(v.Indices) > 0 {
			vectors[name] = pb.NewVectorSparse(v.Indices, v.Values)
		}
	}
	return &pb.PointStruct{
		Id:      pb.NewIDUUID(PointID(p.ID)),
		Payload: factsOf(p.Payload).payload(p.ID),
		Vectors: pb.NewVectorsMap(vectors),
	}
}

// sizeOf estimates the bytes of a point on its way.
func sizeOf(p lectern.Point) int {
	n := 400 + 2*len(p.ID) // ids, field names, tags
	for name, v := range p.Dense {
		n += len(name) + 4*len(v)
	}
	for name, v := range p.Sparse {
		n += len(name) + 9*len(v.Indices) // indices are varints
	}
	for _, list := range [][]string{p.Payload.Languages, p.Payload.Categories, p.Payload.Regions, p.Payload.Organisations} {
		for _, s := range list {
			n += 6 + len(s)
		}
	}
	return n
}

// denseIn returns a dense vector as it was stored. Older servers give it in the
// field that the newer one replaced.
func denseIn(v *pb.VectorOutput) []float32 {
	if d := v.GetDense(); d != nil {
		return d.GetData()
	}
	if v.GetSparse() == nil && v.GetIndices() == nil { //nolint:staticcheck // deprecated, see above
		return v.GetData() //nolint:staticcheck // deprecated, see above
	}
	return nil
}

// sparseIn returns a sparse vector as it was stored, indices rising.
func sparseIn(v *pb.VectorOutput) lectern.SparseVector {
	var out lectern.SparseVector
	switch {
	case v.GetSparse() != nil:
		out = lectern.SparseVector{Indices: v.GetSparse().GetIndices(), Values: v.GetSparse().GetValues()}
	case v.GetIndices() != nil: //nolint:staticcheck // deprecated, see denseIn
		out = lectern.SparseVector{Indices: v.GetIndices().GetData(), Values: v.GetData()} //nolint:staticcheck // deprecated
	}
	if len(out.Indices) != len(out.Values) || slices.IsSorted(out.Indices) {
		return out
	}
	order := make([]int, len(out.Indices))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(out.Indices[a], out.Indices[b]) })
	var sorted lectern.SparseVector
	for _, i := range order {
		sorted.Indices = append(sorted.Indices, out.Indices[i])
		sorted.Values = append(sorted.Values, out.Values[i])
	}
	return sorted
}

// holds reports whether a stored point is exactly this one: payload and all
// vectors, no more and no fewer.
func holds(stored *pb.RetrievedPoint, p lectern.Point) bool {
	if stored.GetPayload()[fieldID].GetStringValue() != p.ID || !factsIn(stored.GetPayload()).equal(factsOf(p.Payload)) {
		return false
	}
	vectors, want := stored.GetVectors().GetVectors().GetVectors(), 0
	for name, v := range p.Dense {
		if len(v) == 0 {
			continue
		}
		want++
		if !slices.Equal(denseIn(vectors[name]), v) {
			return false
		}
	}
	for name, v := range p.Sparse {
		if len(v.Indices) == 0 {
			continue
		}
		want++
		if got := sparseIn(vectors[name]); !slices.Equal(got.Indices, v.Indices) || !slices.Equal(got.Values, v.Values) {
			return false
		}
	}
	return len(vectors) == want
}
