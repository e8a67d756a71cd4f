package qdrant

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

func tryConnect(t *testing.T, c Config) error {
	t.Helper()
	x, err := Connect(t.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Cleanup(func() { _ = x.Close() })
	}
	return err
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]lectern.Code{
		"1.16.0": "", "1.17.1": "", "v1.18.0-dev": "", "2.0.0": "", "1.20": "",
		"1.15.5": lectern.CodePrecondition, "0.11.0": lectern.CodePrecondition, "dev": lectern.CodePrecondition,
	} {
		t.Run(version, func(t *testing.T) {
			err := tryConnect(t, testConfig(qdranttest.Start(t, qdranttest.WithVersion(version)).Addr()))
			wantCode(t, err, want)
			if err != nil && (!strings.Contains(err.Error(), version) || !strings.Contains(err.Error(), "1.16")) {
				t.Errorf("%v does not name the version and the one needed", err)
			}
		})
	}
}

// TestConnectWaits checks a server that is not there, and one that comes late.
func TestConnectWaits(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := testConfig(address)
	c.ConnectTimeout = 50 * time.Millisecond
	err = tryConnect(t, c)
	wantCode(t, err, lectern.CodeUnavailable)
	if !strings.Contains(err.Error(), address) {
		t.Errorf("%v does not name the address", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Connect(ctx, Options{Config: c, Logger: slog.New(slog.DiscardHandler)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Connect = %v, want the caller's own end", err)
	}

	late := qdranttest.Start(t)
	late.Fail("HealthCheck", codes.Unavailable, 3)
	if err := tryConnect(t, testConfig(late.Addr())); err != nil {
		t.Errorf("a server that needs a moment: %v", err)
	}
}

func TestAPIKey(t *testing.T) {
	s := qdranttest.Start(t, qdranttest.WithAPIKey("secret"))
	for key, want := range map[string]lectern.Code{"secret": "", "wrong": lectern.CodeInternal, "": lectern.CodeInternal} {
		c := testConfig(s.Addr())
		c.APIKey = key
		_, err := connect(t, c).Versions(t.Context())
		wantCode(t, err, want)
		if err != nil && !strings.Contains(err.Error(), "index.qdrant.api_key") {
			t.Errorf("%v does not name the setting", err)
		}
	}
}

func TestClose(t *testing.T) {
	x := newFake(t)
	for range 2 {
		if err := x.all.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	_, err := x.index.Search(t.Context(), query(lectern.Filter{}, 1))
	wantCode(t, err, lectern.CodeUnavailable)
	wantCode(t, x.index.Upsert(t.Context(), []lectern.Point{{ID: "a", Dense: along(0)}}), lectern.CodeUnavailable)
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for key, change := range map[string]func(*Config){
		"address":                  func(c *Config) { c.Address = "localhost" },
		"tls_ca":                   func(c *Config) { c.TLSCA = "ca.pem" },
		"connections":              func(c *Config) { c.Connections = 0 },
		"prefix":                   func(c *Config) { c.Prefix = "a/b" },
		"shards":                   func(c *Config) { c.Shards = -1 },
		"replication_factor":       func(c *Config) { c.ReplicationFactor, c.WriteConsistencyFactor = 0, 0 },
		"write_consistency_factor": func(c *Config) { c.WriteConsistencyFactor = 2 },
		"write_ordering":           func(c *Config) { c.WriteOrdering = "loose" },
		"read_consistency":         func(c *Config) { c.ReadConsistency = "" },
		"quantization":             func(c *Config) { c.Quantization = "product" },
		"oversampling":             func(c *Config) { c.Oversampling = 0.5 },
		"hnsw_m":                   func(c *Config) { c.HNSWM = -1 },
		"hnsw_ef_construct":        func(c *Config) { c.HNSWEfConstruct = 1 },
		"search_ef":                func(c *Config) { c.SearchEf = -1 },
		"cf_dimensions":            func(c *Config) { c.CFDimensions = -1 },
		"batch_points":             func(c *Config) { c.BatchPoints = 0 },
		"batch_bytes":              func(c *Config) { c.BatchBytes = 0 },
		"concurrency":              func(c *Config) { c.Concurrency = 0 },
		"connect_timeout":          func(c *Config) { c.ConnectTimeout = 0 },
		"search_timeout":           func(c *Config) { c.SearchTimeout = 0 },
		"write_timeout":            func(c *Config) { c.WriteTimeout = 0 },
		"admin_timeout":            func(c *Config) { c.AdminTimeout = 0 },
		"retries":                  func(c *Config) { c.Retries = -1 },
		"retry_wait":               func(c *Config) { c.RetryWait = 0 },
		"retry_max_wait":           func(c *Config) { c.RetryMaxWait = 0 },
		"breaker_failures":         func(c *Config) { c.BreakerFailures = 0 },
		"breaker_open":             func(c *Config) { c.BreakerOpen = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		err := c.Validate()
		wantCode(t, err, lectern.CodeInvalid)
		if err != nil && !strings.Contains(err.Error(), "index.qdrant."+key+":") {
			t.Errorf("%v does not name %s", err, key)
		}
	}
}

// TestCollectionSettings checks that what the config says reaches the server.
func TestCollectionSettings(t *testing.T) {
	x := newFake(t, func(c *Config) {
		c.Shards, c.ReplicationFactor, c.WriteConsistencyFactor, c.CFDimensions = 3, 2, 2, 8
		c.Quantization, c.OnDiskVectors, c.OnDiskPayload, c.OnDiskSparse, c.OnDiskGraph = "scalar", true, true, true, true
		c.HNSWM, c.HNSWEfConstruct = 24, 200
	})
	info, err := x.all.info(t.Context(), x.index.Collection())
	if err != nil {
		t.Fatal(err)
	}
	params := info.GetConfig().GetParams()
	content := params.GetVectorsConfig().GetParamsMap().GetMap()[lectern.VectorContent]
	factors := params.GetVectorsConfig().GetParamsMap().GetMap()[lectern.VectorCF]
	words := params.GetSparseVectorsConfig().GetMap()[lectern.VectorLexical]
	graph := info.GetConfig().GetHnswConfig()
	got := []any{
		params.GetShardNumber(), params.GetReplicationFactor(), params.GetWriteConsistencyFactor(), params.GetOnDiskPayload(),
		content.GetSize(), content.GetDistance(), content.GetOnDisk(), content.GetQuantizationConfig().GetScalar().GetType(),
		factors.GetSize(), factors.GetQuantizationConfig() == nil,
		words.GetIndex().GetOnDisk(), words.GetModifier(),
		graph.GetM(), graph.GetEfConstruct(), graph.GetOnDisk(),
	}
	want := []any{
		uint32(3), uint32(2), uint32(2), true,
		uint64(smallDim), pb.Distance_Dot, true, pb.QuantizationType_Int8,
		uint64(8), true,
		true, pb.Modifier_None, // the weight of a word travels in the query
		uint64(24), uint64(200), true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("settings (-want +got):\n%s", d)
	}
	for field := range payloadIndexes() {
		if _, ok := info.GetPayloadSchema()[field]; !ok {
			t.Errorf("the field %s has no index", field)
		}
	}
}

// TestCutShort stops the making of an index half-way: opening it makes it whole.
func TestCutShort(t *testing.T) {
	x := newFake(t)
	x.Hook(func(_ string, request any) error {
		if r, ok := request.(*pb.CreateFieldIndexCollection); ok && r.GetFieldName() == fieldProvider {
			return context.Canceled
		}
		return nil
	})
	if _, err := x.all.Create(t.Context(), smallSpec(2)); err == nil {
		t.Fatal("Create worked")
	}
	x.ClearFaults()
	before, err := x.all.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := x.all.Open(t.Context(), 2); err != nil {
		t.Fatalf("Open: %v", err)
	}
	after, err := x.all.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range before.Collections {
		if c.Version == 2 && !c.Learners && (len(c.Unindexed) == 0 || len(after.Collections[i].Unindexed) > 0) {
			t.Errorf("%s lacked %v, and then %v", c.Name, c.Unindexed, after.Collections[i].Unindexed)
		}
	}
}

func TestForeignCollection(t *testing.T) {
	x := newFake(t)
	err := x.all.client.CreateCollection(t.Context(), &pb.CreateCollection{
		CollectionName: x.all.name(courses, 7),
		VectorsConfig:  pb.NewVectorsConfig(&pb.VectorParams{Size: 4, Distance: pb.Distance_Cosine}),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = x.all.Open(t.Context(), 7)
	wantCode(t, err, lectern.CodeConflict)
	versions, err := x.all.Versions(t.Context())
	if err != nil || !cmp.Equal(versions, []int64{1}) {
		t.Errorf("Versions = %v, %v: one without learners does not count", versions, err)
	}
}

func TestInfo(t *testing.T) {
	x := newFake(t)
	upsert(t, x.index, lectern.Point{ID: "a", Dense: along(0)}, lectern.Point{ID: "b"})
	if err := x.all.Activate(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	info, err := x.all.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	prefix := x.all.cfg.Prefix
	if info.Version != qdranttest.DefaultVersion || info.Latency <= 0 || info.Active != 1 || info.Breaker != "closed" || len(info.Peers) != 1 {
		t.Errorf("Info = %+v", info)
	}
	aliases := map[string]string{prefix + "_courses": prefix + "_courses_1", prefix + "_learners": prefix + "_learners_1"}
	if d := cmp.Diff(aliases, info.Aliases); d != "" {
		t.Errorf("aliases (-want +got):\n%s", d)
	}
	if len(info.Collections) != 2 {
		t.Fatalf("collections %+v", info.Collections)
	}
	c := info.Collections[0]
	if c.Name != prefix+"_courses_1" || c.Version != 1 || c.Learners || c.Points != 2 || c.Status != "green" ||
		!cmp.Equal(c.Dense, map[string]int{lectern.VectorContent: smallDim}) || !cmp.Equal(c.Sparse, []string{lectern.VectorLexical}) {
		t.Errorf("courses %+v", c)
	}
	if c = info.Collections[1]; !c.Learners || c.Points != 0 || len(c.Sparse) != 0 {
		t.Errorf("learners %+v", c)
	}
}
