package indexing

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index"
)

// memory is a Store in memory with a feed that keeps one entry per course and
// kind, as a database would.
type memory struct {
	mu        sync.Mutex
	courses   map[string]lectern.Course
	order     []string
	feed      []lectern.CourseChange
	seq       int64
	vectors   map[string]map[lectern.ContentHash][]float32
	artefacts []lectern.Artefact
	bodies    map[int64][]byte
	failing   atomic.Bool // every read of courses fails
	puts      map[string]int
	reviews   map[string][]lectern.Review
	told      map[string]map[string][]float32 // review vectors by fingerprint and course
	leases    map[string]heldLease
	positions map[string]int64
}

type heldLease struct {
	holder string
	until  time.Time
}

func newMemory() *memory {
	return &memory{
		courses: map[string]lectern.Course{}, vectors: map[string]map[lectern.ContentHash][]float32{},
		bodies: map[int64][]byte{}, puts: map[string]int{}, reviews: map[string][]lectern.Review{},
		told: map[string]map[string][]float32{}, leases: map[string]heldLease{}, positions: map[string]int64{},
	}
}

var errDown = errors.New("the store is down")

func (m *memory) change(id string, kind lectern.ChangeKind) {
	m.seq += 3 // gaps, as rolled back transactions leave them
	m.feed = slices.DeleteFunc(m.feed, func(c lectern.CourseChange) bool { return c.CourseID == id && c.Kind == kind })
	m.feed = append(m.feed, lectern.CourseChange{Seq: m.seq, CourseID: id, Kind: kind})
}

func (m *memory) put(courses ...lectern.Course) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range courses {
		if _, ok := m.courses[c.ID]; !ok {
			m.order = append(m.order, c.ID)
		}
		m.courses[c.ID] = c
		m.change(c.ID, lectern.ChangeCourse)
	}
}

func (m *memory) remove(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.courses, id)
	m.order[slices.Index(m.order, id)] = "" // positions stay, as those of rows do
	m.change(id, lectern.ChangeDeleted)
}

func (m *memory) touch(id string, kind lectern.ChangeKind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change(id, kind)
}

func (m *memory) Courses(_ context.Context, ids []string) ([]lectern.Course, error) {
	if m.failing.Load() {
		return nil, errDown
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []lectern.Course
	for _, id := range ids {
		if c, ok := m.courses[id]; ok {
			out = append(out, c)
		}
	}
	return out, nil
}

func (m *memory) ScanCourses(ctx context.Context, after int64, limit int) ([]lectern.Course, int64, error) {
	if m.failing.Load() {
		return nil, 0, errDown
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	end := min(int(after)+limit, len(m.order))
	var out []lectern.Course
	for _, id := range m.order[min(int(after), end):end] {
		if id != "" {
			out = append(out, m.courses[id])
		}
	}
	if end == len(m.order) {
		return out, 0, ctx.Err()
	}
	return out, int64(end), ctx.Err()
}

func (m *memory) CourseChanges(_ context.Context, after int64, limit int) ([]lectern.CourseChange, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.feed, func(c lectern.CourseChange) bool { return c.Seq > after })
	if i < 0 {
		return nil, nil
	}
	return slices.Clone(m.feed[i:min(i+limit, len(m.feed))]), nil
}

func (m *memory) CountCourses(context.Context) (int, error) {
	if m.failing.Load() {
		return 0, errDown
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, c := range m.courses {
		n += one(listed(&c))
	}
	return n, nil
}

func (m *memory) CourseStats(_ context.Context, ids []string, _ time.Time, _ time.Duration) ([]lectern.CourseStats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ids == nil {
		ids = slices.Collect(maps.Keys(m.courses))
	}
	var out []lectern.CourseStats
	for _, id := range ids {
		out = append(out, lectern.CourseStats{CourseID: id, RatingCount: len(id), ReviewCount: len(m.reviews[id])})
	}
	return out, nil
}

func (m *memory) PutVectors(_ context.Context, fp string, vectors map[lectern.ContentHash][]float32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vectors[fp] == nil {
		m.vectors[fp] = map[lectern.ContentHash][]float32{}
	}
	maps.Copy(m.vectors[fp], vectors)
	m.puts[fp] += len(vectors)
	for id, c := range m.courses {
		if _, ok := vectors[lectern.HashContent(c.EmbeddingText())]; ok {
			m.change(id, lectern.ChangeVector)
		}
	}
	return nil
}

func (m *memory) VectorsByHash(_ context.Context, fp string, hashes []lectern.ContentHash) (map[lectern.ContentHash][]float32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[lectern.ContentHash][]float32{}
	for _, h := range hashes {
		if v, ok := m.vectors[fp][h]; ok {
			out[h] = v
		}
	}
	return out, nil
}

func (m *memory) CountVectors(_ context.Context, fp string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.vectors[fp]), nil
}

func (m *memory) PruneVectors(_ context.Context, keep []string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.vectors)
	maps.DeleteFunc(m.vectors, func(fp string, _ map[lectern.ContentHash][]float32) bool { return !slices.Contains(keep, fp) })
	return before - len(m.vectors), nil
}

