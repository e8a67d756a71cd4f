package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/analytics"
	"github.com/lectern-dev/lectern/index"
	"github.com/lectern-dev/lectern/index/qdrant"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/internal/lease"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/neighbours"
	"github.com/lectern-dev/lectern/opinion"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/searchlog"
	"github.com/lectern-dev/lectern/settings"
	"github.com/lectern-dev/lectern/skills"
	"github.com/lectern-dev/lectern/suggest"
	"github.com/lectern-dev/lectern/synonyms"
	"github.com/lectern-dev/lectern/text"
	"github.com/lectern-dev/lectern/training"
)

// secretCursors is the name of the secret that signs cursors.
const secretCursors = "cursors"

// engine is everything that turns a store into lists.
type engine struct {
	environment
	live        liveStore
	ingest      ingest.Service
	words       *text.Lexicon
	synonyms    *synonyms.Keeper
	opinions    *opinion.Keeper
	analytics   *analytics.Keeper
	catalog     *retrieve.Catalog
	courseFacts *learner.Catalogue
	profiles    *learner.Profiles
	suggest     *suggest.Suggester // nil where nobody types
	searches    *searches
	skills      *skills.Index // nil where they are switched off
	creators    *creators
	followers   followers
	factor      func() (int64, neighbours.Factor) // of the collaborative model in use; nil without models
	models      *training.Keeper
	trainer     *training.Trainer
	pipeline    *indexing.Pipeline
	generations retrieve.Generations // of suggestions: the pipeline, or an evaluation's own
	recorder    *retrieve.Recorder
	settings    *settings.Service
	exploring   *exploration
	learning    *learning
	experiments *experiments
	lists       *lists // nil where no list explores
	ranker      *retrieve.Engine
	meters      *meters
	indexes     *qdrant.Indexes // nil where each process keeps an index of its own
	leader      *lease.Lease    // nil where this process is alone
	holder      string          // of leases and jobs
}

// newEngine wires the parts around an open store. Nothing runs yet but the
// recorder and the search log, which close ends.
func newEngine(ctx context.Context, env environment) (*engine, error) {
	e := &engine{environment: env, meters: &meters{}, holder: holderName()}
	e.words = text.NewLexicon(text.DefaultParams())
	e.catalog = retrieve.NewCatalog(env.config.Retrieve, env.store, lectern.SystemClock)
	e.catalog.ReadHistories(env.store)
	e.courseFacts = learner.NewCatalogue()
	e.creators = &creators{}
	var err error
	if e.synonyms, err = newSynonyms(ctx, e); err != nil {
		return nil, err
	}
	if e.skills, err = newSkills(env.config.Skills); err != nil {
		return nil, err
	}
	if e.searches, err = newSearches(ctx, env); err != nil {
		return nil, err
	}
	if e.suggest, err = newSuggester(e); err != nil {
		return nil, err
	}
	if e.profiles, err = newTastes(e); err != nil {
		return nil, err
	}
	if e.trainer, err = newTrainer(env, e.holder); err != nil {
		return nil, err
	}
	e.models = newModels(ctx, e)
	e.factor = collaborative{e.models}.learnerFactor
	if err := e.newPipeline(ctx); err != nil {
		return nil, err
	}
	if e.followers, err = newFollowers(e); err != nil {
		return nil, err
	}
	if e.opinions, err = newOpinions(e); err != nil {
		return nil, err
	}
	if e.analytics, err = newAnalytics(env, e.holder); err != nil {
		return nil, err
	}
	if e.settings, err = newSettings(ctx, env, e.catalog); err != nil {
		return nil, err
	}
	if e.exploring, err = newExploration(ctx, env); err != nil {
		return nil, err
	}
	if e.experiments, err = newExperiments(ctx, e); err != nil {
		return nil, err
	}
	var turn *lease.Lease
	if e.leader != nil {
		turn = lease.New(env.store, leaseLearning, e.holder, env.log)
	}
	if e.learning, err = newLearning(env, e.exploring, turn); err != nil {
		return nil, err
	}
	e.generations = e.pipeline
	e.recorder = retrieve.NewRecorder(env.store, env.config.Retrieve.Record, env.log)
	e.searches.log = searchlog.NewLog(env.store, env.config.SearchLog, env.log)
	e.live = liveStore{relational: env.store, pipeline: e.pipeline, recorder: e.recorder, searches: e.searches, suggest: e.suggest,
		followers: e.followers, log: env.log}
	e.ingest = newIngest(env.config, e.live)
	e.ingest.Cite = e.searches.cite(e.live)
	if e.ranker, err = newRanker(ctx, e, e.pipeline); err != nil {
		return nil, errors.Join(err, e.close(ctx))
	}
	e.live.keepers = []keeper{e.profiles, e.ranker}
	return e, nil
}

