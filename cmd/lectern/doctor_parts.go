package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/openai"
	"github.com/lectern-dev/lectern/index/qdrant"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/internal/lease"
	"github.com/lectern-dev/lectern/store/postgres"
)

// What the doctor finds slow or far off.
const (
	maxClockDifference = time.Second
	slowStore          = 20 * time.Millisecond
	slowIndex          = 50 * time.Millisecond
	maxIndexWait       = 3 * time.Second  // for Qdrant's first answer
	maxEmbedWait       = 10 * time.Second // for one vector
	fullShare          = 0.8              // of the server's connections
)

// unopened tells why the database could not be opened.
func (d *doctor) unopened(err error) {
	mend := "start PostgreSQL, and check store.postgres.dsn: host, port, database, user and password"
	if lectern.ErrorCode(err) == lectern.CodeRefused {
		mend = "use PostgreSQL 15 or newer"
	}
	d.fault(mend, "%v", err)
}

// postgres examines the database server.
func (d *doctor) postgres(ctx context.Context, env environment, store *postgres.Store) {
	info, err := store.Info(ctx)
	if err != nil {
		d.fault("see whether PostgreSQL is overloaded or going down; where direct_dsn is set, check that address too", "PostgreSQL does not tell about itself: %v", err)
		return
	}
	d.good("PostgreSQL %s answers in %s; the database takes %d MB", info.Version, short(info.RoundTrip), info.Bytes>>20)
	c := env.config.Store.Postgres
	if info.RoundTrip > slowStore {
		d.note("a round trip to PostgreSQL takes %s; a request needs several: keep server and database close", short(info.RoundTrip))
	}
	if info.ClockAhead.Abs()-info.RoundTrip/2 > maxClockDifference { // the comparison is no better than that
		d.fault("let a time service (NTP) set both clocks: popularity, leases and key lifetimes count on them",
			"the clock of PostgreSQL is %s off ours", short(info.ClockAhead))
	} else {
		d.good("the clocks agree to %s", short(max(info.ClockAhead.Abs(), time.Millisecond)))
	}
	if info.Standby {
		d.fault("let store.postgres.dsn name the primary; of several hosts, target_session_attrs=read-write picks it",
			"the server is a standby, which takes no writes")
	}
	if info.Pooler && c.DirectDSN == "" {
		d.fault("set store.postgres.direct_dsn to the server itself", "store.postgres.dsn leads to a connection pooler, and store.postgres.direct_dsn is not set")
	}
	if info.Misdirected {
		d.fault("let both name the same database", "store.postgres.direct_dsn leads to another database than store.postgres.dsn")
	}
	replicas, err := store.CountLeases(ctx, leaseReplica)
	if err != nil {
		replicas = 0 // no schema yet, which is told elsewhere
	}
	wanted := max(replicas, 1) * (c.MaxConns + 1) // and one that listens
	switch {
	case info.Pooler:
	case wanted > info.MaxConns:
		d.fault("lower store.postgres.max_conns, raise max_connections of PostgreSQL, or put a pooler between",
			"%d servers of up to %d connections each are more than the %d that PostgreSQL takes", max(replicas, 1), c.MaxConns+1, info.MaxConns)
	case float64(info.Conns) > fullShare*float64(info.MaxConns):
		d.fault("raise max_connections of PostgreSQL, or see who holds them in pg_stat_activity",
			"%d of PostgreSQL's %d connections are taken", info.Conns, info.MaxConns)
	default:
		d.good("%d of %d connections are taken; %d servers may take %d", info.Conns, info.MaxConns, max(replicas, 1), wanted)
	}
}

func short(d time.Duration) time.Duration {
	if d.Abs() < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Microsecond)
}

// atWork reports whether a server is, and tells what waits for one.
func (d *doctor) atWork(ctx context.Context, env environment) (bool, error) {
	s, err := env.store.Stats(ctx)
	if err != nil {
		return false, fmt.Errorf("count the jobs: %w", err)
	}
	if env.config.embedded() && env.config.Index.Driver == driverMemory {
		if s.PendingJobs > 0 {
			d.note("%d jobs wait for a server", s.PendingJobs)
		}
		return false, nil
	}
	leader, replicas, err := whoLeads(ctx, env)
	if err != nil {
		return false, err
	}
	switch {
	case leader != "":
		d.good("%s leads; %d servers are alive; %d jobs wait", leader, max(replicas, 1), s.PendingJobs)
	case replicas > 0:
		d.fault("see the servers' logs for what they say of the lease", "%d servers are alive, and none has led for ten seconds", replicas)
	default:
		d.note("no server is running; %d jobs wait for one", s.PendingJobs)
	}
	return leader != "", nil
}

