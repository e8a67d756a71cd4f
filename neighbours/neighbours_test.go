package neighbours

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index"
	"github.com/lectern-dev/lectern/index/qdrant"
	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
	"github.com/lectern-dev/lectern/store/sqlite"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	halfLife = 90 * 24 * time.Hour
	topics   = 4
	perTopic = 8 // courses
)

func openStore(tb testing.TB) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), sqlite.Options{Path: filepath.Join(tb.TempDir(), "lectern.db")})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func newMemory() lectern.VectorIndex { return index.New(index.Options{}) }

func courseID(topic, n int) string { return fmt.Sprintf("t%d-c%d", topic, n) }

// catalogue has courses of each topic near an axis of their own.
func catalogue(tb testing.TB, dim int) lectern.VectorIndex {
	tb.Helper()
	x, r := newMemory(), rand.New(rand.NewPCG(1, 2))
	var points []lectern.Point
	for topic := range topics {
		for n := range perTopic {
			v := make([]float64, dim)
			for i := range v {
				v[i] = 0.05 * r.NormFloat64()
			}
			v[topic]++
			points = append(points, lectern.Point{ID: courseID(topic, n), Dense: map[string][]float32{lectern.VectorContent: unit(v)}})
		}
	}
	if err := x.Upsert(tb.Context(), points); err != nil {
		tb.Fatal(err)
	}
	return x
}

// world is a store with learners, and one process that indexes them.
type world struct {
	*sqlite.Store
	tb      testing.TB
	space   Space
	model   int64
	factor  Factor
	now     time.Time
	events  int
	asked   int
	shared  Shared
	all     *qdrant.Indexes
	learner *Learners
	writer  *writer
}

// overQdrant is what the wiring makes of the shared indexes.
type overQdrant struct{ *qdrant.Indexes }

func (o overQdrant) Learners(ctx context.Context, version int64) (lectern.VectorIndex, error) {
	x, err := o.Indexes.Learners(ctx, version)
	if err != nil {
		return nil, err
	}
	return x, nil
}

