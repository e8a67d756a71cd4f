package qdranttest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"

	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

func put(ctx context.Context, client *qdrant.Client, name string, id uint64) error {
	_, err := client.Upsert(ctx, &qdrant.UpsertPoints{CollectionName: name, Wait: qdrant.PtrOf(true),
		Points: []*qdrant.PointStruct{withVectors(id, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)})}})
	return err
}

// TestKill loses everything or, when durable, nothing that was acknowledged.
func TestKill(t *testing.T) {
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprintf("durable %v", durable), func(t *testing.T) {
			var opts []qdranttest.Option
			if durable {
				opts = append(opts, qdranttest.Durable())
			}
			server := qdranttest.Start(t, opts...)
			addr := server.Addr()
			client := dial(t, addr)
			one(t, client, "c")
			if err := put(t.Context(), client, "c", 1); err != nil {
				t.Fatal(err)
			}
			server.Kill()
			if err := put(t.Context(), client, "c", 2); codeOf(err) != codes.Unavailable {
				t.Errorf("call of a killed server: %v", err)
			}
			if err := server.Restart(); err != nil {
				t.Fatal(err)
			}
			if server.Addr() != addr {
				t.Errorf("address %s after the restart, was %s", server.Addr(), addr)
			}
			exists, err := dial(t, addr).CollectionExists(t.Context(), "c")
			if err != nil || exists != durable {
				t.Errorf("exists %v, %v; want %v", exists, err, durable)
			}
			if durable {
				if n := count(t, dial(t, addr), "c"); n != 1 {
					t.Errorf("%d points, want 1", n)
				}
			}
		})
	}
}

// TestKillDuringCall fails the call, which writes nothing however late it ends.
func TestKillDuringCall(t *testing.T) {
	server := qdranttest.Start(t, qdranttest.Durable())
	client := dial(t, server.Addr())
	one(t, client, "c")
	inside, killed := make(chan struct{}), make(chan struct{})
	server.Hook(func(method string, _ any) error {
		if method == "Points/Upsert" {
			close(inside)
			<-killed
		}
		return nil
	})
	failed := make(chan error)
	go func() { failed <- put(context.Background(), client, "c", 1) }()
	<-inside
	server.Kill()
	close(killed)
	if err := <-failed; codeOf(err) != codes.Unavailable {
		t.Errorf("upsert: %v", err)
	}
	server.Hook(nil)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, dial(t, server.Addr()), "c"); n != 0 {
		t.Errorf("%d points, want none", n)
	}
}

// TestKillFromHook kills at the second upsert, from inside it.
func TestKillFromHook(t *testing.T) {
	server := qdranttest.Start(t, qdranttest.Durable())
	client := dial(t, server.Addr())
	one(t, client, "c")
	server.Hook(func(method string, _ any) error {
		if method == "Points/Upsert" && server.Calls("Points/Upsert") == 2 {
			server.Kill()
		}
		return nil
	})
	if err := put(t.Context(), client, "c", 1); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), client, "c", 2); codeOf(err) != codes.Unavailable {
		t.Errorf("upsert: %v", err)
	}
	server.ClearFaults()
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, dial(t, server.Addr()), "c"); n != 1 {
		t.Errorf("%d points, want 1", n)
	}
}

func TestFail(t *testing.T) {
	server := qdranttest.Start(t)
	client := dial(t, server.Addr())
	one(t, client, "c")

	server.Fail("Upsert", codes.Unavailable, 2)
	for i, want := range []codes.Code{codes.Unavailable, codes.Unavailable, codes.OK} {
		if err := put(t.Context(), client, "c", 1); codeOf(err) != want {
			t.Errorf("call %d: %v, want %v", i, err, want)
		}
	}
	if n := server.Calls("Points/Upsert"); n != 3 {
		t.Errorf("%d upserts counted, want 3", n)
	}

	// The work is done though the answer is an error.
	server.FailAfter("Points/Upsert", codes.Internal, 1)
	if err := put(t.Context(), client, "c", 2); codeOf(err) != codes.Internal {
		t.Errorf("answer lost: %v", err)
	}
	if n := count(t, client, "c"); n != 2 {
		t.Errorf("%d points, want 2", n)
	}

	server.RateLimit("Upsert", 1500*time.Millisecond, 1)
	var limited *qdrant.QdrantResourceExhaustedError
	if err := put(t.Context(), client, "c", 3); !errors.As(err, &limited) || limited.RetryAfterS != 2 {
		t.Errorf("rate limit: %v, want 2 s", err)
	}

	// One service's Get, until it is cleared.
	server.Fail("Collections/Get", codes.Aborted, -1)
	for range 2 {
		if _, err := client.GetCollectionInfo(t.Context(), "c"); codeOf(err) != codes.Aborted {
			t.Errorf("info: %v", err)
		}
	}
	get(t, client, "c", qdrant.NewIDNum(1))
	server.ClearFaults()
	if _, err := client.GetCollectionInfo(t.Context(), "c"); err != nil {
		t.Errorf("info: %v", err)
	}
}

