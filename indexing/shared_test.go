package indexing

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index"
	"github.com/lectern-dev/lectern/internal/lease"
)

// backend keeps shared indexes in memory.
type backend struct {
	mu      sync.Mutex
	indexes map[int64]*index.Index
	specs   map[int64]lectern.IndexSpec
	active  int64
	down    atomic.Bool
	refused atomic.Int64 // calls while it was down
	writes  atomic.Int64
}

func newBackend() *backend {
	return &backend{indexes: map[int64]*index.Index{}, specs: map[int64]lectern.IndexSpec{}}
}

// remote is a handle on an index of a backend, good for as long as it is there.
type remote struct {
	b       *backend
	version int64
}

func (b *backend) at(version int64) (*index.Index, error) {
	if b.down.Load() {
		b.refused.Add(1)
		return nil, lectern.Errorf(lectern.CodeUnavailable, "the backend is down")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if x, ok := b.indexes[version]; ok {
		return x, nil
	}
	return nil, lectern.Errorf(lectern.CodeNotFound, "no index %d", version)
}

func (b *backend) Create(_ context.Context, spec lectern.IndexSpec) (lectern.VectorIndex, error) {
	if _, err := b.at(spec.Version); lectern.ErrorCode(err) == lectern.CodeUnavailable {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.indexes[spec.Version], b.specs[spec.Version] = index.New(index.Options{}), spec
	return remote{b, spec.Version}, nil
}

func (b *backend) Open(_ context.Context, version int64) (lectern.VectorIndex, lectern.IndexSpec, error) {
	if _, err := b.at(version); err != nil {
		return nil, lectern.IndexSpec{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return remote{b, version}, b.specs[version], nil
}

func (b *backend) Activate(_ context.Context, version int64) error {
	if _, err := b.at(version); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active = version
	return nil
}

func (b *backend) Active(context.Context) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.active == 0 {
		return 0, lectern.Errorf(lectern.CodeNotFound, "none is active")
	}
	return b.active, nil
}

func (b *backend) Versions(context.Context) ([]int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.indexes)), nil
}

func (b *backend) Drop(_ context.Context, version int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.indexes, version)
	return nil
}

func (r remote) Upsert(ctx context.Context, points []lectern.Point) error {
	x, err := r.b.at(r.version)
	if err != nil {
		return err
	}
	r.b.writes.Add(int64(len(points)))
	return x.Upsert(ctx, points)
}

func (r remote) Delete(ctx context.Context, ids []string) error {
	x, err := r.b.at(r.version)
	if err != nil {
		return err
	}
	return x.Delete(ctx, ids)
}

func (r remote) Search(ctx context.Context, q []lectern.VectorQuery) ([][]lectern.Hit, error) {
	x, err := r.b.at(r.version)
	if err != nil {
		return nil, err
	}
	return x.Search(ctx, q)
}

func (r remote) Vectors(ctx context.Context, name string, ids []string) ([][]float32, error) {
	x, err := r.b.at(r.version)
	if err != nil {
		return nil, err
	}
	return x.Vectors(ctx, name, ids)
}

func (r remote) Allowed(ctx context.Context, f lectern.Filter, ids []string) ([]bool, error) {
	x, err := r.b.at(r.version)
	if err != nil {
		return nil, err
	}
	return x.Allowed(ctx, f, ids)
}

func (r remote) Stats(ctx context.Context) (lectern.IndexStats, error) {
	x, err := r.b.at(r.version)
	if err != nil {
		return lectern.IndexStats{}, err
	}
	return x.Stats(ctx)
}

func (r remote) Same(ctx context.Context, points []lectern.Point) ([]bool, error) {
	x, err := r.b.at(r.version)
	if err != nil {
		return nil, err
	}
	return x.Same(ctx, points)
}

func (r remote) IDs(ctx context.Context) ([]string, error) {
	x, err := r.b.at(r.version)
	if err != nil {
		return nil, err
	}
	return x.IDs(ctx)
}

// replica is one of several processes on a store and a backend.
func replica(t *testing.T, m *memory, b *backend, name string, change func(*Options)) (r *rig, stop func()) {
	t.Helper()
	r = newRig(t, m, func(o *Options) {
		o.NewIndex, o.Shared, o.Holder = nil, b, name
		o.Config.RetrainShare = 100
		o.Dense = map[string]int{lectern.VectorCF: 4}
		if change != nil {
			change(o)
		}
	})
	l := lease.New(m, "leader", name, r.o.Logger)
	r.o.Leader = l
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	stopRun := r.start(t)
	var once sync.Once
	stop = func() { once.Do(func() { stopRun(); cancel(); <-done }) }
	t.Cleanup(stop)
	return r, stop
}

