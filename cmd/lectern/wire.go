package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/index"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/text"
)

// secretCursors is the name of the secret that signs cursors.
const secretCursors = "cursors"

// engine is everything that turns a store into lists.
type engine struct {
	environment
	live     liveStore
	ingest   ingest.Service
	words    *text.Lexicon
	catalog  *retrieve.Catalog
	pipeline *indexing.Pipeline
	recorder *retrieve.Recorder
	ranker   *retrieve.Engine
}

// newEngine wires the parts around an open store. Nothing runs yet but the
// recorder, which close ends.
func newEngine(ctx context.Context, env environment) (*engine, error) {
	e := &engine{environment: env}
	e.words = text.NewLexicon(text.DefaultParams())
	e.catalog = retrieve.NewCatalog(env.config.Retrieve, env.store, lectern.SystemClock)
	pipeline, err := indexing.New(indexing.Options{
		Config:   env.config.Indexing,
		Store:    env.store,
		NewIndex: newIndex,
		Words:    courseWords{lexicon: e.words},
		Sinks:    []indexing.Sink{catalogSink{e.catalog}},
		Train:    trainer(env.config.Embed),
		Load:     loader(env.config.Embed),
		Clock:    lectern.SystemClock,
		Logger:   env.log,
	})
	if err != nil {
		return nil, err
	}
	e.pipeline = pipeline
	e.recorder = retrieve.NewRecorder(env.store, env.config.Retrieve.Record, env.log)
	e.live = liveStore{Store: env.store, pipeline: pipeline, recorder: e.recorder}
	e.ingest = newIngest(env.config, e.live)
	e.ranker, err = newRanker(ctx, e, pipeline)
	if err != nil {
		return nil, errors.Join(err, e.close(ctx))
	}
	return e, nil
}

// newRanker wires what makes lists. Its secret is the store's, so that a cursor
// outlives a restart.
func newRanker(ctx context.Context, e *engine, generations retrieve.Generations) (*retrieve.Engine, error) {
	env := e.environment
	profiles, err := learner.NewProfiles(env.store, env.config.Learner, lectern.SystemClock)
	if err != nil {
		return nil, err
	}
	linear, err := rerank.NewLinear(env.config.Rerank)
	if err != nil {
		return nil, err
	}
	cursorKey, err := env.store.Secret(ctx, secretCursors, randomBytes(32))
	if err != nil {
		return nil, fmt.Errorf("read the cursor secret: %w", err)
	}
	return retrieve.New(retrieve.Deps{
		Catalog: e.catalog, Generations: generations, Words: e.words, Profiles: profiles,
		Courses: env.store, Rankings: e.recorder, Reranker: linear,
		Clock: lectern.SystemClock, NewID: retrieve.RankingIDs(lectern.SystemClock, rand.Reader),
		CursorKey: cursorKey, Logger: env.log,
	}, env.config.Retrieve)
}

// close stores what the recorder still holds.
func (e *engine) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.Server.ShutdownTimeout)
	defer cancel()
	return e.recorder.Close(ctx)
}

// rowStore is what rows are written to.
type rowStore interface {
	ingest.CourseWriter
	ingest.ReviewWriter
	ingest.LearnerWriter
	ingest.EventWriter
}

// newIngest is the one way in for rows, by file or by HTTP.
func newIngest(c Config, store rowStore) ingest.Service {
	return ingest.Service{
		Courses: store, Reviews: store, Learners: store, Events: store,
		Delta: c.Learner.Delta, Clock: lectern.SystemClock,
	}
}

func newIndex() lectern.VectorIndex { return index.New(index.Options{}) }

// trainer makes local embedders and the bytes to keep them by.
func trainer(c EmbedConfig) func(context.Context, []string) (lectern.Embedder, []byte, error) {
	return func(ctx context.Context, texts []string) (lectern.Embedder, []byte, error) {
		options := embed.DefaultOptions()
		options.Dim, options.MaxDocs = c.Dimensions, c.MaxTrainDocs
		local, err := embed.Train(ctx, slices.Values(texts), options)
		if err != nil {
			return nil, nil, err
		}
		var body bytes.Buffer
		if err := local.Save(&body); err != nil {
			return nil, nil, fmt.Errorf("save the embedder: %w", err)
		}
		return withQueryCache(local, c), body.Bytes(), nil
	}
}

func loader(c EmbedConfig) func([]byte) (lectern.Embedder, error) {
	return func(body []byte) (lectern.Embedder, error) {
		local, err := embed.LoadLocal(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return withQueryCache(local, c), nil
	}
}

// withQueryCache keeps the vectors of queries; those of courses are kept by the
// pipeline, in the store.
func withQueryCache(e lectern.Embedder, c EmbedConfig) lectern.Embedder {
	return embed.Cached(e, nil).KeepQueries(c.QueryCache)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24
	return b
}

// courseWords puts courses into the lexicon, without some fields where an
// evaluation asks for that.
type courseWords struct {
	lexicon  *text.Lexicon
	leaveOut []lectern.CourseField
}

var _ indexing.LexicalEncoder = courseWords{}

func (w courseWords) Put(c lectern.Course) lectern.SparseVector {
	return w.lexicon.Put(c.ID, text.CourseDocument(c, w.leaveOut...))
}

func (w courseWords) DocVector(c lectern.Course) lectern.SparseVector {
	return w.lexicon.DocVector(text.CourseDocument(c, w.leaveOut...))
}

func (w courseWords) Remove(id string) { w.lexicon.Remove(id) }

// catalogSink hands what the pipeline read on to the ranking facts.
type catalogSink struct{ catalog *retrieve.Catalog }

var _ indexing.Sink = catalogSink{}

func (s catalogSink) Apply(ctx context.Context, b indexing.Batch) error {
	entries := make([]retrieve.CatalogEntry, len(b.Upserts))
	for i, u := range b.Upserts {
		entries[i] = retrieve.CatalogEntry{Course: u.Course, Stats: u.Stats}
	}
	return s.catalog.Apply(ctx, entries, b.Deletes, b.Reset)
}
