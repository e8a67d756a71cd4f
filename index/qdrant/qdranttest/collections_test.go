package qdranttest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
)

// TestCollectionInfo reports back what a collection was made with.
func TestCollectionInfo(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		ctx := t.Context()
		quantization := qdrant.NewQuantizationScalar(&qdrant.ScalarQuantization{
			Type: qdrant.QuantizationType_Int8, Quantile: qdrant.PtrOf(float32(0.99)), AlwaysRam: qdrant.PtrOf(true),
		})
		vectors := qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{
			"content": {Size: 3, Distance: qdrant.Distance_Dot, OnDisk: qdrant.PtrOf(true)},
			"cf":      {Size: 2, Distance: qdrant.Distance_Cosine},
		})
		sparse := qdrant.NewSparseVectorsConfig(map[string]*qdrant.SparseVectorParams{
			"lexical": {Modifier: qdrant.PtrOf(qdrant.Modifier_Idf), Index: &qdrant.SparseIndexConfig{OnDisk: qdrant.PtrOf(true)}},
		})
		metadata := qdrant.NewValueMap(map[string]any{"fingerprint": "abc", "version": 7})
		err := client.CreateCollection(ctx, &qdrant.CreateCollection{
			CollectionName: name, VectorsConfig: vectors, SparseVectorsConfig: sparse,
			ShardNumber: qdrant.PtrOf(uint32(2)), ReplicationFactor: qdrant.PtrOf(uint32(1)), WriteConsistencyFactor: qdrant.PtrOf(uint32(1)),
			OnDiskPayload: qdrant.PtrOf(false), HnswConfig: &qdrant.HnswConfigDiff{M: qdrant.PtrOf(uint64(32))},
			OptimizersConfig:   &qdrant.OptimizersConfigDiff{IndexingThreshold: qdrant.PtrOf(uint64(5000))},
			QuantizationConfig: quantization, Metadata: metadata,
		})
		if err != nil {
			t.Fatal(err)
		}
		index(t, client, name, "level", qdrant.FieldType_FieldTypeKeyword)
		for id, level := range []any{"a", []any{"a", "b"}, 3} {
			p := withVectors(uint64(id), map[string]*qdrant.Vector{"cf": qdrant.NewVector(1, 1)})
			p.Payload = qdrant.NewValueMap(map[string]any{"level": level})
			upsert(t, client, name, p)
		}

		info, err := client.GetCollectionInfo(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Status != qdrant.CollectionStatus_Green && info.Status != qdrant.CollectionStatus_Yellow && info.Status != qdrant.CollectionStatus_Grey {
			t.Errorf("status %s", info.Status)
		}
		if !info.OptimizerStatus.GetOk() || info.GetPointsCount() != 3 {
			t.Errorf("optimizer %v, %d points; want ok and 3", info.OptimizerStatus, info.GetPointsCount())
		}
		params := info.Config.Params
		for what, diff := range map[string]string{
			"vectors":  cmp.Diff(vectors, params.VectorsConfig, protocmp.Transform()),
			"sparse":   cmp.Diff(sparse, params.SparseVectorsConfig, protocmp.Transform()),
			"metadata": cmp.Diff(metadata, info.Config.Metadata, protocmp.Transform()),
			"quantise": cmp.Diff(quantization, info.Config.QuantizationConfig, protocmp.Transform()),
		} {
			if diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		if params.ShardNumber != 2 || params.OnDiskPayload || info.Config.HnswConfig.GetM() != 32 || info.Config.HnswConfig.GetEfConstruct() != 100 ||
			info.Config.OptimizerConfig.GetIndexingThreshold() != 5000 {
			t.Errorf("config %v", info.Config)
		}
		// The third point's level is no keyword.
		if s := info.PayloadSchema["level"]; s.GetDataType() != qdrant.PayloadSchemaType_Keyword || s.GetPoints() != 2 {
			t.Errorf("schema %v, want a keyword of 2 points", info.PayloadSchema)
		}

		cluster, err := client.GetCollectionClusterInfo(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if cluster.ShardCount != 2 || len(cluster.LocalShards) != 2 {
			t.Errorf("cluster %v, want 2 shards here", cluster)
		}

		_, err = client.DeleteFieldIndex(ctx, &qdrant.DeleteFieldIndexCollection{CollectionName: name, FieldName: "level", Wait: qdrant.PtrOf(true)})
		if err != nil {
			t.Fatal(err)
		}
		if info, err = client.GetCollectionInfo(ctx, name); err != nil || len(info.PayloadSchema) != 0 {
			t.Errorf("schema %v, %v; want none after the index is gone", info.GetPayloadSchema(), err)
		}
	})
}

