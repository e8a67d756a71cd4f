package qdrant

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
)

// specKey is the name under which a collection's metadata holds the spec that it
// was made with, as JSON.
const specKey = "lectern_spec"

// storedSpec is lectern.IndexSpec with stable names.
type storedSpec struct {
	Version     int64          `json:"version"`
	Fingerprint string         `json:"fingerprint"`
	Dense       map[string]int `json:"dense"`
	Sparse      []string       `json:"sparse"`
}

// checkSpec refuses what no collection can be made of.
func checkSpec(s lectern.IndexSpec) error {
	var bad []lectern.FieldError
	if s.Version <= 0 {
		bad = append(bad, lectern.NewFieldError("version", s.Version, "is not a version", "above 0"))
	}
	for name, dim := range s.Dense {
		if name == "" || dim <= 0 || dim > maxDimensions {
			bad = append(bad, lectern.NewFieldError("dense."+name, dim, "is not a usable vector", "a name and 1 to 65535 dimensions"))
		}
	}
	for _, name := range s.Sparse {
		if _, ok := s.Dense[name]; ok || name == "" {
			bad = append(bad, lectern.NewFieldError("sparse", name, "is empty or dense too", "a name of its own"))
		}
	}
	if len(bad) > 0 {
		return lectern.Invalid("no index can be made so", bad...)
	}
	return nil
}

// roomFor is the dense vectors that a collection gets: those of the spec and, as
// no name can be added later, those of collaborative factors to come.
func (x *Indexes) roomFor(s lectern.IndexSpec) map[string]int {
	dense := maps.Clone(s.Dense)
	if dense == nil {
		dense = map[string]int{}
	}
	if _, ok := dense[lectern.VectorCF]; !ok && x.cfg.CFDimensions > 0 && !slices.Contains(s.Sparse, lectern.VectorCF) {
		dense[lectern.VectorCF] = x.cfg.CFDimensions
	}
	return dense
}

// collection is the request that makes a collection. Learners have no words.
func (x *Indexes) collection(kind kind, s lectern.IndexSpec) (*pb.CreateCollection, error) {
	spec, err := json.Marshal(storedSpec(s))
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeInternal, "encode the spec of an index: %w", err)
	}
	dense := map[string]*pb.VectorParams{}
	for name, dim := range x.roomFor(s) {
		dense[name] = x.denseParams(name, dim)
	}
	sparse := map[string]*pb.SparseVectorParams{}
	for _, name := range s.Sparse {
		if kind == courses {
			sparse[name] = &pb.SparseVectorParams{Index: &pb.SparseIndexConfig{OnDisk: &x.cfg.OnDiskSparse}}
		}
	}
	req := &pb.CreateCollection{
		CollectionName:         x.name(kind, s.Version),
		HnswConfig:             x.graph(),
		ReplicationFactor:      uint32Of(x.cfg.ReplicationFactor),
		WriteConsistencyFactor: uint32Of(x.cfg.WriteConsistencyFactor),
		OnDiskPayload:          &x.cfg.OnDiskPayload,
		VectorsConfig:          pb.NewVectorsConfigMap(dense),
		Metadata:               map[string]*pb.Value{specKey: pb.NewValueString(string(spec)), ownerKey: pb.NewValueString(x.owner)},
	}
	if x.cfg.Shards > 0 {
		req.ShardNumber = uint32Of(x.cfg.Shards)
	}
	if len(sparse) > 0 {
		req.SparseVectorsConfig = pb.NewSparseVectorsConfig(sparse)
	}
	return req, nil
}

// denseParams compares by dot product: the vectors are of unit length already,
// and so they are kept as they were given.
func (x *Indexes) denseParams(name string, dim int) *pb.VectorParams {
	p := &pb.VectorParams{Size: uint64(dim), Distance: pb.Distance_Dot}
	if name == lectern.VectorCF {
		return p // short: compressing it or moving it to disk saves little and costs much
	}
	p.OnDisk = &x.cfg.OnDiskVectors
	inMemory := true
	switch x.cfg.Quantization {
	case "scalar":
		quantile := float32(0.99)
		p.QuantizationConfig = pb.NewQuantizationScalar(&pb.ScalarQuantization{
			Type: pb.QuantizationType_Int8, Quantile: &quantile, AlwaysRam: &inMemory})
	case "binary":
		p.QuantizationConfig = pb.NewQuantizationBinary(&pb.BinaryQuantization{AlwaysRam: &inMemory})
	}
	return p
}

