package qdrant

import (
	"context"
	"slices"
	"time"

	pb "github.com/qdrant/go-client/qdrant"
)

// Info describes a Qdrant and what Lectern keeps in it.
type Info struct {
	Version     string            // of the server
	Commit      string            // it was built from, "" where unknown
	Latency     time.Duration     // of one health check
	Active      int64             // version in use, 0 for none
	Aliases     map[string]string // alias → collection, Lectern's only
	Collections []CollectionInfo  // Lectern's only, by name
	Peers       []uint64          // ids of the nodes that hold a part of them; one on a single node
	Breaker     string            // closed, open or half-open
}

// CollectionInfo describes one collection.
type CollectionInfo struct {
	Name        string
	Version     int64
	Learners    bool           // else courses
	Status      string         // green, yellow (optimising), grey (to be optimised), red (failed)
	Problem     string         // what the server says is wrong, "" for nothing
	Points      int            // exact
	Indexed     int            // vectors in a graph, about
	Segments    int            // over all shards of the asked node
	Dense       map[string]int // dimensions of vectors, by name
	Sparse      []string       // names
	Fingerprint string         // of the embedder, "" for none
	Unindexed   []string       // payload fields that lack an index: opening the version makes it
	Shards      int
	Replicas    int // copies of each shard
	Inactive    int // copies that do not serve at the moment
}

// Info asks for everything that `lectern doctor` shows. Errors: CodeUnavailable.
func (x *Indexes) Info(ctx context.Context) (Info, error) {
	out := Info{Aliases: map[string]string{}, Breaker: x.BreakerState()}
	start := time.Now()
	reply, err := write(ctx, x.call, "say its version", "", x.cfg.SearchTimeout, x.client.HealthCheck)
	if err != nil {
		return Info{}, err
	}
	out.Latency, out.Version, out.Commit = time.Since(start), reply.GetVersion(), reply.GetCommit()

	aliases, err := x.aliases(ctx)
	if err != nil {
		return Info{}, err
	}
	for _, a := range aliases {
		if a.GetAliasName() == x.alias(courses) || a.GetAliasName() == x.alias(learners) {
			out.Aliases[a.GetAliasName()] = a.GetCollectionName()
		}
	}
	out.Active = x.versionOf(courses, out.Aliases[x.alias(courses)])
	names, err := x.collections(ctx)
	if err != nil {
		return Info{}, err
	}
	slices.Sort(names)
	for _, name := range names {
		for _, k := range []kind{courses, learners} {
			version := x.versionOf(k, name)
			if version == 0 {
				continue
			}
			c, peers, err := x.describe(ctx, k, name)
			if err != nil {
				return Info{}, err
			}
			c.Version = version
			out.Collections = append(out.Collections, c)
			out.Peers = append(out.Peers, peers...)
		}
	}
	slices.Sort(out.Peers)
	out.Peers = slices.Compact(out.Peers)
	return out, nil
}

func (x *Indexes) describe(ctx context.Context, k kind, name string) (CollectionInfo, []uint64, error) {
	info, err := x.info(ctx, name)
	if err != nil {
		return CollectionInfo{}, nil, err
	}
	c := CollectionInfo{
		Name: name, Learners: k == learners,
		Status:   statusName(info.GetStatus()),
		Indexed:  int(info.GetIndexedVectorsCount()),
		Segments: int(info.GetSegmentsCount()),
		Shards:   int(info.GetConfig().GetParams().GetShardNumber()),
		Replicas: int(info.GetConfig().GetParams().GetReplicationFactor()),
	}
	if status := info.GetOptimizerStatus(); status != nil && !status.GetOk() {
		c.Problem = status.GetError()
	}
	spec, room, err := specIn(name, info)
	if err != nil {
		c.Problem = "it was not made by Lectern"
	}
	c.Fingerprint, c.Dense = spec.Fingerprint, room.dense
	for sparse := range room.sparse {
		c.Sparse = append(c.Sparse, sparse)
	}
	slices.Sort(c.Sparse)
	if k == courses {
		for field := range payloadIndexes() {
			if _, ok := info.GetPayloadSchema()[field]; !ok {
				c.Unindexed = append(c.Unindexed, field)
			}
		}
		slices.Sort(c.Unindexed)
	}
	index := &Index{x: x, collection: name, room: room}
	if c.Points, err = index.count(ctx, nil); err != nil {
		return CollectionInfo{}, nil, err
	}
	peers, inactive := x.placement(ctx, name)
	c.Inactive = inactive
	return c, peers, nil
}

// placement says which nodes hold shards of a collection, and how many copies do
// not serve. Servers that know nothing of clusters say nothing.
func (x *Indexes) placement(ctx context.Context, collection string) (peers []uint64, inactive int) {
	cluster, err := write(ctx, x.call, "describe the cluster", collection, x.cfg.SearchTimeout, func(ctx context.Context) (*pb.CollectionClusterInfoResponse, error) {
		return x.client.GetCollectionClusterInfo(ctx, collection)
	})
	if err != nil {
		x.log.Debug("qdrant does not describe its cluster", "collection", collection, "error", err)
		return nil, 0
	}
	if len(cluster.GetLocalShards()) > 0 {
		peers = append(peers, cluster.GetPeerId())
	}
	for _, s := range cluster.GetLocalShards() {
		if s.GetState() != pb.ReplicaState_Active {
			inactive++
		}
	}
	for _, s := range cluster.GetRemoteShards() {
		peers = append(peers, s.GetPeerId())
		if s.GetState() != pb.ReplicaState_Active {
			inactive++
		}
	}
	return peers, inactive
}

func statusName(s pb.CollectionStatus) string {
	switch s {
	case pb.CollectionStatus_Green:
		return "green"
	case pb.CollectionStatus_Yellow:
		return "yellow"
	case pb.CollectionStatus_Grey:
		return "grey"
	case pb.CollectionStatus_Red:
		return "red"
	}
	return "unknown"
}