// newPipeline wires what keeps index and embeddings in step with the store.
func (e *engine) newPipeline(ctx context.Context) (err error) {
	env := e.environment
	options := indexing.Options{
		Config:   env.config.Indexing,
		Store:    env.store,
		Words:    courseWords{lexicon: e.words},
		Sinks:    []indexing.Sink{catalogSink{e.catalog}, factsSink{e.courseFacts}, e.creators},
		Makers:   makers(env.config.Embed, env.log, e.meters),
		Embedder: env.config.Embed.Driver,
		Holder:   e.holder,
		Clock:    lectern.SystemClock,
		Logger:   env.log,
	}
	if e.suggest != nil {
		options.Sinks = append(options.Sinks, suggestSink{e.suggest})
	}
	if e.searches != nil {
		options.Sinks = append(options.Sinks, knownSink{e.searches.known})
	}
	if e.skills != nil {
		options.Sinks = append(options.Sinks, skillSink{e.skills})
	}
	if e.indexes, err = openIndexes(ctx, env, e.meters); err != nil {
		return err
	}
	if e.indexes == nil {
		options.NewIndex = newIndex
	} else {
		options.Shared = e.indexes
	}
	if n := env.config.Index.Qdrant.CFDimensions; n > 0 {
		options.Dense = map[string]int{lectern.VectorCF: n}
		options.Factors = collaborative{e.models}.factors
	}
	if !env.config.embedded() || e.indexes != nil {
		e.leader = lease.New(env.store, leaseLeader, e.holder, env.log)
		options.Leader = e.leader
	}
	e.pipeline, err = indexing.New(options)
	return err
}

// leaseLeader is the lease of the process that does what one at a time may.
const leaseLeader = "leader"

// holderName tells this process from every other.
func holderName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:8])
}

// leads reports whether this process does what one at a time may.
func (e *engine) leads() bool { return e.leader == nil || e.leader.Held() }

// newRanker wires what makes lists. Its secret is the store's, so that a cursor
// outlives a restart.
func newRanker(ctx context.Context, e *engine, generations retrieve.Generations) (*retrieve.Engine, error) {
	env := e.environment
	cursorKey, err := env.store.Secret(ctx, secretCursors, randomBytes(32))
	if err != nil {
		return nil, fmt.Errorf("read the cursor secret: %w", err)
	}
	return retrieve.New(retrieve.Deps{
		Catalog: e.catalog, Generations: generations, Words: e.words, Concepts: newConcepts(e.skills), Profiles: e.profiles,
		Courses: env.store, Rankings: loggedRankings{e.recorder, e.searches.log}, Rerankers: e.settings, Assigner: e.experiments.assigner(), Trials: e.experiments.tried(), Draft: draft, Collaborative: collaborativeOf(e.models), Neighbours: e.followers.neighbours,
		Clock: lectern.SystemClock, NewID: retrieve.RankingIDs(lectern.SystemClock, rand.Reader),
		CursorKey: cursorKey, Logger: env.log,
	}, env.config.Retrieve)
}

// close stores what the recorder still holds and hangs up.
func (e *engine) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.Server.ShutdownTimeout)
	defer cancel()
	err := errors.Join(e.recorder.Close(ctx), e.searches.log.Close(ctx))
	if e.indexes != nil {
		err = errors.Join(err, e.indexes.Close())
	}
	return err
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

// suggestSink hands the same on to what completes queries.
type suggestSink struct{ suggester *suggest.Suggester }

var _ indexing.Sink = suggestSink{}

func (s suggestSink) Apply(ctx context.Context, b indexing.Batch) error {
	entries := make([]suggest.Entry, len(b.Upserts))
	for i, u := range b.Upserts {
		entries[i] = suggest.Entry{Course: u.Course, Stats: u.Stats}
	}
	return s.suggester.Apply(ctx, entries, b.Deletes, b.Reset)
}
