package qdrant

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index/indextest"
	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// servers are what the suites run on: always the one in this process, and a real
// one where LECTERN_TEST_QDRANT names its host:port.
func servers(t *testing.T, run func(t *testing.T, address string)) {
	t.Helper()
	serversThatSeal(t, func(t *testing.T, address string, _ func(*testing.T, lectern.VectorIndex)) { run(t, address) })
}

// serversThatSeal is servers with a way to have all points of an index moved into
// sealed segments, as a server does in its own time.
func serversThatSeal(t *testing.T, run func(t *testing.T, address string, seal func(*testing.T, lectern.VectorIndex))) {
	t.Helper()
	t.Run("fake", func(t *testing.T) {
		server := qdranttest.Start(t)
		run(t, server.Addr(), func(*testing.T, lectern.VectorIndex) { server.Seal() })
	})
	t.Run("real", func(t *testing.T) {
		address := os.Getenv("LECTERN_TEST_QDRANT")
		if address == "" {
			t.Skip("LECTERN_TEST_QDRANT names no Qdrant to test on (host:port of its gRPC interface)")
		}
		run(t, address, optimise)
	})
}

// optimise makes a real server seal segments that it would keep open for being
// small, and waits until it has.
func optimise(t *testing.T, index lectern.VectorIndex) {
	t.Helper()
	i := index.(*Index)
	err := i.x.client.UpdateCollection(t.Context(), &pb.UpdateCollection{
		CollectionName: i.collection, OptimizersConfig: &pb.OptimizersConfigDiff{IndexingThreshold: uint64Of(1)}, // kB
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		info, err := i.x.info(t.Context(), i.collection)
		if err != nil {
			t.Fatal(err)
		}
		// Words count as indexed in any segment, so more than they must be.
		if info.GetStatus() == pb.CollectionStatus_Green && info.GetIndexedVectorsCount() >= 2*info.GetPointsCount() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not optimise: %v", info)
		}
	}
}

// testConfig has names of its own, so that a real server may be shared.
func testConfig(address string) Config {
	c := DefaultConfig()
	c.Address = address
	c.Prefix = "test-" + strings.ReplaceAll(uuid.NewString(), "-", "")
	c.CFDimensions = 0
	c.RetryWait, c.RetryMaxWait = time.Millisecond, 20*time.Millisecond
	c.ConnectTimeout, c.SearchTimeout, c.WriteTimeout = time.Minute, time.Minute, time.Minute // a busy machine is no fault
	return c
}

func connect(t *testing.T, c Config) *Indexes {
	t.Helper()
	x, err := Connect(t.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return x
}

// sweep drops what a test made, past its context.
func sweep(t testing.TB, x *Indexes) {
	t.Helper()
	t.Cleanup(func() {
		names, err := x.client.ListCollections(context.Background())
		if err != nil {
			return // the server is gone, and with it the collections
		}
		for _, name := range names {
			if strings.HasPrefix(name, x.cfg.Prefix) {
				if err := x.client.DeleteCollection(context.Background(), name); err != nil {
					t.Errorf("drop %s: %v", name, err)
				}
			}
		}
	})
}

func TestIndex(t *testing.T) {
	serversThatSeal(t, func(t *testing.T, address string, seal func(*testing.T, lectern.VectorIndex)) {
		x := connect(t, testConfig(address))
		sweep(t, x)
		var version atomic.Int64
		indextest.Run(t, func(t *testing.T, dims map[string]int) lectern.VectorIndex {
			spec := lectern.IndexSpec{Version: version.Add(1), Dense: dims, Sparse: []string{lectern.VectorLexical}}
			index, err := x.Create(t.Context(), spec)
			if err != nil {
				t.Fatalf("Create: %v", err)
			}
			t.Cleanup(func() {
				if err := x.Drop(context.Background(), spec.Version); err != nil {
					t.Errorf("Drop: %v", err)
				}
			})
			return index
		}, indextest.WritesTear(), indextest.Settle(seal)) // a server takes a batch in parts
	})
}

func TestShared(t *testing.T) {
	servers(t, func(t *testing.T, address string) {
		indextest.RunShared(t, func(t *testing.T) indextest.Shared {
			c := testConfig(address)
			c.CFDimensions = 7 // a spec is found again as it was given
			x := connect(t, c)
			sweep(t, x)
			return indextest.Shared{
				Indexes: x,
				Reopen:  func(t *testing.T) lectern.SharedIndexes { return connect(t, c) },
				InUse: func(t *testing.T) (int64, int64) {
					aliases, err := x.aliases(t.Context())
					if err != nil {
						t.Fatalf("list the aliases: %v", err)
					}
					in := map[string]string{}
					for _, a := range aliases {
						in[a.GetAliasName()] = a.GetCollectionName()
					}
					return x.versionOf(courses, in[x.alias(courses)]), x.versionOf(learners, in[x.alias(learners)])
				},
			}
		})
	})
}
