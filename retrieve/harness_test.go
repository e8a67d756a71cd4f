package retrieve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/text"
)

// now is when every test takes place.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// bagEmbedder embeds a text as the sum of one fixed direction per stemmed word,
// and of one per concept that the word belongs to: courses that share words or
// concepts are near. It stands in for a trained embedder.
type bagEmbedder struct {
	dim  int
	fail error
}

var concepts = map[string]string{
	"python": "code", "go": "code", "javascript": "code", "program": "code", "web": "code",
	"machin": "data", "statist": "data", "data": "data", "neural": "data", "panda": "data", "sql": "data",
	"guitar": "music", "jazz": "music", "harmoni": "music", "song": "music", "music": "music",
	"market": "trade", "brand": "trade", "campaign": "trade", "social": "trade",
}

func (b *bagEmbedder) Dim() int            { return b.dim }
func (b *bagEmbedder) Fingerprint() string { return "bag" }

// KnowsCatalogueOnly makes it stand in for the local one.
func (b *bagEmbedder) KnowsCatalogueOnly() bool { return true }

func (b *bagEmbedder) Embed(_ context.Context, _ lectern.EmbedKind, texts []string) ([][]float32, error) {
	if b.fail != nil {
		return nil, b.fail
	}
	out := make([][]float32, len(texts))
	for i, t := range texts {
		sum := make([]float64, b.dim)
		for _, term := range text.Terms(t, "en") {
			b.add(sum, term, 1)
			if c, ok := concepts[term]; ok {
				b.add(sum, "concept:"+c, 1.5)
			}
		}
		norm := 0.0
		for _, x := range sum {
			norm += x * x
		}
		if norm == 0 {
			continue
		}
		out[i] = unit32(sum, norm)
	}
	return out, nil
}

// unit32 scales to length 1; norm is the squared length.
func unit32(sum []float64, norm float64) []float32 {
	v := make([]float32, len(sum))
	for j, x := range sum {
		v[j] = float32(x / math.Sqrt(norm))
	}
	return v
}

func (b *bagEmbedder) add(sum []float64, word string, weight float64) {
	r := rand.New(rand.NewPCG(uint64(text.TermID(word)), 7))
	for j := range sum {
		sum[j] += weight * r.NormFloat64()
	}
}

// lexiconParams are the tests' own, so that tuning word search does not move the
// golden lists.
var lexiconParams = text.Params{
	K1: 1.2, B: 0.5, AverageLength: 60, DefaultWeight: 1,
	Weights: map[lectern.CourseField]float64{lectern.FieldTitle: 4, lectern.FieldSkills: 3, lectern.FieldCategories: 2},
}

// world is a platform in memory, with the engine on top.
type world struct {
	t        testing.TB
	mu       sync.Mutex
	clock    time.Time
	courses  map[string]lectern.Course
	profiles map[lectern.LearnerRef]lectern.Profile
	stored   map[string]lectern.Ranking
	stats    map[string]lectern.CourseStats
	reviews  map[string]string // what learners say, by course
	activity func(at time.Time, halfLife time.Duration) []lectern.CourseStats
	putFails error

	index    *index.Index
	inner    lectern.VectorIndex // asked in place of index where set
	lexicon  *text.Lexicon
	embedder lectern.Embedder // nil: words only
	concepts retrieve.Concepts
	indexErr error
	searches atomic.Int64 // of the index so far
	failFrom int64        // so many searches succeed before indexErr shows
	asked    []string     // the vectors that were searched

	knows  learner.Sources // beside the profiles
	others retrieve.Deps   // what others do: Collaborative, Neighbours, Velocities
	tastes func(*learner.Taste)
	unread func(context.Context) error // keeps profiles from being read; may be nil
	source rerank.Source               // Always one until a test changes it

	histories retrieve.Histories

	catalog  *retrieve.Catalog
	recorder *retrieve.Recorder
	engine   *retrieve.Engine
}

type rerankConfig = rerank.Config

type option func(*world, *retrieve.Config, *rerankConfig)

func wordsOnly(w *world, _ *retrieve.Config, _ *rerank.Config) { w.embedder = nil }

func config(change func(*retrieve.Config)) option {
	return func(_ *world, c *retrieve.Config, _ *rerank.Config) { change(c) }
}

// patient is the default configuration with budgets that no busy machine overruns:
// what a list leaves out in want of time is for the tests that hold something back.
func patient() retrieve.Config {
	c := retrieve.DefaultConfig()
	c.Budgets = retrieve.Budgets{
		Profile: time.Minute, Embed: time.Minute, Candidates: time.Minute, Courses: time.Minute, Neighbours: time.Minute,
	}
	return c
}