func (o overQdrant) Erase(ctx context.Context, ids []string) error {
	versions, err := o.Versions(ctx)
	if err != nil {
		return err
	}
	for _, v := range versions {
		x, err := o.Indexes.Learners(ctx, v)
		if err != nil {
			return err
		}
		if err := x.Delete(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

// inBothModes runs a test with an index in the process and with a shared one.
func inBothModes(t *testing.T, f func(t *testing.T, w *world)) {
	t.Run("memory", func(t *testing.T) { f(t, newWorld(t, false)) })
	t.Run("qdrant", func(t *testing.T) { f(t, newWorld(t, true)) })
}

func newWorld(tb testing.TB, shared bool) *world {
	tb.Helper()
	w := &world{Store: openStore(tb), tb: tb, now: noon}
	w.space = Space{Version: 1, Fingerprint: "f1", Courses: catalogue(tb, topics), Ready: true}
	if shared {
		server := qdranttest.Start(tb.(*testing.T), qdranttest.Durable())
		c := qdrant.DefaultConfig()
		c.Address = server.Addr()
		all, err := qdrant.Connect(tb.Context(), qdrant.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = all.Close() })
		w.all, w.shared = all, overQdrant{all}
		w.create(1, topics)
	}
	w.learner, w.writer = w.process()
	return w
}

func (w *world) create(version int64, dim int) {
	w.tb.Helper()
	if w.all == nil {
		return
	}
	_, err := w.all.Create(w.tb.Context(), lectern.IndexSpec{
		Version: version, Fingerprint: fmt.Sprint("f", version), Sparse: []string{lectern.VectorLexical},
		Dense: map[string]int{lectern.VectorContent: dim, lectern.VectorCF: 2},
	})
	if err != nil {
		w.tb.Fatal(err)
	}
}

// process is one more process on the same store.
func (w *world) process() (*Learners, *writer) {
	w.tb.Helper()
	c := DefaultConfig()
	c.Page = 7
	l, err := New(Options{
		Config: c, Store: w.Store, Space: func() Space { return w.space },
		Factor: func() (int64, Factor) { return w.model, w.factor },
		Asker:  w.asker, MaxWeight: 10, New: newMemory, Shared: w.shared,
		Clock: func() time.Time { return w.now }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return l, &writer{l: l}
}

// asker makes a content vector as points are made.
func (w *world) asker(ctx context.Context, ref lectern.LearnerRef) (Asker, error) {
	w.asked++
	p, err := w.Profile(ctx, ref)
	if err != nil {
		return Asker{}, err
	}
	entries := weigh(p.Entries, w.now, 10)
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.course)
	}
	var v vectors
	if err := v.read(ctx, w.space.Courses, ids); err != nil {
		return Asker{}, err
	}
	out := Asker{Personal: p.Learner.Consent.Personalisation, Touched: touches(entries)}
	out.Content, _ = v.content(entries)
	return out, nil
}

// enrol has a learner take courses.
func (w *world) enrol(learner string, courses ...string) {
	w.tb.Helper()
	for _, c := range courses {
		w.events++
		e := lectern.EventWrite{
			Event: lectern.Event{ID: fmt.Sprint(w.events), Type: lectern.EventEnrol, LearnerID: learner, CourseID: c, OccurredAt: w.now},
			Delta: &lectern.ProfileDelta{Weight: 3, HalfLife: halfLife, State: lectern.StateEnrolled},
		}
		if _, err := w.AppendEvents(w.tb.Context(), []lectern.EventWrite{e}); err != nil {
			w.tb.Fatal(err)
		}
	}
}

// crowd has ten learners of each topic take three courses of it each.
func (w *world) crowd() {
	w.tb.Helper()
	for topic := range topics {
		for n := range 10 {
			w.enrol(fmt.Sprintf("somebody-%d-%d", topic, n), courseID(topic, n%perTopic), courseID(topic, (n+1)%perTopic), courseID(topic, (n+2)%perTopic))
		}
	}
}

// follow brings a process level with the store.
func (w *world) follow(l *Learners, of *writer) {
	w.tb.Helper()
	if err := of.step(w.tb.Context()); err != nil {
		w.tb.Fatal(err)
	}
	if w.shared != nil {
		if err := l.look(w.tb.Context()); err != nil {
			w.tb.Fatal(err)
		}
	}
}

func (w *world) liked(l *Learners, learner string) []lectern.Hit {
	w.tb.Helper()
	ref := lectern.LearnerRef{ID: learner}
	version, err := w.ProfileVersion(w.tb.Context(), ref)
	if err != nil {
		w.tb.Fatal(err)
	}
	hits, err := l.Liked(w.tb.Context(), ref, version, 100)
	if lectern.ErrorCode(err) == lectern.CodeUnavailable && hits == nil {
		return nil // learners are still being read
	}
	if err != nil {
		w.tb.Fatal(err)
	}
	return hits
}

func (w *world) key(learner string) int64 {
	w.tb.Helper()
	key, err := w.ProfileKey(w.tb.Context(), lectern.LearnerRef{ID: learner})
	if err != nil {
		w.tb.Fatal(err)
	}
	return key
}

// has reports whether a learner has a point, with a vector of this name.
func (w *world) has(l *Learners, key int64, name string) bool {
	w.tb.Helper()
	got, err := l.current.Load().index.Vectors(w.tb.Context(), name, []string{idOf(key)})
	if err != nil {
		w.tb.Fatal(err)
	}
	return got[0] != nil
}

func ids(hits []lectern.Hit) []string {
	out := make([]string, len(hits))
	for i, h := range hits {
		out[i] = h.ID
	}
	return out
}

// topicOf fails unless all courses are of one topic.
func wantTopic(t *testing.T, hits []lectern.Hit, topic int) {
	t.Helper()
	if len(hits) < perTopic {
		t.Errorf("%d courses, want %d at least: %v", len(hits), perTopic, hits)
	}
	for i, h := range hits[:min(len(hits), perTopic)] {
		if !strings.HasPrefix(h.ID, fmt.Sprintf("t%d-", topic)) {
			t.Errorf("course %d is %s, want one of topic %d", i, h.ID, topic)
		}
	}
	for i, h := range hits {
		if h.Score <= 0 || h.Score > 1 || i > 0 && h.Score > hits[i-1].Score || i == 0 && h.Score != 1 {
			t.Errorf("score %v of course %d", h.Score, i)
		}
	}
}

func TestLiked(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world) {
		w.crowd()
		w.enrol("me", courseID(2, 0))
		if hits := w.liked(w.learner, "me"); hits != nil {
			t.Errorf("before anybody is indexed: %v", hits)
		}
		w.follow(w.learner, w.writer)
		stats, err := w.learner.Stats(t.Context())
		if err != nil || stats.Learners != 10*topics+1 || !stats.Filled || stats.Position == 0 {
			t.Errorf("stats %+v, %v", stats, err)
		}
		wantTopic(t, w.liked(w.learner, "me"), 2)

		// An answer is kept for its version, and is another one for the next.
		asked := w.asked
		w.liked(w.learner, "me")
		if w.asked != asked {
			t.Error("the same version was asked for anew")
		}
		w.enrol("me", courseID(1, 0), courseID(1, 1), courseID(1, 2), courseID(1, 3), courseID(1, 4))
		wantTopic(t, w.liked(w.learner, "me"), 1)
		if hits, err := w.learner.Liked(t.Context(), lectern.LearnerRef{ID: "me"}, 1, 2); err != nil || len(hits) != 2 {
			t.Errorf("two of them: %v, %v", hits, err)
		}
		for _, ref := range []lectern.LearnerRef{{}, {ID: "nobody"}} {
			if hits, err := w.learner.Liked(t.Context(), ref, 1, 10); err != nil || hits != nil {
				t.Errorf("for %+v: %v, %v", ref, hits, err)
			}
		}
		// Nobody else's id is anywhere in what is indexed, or in what is answered.
		for _, h := range w.liked(w.learner, "me") {
			if !strings.HasPrefix(h.ID, "t") {
				t.Errorf("%q is no course", h.ID)
			}
		}
	})
}

