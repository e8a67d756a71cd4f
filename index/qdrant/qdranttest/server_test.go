package qdranttest_test

import (
	"context"
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// realServer names an environment variable with the gRPC address of a Qdrant.
const realServer = "LECTERN_TEST_QDRANT"

// dial connects to a server.
func dial(t testing.TB, addr string) *qdrant.Client {
	t.Helper()
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatalf("address %q: %v", addr, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		t.Fatalf("address %q: %v", addr, err)
	}
	client, err := qdrant.NewClient(&qdrant.Config{Host: host, Port: port, PoolSize: 1, SkipCompatibilityCheck: true})
	if err != nil {
		t.Fatalf("connect to %s: %v", addr, err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// onBoth runs a test on the fake, and on a real server where there is one, each
// time with a name for a collection that is not there.
func onBoth(t *testing.T, test func(t *testing.T, client *qdrant.Client, name string)) {
	t.Helper()
	t.Run("fake", func(t *testing.T) {
		test(t, dial(t, qdranttest.Start(t).Addr()), "fake")
	})
	addr := os.Getenv(realServer)
	if addr == "" {
		return
	}
	t.Run("real", func(t *testing.T) {
		client := dial(t, addr)
		name := "qdranttest-real"
		drop := func() { _ = client.DeleteCollection(context.Background(), name) }
		drop()
		t.Cleanup(drop)
		test(t, client, name)
	})
}

func TestHealthCheck(t *testing.T) {
	client := dial(t, qdranttest.Start(t, qdranttest.WithVersion("1.16.2")).Addr())
	got, err := client.HealthCheck(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Version != "1.16.2" {
		t.Errorf("version %q, want 1.16.2", got.Version)
	}
}

func TestSmoke(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		ctx := t.Context()
		err := client.CreateCollection(ctx, &qdrant.CreateCollection{
			CollectionName: name,
			VectorsConfig: qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{
				"d": {Size: 2, Distance: qdrant.Distance_Dot},
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Upsert(ctx, &qdrant.UpsertPoints{CollectionName: name, Wait: qdrant.PtrOf(true), Points: []*qdrant.PointStruct{
			{Id: qdrant.NewIDNum(1), Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{"d": qdrant.NewVector(1, 2)}), Payload: qdrant.NewValueMap(map[string]any{"a": "x"})},
		}})
		if err != nil {
			t.Fatal(err)
		}
		hits, err := client.Query(ctx, &qdrant.QueryPoints{CollectionName: name, Query: qdrant.NewQuery(3, 4), Using: qdrant.PtrOf("d"), WithPayload: qdrant.NewWithPayload(true)})
		if err != nil {
			t.Fatal(err)
		}
		if len(hits) != 1 || hits[0].Score != 11 || hits[0].Payload["a"].GetStringValue() != "x" {
			t.Errorf("hits %v", hits)
		}
	})
}