// whoLeads asks for the leader and counts the servers. While there are servers and
// none leads it waits as long as a killed leader's lease lasts.
func whoLeads(ctx context.Context, env environment) (leader string, replicas int, err error) {
	for deadline := time.Now().Add(lease.TTL + 2*lease.Renewal); ; {
		if leader, err = env.store.LeaseHolder(ctx, leaseLeader); err != nil {
			return "", 0, fmt.Errorf("ask who leads: %w", err)
		}
		if store, ok := env.store.(*postgres.Store); ok {
			if replicas, err = store.CountLeases(ctx, leaseReplica); err != nil {
				return "", 0, fmt.Errorf("count the servers: %w", err)
			}
		}
		if leader != "" || replicas == 0 || time.Now().After(deadline) {
			return leader, replicas, nil
		}
		select {
		case <-ctx.Done():
			return "", 0, ctx.Err()
		case <-time.After(lease.Renewal / 4):
		}
	}
}

// behind reports whether the index of a version has changes to take in.
func (d *doctor) behind(ctx context.Context, e *engine, version int64) bool {
	lag, err := e.pipeline.Lag(ctx, version)
	if err != nil {
		d.fault("see whether the store is well", "cannot ask how far the index is: %v", err)
	}
	return lag > 0
}

// generations lists what the store knows of, and the index where it answers.
func (d *doctor) generations(ctx context.Context, e *engine, ask bool) (all []indexing.GenerationInfo, reachable bool) {
	if ask {
		all, err := e.pipeline.Generations(ctx)
		if err == nil {
			return all, true
		}
	}
	// The index is away, which is told where it is examined; the store still knows.
	artefacts, err := e.store.Artefacts(ctx, indexing.ArtefactEmbedder)
	if err != nil {
		d.fault("see whether the store is well", "cannot list the generations: %v", err)
		return nil, false
	}
	for _, a := range artefacts {
		dim, _ := strconv.Atoi(a.Meta["dim"]) // absent for words
		all = append(all, indexing.GenerationInfo{Dim: dim, Version: a.Version, Active: a.Active, Fingerprint: a.Fingerprint, Embedder: a.Meta["embedder"]})
	}
	return all, false
}

func active(all []indexing.GenerationInfo) *indexing.GenerationInfo {
	if i := slices.IndexFunc(all, func(g indexing.GenerationInfo) bool { return g.Active }); i >= 0 {
		return &all[i]
	}
	return nil
}

// embedder examines the configured embedder and holds it against the one in use,
// nil where that is not known.
func (d *doctor) embedder(ctx context.Context, env environment, use *indexing.GenerationInfo) {
	c := env.config.Embed
	fingerprint := ""
	if c.Driver == driverOpenAI {
		fingerprint, _ = d.openai(ctx, env)
	}
	switch {
	case use == nil:
		d.note("no embedder is in use yet; the first server sees to it")
	case use.Fingerprint == "":
		d.note("generation %d has words only: its vectors come with the first embedder; see the servers' logs if it does not", use.Version)
	case use.Embedder != c.Driver:
		d.fault("run `lectern reindex` to switch to the configured one, or set embed.driver to "+use.Embedder,
			"the configuration names the embedder %s, and generation %d in use is from %s", c.Driver, use.Version, use.Embedder)
	case fingerprint != "" && fingerprint != use.Fingerprint:
		d.fault("run `lectern reindex` to switch to the configured one, or set back what was changed below embed.openai",
			"the configured embedder (%s) is another one than that of generation %d in use (%s)", fingerprint, use.Version, use.Fingerprint)
	default:
		d.good("generation %d is in use: embedder %s, dimension %d, %s", use.Version, use.Embedder, use.Dim, use.Fingerprint)
	}
}