func (m *memory) PutArtefact(_ context.Context, a lectern.Artefact, body []byte) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a.Version = int64(len(m.bodies) + 1)
	m.artefacts = append([]lectern.Artefact{a}, m.artefacts...)
	m.bodies[a.Version] = body
	return a.Version, nil
}

func (m *memory) ActiveArtefact(_ context.Context, kind string) (lectern.Artefact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.artefacts {
		if a.Kind == kind && a.Active {
			return a, nil
		}
	}
	return lectern.Artefact{}, lectern.Errorf(lectern.CodeNotFound, "no active %s", kind)
}

func (m *memory) ArtefactBody(_ context.Context, _ string, version int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bodies[version], nil
}

func (m *memory) ActivateArtefact(_ context.Context, _ string, version int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.artefacts {
		m.artefacts[i].Active = m.artefacts[i].Version == version
	}
	return nil
}

func (m *memory) Artefacts(context.Context, string) ([]lectern.Artefact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.artefacts), nil
}

func (m *memory) PruneArtefacts(_ context.Context, _ string, keep int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.artefacts)
	m.artefacts = slices.DeleteFunc(m.artefacts, func(a lectern.Artefact) bool {
		if a.Active {
			return false
		}
		keep--
		return keep < 0
	})
	return before - len(m.artefacts), nil
}

func (m *memory) PutReviewVectors(_ context.Context, fp string, vectors map[string][]float32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told[fp] == nil {
		m.told[fp] = map[string][]float32{}
	}
	for id, v := range vectors {
		m.told[fp][id] = v
		if v == nil {
			delete(m.told[fp], id)
		}
		m.change(id, lectern.ChangeReviews)
	}
	return nil
}

func (m *memory) ReviewVectors(_ context.Context, fp string, ids []string) (map[string][]float32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]float32{}
	for _, id := range ids {
		if v, ok := m.told[fp][id]; ok {
			out[id] = v
		}
	}
	return out, nil
}

func (m *memory) Reviews(_ context.Context, courseID, _ string, limit int) ([]lectern.Review, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.reviews[courseID]
	return slices.Clone(all[:min(limit, len(all))]), nil
}

func (m *memory) review(reviews ...lectern.Review) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range reviews {
		m.reviews[r.CourseID] = append(m.reviews[r.CourseID], r)
		m.change(r.CourseID, lectern.ChangeStats)
	}
}

func (m *memory) AcquireLease(_ context.Context, name, holder string, ttl time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.leases[name]; l.holder != holder && time.Now().Before(l.until) {
		return false, nil
	}
	m.leases[name] = heldLease{holder, time.Now().Add(ttl)}
	return true, nil
}

func (m *memory) ReleaseLease(_ context.Context, name, holder string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leases[name].holder == holder {
		delete(m.leases, name)
	}
	return nil
}

func (m *memory) FeedPosition(_ context.Context, name string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.positions[name], nil
}

func (m *memory) SetFeedPosition(_ context.Context, name string, seq int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.positions[name] = seq; seq < 0 {
		delete(m.positions, name)
	}
	return nil
}

// dimOf is the dimension of the fake embedder.
const dimOf = 8

// fakeEmbedder makes a vector out of a text's hash and its own name. It knows
// nothing of texts that begin with "?".
type fakeEmbedder struct{ name string }

func (e fakeEmbedder) Dim() int            { return dimOf }
func (e fakeEmbedder) Fingerprint() string { return "fp-" + e.name }

func (e fakeEmbedder) Embed(_ context.Context, _ lectern.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		if strings.HasPrefix(t, "?") {
			continue
		}
		h := fnv.New64a()
		fmt.Fprint(h, e.name, "|", t)
		r := rand.New(rand.NewPCG(h.Sum64(), 1))
		v := make([]float32, dimOf)
		v[r.IntN(dimOf)] = .6
		for v2 := r.IntN(dimOf); ; v2 = (v2 + 1) % dimOf {
			if v[v2] == 0 {
				v[v2] = .8
				break
			}
		}
		out[i] = v
	}
	return out, nil
}

// trainFake names the embedder after what it was trained on.
func trainFake(_ context.Context, texts []string) (lectern.Embedder, []byte, error) {
	h := fnv.New64a()
	for _, t := range texts {
		fmt.Fprintln(h, t)
	}
	name := fmt.Sprintf("%d-%x", len(texts), h.Sum64())
	return fakeEmbedder{name}, []byte(name), nil
}

func loadFake(model []byte) (lectern.Embedder, error) {
	if len(model) == 0 {
		return nil, errors.New("empty model")
	}
	return fakeEmbedder{string(model)}, nil
}