func (x *Indexes) graph() *pb.HnswConfigDiff {
	g := &pb.HnswConfigDiff{OnDisk: &x.cfg.OnDiskGraph}
	if x.cfg.HNSWM > 0 {
		g.M = uint64Of(x.cfg.HNSWM)
	}
	if x.cfg.HNSWEfConstruct > 0 {
		g.EfConstruct = uint64Of(x.cfg.HNSWEfConstruct)
	}
	return g
}

// payloadIndexes are the indexes of the fields that filters use, by field.
func payloadIndexes() map[string]*pb.CreateFieldIndexCollection {
	yes, no := true, false
	out := map[string]*pb.CreateFieldIndexCollection{}
	for _, field := range []string{fieldStatus, fieldLevel, fieldLanguages, fieldCategories, fieldProvider, fieldSkills, fieldRegions, fieldOrganisations} {
		out[field] = &pb.CreateFieldIndexCollection{
			FieldType:        pb.FieldType_FieldTypeKeyword.Enum(),
			FieldIndexParams: pb.NewPayloadIndexParamsKeyword(&pb.KeywordIndexParams{}),
		}
	}
	out[fieldHours] = &pb.CreateFieldIndexCollection{
		FieldType:        pb.FieldType_FieldTypeFloat.Enum(),
		FieldIndexParams: pb.NewPayloadIndexParamsFloat(&pb.FloatIndexParams{}),
	}
	for _, field := range []string{fieldFrom, fieldUntil} {
		out[field] = &pb.CreateFieldIndexCollection{
			FieldType:        pb.FieldType_FieldTypeInteger.Enum(),
			FieldIndexParams: pb.NewPayloadIndexParamsInt(&pb.IntegerIndexParams{Lookup: &no, Range: &yes}),
		}
	}
	for field, req := range out {
		req.FieldName, req.Wait = field, &yes
	}
	return out
}

// indexPayload makes those payload indexes that a collection lacks, so that one
// whose making was cut short is whole once it is opened.
func (x *Indexes) indexPayload(ctx context.Context, collection string, have map[string]*pb.PayloadSchemaInfo) error {
	requests := payloadIndexes()
	for _, field := range slices.Sorted(maps.Keys(requests)) {
		if _, ok := have[field]; ok {
			continue
		}
		req := requests[field]
		req.CollectionName = collection
		_, err := write(ctx, x.call, "index the payload", collection, x.cfg.AdminTimeout, func(ctx context.Context) (*pb.UpdateResult, error) {
			return x.client.CreateFieldIndex(ctx, req)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// specIn reads what a collection was made with, and what it has room for.
func specIn(collection string, info *pb.CollectionInfo) (lectern.IndexSpec, shape, error) {
	config := info.GetConfig()
	text := config.GetMetadata()[specKey].GetStringValue()
	var spec storedSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return lectern.IndexSpec{}, shape{}, lectern.Errorf(lectern.CodeConflict,
			"the collection %s was not made by Lectern: its metadata has no %s (%w)", collection, specKey, err)
	}
	s := shape{dense: map[string]int{}, sparse: map[string]bool{}}
	for name, p := range config.GetParams().GetVectorsConfig().GetParamsMap().GetMap() {
		s.dense[name] = int(p.GetSize())
	}
	for name := range config.GetParams().GetSparseVectorsConfig().GetMap() {
		s.sparse[name] = true
	}
	return lectern.IndexSpec(spec), s, nil
}

func uint32Of(n int) *uint32 {
	out := uint32(n)
	return &out
}

func uint64Of(n int) *uint64 {
	out := uint64(n)
	return &out
}