// TestUsualCoursesCountLess puts one course into everybody's profile.
func TestUsualCoursesCountLess(t *testing.T) {
	w := newWorld(t, false)
	w.crowd()
	for topic := range topics {
		for n := range 10 {
			w.enrol(fmt.Sprintf("somebody-%d-%d", topic, n), courseID(0, 7))
		}
	}
	w.enrol("me", courseID(2, 0))
	w.follow(w.learner, w.writer)
	w.learner.o.Config.Count, w.learner.o.Config.Damping = 10, 1
	if got := ids(w.liked(w.learner, "me"))[0]; !strings.HasPrefix(got, "t2-") {
		t.Errorf("first comes %s", got)
	}
	w.learner.o.Config.Damping = 0
	w.learner.cache.drop(lectern.LearnerRef{ID: "me"})
	if got := ids(w.liked(w.learner, "me"))[0]; got != courseID(0, 7) {
		t.Errorf("without damping, first comes %s", got)
	}
}

func TestConsent(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world) {
		w.crowd()
		w.enrol("me", courseID(2, 0))
		w.enrol("odd", courseID(2, 0), "unknown course")
		w.follow(w.learner, w.writer)
		key := w.key("odd")
		if !w.has(w.learner, key, lectern.VectorContent) {
			t.Fatal("no point")
		}
		if hits := w.liked(w.learner, "me"); !slices.Contains(ids(hits), "unknown course") {
			t.Errorf("the neighbour's course is missing: %v", ids(hits))
		}
		no := lectern.Learner{ID: "odd", Consent: &lectern.Consent{}}
		if _, err := w.PutLearners(t.Context(), []lectern.Learner{no}); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(w.learner.o.Config.CacheTTL)
		if hits := w.liked(w.learner, "me"); w.shared != nil && slices.Contains(ids(hits), "unknown course") {
			t.Error("a neighbour is asked who said no, and whose point is still there")
		}
		w.follow(w.learner, w.writer)
		if w.has(w.learner, key, lectern.VectorContent) {
			t.Error("the point is still there")
		}
		w.learner.cache.drop(lectern.LearnerRef{ID: "me"})
		if hits := w.liked(w.learner, "me"); slices.Contains(ids(hits), "unknown course") {
			t.Error("a neighbour is asked who said no")
		}
		if hits := w.liked(w.learner, "odd"); hits != nil {
			t.Errorf("who said no gets %v", hits)
		}
	})
}

