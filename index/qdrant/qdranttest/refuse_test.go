package qdranttest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// codeOf is the gRPC code under go-client's error.
func codeOf(err error) codes.Code {
	if err == nil {
		return codes.OK
	}
	var exhausted *qdrant.QdrantResourceExhaustedError
	if errors.As(err, &exhausted) {
		return codes.ResourceExhausted
	}
	var withStatus interface{ GRPCStatus() *status.Status }
	if errors.As(err, &withStatus) {
		return withStatus.GRPCStatus().Code()
	}
	return codes.Unknown
}

// refusal is a call that a server must refuse.
type refusal struct {
	name string
	call func(ctx context.Context, c *qdrant.Client, name string) error
	code codes.Code
	says string // in the message
}

// upserting makes a call that writes one point.
func upserting(p *qdrant.PointStruct) func(context.Context, *qdrant.Client, string) error {
	return func(ctx context.Context, c *qdrant.Client, name string) error {
		_, err := c.Upsert(ctx, &qdrant.UpsertPoints{CollectionName: name, Wait: qdrant.PtrOf(true), Points: []*qdrant.PointStruct{p}})
		return err
	}
}

// vectorOf makes such a point with one vector.
func vectorOf(vector string, v *qdrant.Vector) func(context.Context, *qdrant.Client, string) error {
	return upserting(withVectors(9, map[string]*qdrant.Vector{vector: v}))
}

func querying(q *qdrant.QueryPoints) func(context.Context, *qdrant.Client, string) error {
	return func(ctx context.Context, c *qdrant.Client, name string) error {
		q.CollectionName = name
		_, err := c.Query(ctx, q)
		return err
	}
}

func filtering(f *qdrant.Filter) func(context.Context, *qdrant.Client, string) error {
	return func(ctx context.Context, c *qdrant.Client, name string) error {
		_, err := c.Count(ctx, &qdrant.CountPoints{CollectionName: name, Filter: f})
		return err
	}
}

func creating(r *qdrant.CreateCollection) func(context.Context, *qdrant.Client, string) error {
	return func(ctx context.Context, c *qdrant.Client, name string) error {
		if r.CollectionName == "" {
			r.CollectionName = name + "-other"
		}
		return c.CreateCollection(ctx, r)
	}
}

func aliasing(actions ...*qdrant.AliasOperations) func(context.Context, *qdrant.Client, string) error {
	return func(ctx context.Context, c *qdrant.Client, _ string) error { return c.UpdateAliases(ctx, actions) }
}

func vectorRefusals() []refusal {
	dense := qdrant.NewVector
	v := qdrant.PtrOf("v")
	return []refusal{
		{"too long a vector", vectorOf("v", dense(1, 2, 3)), codes.InvalidArgument, "expected dim: 2, got 3"},
		{"an empty vector", vectorOf("v", dense()), codes.InvalidArgument, ""},
		{"an unknown vector", vectorOf("w", dense(1, 2)), codes.InvalidArgument, "Not existing vector name error: w"},
		{"an unnamed vector", upserting(&qdrant.PointStruct{Id: qdrant.NewIDNum(9), Vectors: qdrant.NewVectors(1, 2)}), codes.InvalidArgument, "Not existing vector name"},
		{"dense for sparse", vectorOf("s", dense(1, 2)), codes.InvalidArgument, "sparse"},
		{"sparse for dense", vectorOf("v", qdrant.NewVectorSparse([]uint32{1}, []float32{1})), codes.InvalidArgument, "sparse"},
		{"an index twice", vectorOf("s", qdrant.NewVectorSparse([]uint32{5, 5}, []float32{1, 2})), codes.InvalidArgument, "must be unique"},
		{"too few values", vectorOf("s", qdrant.NewVectorSparse([]uint32{5, 6}, []float32{1})), codes.InvalidArgument, "same length"},
		{"no vectors", upserting(&qdrant.PointStruct{Id: qdrant.NewIDNum(9)}), codes.InvalidArgument, "Expected some vectors"},
		{"no id", upserting(&qdrant.PointStruct{Vectors: qdrant.NewVectorsMap(nil)}), codes.InvalidArgument, "Empty ID is not allowed"},
		{"an empty id", upserting(&qdrant.PointStruct{Id: &qdrant.PointId{}, Vectors: qdrant.NewVectorsMap(nil)}), codes.InvalidArgument, "No ID options provided"},
		{"no UUID", upserting(&qdrant.PointStruct{Id: qdrant.NewIDUUID("course-1"), Vectors: qdrant.NewVectorsMap(nil)}), codes.InvalidArgument, "Unable to parse UUID: course-1"},

		{"query of the wrong length", querying(&qdrant.QueryPoints{Query: qdrant.NewQuery(1), Using: v}), codes.InvalidArgument, "expected dim: 2, got 1"},
		{"query of an unknown vector", querying(&qdrant.QueryPoints{Query: qdrant.NewQuery(1, 2), Using: qdrant.PtrOf("w")}), codes.InvalidArgument, "Not existing vector name error: w"},
		{"query of no vector", querying(&qdrant.QueryPoints{Query: qdrant.NewQuery(1, 2)}), codes.InvalidArgument, "Not existing vector name"},
		{"dense query of sparse", querying(&qdrant.QueryPoints{Query: qdrant.NewQuery(1, 2), Using: qdrant.PtrOf("s")}), codes.InvalidArgument, "sparse"},
		{"sparse query of dense", querying(&qdrant.QueryPoints{Query: qdrant.NewQuerySparse([]uint32{1}, []float32{1}), Using: v}), codes.InvalidArgument, "sparse"},
		{"sparse query with an index twice", querying(&qdrant.QueryPoints{Query: qdrant.NewQuerySparse([]uint32{1, 1}, []float32{1, 1}), Using: qdrant.PtrOf("s")}), codes.InvalidArgument, "must be unique"},
		{"query by an unknown point", querying(&qdrant.QueryPoints{Query: qdrant.NewQueryID(qdrant.NewIDNum(404)), Using: v}), codes.NotFound, "404"},
		{"query of nothing", querying(&qdrant.QueryPoints{Query: qdrant.NewQuery(1, 2), Using: v, Limit: qdrant.PtrOf(uint64(0))}), codes.InvalidArgument, "limit"},
		{"query in a batch without a name", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.QueryBatch(ctx, &qdrant.QueryBatchPoints{CollectionName: name, QueryPoints: []*qdrant.QueryPoints{{Query: qdrant.NewQuery(1, 2), Using: v}}})
			return err
		}, codes.InvalidArgument, "collection_name"},
		{"query in no time", querying(&qdrant.QueryPoints{Query: qdrant.NewQuery(1, 2), Using: v, Timeout: qdrant.PtrOf(uint64(0))}), codes.InvalidArgument, "timeout"},
	}
}