func newWorld(t testing.TB, courses []lectern.Course, options ...option) *world {
	t.Helper()
	w := &world{
		t: t, clock: now, courses: map[string]lectern.Course{}, profiles: map[lectern.LearnerRef]lectern.Profile{},
		stored: map[string]lectern.Ranking{}, stats: map[string]lectern.CourseStats{},
		index: index.New(index.Options{}), lexicon: text.NewLexicon(lexiconParams),
		embedder: &bagEmbedder{dim: 64},
	}
	cfg, rcfg := patient(), rerank.DefaultConfig()
	for _, o := range options {
		o(w, &cfg, &rcfg)
	}
	linear, err := rerank.NewLinear(rcfg)
	if err != nil {
		t.Fatal(err)
	}
	w.build(cfg, linear)
	w.put(courses...)
	return w
}

func (w *world) build(cfg retrieve.Config, r rerank.Reranker) {
	w.t.Helper()
	log := slog.New(slog.DiscardHandler)
	profiles, err := learner.NewProfilesFrom(learnerStore{w: w}, w.knows, learner.DefaultConfig(), w.time)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.catalog == nil {
		w.catalog = retrieve.NewCatalog(cfg, w, w.time)
		if w.histories != nil {
			w.catalog.ReadHistories(w.histories)
		}
	}
	w.source = rerank.Always{R: r}
	w.recorder = retrieve.NewRecorder(w, cfg.Record, log)
	if w.others.Explorer != nil {
		w.recorder.FinishBy(w.others.Explorer)
	}
	recorder := w.recorder
	w.t.Cleanup(func() { _ = recorder.Close(context.Background()) })
	w.engine, err = retrieve.New(retrieve.Deps{
		Catalog: w.catalog, Generations: w, Words: w.lexicon, Concepts: w.concepts, Profiles: changedTastes{profiles, w}, Courses: w, Rankings: w.recorder,
		Rerankers: w, Clock: w.time,
		NewID:     retrieve.RankingIDs(w.time, rand.NewChaCha8([32]byte{1})),
		CursorKey: []byte("key"), Logger: log,
		Collaborative: w.others.Collaborative, Neighbours: w.others.Neighbours, Velocities: w.others.Velocities,
		Explorer: w.others.Explorer, Assigner: w.others.Assigner,
	}, cfg)
	if err != nil {
		w.t.Fatal(err)
	}
}

// put writes courses through to store, index and memory, as the follower does.
func (w *world) put(courses ...lectern.Course) {
	w.t.Helper()
	ctx := context.Background()
	points := make([]lectern.Point, len(courses))
	entries := make([]retrieve.CatalogEntry, len(courses))
	for i, c := range courses {
		w.courses[c.ID] = c
		entries[i] = retrieve.CatalogEntry{Course: c, Stats: w.stats[c.ID]}
		points[i] = lectern.Point{
			ID: c.ID, Payload: lectern.PayloadOf(c),
			Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: w.lexicon.Put(c.ID, text.CourseDocument(c))},
		}
		if w.embedder != nil {
			if v, err := w.embedder.Embed(ctx, lectern.EmbedDocument, []string{c.EmbeddingText()}); err == nil && v[0] != nil {
				points[i].Dense = map[string][]float32{lectern.VectorContent: v[0]}
			}
			if said := w.reviews[c.ID]; said != "" {
				if v, err := w.embedder.Embed(ctx, lectern.EmbedDocument, []string{said}); err == nil && v[0] != nil {
					points[i].Dense[lectern.VectorReviews] = v[0]
				}
			}
		}
	}
	if err := w.index.Upsert(ctx, points); err != nil {
		w.t.Fatal(err)
	}
	if err := w.catalog.Apply(ctx, entries, nil, false); err != nil {
		w.t.Fatal(err)
	}
}

// remove deletes courses everywhere.
func (w *world) remove(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		delete(w.courses, id)
		w.lexicon.Remove(id)
	}
	if err := w.index.Delete(context.Background(), ids); err != nil {
		w.t.Fatal(err)
	}
	if err := w.catalog.Apply(context.Background(), nil, ids, false); err != nil {
		w.t.Fatal(err)
	}
}

// Reranker implements rerank.Source.
func (w *world) Reranker() rerank.Reranker { return w.source.Reranker() }

func (w *world) time() time.Time { return w.clock }

func (w *world) Generation() (lectern.VectorIndex, lectern.Embedder) {
	if w.inner != nil {
		return w.inner, w.embedder
	}
	return brokenIndex{w.index, w}, w.embedder
}

// brokenIndex fails on demand.
type brokenIndex struct {
	lectern.VectorIndex
	w *world
}

