package qdrant

import (
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config says where Qdrant is and how indexes in it are made. What concerns the
// making of a collection holds for those made later: see `lectern reindex`.
type Config struct {
	Address     string `koanf:"address"`     // host:port of Qdrant's gRPC interface; calls are spread over all addresses of the host
	APIKey      string `koanf:"api_key"`     // "" for none
	TLS         bool   `koanf:"tls"`         // encrypt the connection
	TLSCA       string `koanf:"tls_ca"`      // file with the certificates to trust, "" for the system's
	Connections int    `koanf:"connections"` // to the server, used in turn
	Prefix      string `koanf:"prefix"`      // of the names of collections and aliases

	Shards                 int    `koanf:"shards"`                   // parts of a collection, 0 for the server's choice
	ReplicationFactor      int    `koanf:"replication_factor"`       // copies of each shard
	WriteConsistencyFactor int    `koanf:"write_consistency_factor"` // copies that must have a write before it counts
	WriteOrdering          string `koanf:"write_ordering"`           // weak, medium or strong: who orders writes to one point
	ReadConsistency        string `koanf:"read_consistency"`         // one, majority, quorum or all: copies asked by a search

	Quantization  string  `koanf:"quantization"`    // of content and review vectors: none, scalar or binary
	Rescore       bool    `koanf:"rescore"`         // with quantization, score the best again with the full vectors
	Oversampling  float64 `koanf:"oversampling"`    // with rescore, how many times the asked number are looked at
	OnDiskVectors bool    `koanf:"on_disk_vectors"` // keep full content and review vectors on disk
	OnDiskPayload bool    `koanf:"on_disk_payload"` // keep payloads on disk
	OnDiskSparse  bool    `koanf:"on_disk_sparse"`  // keep the word index on disk
	OnDiskGraph   bool    `koanf:"on_disk_graph"`   // keep the HNSW graph on disk

	HNSWM           int  `koanf:"hnsw_m"`            // links per vector, 0 for the server's default
	HNSWEfConstruct int  `koanf:"hnsw_ef_construct"` // candidates while building, 0 for the server's default
	SearchEf        int  `koanf:"search_ef"`         // candidates while searching, 0 for the server's default
	Exact           bool `koanf:"exact"`             // look at every vector in place of the graph
	CFDimensions    int  `koanf:"cf_dimensions"`     // room for collaborative vectors, 0 for none: no name can be added later

	BatchPoints int `koanf:"batch_points"` // points written at a time, at most
	BatchBytes  int `koanf:"batch_bytes"`  // bytes written at a time, about
	Concurrency int `koanf:"concurrency"`  // batches on their way at a time; writers wait for their turn

	ConnectTimeout time.Duration `koanf:"connect_timeout"` // for the first answer at start
	SearchTimeout  time.Duration `koanf:"search_timeout"`  // for a search, tries included
	WriteTimeout   time.Duration `koanf:"write_timeout"`   // for one try at a write
	AdminTimeout   time.Duration `koanf:"admin_timeout"`   // for one try at making or dropping a collection
	Retries        int           `koanf:"retries"`         // tries after the first
	RetryWait      time.Duration `koanf:"retry_wait"`      // before the first of them, then twice as long each time
	RetryMaxWait   time.Duration `koanf:"retry_max_wait"`  // before any of them

	BreakerFailures int           `koanf:"breaker_failures"` // searches in a row that fail before the rest are refused
	BreakerOpen     time.Duration `koanf:"breaker_open"`     // how long they are, before one is let through as a test
}

// DefaultConfig returns the settings that Lectern ships with: one node on this
// machine, everything in memory.
func DefaultConfig() Config {
	return Config{
		Address:                "localhost:6334",
		Connections:            3,
		Prefix:                 "lectern",
		Shards:                 1,
		ReplicationFactor:      1,
		WriteConsistencyFactor: 1,
		WriteOrdering:          "medium",
		ReadConsistency:        "one",
		Quantization:           "none",
		Rescore:                true,
		Oversampling:           2,
		CFDimensions:           64,
		BatchPoints:            256,
		BatchBytes:             4 << 20,
		Concurrency:            4,
		ConnectTimeout:         10 * time.Second,
		SearchTimeout:          2 * time.Second,
		WriteTimeout:           30 * time.Second,
		AdminTimeout:           time.Minute,
		Retries:                5,
		RetryWait:              100 * time.Millisecond,
		RetryMaxWait:           5 * time.Second,
		BreakerFailures:        5,
		BreakerOpen:            2 * time.Second,
	}
}

// maxDimensions is the longest dense vector that Qdrant takes.
const maxDimensions = 65535

// prefixPattern is what a collection name may safely be made of.
var prefixPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// checks collects what is wrong with a Config.
type checks struct{ bad []lectern.FieldError }

func (c *checks) that(ok bool, key string, value any, allowed string) {
	if !ok {
		c.bad = append(c.bad, lectern.NewFieldError("index.qdrant."+key, value, "is out of range", allowed))
	}
}

func (c *checks) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.bad = append(c.bad, lectern.NewFieldError("index.qdrant."+key, value, "is not known", strings.Join(allowed, ", ")))
	}
}

