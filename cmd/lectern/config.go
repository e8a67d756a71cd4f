package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/analytics"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/embed/openai"
	"github.com/lectern-dev/lectern/experiment"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/learn"
	"github.com/lectern-dev/lectern/experiment/ope"
	"github.com/lectern-dev/lectern/index/qdrant"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/internal/nearest"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/ml/noise"
	"github.com/lectern-dev/lectern/neighbours"
	"github.com/lectern-dev/lectern/opinion"
	"github.com/lectern-dev/lectern/preview"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/searchlog"
	"github.com/lectern-dev/lectern/settings"
	"github.com/lectern-dev/lectern/skills"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/suggest"
	"github.com/lectern-dev/lectern/training"
	"github.com/lectern-dev/lectern/tuning"
)

// envPrefix starts every environment variable that sets a key; the dots of a
// key become two underscores: LECTERN_SERVER__ADDRESS sets server.address.
const envPrefix = "LECTERN_"

// Config is everything that can be set, layer over layer: defaults, file,
// environment, flags.
type Config struct {
	Data        string               `koanf:"data"` // folder of the embedded mode: database and rejected rows
	Log         LogConfig            `koanf:"log"`
	Server      ServerConfig         `koanf:"server"`
	API         api.Config           `koanf:"api"`
	Store       StoreConfig          `koanf:"store"`
	Index       IndexConfig          `koanf:"index"`
	Embed       EmbedConfig          `koanf:"embed"`
	Indexing    indexing.Config      `koanf:"indexing"`
	Learner     learner.Config       `koanf:"learner"`
	Profiles    learner.FollowConfig `koanf:"profiles"`
	Noise       noise.Config         `koanf:"noise"`
	Training    training.Config      `koanf:"training"`
	Neighbours  neighbours.Config    `koanf:"neighbours"`
	Retrieve    retrieve.Config      `koanf:"retrieve"`
	Rerank      rerank.Config        `koanf:"rerank"`
	Settings    settings.Config      `koanf:"settings"`
	Explore     explore.Config       `koanf:"explore"`
	Learning    learn.Config         `koanf:"learning"`
	Experiments experiment.Config    `koanf:"experiments"`
	Analytics   analytics.Config     `koanf:"analytics"`
	Preview     preview.Config       `koanf:"preview"`
	Tuning      tuning.Config        `koanf:"tuning"`
	Estimates   ope.Config           `koanf:"estimates"`
	Suggest     suggest.Config       `koanf:"suggest"`
	SearchLog   searchlog.Config     `koanf:"searchlog"`
	Skills      skills.Config        `koanf:"skills"`
	Opinion     opinion.Config       `koanf:"opinion"`
}

// LogConfig says what is logged and how.
type LogConfig struct {
	Level  string `koanf:"level"`  // debug, info, warn or error
	Format string `koanf:"format"` // text or json
}

// ServerConfig is about listening; what the API allows is in api.Config.
type ServerConfig struct {
	Address         string        `koanf:"address"`          // host and port to listen on
	ShutdownTimeout time.Duration `koanf:"shutdown_timeout"` // time that running requests get at shutdown
}

// StoreConfig chooses the relational store.
type StoreConfig struct {
	Driver           string          `koanf:"driver"`            // relational store: sqlite, a file in the data folder, or postgres
	RankingRetention time.Duration   `koanf:"ranking_retention"` // lists that no event cites are deleted after this
	StatsRefresh     time.Duration   `koanf:"stats_refresh"`     // how often ratings and popularity are read anew
	Postgres         postgres.Config `koanf:"postgres"`          // with driver postgres
}

// IndexConfig chooses the vector index.
type IndexConfig struct {
	Driver string        `koanf:"driver"` // vector index: memory, one in each process, or qdrant, one that all share
	Qdrant qdrant.Config `koanf:"qdrant"` // with driver qdrant
}

// EmbedConfig chooses the embedder.
type EmbedConfig struct {
	Driver       string        `koanf:"driver"`         // embedder: local, trained on the catalogue, or openai, any server that speaks OpenAI's API
	Dimensions   int           `koanf:"dimensions"`     // length of the local embedder's vectors
	MaxTrainDocs int           `koanf:"max_train_docs"` // courses that the local embedder learns from; of more, a sample
	QueryCache   int           `koanf:"query_cache"`    // query vectors kept in memory
	OpenAI       openai.Config `koanf:"openai"`         // with driver openai
}