func TestReplicasShareAnIndex(t *testing.T) {
	for _, kind := range []string{"trained", "outside"} {
		t.Run(kind, func(t *testing.T) {
			m, b := newMemory(), newBackend()
			m.put(someCourses(30)...)
			change := func(o *Options) {
				if kind == "outside" {
					o.connectTo("remote")
				}
			}
			one, stopOne := replica(t, m, b, "one", change)
			one.wait(t, "vectors answer", vectorsReady)
			two, _ := replica(t, m, b, "two", change)
			two.wait(t, "vectors answer", vectorsReady)

			m.put(course("new", "brand new"))
			m.remove("c0003")
			two.catchUp(t) // the leader wrote it
			if got := two.find(t, "brand"); got != "new" {
				t.Errorf("replica two finds %q", got)
			}
			if active, _ := b.Active(t.Context()); active != two.Ready().Version {
				t.Errorf("the backend uses %d, the replicas %d", active, two.Ready().Version)
			}

			stopOne() // gives its lease back; the second goes on where it stopped
			written := b.writes.Load()
			m.put(course("newer", "brand newer"))
			two.catchUp(t)
			if got := two.find(t, "newer"); got != "newer" {
				t.Errorf("after the leader left, replica two finds %q", got)
			}
			two.wait(t, "every course has its vector", func(r Readiness) bool { return r.Vectors == r.Courses })
			two.catchUp(t)
			if n := b.writes.Load() - written; n > 5 {
				t.Errorf("the new leader wrote %d points for one new course", n)
			}
			two.agrees(t)
		})
	}
}