// openai examines the embedding server and returns the embedder's fingerprint.
func (d *doctor) openai(ctx context.Context, env environment) (fingerprint string, ok bool) {
	c := env.config.Embed.OpenAI
	c.Retries, c.Timeout = 0, min(c.Timeout, maxEmbedWait) // somebody is waiting
	away := func(err error) {
		d.fault("check embed.openai.base_url, model and api_key, and whether the server is up; meanwhile lists are made from words",
			"the embedding server at %s does not serve: %v", withoutUser(c.BaseURL), err)
	}
	e, err := openai.Connect(ctx, openai.Options{Config: c, Clock: lectern.SystemClock, Logger: env.log})
	if err != nil {
		away(err)
		return "", false
	}
	took, err := e.Check(ctx)
	switch {
	case err != nil && c.Dimensions > 0: // Connect has not asked
		away(err)
		return "", false
	case err != nil:
		d.fault("see the embedding server's log; meanwhile lists are made from words", "the embedding server answered once, then failed: %v", err)
		return "", false
	}
	d.good("the embedding server answers in %s: model %s, dimension %d", short(took), c.Model, e.Dim())
	if took > c.QueryTimeout {
		d.fault("use a faster server, or raise embed.openai.query_timeout", "one text takes %s, and a search waits %s at most: it would be answered by words", short(took), c.QueryTimeout)
	}
	return e.Fingerprint(), true
}

// reach asks the index server about itself, and reports whether it can be used.
func (d *doctor) reach(ctx context.Context, env environment, indexes *qdrant.Indexes) (qdrant.Info, bool) {
	c := env.config.Index.Qdrant
	if err := indexes.Greet(ctx); err != nil {
		mend := "start Qdrant, and check index.qdrant.address (its gRPC port, 6334), api_key and tls"
		if lectern.ErrorCode(err) == lectern.CodeRefused {
			mend = "use Qdrant 1.16 or newer"
		}
		d.fault(mend, "Qdrant at %s cannot be used: %v", c.Address, err)
		return qdrant.Info{}, false
	}
	info, err := indexes.Info(ctx)
	if err != nil {
		d.fault("see Qdrant's log; check index.qdrant.api_key", "Qdrant at %s does not tell about itself: %v", c.Address, err)
		return info, false
	}
	d.good("Qdrant %s answers in %s", info.Version, short(info.Latency))
	if c.APIKey != "" && !c.TLS {
		d.note("the API key travels to Qdrant unencrypted; set index.qdrant.tls where the network is not yours alone")
	}
	if info.Latency > slowIndex {
		d.note("a call to Qdrant takes %s; every list needs one: keep server and index close", short(info.Latency))
	}
	if n := len(info.Peers); n > 0 && c.ReplicationFactor > n {
		d.fault("add nodes, or lower index.qdrant.replication_factor", "%d copies of each shard are wanted, and there are %d nodes", c.ReplicationFactor, n)
	}
	return info, true
}

// indexSeen is what was seen of the index.
type indexSeen struct {
	generations []indexing.GenerationInfo
	reachable   bool
	faults      int // of the shared index, which a leader or a comparison may mend
}

// index examines the index and what it was made with.
func (d *doctor) index(ctx context.Context, e *engine, working bool) indexSeen {
	seen := indexSeen{reachable: true}
	var info qdrant.Info
	if e.indexes != nil {
		info, seen.reachable = d.reach(ctx, e.environment, e.indexes)
	}
	reached := seen.reachable
	seen.generations, seen.reachable = d.generations(ctx, e, reached)
	if e.indexes != nil && reached {
		before := d.faults
		d.qdrant(ctx, e, info, active(seen.generations), working)
		seen.faults = d.faults - before
	}
	return seen
}

// indexAgain looks at a shared index once more after the comparison, which may have
// filled or mended it: what holds now is what counts.
func (d *doctor) indexAgain(ctx context.Context, e *engine, before indexSeen, working bool) {
	if before.faults == 0 {
		return
	}
	d.note("Qdrant once more, as it is now:")
	d.faults -= before.faults
	if now := d.index(ctx, e, working); now.reachable && now.faults == 0 {
		d.good("what was wrong in Qdrant has been mended")
	}
}