// DefaultConfig returns what holds when nothing is set.
func DefaultConfig() Config {
	local := embed.DefaultOptions()
	c := Config{
		Data:        "data",
		Log:         LogConfig{Level: "info", Format: "text"},
		Server:      ServerConfig{Address: "127.0.0.1:8080", ShutdownTimeout: 15 * time.Second},
		API:         api.DefaultConfig(),
		Store:       StoreConfig{Driver: driverSQLite, RankingRetention: 90 * 24 * time.Hour, StatsRefresh: 30 * time.Second, Postgres: postgres.DefaultConfig()},
		Index:       IndexConfig{Driver: driverMemory, Qdrant: qdrant.DefaultConfig()},
		Embed:       EmbedConfig{Driver: driverLocal, Dimensions: local.Dim, MaxTrainDocs: local.MaxDocs, QueryCache: 10_000, OpenAI: openai.DefaultConfig()},
		Indexing:    indexing.DefaultConfig(),
		Learner:     learner.DefaultConfig(),
		Profiles:    learner.DefaultFollowConfig(),
		Noise:       noise.DefaultConfig(),
		Training:    training.DefaultConfig(),
		Neighbours:  neighbours.DefaultConfig(),
		Retrieve:    retrieve.DefaultConfig(),
		Rerank:      rerank.DefaultConfig(),
		Settings:    settings.DefaultConfig(),
		Explore:     explore.DefaultConfig(),
		Learning:    learn.DefaultConfig(),
		Experiments: experiment.DefaultConfig(),
		Analytics:   analytics.DefaultConfig(),
		Preview:     preview.DefaultConfig(),
		Tuning:      tuning.DefaultConfig(),
		Estimates:   ope.DefaultConfig(),
		Suggest:     suggest.DefaultConfig(),
		SearchLog:   searchlog.DefaultConfig(),
		Skills:      skills.DefaultConfig(),
		Opinion:     opinion.DefaultConfig(),
	}
	c.share()
	return c
}

// Validate reports every key whose value is not acceptable.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError(key, value, "is not allowed", allowed))
		}
	}
	check(c.Data != "", "data", c.Data, "a folder")
	check(slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level", c.Log.Level, "debug, info, warn, error")
	check(slices.Contains([]string{"text", "json"}, c.Log.Format), "log.format", c.Log.Format, "text, json")
	_, _, err := net.SplitHostPort(c.Server.Address)
	check(err == nil, "server.address", c.Server.Address, "host:port, for example 127.0.0.1:8080")
	check(c.Server.ShutdownTimeout > 0, "server.shutdown_timeout", c.Server.ShutdownTimeout, "over 0")
	check(slices.Contains([]string{driverSQLite, driverPostgres}, c.Store.Driver), "store.driver", c.Store.Driver, "sqlite, postgres")
	check(c.Store.RankingRetention >= time.Hour, "store.ranking_retention", c.Store.RankingRetention, "at least 1h")
	check(c.Store.StatsRefresh >= time.Second, "store.stats_refresh", c.Store.StatsRefresh, "at least 1s")
	check(slices.Contains([]string{driverMemory, driverQdrant}, c.Index.Driver), "index.driver", c.Index.Driver, "memory, qdrant")
	check(slices.Contains([]string{driverLocal, driverOpenAI}, c.Embed.Driver), "embed.driver", c.Embed.Driver, "local, openai")
	check(c.Embed.Dimensions >= 16 && c.Embed.Dimensions <= 1024, "embed.dimensions", c.Embed.Dimensions, "16 to 1024")
	check(c.Embed.MaxTrainDocs >= 100, "embed.max_train_docs", c.Embed.MaxTrainDocs, "at least 100")
	check(c.Embed.QueryCache >= 0, "embed.query_cache", c.Embed.QueryCache, "at least 0")
	for _, part := range c.backendFaults() {
		bad = append(bad, fieldsOf(part)...)
	}
	for _, part := range []error{c.API.Validate(), c.Indexing.Validate(), c.Learner.Validate(), c.Profiles.Validate(), c.Noise.Validate(), c.Training.Validate(), c.Neighbours.Validate(), c.Retrieve.Validate(), c.Rerank.Validate(), c.Settings.Validate(), c.Explore.Validate(), c.Learning.Validate(), c.Experiments.Validate(), c.Analytics.Validate(), c.Preview.Validate(), c.Tuning.Validate(), c.Estimates.Validate(), c.Suggest.Validate(), c.SearchLog.Validate(), c.Skills.Validate(), c.Opinion.Validate()} {
		bad = append(bad, fieldsOf(part)...)
	}
	if len(bad) > 0 {
		return lectern.Invalid("the configuration is not usable", bad...)
	}
	return nil
}

// backendFaults validates the settings of the backends that are chosen.
func (c Config) backendFaults() (faults []error) {
	if c.Store.Driver == driverPostgres {
		faults = append(faults, c.Store.Postgres.Validate())
	}
	if c.Index.Driver == driverQdrant {
		faults = append(faults, c.Index.Qdrant.Validate())
	}
	if c.Embed.Driver == driverOpenAI {
		faults = append(faults, c.Embed.OpenAI.Validate())
	}
	return faults
}

// DatabasePath is where the embedded store lives.
func (c Config) DatabasePath() string { return filepath.Join(c.Data, "lectern.db") }

// defaultKoanf returns the defaults as flat keys.
func defaultKoanf() (*koanf.Koanf, error) {
	k := koanf.New(".")
	if err := k.Load(structs.Provider(DefaultConfig(), "koanf"), nil); err != nil {
		return nil, fmt.Errorf("read the default configuration: %w", err)
	}
	return k, nil
}