// setTrain replaces how embedders are trained.
func (o *Options) setTrain(f func(context.Context, []string) (lectern.Embedder, []byte, error)) {
	m := o.Makers[DefaultMaker]
	m.Train = f
	o.Makers[DefaultMaker] = m
}

// connectTo adds and configures an embedder that lives elsewhere.
func (o *Options) connectTo(name string) {
	o.Embedder = "outside"
	o.Makers[o.Embedder] = Maker{
		Connect: func(context.Context) (lectern.Embedder, []byte, error) { return fakeEmbedder{name}, []byte(name), nil },
		Load:    loadFake,
	}
}

// fakeWords hashes the words of a title.
type fakeWords struct {
	mu      sync.Mutex
	counted map[string]bool
}

func (w *fakeWords) Put(c lectern.Course) lectern.SparseVector {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counted[c.ID] = true
	return w.DocVector(c)
}

func (w *fakeWords) DocVector(c lectern.Course) lectern.SparseVector { return wordsOf(c.Title) }

func (w *fakeWords) Remove(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.counted, id)
}

func wordsOf(s string) lectern.SparseVector {
	weights := map[uint32]float32{}
	for _, word := range strings.Fields(s) {
		h := fnv.New32a()
		fmt.Fprint(h, word)
		weights[h.Sum32()]++
	}
	var v lectern.SparseVector
	for _, t := range slices.Sorted(maps.Keys(weights)) {
		v.Indices = append(v.Indices, t)
		v.Values = append(v.Values, weights[t])
	}
	return v
}

// recorder is a sink that keeps what a catalogue would.
type recorder struct {
	mu      sync.Mutex
	entries map[string]Entry
	resets  int
	fail    int // so many calls fail
}

func (r *recorder) Apply(_ context.Context, b Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail > 0 {
		r.fail--
		return errors.New("the sink is full")
	}
	if b.Reset {
		r.entries = map[string]Entry{}
		r.resets++
	}
	for _, e := range b.Upserts {
		r.entries[e.Course.ID] = e
	}
	for _, id := range b.Deletes {
		delete(r.entries, id)
	}
	return nil
}

func (r *recorder) get(id string) (Entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.entries[id]
	return e, ok
}

func course(id, title string) lectern.Course { return lectern.Course{ID: id, Title: title} }

func someCourses(n int) []lectern.Course {
	out := make([]lectern.Course, n)
	for i := range out {
		out[i] = course(fmt.Sprintf("c%04d", i), fmt.Sprintf("course number %d", i))
	}
	return out
}

// rig is a pipeline with everything around it.
type rig struct {
	*Pipeline
	store *memory
	words *fakeWords
	sink  *recorder
}

func newRig(t *testing.T, m *memory, change func(*Options)) *rig {
	t.Helper()
	r := &rig{store: m, words: &fakeWords{counted: map[string]bool{}}, sink: &recorder{}}
	cfg := DefaultConfig()
	cfg.Poll, cfg.Check, cfg.QuietPeriod, cfg.Page = 2*time.Millisecond, 2*time.Millisecond, 0, 7
	o := Options{
		Config: cfg, Store: m, Words: r.words, Sinks: []Sink{r.sink},
		Makers: map[string]Maker{DefaultMaker: {Train: trainFake, Load: loadFake}}, Embedder: DefaultMaker,
		NewIndex: func() lectern.VectorIndex { return index.New(index.Options{}) },
		Clock:    lectern.SystemClock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Pipeline = p
	return r
}

// start runs the pipeline until the test or the returned function ends it.
func (r *rig) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// patience bounds every wait: what takes longer is not slow but stuck.
const patience = 2 * time.Minute

// until waits until something holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (r *rig) wait(t *testing.T, what string, done func(Readiness) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Wait(ctx, done); err != nil {
		t.Fatalf("waiting until %s: %v (%+v)", what, err, r.Ready())
	}
}

func (r *rig) catchUp(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.CatchUp(ctx); err != nil {
		t.Fatalf("CatchUp: %v (%+v)", err, r.Ready())
	}
}

// agrees checks store against index, and the other sink against the store.
func (r *rig) agrees(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	diffs, err := r.Compare(ctx)
	if err != nil {
		t.Fatalf("Compare: %v", err)
	}
	for _, d := range diffs {
		t.Errorf("Compare: %v", d)
	}
	r.sink.mu.Lock()
	defer r.sink.mu.Unlock()
	if len(r.sink.entries) != len(r.store.courses) {
		t.Errorf("the sink has %d courses, the store %d", len(r.sink.entries), len(r.store.courses))
	}
}

// find returns the ids found by words, best first.
func (r *rig) find(t *testing.T, words string) string {
	t.Helper()
	x, _ := r.Generation()
	q := wordsOf(words)
	lists, err := x.Search(t.Context(), []lectern.VectorQuery{{Vector: lectern.VectorLexical, Sparse: &q, K: 5}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, h := range lists[0] {
		ids = append(ids, h.ID)
	}
	return strings.Join(ids, " ")
}