func TestNoPositiveCourseNoPoint(t *testing.T) {
	w := newWorld(t, false)
	e := lectern.EventWrite{
		Event: lectern.Event{ID: "d", Type: lectern.EventDismiss, LearnerID: "sour", CourseID: courseID(0, 0), OccurredAt: noon},
		Delta: &lectern.ProfileDelta{Weight: -4, HalfLife: halfLife, State: lectern.StateDismissed},
	}
	if _, err := w.AppendEvents(t.Context(), []lectern.EventWrite{e}); err != nil {
		t.Fatal(err)
	}
	w.follow(w.learner, w.writer)
	if stats, err := w.learner.Stats(t.Context()); err != nil || stats.Learners != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// TestErase removes a learner at once where that is asked for, and through the feed
// in every other process.
func TestErase(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.crowd()
		w.enrol("me", courseID(2, 0))
		other, otherWriter := w.process()
		w.follow(w.learner, w.writer)
		w.follow(other, otherWriter)
		for _, who := range []string{"somebody-2-0", "somebody-2-1"} {
			w.liked(w.learner, who)
			ref := lectern.LearnerRef{ID: who}
			key := w.key(who)
			if err := w.DeleteLearner(ctx, ref); err != nil {
				t.Fatal(err)
			}
			if !w.has(w.learner, key, lectern.VectorContent) || !w.has(other, key, lectern.VectorContent) {
				t.Fatal("the point has gone by itself")
			}
			if who == "somebody-2-0" {
				if err := w.learner.Erase(ctx, ref, key); err != nil {
					t.Fatal(err)
				}
				if w.has(w.learner, key, lectern.VectorContent) {
					t.Error("the point is there after an erasure")
				}
				if _, kept := w.learner.cache.byRef[ref]; kept {
					t.Error("their answer is kept after an erasure")
				}
			}
			w.follow(w.learner, w.writer)
			w.follow(other, otherWriter)
			if w.has(w.learner, key, lectern.VectorContent) || w.has(other, key, lectern.VectorContent) {
				t.Error("the point is there after the feed was followed")
			}
		}
		// The feed forgets who is gone after a day, and not before.
		gone := func() (n int) {
			changes, err := w.ProfileChanges(ctx, 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				if c.Gone {
					n++
				}
			}
			return n
		}
		for hours, want := range map[int]int{23: 2} {
			w.now = noon.Add(time.Duration(hours) * time.Hour)
			w.follow(w.learner, w.writer)
			if gone() != want {
				t.Errorf("after %d hours %d are gone, want %d", hours, gone(), want)
			}
		}
		for range 2 {
			w.now = w.now.Add(24 * time.Hour)
			w.follow(w.learner, w.writer)
		}
		if gone() != 0 {
			t.Errorf("after days, %d are gone still", gone())
		}
	})
}

// TestMerge leaves one point of a visitor and the learner that they became.
func TestMerge(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		e := lectern.EventWrite{
			Event: lectern.Event{ID: "v", Type: lectern.EventEnrol, AnonymousID: "visitor", CourseID: courseID(0, 0), OccurredAt: noon},
			Delta: &lectern.ProfileDelta{Weight: 3, HalfLife: halfLife, State: lectern.StateEnrolled},
		}
		if _, err := w.AppendEvents(ctx, []lectern.EventWrite{e}); err != nil {
			t.Fatal(err)
		}
		w.enrol("me", courseID(1, 0))
		w.follow(w.learner, w.writer)
		if err := w.MergeVisitor(ctx, "visitor", "me"); err != nil {
			t.Fatal(err)
		}
		w.follow(w.learner, w.writer)
		if stats, err := w.learner.Stats(ctx); err != nil || stats.Learners != 1 {
			t.Errorf("%+v, %v", stats, err)
		}
	})
}