func (b brokenIndex) Search(ctx context.Context, q []lectern.VectorQuery) ([][]lectern.Hit, error) {
	if n := b.w.searches.Add(1); b.w.indexErr != nil && n > b.w.failFrom {
		return nil, b.w.indexErr
	}
	b.w.mu.Lock()
	for _, query := range q {
		b.w.asked = append(b.w.asked, query.Vector)
	}
	b.w.mu.Unlock()
	return b.VectorIndex.Search(ctx, q)
}

// View reads in place, as the index does.
func (b brokenIndex) View(ctx context.Context, vector string, ids []string) ([][]float32, error) {
	return b.VectorIndex.(interface {
		View(ctx context.Context, vector string, ids []string) ([][]float32, error)
	}).View(ctx, vector, ids)
}

func (w *world) Courses(_ context.Context, ids []string) ([]lectern.Course, error) {
	var out []lectern.Course
	for _, id := range ids {
		if c, ok := w.courses[id]; ok {
			out = append(out, c)
		}
	}
	return out, nil
}

func (w *world) CourseStats(_ context.Context, _ []string, at time.Time, halfLife time.Duration) ([]lectern.CourseStats, error) {
	if w.activity != nil {
		return w.activity(at, halfLife), nil
	}
	var out []lectern.CourseStats
	for _, s := range w.stats {
		out = append(out, s)
	}
	return out, nil
}

func (w *world) PutRankings(_ context.Context, rankings []lectern.Ranking) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.putFails != nil {
		return w.putFails
	}
	for _, r := range rankings {
		w.stored[r.ID] = r
	}
	return nil
}

func (w *world) Ranking(_ context.Context, id string) (lectern.Ranking, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.stored[id]
	if !ok {
		return lectern.Ranking{}, lectern.Errorf(lectern.CodeNotFound, "no ranking %q", id)
	}
	return r, nil
}

// changedTastes lets a test change what is known of a learner's taste.
type changedTastes struct {
	retrieve.Profiles
	w *world
}

func (c changedTastes) Load(ctx context.Context, ref lectern.LearnerRef, x lectern.VectorIndex, m lectern.Embedder) (lectern.Profile, learner.Taste, error) {
	if c.w.unread != nil {
		if err := c.w.unread(ctx); err != nil {
			return lectern.Profile{}, learner.Taste{}, err
		}
	}
	p, taste, err := c.Profiles.Load(ctx, ref, x, m)
	if err == nil && c.w.tastes != nil {
		c.w.tastes(&taste)
	}
	return p, taste, err
}

// learnerStore reads profiles of the world.
type learnerStore struct {
	lectern.LearnerStore
	w *world
}

func (s learnerStore) Profile(_ context.Context, ref lectern.LearnerRef) (lectern.Profile, error) {
	p, ok := s.w.profiles[ref]
	if !ok {
		return lectern.Profile{}, lectern.Errorf(lectern.CodeNotFound, "no learner")
	}
	return p, nil
}

func (s learnerStore) ProfileVersion(ctx context.Context, ref lectern.LearnerRef) (int64, error) {
	p, err := s.Profile(ctx, ref)
	return p.Version, err
}

// act lets a learner do something, as the store would.
func (w *world) act(ref lectern.LearnerRef, typ lectern.EventType, courseID string) {
	p := w.profiles[ref]
	p.Version++
	p.Learner.ID = ref.ID + ref.AnonymousID
	d := learner.DefaultConfig().Delta(lectern.Event{Type: typ, CourseID: courseID})
	for i := range p.Entries {
		if p.Entries[i].CourseID == courseID {
			p.Entries[i].Weight += d.Weight
			p.Entries[i].State |= d.State
			w.profiles[ref] = p
			return
		}
	}
	p.Entries = append(append([]lectern.ProfileEntry(nil), p.Entries...), lectern.ProfileEntry{
		CourseID: courseID, Weight: d.Weight, WeightAt: w.clock, State: d.State, LastAt: w.clock,
	})
	w.profiles[ref] = p
}

func (w *world) list(req lectern.ListRequest) lectern.List {
	w.t.Helper()
	if req.Limit == 0 {
		req.Limit = 10
	}
	l, err := w.engine.List(context.Background(), req)
	if err != nil {
		w.t.Fatalf("List(%+v): %v", req, err)
	}
	return l
}

func ids(l lectern.List) []string {
	out := make([]string, len(l.Items))
	for i, it := range l.Items {
		out[i] = it.Course.ID
	}
	return out
}

func fixture(t testing.TB) []lectern.Course {
	t.Helper()
	b, err := os.ReadFile("testdata/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	var out []lectern.Course
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}