// Validate returns a CodeInvalid error that names every key with a value that is
// not acceptable.
func (c Config) Validate() error {
	var k checks
	_, _, err := c.hostPort()
	k.that(err == nil, "address", c.Address, "host:port")
	k.that(c.TLS || c.TLSCA == "", "tls_ca", c.TLSCA, "empty unless tls is on")
	k.that(c.Connections > 0 && c.Connections <= 64, "connections", c.Connections, "1 to 64")
	k.that(prefixPattern.MatchString(c.Prefix), "prefix", c.Prefix, "letters, digits, _ and -")
	k.that(c.Shards >= 0 && c.Shards <= 1024, "shards", c.Shards, "0 to 1024")
	k.that(c.ReplicationFactor > 0 && c.ReplicationFactor <= 64, "replication_factor", c.ReplicationFactor, "1 to 64")
	k.that(c.WriteConsistencyFactor > 0 && c.WriteConsistencyFactor <= c.ReplicationFactor,
		"write_consistency_factor", c.WriteConsistencyFactor, "1 to replication_factor")
	k.oneOf("write_ordering", c.WriteOrdering, "weak", "medium", "strong")
	k.oneOf("read_consistency", c.ReadConsistency, "one", "majority", "quorum", "all")
	k.oneOf("quantization", c.Quantization, "none", "scalar", "binary")
	k.that(c.Oversampling >= 1 && c.Oversampling <= 100, "oversampling", c.Oversampling, "1 to 100")
	c.validateGraph(&k)
	c.validateCalls(&k)
	if len(k.bad) > 0 {
		return lectern.Invalid("the Qdrant settings are not usable", k.bad...)
	}
	return nil
}

func (c Config) validateGraph(k *checks) {
	k.that(c.HNSWM >= 0 && c.HNSWM <= 512, "hnsw_m", c.HNSWM, "0 to 512")
	k.that(c.HNSWEfConstruct == 0 || (c.HNSWEfConstruct >= 4 && c.HNSWEfConstruct <= 10_000),
		"hnsw_ef_construct", c.HNSWEfConstruct, "0, or 4 to 10000")
	k.that(c.SearchEf >= 0 && c.SearchEf <= 100_000, "search_ef", c.SearchEf, "0 to 100000")
	k.that(c.CFDimensions >= 0 && c.CFDimensions <= maxDimensions, "cf_dimensions", c.CFDimensions, "0 to 65535")
}

func (c Config) validateCalls(k *checks) {
	k.that(c.BatchPoints > 0 && c.BatchPoints <= 100_000, "batch_points", c.BatchPoints, "1 to 100000")
	k.that(c.BatchBytes >= 64<<10 && c.BatchBytes <= 256<<20, "batch_bytes", c.BatchBytes, "64 KiB to 256 MiB")
	k.that(c.Concurrency > 0 && c.Concurrency <= 256, "concurrency", c.Concurrency, "1 to 256")
	k.that(c.ConnectTimeout > 0, "connect_timeout", c.ConnectTimeout, "above 0")
	k.that(c.SearchTimeout > 0, "search_timeout", c.SearchTimeout, "above 0")
	k.that(c.WriteTimeout > 0, "write_timeout", c.WriteTimeout, "above 0")
	k.that(c.AdminTimeout > 0, "admin_timeout", c.AdminTimeout, "above 0")
	k.that(c.Retries >= 0 && c.Retries <= 100, "retries", c.Retries, "0 to 100")
	k.that(c.RetryWait > 0, "retry_wait", c.RetryWait, "above 0")
	k.that(c.RetryMaxWait >= c.RetryWait, "retry_max_wait", c.RetryMaxWait, "at least retry_wait")
	k.that(c.BreakerFailures > 0 && c.BreakerFailures <= math.MaxInt32, "breaker_failures", c.BreakerFailures, "above 0")
	k.that(c.BreakerOpen > 0, "breaker_open", c.BreakerOpen, "above 0")
}

// hostPort splits the address.
func (c Config) hostPort() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(c.Address)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 || host == "" {
		return "", 0, lectern.Errorf(lectern.CodeInvalid, "%q is not host:port", c.Address)
	}
	if strings.Contains(host, ":") { // the client joins host and port with a bare colon
		host = "[" + host + "]"
	}
	return host, int(number), nil
}