func requestRefusals() []refusal {
	params := func(size uint64, d qdrant.Distance) *qdrant.VectorsConfig {
		return qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{"v": {Size: size, Distance: d}})
	}
	ok := params(2, qdrant.Distance_Dot)
	return []refusal{
		{"an unknown collection", func(ctx context.Context, c *qdrant.Client, _ string) error {
			_, err := c.Count(ctx, &qdrant.CountPoints{CollectionName: "no-such-collection"})
			return err
		}, codes.NotFound, "Collection `no-such-collection` doesn't exist!"},
		{"info of an unknown collection", func(ctx context.Context, c *qdrant.Client, _ string) error {
			_, err := c.GetCollectionInfo(ctx, "no-such-collection")
			return err
		}, codes.NotFound, "no-such-collection"},
		{"an empty name", func(ctx context.Context, c *qdrant.Client, _ string) error {
			_, err := c.Count(ctx, &qdrant.CountPoints{})
			return err
		}, codes.InvalidArgument, "collection_name"},
		{"a name twice", func(ctx context.Context, c *qdrant.Client, name string) error {
			return c.CreateCollection(ctx, &qdrant.CreateCollection{CollectionName: name, VectorsConfig: ok})
		}, codes.AlreadyExists, "already exists"},
		{"a name with a slash", creating(&qdrant.CreateCollection{CollectionName: "a/b", VectorsConfig: ok}), codes.InvalidArgument, "collection_name"},
		{"no size", creating(&qdrant.CreateCollection{VectorsConfig: params(0, qdrant.Distance_Dot)}), codes.InvalidArgument, "size"},
		{"too large a size", creating(&qdrant.CreateCollection{VectorsConfig: params(70000, qdrant.Distance_Dot)}), codes.InvalidArgument, "size"},
		{"no distance", creating(&qdrant.CreateCollection{VectorsConfig: params(2, qdrant.Distance_UnknownDistance)}), codes.InvalidArgument, "distance"},
		{"no shards", creating(&qdrant.CreateCollection{VectorsConfig: ok, ShardNumber: qdrant.PtrOf(uint32(0))}), codes.InvalidArgument, "shard_number"},
		{"no replicas", creating(&qdrant.CreateCollection{VectorsConfig: ok, ReplicationFactor: qdrant.PtrOf(uint32(0))}), codes.InvalidArgument, "replication_factor"},
		{"too small an ef_construct", creating(&qdrant.CreateCollection{VectorsConfig: ok, HnswConfig: &qdrant.HnswConfigDiff{EfConstruct: qdrant.PtrOf(uint64(3))}}), codes.InvalidArgument, "ef_construct"},
		{"update of an unknown collection", func(ctx context.Context, c *qdrant.Client, _ string) error {
			return c.UpdateCollection(ctx, &qdrant.UpdateCollection{CollectionName: "no-such-collection", HnswConfig: &qdrant.HnswConfigDiff{M: qdrant.PtrOf(uint64(8))}})
		}, codes.NotFound, "no-such-collection"},

		{"alias of nothing", aliasing(qdrant.NewAliasCreate("qdranttest-alias", "no-such-collection")), codes.NotFound, "no-such-collection"},
		{"alias with a collection's name", func(ctx context.Context, c *qdrant.Client, name string) error {
			return c.UpdateAliases(ctx, []*qdrant.AliasOperations{qdrant.NewAliasCreate(name, name)})
		}, codes.AlreadyExists, "already exists"},
		{"rename of nothing", aliasing(qdrant.NewAliasRename("no-such-alias", "qdranttest-alias")), codes.NotFound, "no-such-alias"},

		{"a match of nothing", filtering(must(field("a", func(f *qdrant.FieldCondition) { f.Match = &qdrant.Match{} }))), codes.InvalidArgument, "Malformed Match condition"},
		{"a field without a condition", filtering(must(field("a", func(*qdrant.FieldCondition) {}))), codes.InvalidArgument, "At least one field condition"},
		{"no key", filtering(must(qdrant.NewMatch("", "x"))), codes.InvalidArgument, "Invalid json path"},
		{"a key of two words", filtering(must(qdrant.NewMatch("a b", "x"))), codes.InvalidArgument, "Invalid json path"},
		{"an open bracket", filtering(must(qdrant.NewMatch("a[", "x"))), codes.InvalidArgument, "Invalid json path"},
		{"a bad id in a filter", filtering(must(qdrant.NewHasID(qdrant.NewIDUUID("x")))), codes.InvalidArgument, "Unable to parse UUID: x"},
		{"a time out of range", filtering(must(qdrant.NewDatetimeRange("a", &qdrant.DatetimeRange{Gt: &timestamppb.Timestamp{Seconds: 1 << 60}}))), codes.InvalidArgument, ""},

		{"delete of nothing", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.Delete(ctx, &qdrant.DeletePoints{CollectionName: name})
			return err
		}, codes.InvalidArgument, "PointSelector is missing"},
		{"payload of an unknown point", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.SetPayload(ctx, &qdrant.SetPayloadPoints{CollectionName: name, Wait: qdrant.PtrOf(true),
				Payload: qdrant.NewValueMap(map[string]any{"a": 1}), PointsSelector: qdrant.NewPointsSelector(qdrant.NewIDNum(404))})
			return err
		}, codes.NotFound, "No point with id 404 found"},
		{"vectors of an unknown point", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.UpdateVectors(ctx, &qdrant.UpdatePointVectors{CollectionName: name, Wait: qdrant.PtrOf(true), Points: []*qdrant.PointVectors{
				{Id: qdrant.NewIDNum(404), Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)})}}})
			return err
		}, codes.NotFound, "No point with id 404 found"},
		{"scroll of nothing", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.Scroll(ctx, &qdrant.ScrollPoints{CollectionName: name, Limit: qdrant.PtrOf(uint32(0))})
			return err
		}, codes.InvalidArgument, "limit"},
		{"index without a type", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.CreateFieldIndex(ctx, &qdrant.CreateFieldIndexCollection{CollectionName: name, FieldName: "a", Wait: qdrant.PtrOf(true)})
			return err
		}, codes.InvalidArgument, "field_type"},
		{"index of nothing", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.CreateFieldIndex(ctx, &qdrant.CreateFieldIndexCollection{CollectionName: name, FieldType: qdrant.FieldType_FieldTypeKeyword.Enum()})
			return err
		}, codes.InvalidArgument, "field_name"},
		{"index with another type's parameters", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.CreateFieldIndex(ctx, &qdrant.CreateFieldIndexCollection{CollectionName: name, FieldName: "a",
				FieldType: qdrant.FieldType_FieldTypeKeyword.Enum(), FieldIndexParams: qdrant.NewPayloadIndexParamsInt(&qdrant.IntegerIndexParams{Lookup: qdrant.PtrOf(true), Range: qdrant.PtrOf(true)})})
			return err
		}, codes.InvalidArgument, "field_type"},
	}
}