// TestUpdateCollection changes parameters and leaves the others.
func TestUpdateCollection(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		ctx := t.Context()
		one(t, client, name)
		err := client.UpdateCollection(ctx, &qdrant.UpdateCollection{
			CollectionName: name, HnswConfig: &qdrant.HnswConfigDiff{M: qdrant.PtrOf(uint64(24))},
			OptimizersConfig: &qdrant.OptimizersConfigDiff{IndexingThreshold: qdrant.PtrOf(uint64(9000))},
			Metadata:         qdrant.NewValueMap(map[string]any{"a": 1, "b": 2}),
		})
		if err != nil {
			t.Fatal(err)
		}
		err = client.UpdateCollection(ctx, &qdrant.UpdateCollection{CollectionName: name, Metadata: qdrant.NewValueMap(map[string]any{"a": 3})})
		if err != nil {
			t.Fatal(err)
		}
		info, err := client.GetCollectionInfo(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Config.HnswConfig.GetM() != 24 || info.Config.HnswConfig.GetEfConstruct() != 100 || info.Config.OptimizerConfig.GetIndexingThreshold() != 9000 {
			t.Errorf("config %v", info.Config)
		}
		if diff := cmp.Diff(qdrant.NewValueMap(map[string]any{"a": 3, "b": 2}), info.Config.Metadata, protocmp.Transform()); diff != "" {
			t.Errorf("metadata (-want +got):\n%s", diff)
		}
	})
}

// TestCollectionLife makes, finds and drops.
func TestCollectionLife(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		ctx := t.Context()
		state := func(want bool) {
			t.Helper()
			exists, err := client.CollectionExists(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			names, err := client.ListCollections(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if exists != want || slices.Contains(names, name) != want {
				t.Errorf("exists %v, listed in %v; want %v", exists, names, want)
			}
		}
		state(false)
		one(t, client, name)
		state(true)
		if err := client.DeleteCollection(ctx, name); err != nil {
			t.Fatal(err)
		}
		state(false)
		// The server answers that there was nothing to drop, which go-client makes
		// an error without a status.
		if err := client.DeleteCollection(ctx, name); codeOf(err) != codes.Unknown {
			t.Errorf("second drop: %v", err)
		}
	})
}

// TestAliases moves an alias from one collection to another in one call.
func TestAliases(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		ctx := t.Context()
		a, b, alias, renamed := name, name+"-b", name+"-alias", name+"-renamed"
		t.Cleanup(func() { _ = client.DeleteCollection(context.Background(), b) })
		one(t, client, a)
		one(t, client, b)
		upsert(t, client, b, withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)}))
		change := func(actions ...*qdrant.AliasOperations) {
			t.Helper()
			if err := client.UpdateAliases(ctx, actions); err != nil {
				t.Fatal(err)
			}
		}
		check := func(want map[string]string) {
			t.Helper()
			all, err := client.ListAliases(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, d := range all {
				if d.CollectionName == a || d.CollectionName == b {
					got[d.AliasName] = d.CollectionName
				}
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("aliases (-want +got):\n%s", diff)
			}
		}
		change(qdrant.NewAliasCreate(alias, a))
		check(map[string]string{alias: a})
		if n := count(t, client, alias); n != 0 {
			t.Errorf("%d points by the alias, want none", n)
		}
		change(qdrant.NewAliasDelete(alias), qdrant.NewAliasCreate(alias, b))
		check(map[string]string{alias: b})
		if n := count(t, client, alias); n != 1 {
			t.Errorf("%d points by the alias, want 1", n)
		}
		change(qdrant.NewAliasCreate(alias, a)) // takes it over
		check(map[string]string{alias: a})
		change(qdrant.NewAliasRename(alias, renamed), qdrant.NewAliasDelete("no-such-alias"))
		check(map[string]string{renamed: a})
		of, err := client.ListCollectionAliases(ctx, a)
		if err != nil || !cmp.Equal(of, []string{renamed}) {
			t.Errorf("aliases of %s: %v, %v", a, of, err)
		}
		if exists, err := client.CollectionExists(ctx, renamed); err != nil || !exists {
			t.Errorf("an alias exists: %v, %v", exists, err)
		}
		// Dropping by the alias drops nothing; dropping the collection takes it along.
		if err := client.DeleteCollection(ctx, renamed); codeOf(err) != codes.Unknown {
			t.Errorf("drop by the alias: %v", err)
		}
		check(map[string]string{renamed: a})
		if err := client.DeleteCollection(ctx, a); err != nil {
			t.Fatal(err)
		}
		check(nil)
	})
}