// TestGenerations switches the embedder under way: what was made by one is never
// asked with vectors of the other.
func TestGenerations(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world) {
		w.crowd()
		w.enrol("me", courseID(2, 0))
		w.follow(w.learner, w.writer)
		wantTopic(t, w.liked(w.learner, "me"), 2)

		w.create(2, topics+3)
		w.space = Space{Version: 2, Fingerprint: "f2", Courses: catalogue(t, topics+3), Ready: true}
		if hits := w.liked(w.learner, "me"); hits != nil {
			t.Errorf("between two generations: %v", hits)
		}
		if _, err := w.learner.Liked(t.Context(), lectern.LearnerRef{ID: "me"}, 1, 10); lectern.ErrorCode(err) != lectern.CodeUnavailable {
			t.Errorf("between two generations nothing says that learners are missing: %v", err)
		}
		w.space.Ready = false
		w.follow(w.learner, w.writer)
		if hits := w.liked(w.learner, "me"); hits != nil {
			t.Errorf("before the courses are there: %v", hits)
		}
		w.space.Ready = true
		w.follow(w.learner, w.writer)
		wantTopic(t, w.liked(w.learner, "me"), 2)
	})
}

// TestModels makes points by a model as well, and anew with the next one.
func TestModels(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.crowd()
		w.enrol("me", courseID(2, 0))
		w.enrol("stranger", "of no model")
		// The first model puts topics 0 and 2 together, the second 1 and 2.
		model := func(version int64, friend string) {
			w.model, w.factor = version, func(touched []lectern.Touch) []float32 {
				v := []float64{0, 0}
				for _, touch := range touched {
					switch {
					case strings.HasPrefix(touch.CourseID, "t2-") || strings.HasPrefix(touch.CourseID, friend):
						v[0] += touch.Weight
					case strings.HasPrefix(touch.CourseID, "t"):
						v[1] += touch.Weight
					}
				}
				return unit(v)
			}
		}
		topicsOf := func(count int) map[string]bool {
			out := map[string]bool{}
			w.learner.o.Config.Count = count
			for _, h := range w.liked(w.learner, "me") {
				out[h.ID[:2]] = true
			}
			return out
		}
		w.follow(w.learner, w.writer)
		model(1, "t0-")
		if w.shared == nil { // the points by content serve until those of the model are made
			w.follow(w.learner, w.writer)
		}
		w.follow(w.learner, w.writer)
		if diff := cmp.Diff(map[string]bool{"t0": true, "t2": true}, topicsOf(20)); diff != "" {
			t.Errorf("by the first model (-want +got):\n%s", diff)
		}
		if key := w.key("stranger"); w.has(w.learner, key, lectern.VectorCF) {
			t.Error("a vector of somebody whom the model does not know")
		}
		model(2, "t1-")
		w.now = w.now.Add(time.Hour) // beyond what is kept
		if w.shared != nil {
			if err := w.learner.look(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(map[string]bool{"t2": true}, topicsOf(9)); diff != "" {
			t.Errorf("between two models, by content (-want +got):\n%s", diff)
		}
		w.follow(w.learner, w.writer)
		w.learner.cache.drop(lectern.LearnerRef{ID: "me"})
		if diff := cmp.Diff(map[string]bool{"t1": true, "t2": true}, topicsOf(20)); diff != "" {
			t.Errorf("by the second model (-want +got):\n%s", diff)
		}

		// A way back over many versions, whose trainings were all refused.
		for _, version := range []int64{102, 2} {
			friend := map[int64]string{102: "t0-", 2: "t1-"}[version]
			model(version, friend)
			w.follow(w.learner, w.writer)
			w.learner.cache.drop(lectern.LearnerRef{ID: "me"})
			if diff := cmp.Diff(map[string]bool{friend[:2]: true, "t2": true}, topicsOf(20)); diff != "" {
				t.Errorf("by model %d (-want +got):\n%s", version, diff)
			}
		}
	})
}