// TestRefusals asks for what no server gives. The words are looked for too: an
// InvalidArgument for another reason would prove nothing.
func TestRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		upsert(t, client, name, withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)}))
		for _, c := range slices.Concat(vectorRefusals(), requestRefusals()) {
			t.Run(c.name, func(t *testing.T) {
				err := c.call(t.Context(), client, name)
				if codeOf(err) != c.code || err != nil && !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v: %v\nwant %v with %q", codeOf(err), err, c.code, c.says)
				}
			})
		}
		// Nothing of what was refused is there.
		if n := count(t, client, name); n != 1 {
			t.Errorf("%d points, want 1", n)
		}
	})
}

// TestRefusedWhole writes nothing of a batch with one bad point, and changes no
// alias where one change is refused.
func TestRefusedWhole(t *testing.T) {
	client := dial(t, qdranttest.Start(t).Addr())
	one(t, client, "c")
	_, err := client.Upsert(t.Context(), &qdrant.UpsertPoints{CollectionName: "c", Points: []*qdrant.PointStruct{
		withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)}),
		withVectors(2, map[string]*qdrant.Vector{"v": qdrant.NewVector(1)}),
	}})
	if codeOf(err) != codes.InvalidArgument {
		t.Errorf("upsert: %v", err)
	}
	if n := count(t, client, "c"); n != 0 {
		t.Errorf("%d points, want none", n)
	}
	err = client.UpdateAliases(t.Context(), []*qdrant.AliasOperations{qdrant.NewAliasCreate("a", "c"), qdrant.NewAliasCreate("b", "none")})
	if codeOf(err) != codes.NotFound {
		t.Errorf("aliases: %v", err)
	}
	if all, err := client.ListAliases(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("aliases %v, %v; want none", all, err)
	}
}