// LoadConfig lays file, environment and flags over the defaults and validates
// the result. path may be empty; flags may be nil. Unknown keys are errors that
// name the nearest known one.
func LoadConfig(path string, environ []string, flags *pflag.FlagSet) (Config, error) {
	k, err := defaultKoanf()
	if err != nil {
		return Config{}, err
	}
	known := k.Keys()
	if path != "" {
		layer := koanf.New(".")
		if err := layer.Load(file.Provider(path), yaml.Parser()); err != nil {
			return Config{}, lectern.Errorf(lectern.CodeInvalid, "cannot read the configuration file %s: %w", path, err)
		}
		if err := checkKeys(layer.Keys(), known, path); err != nil {
			return Config{}, err
		}
		for key, value := range layer.All() { // one by one: a file may write server.address as one word, too
			if err := k.Set(key, value); err != nil {
				return Config{}, err
			}
		}
	}
	layer := koanf.New(".")
	err = layer.Load(env.Provider(".", env.Opt{
		Prefix: envPrefix, EnvironFunc: func() []string { return environ }, TransformFunc: envKey,
	}), nil)
	if err != nil {
		return Config{}, fmt.Errorf("read the environment: %w", err)
	}
	if err := checkEnviron(environ, known); err != nil {
		return Config{}, err
	}
	if err := k.Merge(layer); err != nil {
		return Config{}, err
	}
	if flags != nil {
		err := k.Load(posflag.ProviderWithFlag(flags, ".", k, func(f *pflag.Flag) (string, any) {
			if !f.Changed || !slices.Contains(known, f.Name) {
				return "", nil
			}
			return f.Name, f.Value.String()
		}), nil)
		if err != nil {
			return Config{}, fmt.Errorf("read the flags: %w", err)
		}
	}
	return decodeConfig(k)
}

func decodeConfig(k *koanf.Koanf) (Config, error) {
	var c Config
	hooks := mapstructure.ComposeDecodeHookFunc(
		mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(","), writtenList, emptyList)
	if err := wrongTypes(k, hooks); err != nil {
		return Config{}, err
	}
	if err := strayFields(k, hooks); err != nil {
		return Config{}, err
	}
	err := k.UnmarshalWithConf("", &c, koanf.UnmarshalConf{Tag: "koanf", DecoderConfig: &mapstructure.DecoderConfig{
		TagName: "koanf", WeaklyTypedInput: true, DecodeHook: hooks,
	}})
	if err != nil {
		return Config{}, lectern.Errorf(lectern.CodeInvalid, "the configuration has a value of the wrong type: %w", err)
	}
	c.share()
	return c, c.Validate()
}

// emptyList reads an empty list as no list, which is what the defaults have.
func emptyList(_, to reflect.Type, value any) (any, error) {
	if list, ok := value.([]any); ok && len(list) == 0 && to.Kind() == reflect.Slice {
		return nil, nil
	}
	return value, nil
}

// share sets what two parts must agree on from the one key that says it.
func (c *Config) share() {
	c.Indexing.HalfLife = c.Retrieve.Popularity.HalfLife
	c.Suggest.HalfLife = c.Learner.HalfLife
}

// envKey turns LECTERN_SERVER__ADDRESS into server.address. LECTERN_CONFIG names
// the file, and some variables are read by tests only: those are no keys.
func envKey(name, value string) (string, any) {
	name = strings.TrimPrefix(name, envPrefix)
	if strings.HasPrefix(name, "TEST_") || name == "SOAK" || name == "CONFIG" {
		return "", nil
	}
	return strings.ToLower(strings.ReplaceAll(name, "__", ".")), value
}

func checkKeys(given, known []string, where string) error {
	var bad []lectern.FieldError
	for _, key := range given {
		if isKey(key, known) {
			continue
		}
		bad = append(bad, lectern.NewFieldError(key, "", "is not a configuration key"+nearest.Hint(key, known), ""))
	}
	if len(bad) > 0 {
		e := lectern.Invalid("unknown configuration keys in "+where, bad...)
		e.Code = lectern.CodeUnknownField
		return e
	}
	return nil
}

// configFlags adds --config, --data and one flag for every other key.
func configFlags(flags *pflag.FlagSet) error {
	k, err := defaultKoanf()
	if err != nil {
		return err
	}
	flags.StringP("config", "c", os.Getenv(envPrefix+"CONFIG"), "configuration file (YAML)")
	for _, key := range k.Keys() {
		flags.String(key, k.String(key), "see docs/config.md")
		if key == "data" {
			flags.Lookup(key).Usage = "folder of the embedded mode: database and rejected rows"
			continue
		}
		if err := flags.MarkHidden(key); err != nil { // a hundred keys would hide what the command is about
			return err
		}
	}
	return nil
}

func fieldsOf(err error) []lectern.FieldError {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*lectern.Error](err); ok && len(e.Fields) > 0 {
		return e.Fields
	}
	return []lectern.FieldError{{Field: "configuration", Reason: err.Error()}}
}