// TestNextLeader goes on where the last one stopped, and begins anew where the
// index was made anew.
func TestNextLeader(t *testing.T) {
	w := newWorld(t, true)
	ctx := t.Context()
	w.crowd()
	w.follow(w.learner, w.writer)
	if err := w.writer.store(ctx); err != nil {
		t.Fatal(err)
	}
	at := w.writer.position
	other, next := w.process()
	w.enrol("me", courseID(2, 0))
	if err := next.open(ctx, w.writer.space.key); err != nil || next.position != at || !next.filled {
		t.Errorf("the next leader begins at %d, want %d: %v", next.position, at, err)
	}
	w.follow(other, next)
	wantTopic(t, w.liked(other, "me"), 2)

	w.create(1, topics) // as when the generation's index was lost
	w.now = w.now.Add(checkEvery)
	w.follow(other, next)
	if stats, err := other.Stats(ctx); err != nil || stats.Learners != 10*topics+1 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// TestLateVectors indexes somebody again whose course gets its vector later.
func TestLateVectors(t *testing.T) {
	w := newWorld(t, false)
	ctx := t.Context()
	w.enrol("me", "late")
	w.follow(w.learner, w.writer)
	key := w.key("me")
	if w.has(w.learner, key, lectern.VectorContent) {
		t.Fatal("a point without a vector")
	}
	late := lectern.Point{ID: "late", Dense: map[string][]float32{lectern.VectorContent: {1, 0, 0, 0}}}
	if err := w.space.Courses.Upsert(ctx, []lectern.Point{late}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(retryEvery)
	w.follow(w.learner, w.writer)
	if !w.has(w.learner, key, lectern.VectorContent) {
		t.Error("no point though the vector is there")
	}
	w.enrol("other", "never")
	for range 3 * maxTries {
		w.now = w.now.Add(retryEvery)
		w.follow(w.learner, w.writer)
	}
	if len(w.writer.waiting) != 0 {
		t.Errorf("%d are waited for though nothing comes", len(w.writer.waiting))
	}
}

// TestRun follows in the background, by a hint.
func TestRun(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world) {
		w.crowd()
		w.learner.o.Config.Poll = time.Minute // by hints alone
		w.learner.o.Clock = time.Now
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = w.learner.Run(ctx)
		}()
		defer func() { cancel(); <-done }()
		patience := time.After(2 * time.Minute)
		for n := 0; ; n++ {
			w.enrol("me", courseID(2, n%perTopic))
			w.learner.Notify()
			if hits := w.liked(w.learner, "me"); len(hits) > 0 {
				wantTopic(t, hits, 2)
				return
			}
			select {
			case <-patience:
				t.Fatal("nothing is found")
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

// TestTakenDecays compares what was indexed at different times.
func TestTakenDecays(t *testing.T) {
	taken, sums := newTaken(), map[string]float64{}
	day := 24 * time.Hour
	entry := func(course string, weight float64) weighed {
		return weighed{course: course, weight: weight, at: noon, halfLife: day}
	}
	taken.put("1", []weighed{entry("a", 4), entry("b", 2), entry("c", -1)}, noon)
	taken.put("2", []weighed{entry("a", 4)}, noon.Add(day))
	taken.put("3", []weighed{entry("a", 100)}, noon)
	taken.remove([]string{"3"})
	for id, factor := range map[string]float64{"1": 0.5, "2": 1, "3": 1} {
		taken.add(id, factor, noon.Add(2*day), sums, ends{})
	}
	// of the first ½·¼ of (4, 2), of the second ½ of 4
	if diff := cmp.Diff(map[string]float64{"a": 2.5, "b": 0.25}, sums); diff != "" {
		t.Errorf("sums (-want +got):\n%s", diff)
	}
}

// TestCells holds the divided index against the whole one.
func TestCells(t *testing.T) {
	const dim, people = 16, 1200
	rapid.Check(t, func(rt *rapid.T) {
		ctx := context.Background()
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		centres := make([][]float64, 20)
		random := func(scale float64, around []float64) []float64 {
			v := make([]float64, dim)
			for i := range v {
				v[i] = scale * r.NormFloat64()
				if around != nil {
					v[i] += around[i]
				}
			}
			return v
		}
		for i := range centres {
			centres[i] = random(1, nil)
		}
		s := &space{index: newMemory()}
		vectorOf := map[string][]float32{}
		put := func(id string) {
			v := unit(random(0.4, centres[r.IntN(len(centres))]))
			vectorOf[id] = v
			if err := s.put(ctx, batch{points: []lectern.Point{{ID: id, Dense: map[string][]float32{lectern.VectorContent: v}}}}); err != nil {
				rt.Fatal(err)
			}
		}
		w := &writer{l: &Learners{o: Options{Config: DefaultConfig(), New: newMemory}}, space: s, filled: true, keys: map[int64]struct{}{}}
		w.l.o.Config.CellsFrom, w.l.o.Config.Probe = 1000, 0.25
		for i := range people {
			put(idOf(int64(i + 1)))
			w.keys[int64(i+1)] = struct{}{}
		}
		if err := w.divide(ctx); err != nil {
			rt.Fatal(err)
		}
		c := s.cells()[lectern.VectorContent]
		if c == nil || c.size() != people {
			rt.Fatalf("no cells, or of other than %d points", people)
		}
		// Points move, come and go.
		for range 300 {
			id := idOf(int64(1 + r.IntN(people+100)))
			if r.IntN(3) == 0 {
				delete(vectorOf, id)
				if err := s.remove(ctx, []string{id}); err != nil {
					rt.Fatal(err)
				}
				continue
			}
			put(id)
		}
		if c.size() != len(vectorOf) {
			rt.Fatalf("%d points in cells, %d in the index", c.size(), len(vectorOf))
		}
		for cell, members := range c.members {
			for at, id := range members {
				if c.of[id] != (place{cell, at}) {
					rt.Fatalf("%s is at %v, and its place says %v", id, place{cell, at}, c.of[id])
				}
			}
		}
		found, of := 0, 0
		for range 20 {
			q := unit(random(0.4, centres[r.IntN(len(centres))]))
			near, err := s.nearest(ctx, lectern.VectorContent, q, 20)
			if err != nil {
				rt.Fatal(err)
			}
			exact, err := s.index.Search(ctx, []lectern.VectorQuery{{Vector: lectern.VectorContent, Dense: q, K: 20}})
			if err != nil {
				rt.Fatal(err)
			}
			want := ids(exact[0])
			for _, h := range near {
				if slices.Contains(want, h.ID) {
					found++
				}
			}
			of += len(want)
		}
		if recall := float64(found) / float64(of); recall < 0.8 {
			rt.Errorf("recall@20 %.2f", recall)
		}
	})
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for key, change := range map[string]func(*Config){
		"neighbours.poll":        func(c *Config) { c.Poll = 0 },
		"neighbours.page":        func(c *Config) { c.Page = 0 },
		"neighbours.count":       func(c *Config) { c.Count = 0 },
		"neighbours.max_entries": func(c *Config) { c.MaxEntries = 0 },
		"neighbours.damping":     func(c *Config) { c.Damping = math.NaN() },
		"neighbours.cells_from":  func(c *Config) { c.CellsFrom = 1 },
		"neighbours.probe":       func(c *Config) { c.Probe = 0 },
		"neighbours.cache_size":  func(c *Config) { c.CacheSize = 0 },
		"neighbours.cache_ttl":   func(c *Config) { c.CacheTTL = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		e, ok := errors.AsType[*lectern.Error](c.Validate())
		if !ok || e.Fields[0].Field != key {
			t.Errorf("%s: %v", key, e)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(2, time.Minute)
	ref := func(i int) lectern.LearnerRef { return lectern.LearnerRef{ID: fmt.Sprint(i)} }
	for i := range 3 {
		c.put(ref(i), answer{version: 1, at: noon})
	}
	if _, ok := c.get(ref(0), 1, key{}, noon); ok || c.order.Len() != 2 || len(c.byRef) != 2 {
		t.Errorf("%d answers are kept", c.order.Len())
	}
	if _, ok := c.get(ref(2), 1, key{}, noon.Add(time.Minute)); ok {
		t.Error("an old answer is given")
	}
	if _, ok := c.get(ref(2), 2, key{}, noon); ok {
		t.Error("another version's answer is given")
	}
	if _, ok := c.get(ref(2), 1, key{model: 1}, noon); ok {
		t.Error("another model's answer is given")
	}
}