// TestUnimplemented names what is missing, and never leaves it out in silence.
func TestUnimplemented(t *testing.T) {
	v := qdrant.PtrOf("v")
	cases := []refusal{
		{"text match", filtering(must(qdrant.NewMatchText("a", "x"))), codes.Unimplemented, "field text of qdrant.Match"},
		{"deep in a filter", filtering(should(qdrant.NewFilterAsCondition(mustNot(qdrant.NewGeoRadius("a", 1, 2, 3))))), codes.Unimplemented, "field geo_radius"},
		{"two conditions on a field", filtering(must(field("a", func(f *qdrant.FieldCondition) {
			f.Range, f.IsEmpty = &qdrant.Range{Gt: qdrant.PtrOf(1.0)}, qdrant.PtrOf(true)
		}))), codes.Unimplemented, "several conditions"},
		{"fusion", querying(&qdrant.QueryPoints{Query: qdrant.NewQueryFusion(qdrant.Fusion_RRF)}), codes.Unimplemented, "field fusion of qdrant.Query"},
		{"prefetch", querying(&qdrant.QueryPoints{Query: qdrant.NewQuery(1, 2), Using: v, Prefetch: []*qdrant.PrefetchQuery{{}}}), codes.Unimplemented, "field prefetch"},
		{"no query", querying(&qdrant.QueryPoints{Using: v}), codes.Unimplemented, "without a variant"},
		{"multivector", vectorOf("v", qdrant.NewVectorMulti([][]float32{{1, 2}})), codes.Unimplemented, "field multi_dense"},
		{"indexed only", querying(&qdrant.QueryPoints{Query: qdrant.NewQuery(1, 2), Using: v, Params: &qdrant.SearchParams{IndexedOnly: qdrant.PtrOf(true)}}), codes.Unimplemented, "field indexed_only"},
		{"shard key", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.Count(ctx, &qdrant.CountPoints{CollectionName: name, ShardKeySelector: &qdrant.ShardKeySelector{}})
			return err
		}, codes.Unimplemented, "field shard_key_selector"},
		{"half precision", creating(&qdrant.CreateCollection{VectorsConfig: qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{
			"v": {Size: 2, Distance: qdrant.Distance_Dot, Datatype: qdrant.Datatype_Float16.Enum()}})}), codes.Unimplemented, "field datatype"},
		{"order by", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.Scroll(ctx, &qdrant.ScrollPoints{CollectionName: name, OrderBy: &qdrant.OrderBy{Key: "a"}})
			return err
		}, codes.Unimplemented, "field order_by"},
		{"facets", func(ctx context.Context, c *qdrant.Client, name string) error {
			_, err := c.Facet(ctx, &qdrant.FacetCounts{CollectionName: name, Key: "a"})
			return err
		}, codes.Unimplemented, "Facet"},
	}
	client := dial(t, qdranttest.Start(t).Addr())
	one(t, client, "c")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.call(t.Context(), client, "c")
			if codeOf(err) != c.code || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v: %v\nwant %v with %q", codeOf(err), err, c.code, c.says)
			}
		})
	}
	if diff := cmp.Diff(uint64(0), count(t, client, "c")); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}