// TestReindexSharedUnderLoad searches without a pause while the embedder is
// replaced, a new index is filled and courses change, and goes back afterwards.
func TestReindexSharedUnderLoad(t *testing.T) {
	m, b := newMemory(), newBackend()
	m.put(someCourses(60)...)
	one, _ := replica(t, m, b, "one", nil)
	one.wait(t, "vectors answer", vectorsReady)
	two, _ := replica(t, m, b, "two", nil)
	two.wait(t, "vectors answer", vectorsReady)
	first := one.Ready()

	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	var searches atomic.Int64
	go func() {
		var err error
		defer func() { failed <- err }()
		for i := 0; ctx.Err() == nil && err == nil; i++ {
			x, e := two.Generation()
			v, _ := e.Embed(ctx, lectern.EmbedQuery, []string{course("", fmt.Sprintf("course number %d", i%60)).EmbeddingText()})
			var lists [][]lectern.Hit
			lists, err = x.Search(context.Background(), []lectern.VectorQuery{{Vector: lectern.VectorContent, Dense: v[0], K: 1}})
			if err == nil && (len(lists[0]) == 0 || lists[0][0].Score < .99) {
				err = fmt.Errorf("with %s: %v", e.Fingerprint(), lists[0])
			}
			searches.Add(1)
		}
	}()
	m.put(course("meanwhile", "written before the reindex"))
	var stages []string
	err := one.Reindex(t.Context(), "", func(s Stage, _, _ int) {
		if len(stages) == 0 || stages[len(stages)-1] != string(s) {
			stages = append(stages, string(s))
		}
		if s == StageChecking {
			m.put(course("late", "written while it is checked"))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(stages, " "); got != "training embedding filling checking switching" {
		t.Errorf("stages %s", got)
	}
	two.wait(t, "the other replica has it too", func(r Readiness) bool { return vectorsReady(r) && r.Version > first.Version })
	two.catchUp(t)
	if got := two.find(t, "written"); got != "late meanwhile" {
		t.Errorf("found %q", got)
	}
	two.wait(t, "every course has its vector", func(r Readiness) bool { return r.Vectors == r.Courses })
	two.agrees(t)

	m.put(course("after", "written after the switch"))
	back, err := two.Previous(t.Context())
	if err != nil || back != first.Version {
		t.Fatalf("Previous = %d, %v; want %d", back, err, first.Version)
	}
	if err := two.Switch(t.Context(), back, nil); err != nil {
		t.Fatal(err)
	}
	one.wait(t, "the first generation is back", func(r Readiness) bool { return vectorsReady(r) && r.Version == back })
	one.catchUp(t)
	if got := one.find(t, "written"); got != "after late meanwhile" {
		t.Errorf("after going back, found %q", got)
	}
	cancel()
	if err := <-failed; err != nil {
		t.Errorf("a search failed: %v", err)
	}
	if searches.Load() < 10 {
		t.Errorf("only %d searches", searches.Load())
	}
	one.wait(t, "every course has its vector", func(r Readiness) bool { return r.Vectors == r.Courses })
	one.agrees(t)
}

// TestKilledReindexesKeepTheWayBack stops reindexes after they have filled their
// index and before they switch to it. What they leave must not push out what was
// in use: other servers still search it, and it is the way back.
func TestKilledReindexesKeepTheWayBack(t *testing.T) {
	m, b := newMemory(), newBackend()
	m.put(someCourses(20)...)
	one, _ := replica(t, m, b, "one", nil)
	one.wait(t, "vectors answer", vectorsReady)
	inUse := one.Ready().Version
	for range 4 {
		ctx, kill := context.WithCancel(t.Context())
		err := one.Reindex(ctx, "", func(s Stage, _, _ int) {
			if s == StageSwitching {
				kill()
			}
		})
		if kill(); err == nil {
			t.Fatal("the reindex was not stopped")
		}
	}
	if err := one.Reindex(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	if v := one.Ready().Version; v != inUse+5 {
		t.Fatalf("version %d, want %d: the stopped ones should have left theirs", v, inUse+5)
	}
	if versions, _ := b.Versions(t.Context()); !slices.Equal(versions, []int64{inUse, inUse + 5}) {
		t.Errorf("indexes %v are kept, want %d and %d", versions, inUse, inUse+5)
	}
	if back, err := one.Previous(t.Context()); err != nil || back != inUse {
		t.Errorf("Previous = %d, %v; want %d", back, err, inUse)
	}
}

// TestLostIndexIsMadeAgain loses the whole backend, and the aliases only.
func TestLostIndexIsMadeAgain(t *testing.T) {
	m, b := newMemory(), newBackend()
	m.put(someCourses(20)...)
	one, stop := replica(t, m, b, "one", nil)
	one.wait(t, "vectors answer", vectorsReady)
	stop()
	b.mu.Lock()
	clear(b.indexes)
	b.active = 0
	b.mu.Unlock()
	again, _ := replica(t, m, b, "again", nil)
	again.wait(t, "vectors answer", vectorsReady)
	again.agrees(t)
	until(t, "the alias points to it", func() bool { // which a server does without
		v, err := b.Active(t.Context())
		return err == nil && v == again.Ready().Version
	})
}

// TestLostIndexHealsByItself loses the index under a leader that has nothing to
// write, and then the alias.
func TestLostIndexHealsByItself(t *testing.T) {
	m, b := newMemory(), newBackend()
	m.put(someCourses(20)...)
	r, _ := replica(t, m, b, "one", nil)
	r.wait(t, "vectors answer", vectorsReady)
	r.wait(t, "every course has its vector", func(s Readiness) bool { return s.Vectors == s.Courses })
	b.mu.Lock()
	clear(b.indexes)
	b.active = 0
	b.mu.Unlock()
	until(t, "it is made again", func() bool {
		active, _ := b.Active(t.Context())
		x, _ := r.Generation()
		stats, err := x.Stats(t.Context())
		return err == nil && stats.Vectors[lectern.VectorContent] == 20 && active == r.Ready().Version
	})
	r.agrees(t)
}

// TestChangesDoNotStarveTheRest changes one course without a pause, while the others
// wait for their first vectors and no queue works.
func TestChangesDoNotStarveTheRest(t *testing.T) {
	for _, kind := range []string{"private", "shared"} {
		t.Run(kind, func(t *testing.T) {
			m := newMemory()
			m.put(someCourses(30)...)
			change := func(o *Options) { o.connectTo("remote"); o.Config.QuietPeriod = time.Second }
			var r *rig
			if kind == "shared" {
				r, _ = replica(t, m, newBackend(), "one", change)
			} else {
				r = newRig(t, m, change)
				r.start(t)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := 0; ctx.Err() == nil; i++ {
					m.put(course("busy", fmt.Sprint("edition ", i)))
					time.Sleep(time.Millisecond)
				}
			}()
			r.wait(t, "the others have their vectors", func(s Readiness) bool { return s.Vectors >= 30 })
			cancel()
			<-done
		})
	}
}

func TestBackendAway(t *testing.T) {
	m, b := newMemory(), newBackend()
	m.put(someCourses(20)...)
	b.down.Store(true)
	r, _ := replica(t, m, b, "one", nil)
	r.wait(t, "the failure shows", func(s Readiness) bool { return s.Scanned && !s.WordsReady() })
	x, _ := r.Generation()
	if _, err := x.Search(t.Context(), nil); lectern.ErrorCode(err) != lectern.CodeUnavailable {
		t.Errorf("Search = %v", err)
	}
	until(t, "it was tried several times", func() bool { return b.refused.Load() >= 3 })
	b.down.Store(false)
	r.wait(t, "it is made", vectorsReady)
	if versions, _ := b.Versions(t.Context()); len(versions) > 2 || len(m.artefacts) > 2 {
		t.Errorf("attempts left indexes %v and %d artefacts behind", versions, len(m.artefacts))
	}
	b.down.Store(true)
	m.put(course("late", "late course"))
	r.wait(t, "the failure shows", func(s Readiness) bool { return s.Err != "" })
	b.down.Store(false)
	r.catchUp(t)
	if got := r.find(t, "late"); got != "late" {
		t.Errorf("found %q", got)
	}
	r.wait(t, "nothing is wrong any more", func(s Readiness) bool { return s.Err == "" && s.Vectors == s.Courses })
	r.agrees(t)
}

func TestOneReindexAtATime(t *testing.T) {
	m := newMemory()
	m.put(someCourses(20)...)
	began, goOn := make(chan struct{}), make(chan struct{})
	slow := newRig(t, m, func(o *Options) {
		o.setTrain(func(ctx context.Context, texts []string) (lectern.Embedder, []byte, error) {
			close(began)
			<-goOn
			return trainFake(ctx, texts)
		})
	})
	done := make(chan error, 1)
	go func() { done <- slow.Reindex(context.Background(), "", nil) }()
	<-began
	if err := newRig(t, m, nil).Reindex(t.Context(), "", nil); lectern.ErrorCode(err) != lectern.CodeConflict {
		t.Errorf("a second reindex: %v", err)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := newRig(t, m, nil).Reindex(t.Context(), "nonesuch", nil); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("an unknown embedder: %v", err)
	}
}

// TestBadIndexIsNotSwitchedTo loses points on their way into the new index.
func TestBadIndexIsNotSwitchedTo(t *testing.T) {
	m, b := newMemory(), newBackend()
	m.put(someCourses(40)...)
	one, _ := replica(t, m, b, "one", nil)
	one.wait(t, "vectors answer", vectorsReady)
	before := one.Ready()
	command := newRig(t, m, func(o *Options) { o.NewIndex, o.Shared = nil, lossy{b} })
	m.put(course("more", "so that another embedder comes out"))
	err := command.Reindex(t.Context(), "", nil)
	if err == nil || !strings.Contains(err.Error(), "points for") {
		t.Errorf("Reindex = %v", err)
	}
	if v, _ := b.Active(t.Context()); v != before.Version {
		t.Errorf("the backend switched to %d", v)
	}
	if versions, _ := b.Versions(t.Context()); slices.Max(versions) != before.Version {
		t.Errorf("the bad index stays: %v, %d is in use", versions, before.Version)
	}
	one.catchUp(t)
	if r := one.Ready(); r.Version != before.Version || r.Fingerprint != before.Fingerprint {
		t.Errorf("the replica switched: %+v", r)
	}
}

// lossy is a backend whose new indexes forget a tenth of what they are given.
type lossy struct{ *backend }

type lossyIndex struct{ remote }

func (l lossy) Create(ctx context.Context, spec lectern.IndexSpec) (lectern.VectorIndex, error) {
	if _, err := l.backend.Create(ctx, spec); err != nil {
		return nil, err
	}
	return lossyIndex{remote{l.backend, spec.Version}}, nil
}

func (l lossyIndex) Upsert(ctx context.Context, points []lectern.Point) error {
	return l.remote.Upsert(ctx, points[len(points)/10+1:])
}

// TestReviewVectors follows reviews into the index and out of it.
func TestReviewVectors(t *testing.T) {
	day := func(n int) *time.Time { at := time.Date(2024, 1, n, 0, 0, 0, 0, time.UTC); return &at }
	m := newMemory()
	m.put(someCourses(5)...)
	m.review(
		lectern.Review{ID: "1", CourseID: "c0001", Text: "clear and patient teaching", WrittenAt: day(2), Helpful: 9},
		lectern.Review{ID: "2", CourseID: "c0001", Text: "too fast for me I fear", WrittenAt: day(1)},
		lectern.Review{ID: "3", CourseID: "c0002", Text: "good"}, // too short to say anything
	)
	r := newRig(t, m, func(o *Options) { o.Config.RetrainShare = 100 })
	r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	r.catchUp(t)
	vectors := func() [][]float32 {
		t.Helper()
		x, _ := r.Generation()
		v, err := x.Vectors(t.Context(), lectern.VectorReviews, []string{"c0001", "c0002"})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := vectors()
	e, _ := r.ActiveEmbedder()
	of, _ := e.Embed(t.Context(), lectern.EmbedDocument, []string{"clear and patient teaching", "too fast for me I fear"})
	if len(first[0]) != dimOf || len(first[1]) != 0 {
		t.Fatalf("review vectors %v", first)
	}
	if helpful, other := dot(first[0], of[0]), dot(first[0], of[1]); helpful <= other {
		t.Errorf("the helpful review counts %.2f, the other %.2f", helpful, other)
	}
	r.agrees(t)
	alone, err := DefaultConfig().ReviewVector(t.Context(), e, m.reviews["c0001"])
	if err != nil || !slices.Equal(alone, first[0]) {
		t.Errorf("made alone: %v %v, by the pipeline %v", alone, err, first[0])
	}

	m.review(lectern.Review{ID: "4", CourseID: "c0002", Text: "I learnt a lot from it"})
	job := lectern.EmbedReviewsJob{CourseIDs: []string{"c0001", "c0002", "nobody"}}
	if err := r.EmbedReviews(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	r.catchUp(t)
	if v := vectors(); len(v[1]) != dimOf || !slices.Equal(v[0], first[0]) {
		t.Errorf("after another review: %v", v)
	}
	m.mu.Lock()
	m.reviews["c0001"] = nil
	m.mu.Unlock()
	if err := r.EmbedReviews(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	r.catchUp(t)
	if v := vectors(); len(v[0]) != 0 || len(v[1]) != dimOf {
		t.Errorf("after the reviews went: %v", v)
	}
	r.agrees(t)
}

func dot(a, b []float32) (sum float32) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// picky is an embedder that cannot take one text.
type picky struct {
	fakeEmbedder
	calls *atomic.Int64
}

func (e picky) Embed(ctx context.Context, kind lectern.EmbedKind, texts []string) ([][]float32, error) {
	e.calls.Add(1)
	for _, s := range texts {
		if strings.Contains(s, "poison") {
			return nil, lectern.Errorf(lectern.CodeUnavailable, "400: cannot tokenize")
		}
	}
	return e.fakeEmbedder.Embed(ctx, kind, texts)
}

// TestOneBadText keeps 99 courses from suffering for one.
func TestOneBadText(t *testing.T) {
	m := newMemory()
	m.put(someCourses(99)...)
	m.put(course("bad", "poison"))
	var calls atomic.Int64
	p := newRig(t, m, nil).Pipeline
	courses, _ := m.Courses(t.Context(), m.order)
	made, err := p.embed(t.Context(), picky{fakeEmbedder{"picky"}, &calls}, courses)
	if made != 99 || err == nil || !strings.Contains(err.Error(), `"poison`) {
		t.Errorf("%d vectors made, %v", made, err)
	}
	if n := calls.Load(); n > 20 {
		t.Errorf("%d calls", n)
	}
	for i := range 50 { // everything fails: the embedder is away
		m.put(course(fmt.Sprintf("bad %d", i), fmt.Sprintf("poison %d", i)))
	}
	calls.Store(0)
	courses, _ = m.Courses(t.Context(), m.order[100:])
	if made, err := p.embed(t.Context(), picky{fakeEmbedder{"picky"}, &calls}, courses); made != 0 || err == nil || calls.Load() > maxEmbedFailures {
		t.Errorf("%d made after %d calls, %v", made, calls.Load(), err)
	}
}