// qdrant holds the shared index against the generation in use.
func (d *doctor) qdrant(ctx context.Context, e *engine, info qdrant.Info, use *indexing.GenerationInfo, working bool) {
	if use == nil {
		d.note("no index is in use yet; the first server fills it")
		return
	}
	if info.Active != use.Version {
		mend := "start a server, which fills it; so does `lectern doctor --deep`"
		if working {
			mend = "wait until the leader has filled it; then see its log"
		}
		d.fault(mend, "generation %d is in use, and Qdrant's alias names %s", use.Version, generationName(info.Active))
		return
	}
	learners := false
	for _, collection := range info.Collections {
		if collection.Version == use.Version {
			d.collection(ctx, e, collection, use, len(info.Peers))
			learners = learners || collection.Learners
		}
	}
	if !learners {
		d.fault("run `lectern reindex`, which makes both collections of a generation anew", "generation %d has lost its collection for learners in Qdrant", use.Version)
	}
}

func generationName(version int64) string {
	if version == 0 {
		return "none"
	}
	return fmt.Sprint("generation ", version)
}

// collection examines one collection of the generation in use.
func (d *doctor) collection(ctx context.Context, e *engine, c qdrant.CollectionInfo, use *indexing.GenerationInfo, nodes int) {
	faults := d.faults
	if c.Status == "red" || c.Problem != "" {
		d.fault("see Qdrant's log; `lectern reindex` makes a new collection", "collection %s is %s: %s", c.Name, c.Status, c.Problem)
	} else if c.Status != "green" {
		d.note("collection %s is %s: Qdrant is still optimising it", c.Name, c.Status)
	}
	if c.Inactive > 0 {
		d.fault("bring the node that is missing back", "%d copies of shards of %s do not serve", c.Inactive, c.Name)
	}
	if want := e.config.Index.Qdrant.ReplicationFactor; c.Replicas > 0 && c.Replicas != want {
		d.note("%s has %d copies of each shard, and %d are configured: the next `lectern reindex` makes so many", c.Name, c.Replicas, want)
	}
	if nodes > 1 && c.Replicas == 1 {
		d.note("%s has one copy of each shard on %d nodes: without one of them, part of it is away; set index.qdrant.replication_factor to 2 and reindex", c.Name, nodes)
	}
	if len(c.Unindexed) > 0 {
		d.note("%s lacks an index for %v: the next server makes it", c.Name, c.Unindexed)
	}
	if c.Fingerprint != use.Fingerprint {
		d.fault("run `lectern reindex`", "the vectors in %s are of embedder %q, and %q is in use", c.Name, c.Fingerprint, use.Fingerprint)
	}
	if dim, ok := c.Dense[lectern.VectorContent]; !c.Learners && use.Dim > 0 && ok && dim != use.Dim {
		d.fault("run `lectern reindex`", "%s holds vectors of %d numbers, and the embedder makes %d", c.Name, dim, use.Dim)
	}
	if !c.Learners {
		want, behind, err := d.count(ctx, e, &c)
		switch {
		case err != nil:
			d.fault("see whether store and Qdrant are well", "cannot count courses and points: %v", err)
		case want != c.Points && behind:
			d.note("%s has %d points for %d courses, and is not level with the store yet: the server that leads writes the rest", c.Name, c.Points, want)
		case want != c.Points:
			d.fault("wait for a running server to catch up, or run `lectern doctor --deep --mend`", "%s has %d points for %d courses", c.Name, c.Points, want)
		}
	}
	if d.faults == faults {
		d.good("collection %s: %d points in %d shards, %s", c.Name, c.Points, c.Shards, c.Status)
	}
}

// count counts the courses that a collection is to have, and says whether it is behind.
// Its points were counted before that: what a server has written since is no difference,
// so that they are counted again, a few times where it goes on writing.
func (d *doctor) count(ctx context.Context, e *engine, c *qdrant.CollectionInfo) (want int, behind bool, err error) {
	for range 3 {
		if want, err = e.store.CountCourses(ctx); err != nil || want == c.Points {
			return want, false, err
		}
		if d.behind(ctx, e, c.Version) {
			return want, true, nil
		}
		info, err := e.indexes.Info(ctx)
		if err != nil {
			return 0, false, err
		}
		for _, now := range info.Collections {
			if now.Name == c.Name {
				*c = now
			}
		}
		if c.Points == want {
			break
		}
	}
	return want, false, nil
}
