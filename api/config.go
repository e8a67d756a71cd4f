package api

import (
	"fmt"
	"net/url"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config is everything about the HTTP interface that a deployment may set.
type Config struct {
	AllowedOrigins   []string      `koanf:"allowed_origins"`    // origins of pages that may call, or "*"; empty: none
	MaxBodyBytes     int64         `koanf:"max_body_bytes"`     // of one JSON document
	MaxBatchBytes    int64         `koanf:"max_batch_bytes"`    // of one NDJSON batch
	MaxFeedBytes     int64         `koanf:"max_feed_bytes"`     // of one catalogue feed
	MaxBatchRows     int           `koanf:"max_batch_rows"`     // lines of one NDJSON batch
	MaxFeedRows      int           `koanf:"max_feed_rows"`      // lines of one catalogue feed
	MaxEvents        int           `koanf:"max_events"`         // events in one array
	MaxURLBytes      int           `koanf:"max_url_bytes"`      // path and query together
	MaxPage          int           `koanf:"max_page"`           // items on a page
	DefaultPage      int           `koanf:"default_page"`       // when no limit is given
	MaxRetireShare   float64       `koanf:"max_retire_share"`   // of the catalogue that one feed may retire, in [0, 1]
	KeyCacheTTL      time.Duration `koanf:"key_cache_ttl"`      // how long a revoked key may still work
	RequestTimeout   time.Duration `koanf:"request_timeout"`    // of a request with a JSON document or none
	BatchTimeout     time.Duration `koanf:"batch_timeout"`      // of a batch or feed, a preview or a proposal of weights
	MaxTokenLifetime time.Duration `koanf:"max_token_lifetime"` // of a learner token, at most an hour
}

// DefaultConfig returns the settings that hold unless told otherwise.
func DefaultConfig() Config {
	return Config{
		MaxBodyBytes:     1 << 20,
		MaxBatchBytes:    10 << 20,
		MaxFeedBytes:     256 << 20,
		MaxBatchRows:     10_000,
		MaxFeedRows:      500_000,
		MaxEvents:        1000,
		MaxURLBytes:      16 << 10,
		MaxPage:          100,
		DefaultPage:      20,
		MaxRetireShare:   0.2,
		KeyCacheTTL:      2 * time.Second,
		RequestTimeout:   10 * time.Second,
		BatchTimeout:     5 * time.Minute,
		MaxTokenLifetime: time.Hour,
	}
}

// Validate reports the first key whose value is not acceptable, with what is.
func (c Config) Validate() error {
	bad := func(key string, value any, allowed string) error {
		return lectern.Invalid(fmt.Sprintf("api.%s: %v is not acceptable; allowed: %s", key, value, allowed),
			lectern.NewFieldError("api."+key, value, "is not acceptable", allowed))
	}
	for _, o := range c.AllowedOrigins {
		u, err := url.Parse(o)
		if o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "") {
			return bad("allowed_origins", o, `"*" or an origin such as https://learn.example.org`)
		}
	}
	for _, n := range []struct {
		key       string
		value     int64
		low, high int64
	}{
		{"max_body_bytes", c.MaxBodyBytes, 1 << 10, 1 << 30},
		{"max_batch_bytes", c.MaxBatchBytes, 1 << 10, 1 << 30},
		{"max_feed_bytes", c.MaxFeedBytes, 1 << 10, 4 << 30},
		{"max_batch_rows", int64(c.MaxBatchRows), 1, 1_000_000},
		{"max_feed_rows", int64(c.MaxFeedRows), 1, 10_000_000},
		{"max_events", int64(c.MaxEvents), 1, 1000},
		{"max_url_bytes", int64(c.MaxURLBytes), 1 << 10, 1 << 20},
		{"max_page", int64(c.MaxPage), 1, 100},
		{"default_page", int64(c.DefaultPage), 1, int64(c.MaxPage)},
	} {
		if n.value < n.low || n.value > n.high {
			return bad(n.key, n.value, fmt.Sprintf("%d to %d", n.low, n.high))
		}
	}
	if !(c.MaxRetireShare >= 0 && c.MaxRetireShare <= 1) {
		return bad("max_retire_share", c.MaxRetireShare, "0 to 1")
	}
	for _, d := range []struct {
		key       string
		value     time.Duration
		low, high time.Duration
	}{
		{"key_cache_ttl", c.KeyCacheTTL, 0, 10 * time.Second},
		{"request_timeout", c.RequestTimeout, 100 * time.Millisecond, 5 * time.Minute},
		{"batch_timeout", c.BatchTimeout, time.Second, time.Hour},
		{"max_token_lifetime", c.MaxTokenLifetime, time.Minute, time.Hour},
	} {
		if d.value < d.low || d.value > d.high {
			return bad(d.key, d.value, fmt.Sprintf("%s to %s", d.low, d.high))
		}
	}
	return nil
}