// TestDelay outlasts a caller's deadline.
func TestDelay(t *testing.T) {
	server := qdranttest.Start(t)
	client := dial(t, server.Addr())
	one(t, client, "c")
	server.Delay("*", time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := put(ctx, client, "c", 1); codeOf(err) != codes.DeadlineExceeded {
		t.Errorf("upsert: %v", err)
	}
	server.Delay("*", 0)
	if n := count(t, client, "c"); n != 0 {
		t.Errorf("%d points, want none", n)
	}
}

func TestAPIKey(t *testing.T) {
	server := qdranttest.Start(t, qdranttest.WithAPIKey("right"))
	host, port := server.HostPort()
	for key, want := range map[string]codes.Code{"right": codes.OK, "wrong": codes.Unauthenticated, "": codes.Unauthenticated} {
		client, err := qdrant.NewClient(&qdrant.Config{Host: host, Port: port, APIKey: key, PoolSize: 1, SkipCompatibilityCheck: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		if _, err := client.HealthCheck(t.Context()); err != nil {
			t.Errorf("key %q: health check: %v", key, err)
		}
		if _, err := client.ListCollections(t.Context()); codeOf(err) != want {
			t.Errorf("key %q: %v, want %v", key, err, want)
		}
	}
}

// TestConcurrent writes, reads and kills at once, for the race detector; what
// was acknowledged is there in the end.
func TestConcurrent(t *testing.T) {
	server := qdranttest.Start(t, qdranttest.Durable())
	client := dial(t, server.Addr())
	one(t, client, "c")
	var acknowledged sync.Map
	var wg sync.WaitGroup
	for worker := range uint64(4) {
		wg.Go(func() {
			for i := range uint64(50) {
				id := worker*1000 + i
				if put(context.Background(), client, "c", id) == nil {
					acknowledged.Store(id, true)
				}
				_, _ = client.Query(context.Background(), &qdrant.QueryPoints{CollectionName: "c", Query: qdrant.NewQuery(1, 1), Using: qdrant.PtrOf("v"),
					WithVectors: qdrant.NewWithVectors(true)})
			}
		})
	}
	for range 3 {
		server.Kill()
		if err := server.Restart(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	fresh := dial(t, server.Addr())
	acknowledged.Range(func(id, _ any) bool {
		if len(get(t, fresh, "c", qdrant.NewIDNum(id.(uint64)))) != 1 {
			t.Errorf("point %v was acknowledged and is gone", id)
		}
		return true
	})
}

// BenchmarkQueryBatch asks 20 queries of 4,000 points in 256 dimensions, under a
// filter that half the points pass.
func BenchmarkQueryBatch(b *testing.B) {
	server := qdranttest.Start(b)
	client := dial(b, server.Addr())
	create(b, client, "c", map[string]*qdrant.VectorParams{"v": {Size: 256, Distance: qdrant.Distance_Dot}}, nil)
	rng := rand.New(rand.NewPCG(1, 2))
	vector := func() []float32 {
		v := make([]float32, 256)
		for i := range v {
			v[i] = rng.Float32() - 0.5
		}
		return v
	}
	var points []*qdrant.PointStruct
	for id := range uint64(4000) {
		p := withVectors(id, map[string]*qdrant.Vector{"v": qdrant.NewVectorDense(vector())})
		p.Payload = qdrant.NewValueMap(map[string]any{"level": []any{"a", "b"}[id%2], "hours": int64(id % 50)})
		points = append(points, p)
	}
	upsert(b, client, "c", points...)
	batch := &qdrant.QueryBatchPoints{CollectionName: "c"}
	for range 20 {
		batch.QueryPoints = append(batch.QueryPoints, &qdrant.QueryPoints{CollectionName: "c", Query: qdrant.NewQueryDense(vector()), Using: qdrant.PtrOf("v"),
			Limit: qdrant.PtrOf(uint64(100)), Filter: must(qdrant.NewMatch("level", "a"), qdrant.NewRange("hours", &qdrant.Range{Lte: qdrant.PtrOf(45.0)}))})
	}
	for b.Loop() {
		if _, err := client.QueryBatch(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}
