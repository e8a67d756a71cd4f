package indexing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-dev/lectern"
)

func vectorsReady(r Readiness) bool { return r.VectorsReady() && !r.Training }

func TestStartsWithWordsThenVectors(t *testing.T) {
	m := newMemory()
	m.put(someCourses(40)...)
	m.put(lectern.Course{ID: "retired", Title: "old", Availability: lectern.Availability{Status: lectern.StatusRetired}})
	m.put(lectern.Course{ID: "unlisted", Title: "hidden", Availability: lectern.Availability{Status: lectern.StatusUnlisted}})
	let := make(chan struct{})
	r := newRig(t, m, func(o *Options) {
		o.setTrain(func(ctx context.Context, texts []string) (lectern.Embedder, []byte, error) {
			select {
			case <-let:
			case <-ctx.Done():
				return nil, nil, ctx.Err()
			}
			return trainFake(ctx, texts)
		})
	})
	r.start(t)
	r.wait(t, "words answer", Readiness.WordsReady)
	if _, ok := r.ActiveEmbedder(); ok {
		t.Error("an embedder is active before one was trained")
	}
	if got := r.find(t, "17"); got != "c0017" {
		t.Errorf("by words: %q", got)
	}
	if got := r.Ready(); got.Courses != 41 || got.Vectors != 0 {
		t.Errorf("Ready = %+v", got)
	}
	close(let)
	r.wait(t, "vectors answer", vectorsReady)
	r.agrees(t)
	if r.sink.resets != 1 {
		t.Errorf("sinks were reset %d times; a switch must not empty them", r.sink.resets)
	}
	if len(r.words.counted) != 41 {
		t.Errorf("%d courses counted in the lexicon", len(r.words.counted))
	}
}

func TestFollows(t *testing.T) {
	m := newMemory()
	m.put(someCourses(20)...)
	r := newRig(t, m, func(o *Options) { o.Config.RetrainShare = 100 })
	r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	tests := []struct {
		name string
		do   func()
		want string // found by the word "fresh"
	}{
		{"new course", func() { m.put(course("new", "fresh paint")) }, "new"},
		{"changed title", func() { m.put(course("c0003", "fresh fresh bread")) }, "c0003 new"},
		{"retired", func() {
			m.put(lectern.Course{ID: "new", Title: "fresh paint", Availability: lectern.Availability{Status: lectern.StatusRetired}})
		}, "c0003"},
		{"listed again", func() { m.put(course("new", "fresh paint")) }, "c0003 new"},
		{"deleted", func() { m.remove("c0003") }, "new"},
		{"deleted and added again", func() { m.remove("new"); m.put(course("new", "fresh air")) }, "new"},
		{"only statistics", func() { m.touch("new", lectern.ChangeStats); m.touch("c0001", lectern.ChangeStats) }, "new"},
		{"only what reviews say", func() { m.touch("c0002", lectern.ChangeSentiment) }, "new"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.do()
			r.catchUp(t)
			if got := r.find(t, "fresh"); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			r.wait(t, "every course has its vector", vectorsReady)
			r.agrees(t)
		})
	}
	for _, id := range []string{"c0001", "c0002"} {
		if e, _ := r.sink.get(id); !e.StatsOnly || e.Stats.RatingCount != 5 || e.Course.Title == "" {
			t.Errorf("a change of statistics came as %+v", e)
		}
	}
}

// TestVisibleWithinASecond waits with the settings that ship, in time of its own.
func TestVisibleWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.put(someCourses(500)...)
		r := newRig(t, m, func(o *Options) { o.Config = DefaultConfig() })
		r.start(t)
		r.wait(t, "vectors answer", vectorsReady)
		m.put(course("late", "overnight sensation"))
		time.Sleep(time.Second)
		if got := r.find(t, "overnight"); got != "late" {
			t.Errorf("found %q after a second", got)
		}
	})
}

func TestJobEmbedsOnce(t *testing.T) {
	m := newMemory()
	m.put(someCourses(5)...)
	r := newRig(t, m, func(o *Options) { o.Config.RetrainShare = 100 })
	if err := r.EmbedCourses(t.Context(), lectern.EmbedCoursesJob{CourseIDs: []string{"c0001"}}); err != nil {
		t.Fatalf("without an embedder: %v", err)
	}
	r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	e, _ := r.ActiveEmbedder()
	m.put(course("a", "twin"), course("b", "twin"), course("c", "?"))
	job := lectern.EmbedCoursesJob{CourseIDs: []string{"a", "b", "c", "c0001", "nobody"}}
	for range 3 {
		if err := r.EmbedCourses(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	r.catchUp(t)
	r.wait(t, "vectors answer", vectorsReady)
	m.mu.Lock()
	puts := m.puts[e.Fingerprint()]
	m.mu.Unlock()
	if puts != 6 { // five at first, and the twins' one text
		t.Errorf("%d vectors stored, want 6", puts)
	}
	r.agrees(t)
}

func TestRetrainsWhenCatalogueGrows(t *testing.T) {
	m := newMemory()
	m.put(someCourses(10)...)
	var trainings atomic.Int32
	r := newRig(t, m, func(o *Options) {
		o.setTrain(func(ctx context.Context, texts []string) (lectern.Embedder, []byte, error) {
			trainings.Add(1)
			return trainFake(ctx, texts)
		})
	})
	stop := r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	first, _ := r.ActiveEmbedder()

	m.put(course("x", "one more is less than a fifth"))
	r.catchUp(t)
	r.wait(t, "vectors answer", vectorsReady)
	if e, _ := r.ActiveEmbedder(); e.Fingerprint() != first.Fingerprint() {
		t.Error("trained again for one course in ten")
	}
	m.put(course("y", "the second makes a fifth"))
	r.wait(t, "there is another embedder", func(s Readiness) bool {
		return vectorsReady(s) && s.Fingerprint != first.Fingerprint()
	})
	r.agrees(t)
	if n := trainings.Load(); n != 2 {
		t.Errorf("%d trainings, want 2", n)
	}
	stop()

	// After a restart nothing is trained or embedded again.
	puts := m.puts[r.Ready().Fingerprint]
	second := newRig(t, m, func(o *Options) {
		o.setTrain(func(context.Context, []string) (lectern.Embedder, []byte, error) {
			trainings.Add(1)
			return nil, nil, errors.New("not again")
		})
	})
	second.start(t)
	second.wait(t, "vectors answer", vectorsReady)
	second.agrees(t)
	if e, _ := second.ActiveEmbedder(); m.puts[e.Fingerprint()] != puts || trainings.Load() != 2 {
		t.Errorf("after a restart: %d puts instead of %d, %d trainings", m.puts[e.Fingerprint()], puts, trainings.Load())
	}
}

// TestQuietPeriod checks with a clock of its own that an import trains once.
func TestQuietPeriod(t *testing.T) {
	m := newMemory()
	var now atomic.Int64
	now.Store(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	var trainings atomic.Int32
	r := newRig(t, m, func(o *Options) {
		o.Config.QuietPeriod, o.Config.MaxWait = time.Minute, time.Hour
		o.Clock = func() time.Time { return time.UnixMicro(now.Load()).UTC() }
		o.setTrain(func(ctx context.Context, texts []string) (lectern.Embedder, []byte, error) {
			trainings.Add(1)
			return trainFake(ctx, texts)
		})
	})
	look := tender{p: r.Pipeline}
	r.start(t)
	r.wait(t, "an empty catalogue is read", func(s Readiness) bool { return s.Scanned })
	for i := range 20 {
		m.put(course(fmt.Sprint(i), fmt.Sprint("title ", i)))
		r.catchUp(t)
		now.Add(30 * time.Second.Microseconds())
		look.train(t.Context())
	}
	if n := trainings.Load(); n != 0 {
		t.Errorf("%d trainings during the import", n)
	}
	now.Add(31 * time.Second.Microseconds())
	r.wait(t, "vectors answer", vectorsReady)
	if n := trainings.Load(); n != 1 {
		t.Errorf("%d trainings, want 1", n)
	}
}

func TestOutsideEmbedder(t *testing.T) {
	m := newMemory()
	m.put(someCourses(12)...)
	r := newRig(t, m, func(o *Options) { o.connectTo("remote") })
	r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	m.put(someCourses(40)...) // a trained one would be trained again
	r.catchUp(t)
	r.wait(t, "vectors answer", func(s Readiness) bool { return vectorsReady(s) && s.Vectors == 40 })
	r.agrees(t)
	if len(m.artefacts) != 1 || m.artefacts[0].Fingerprint != "fp-remote" {
		t.Errorf("artefacts: %+v", m.artefacts)
	}
}

func TestWordsInASecondPass(t *testing.T) {
	m := newMemory()
	m.put(someCourses(50)...)
	first := newRig(t, m, nil)
	stop := first.start(t)
	first.wait(t, "vectors answer", vectorsReady)
	stop()
	r := newRig(t, m, func(o *Options) { o.Config.WordsLater = 50 })
	r.start(t)
	r.wait(t, "everything answers", func(s Readiness) bool { return s.WordsReady() && vectorsReady(s) })
	if got := r.find(t, "49"); got != "c0049" {
		t.Errorf("by words: %q", got)
	}
	r.agrees(t)
	if e, _ := r.sink.get("c0001"); e.Stats.RatingCount != 5 {
		t.Errorf("the second pass overwrote statistics: %+v", e.Stats)
	}
}

func TestFailuresAreTriedAgain(t *testing.T) {
	m := newMemory()
	m.put(someCourses(10)...)
	m.failing.Store(true)
	r := newRig(t, m, nil)
	r.sink.fail = 2
	r.start(t)
	r.wait(t, "the failure shows", func(s Readiness) bool { return s.Err != "" })
	if r.Ready().Scanned {
		t.Error("scanned although the store is down")
	}
	m.failing.Store(false)
	r.wait(t, "vectors answer", func(s Readiness) bool { return vectorsReady(s) && s.Err == "" })
	r.agrees(t)
}

func TestDamagedArtefactIsReplaced(t *testing.T) {
	m := newMemory()
	m.put(someCourses(10)...)
	v, _ := m.PutArtefact(t.Context(), lectern.Artefact{Kind: ArtefactEmbedder, Fingerprint: "fp-x"}, []byte("garbage"))
	if err := m.ActivateArtefact(t.Context(), ArtefactEmbedder, v); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, m, nil)
	r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	r.agrees(t)
}

func TestEmptyCatalogue(t *testing.T) {
	r := newRig(t, newMemory(), nil)
	r.start(t)
	r.wait(t, "it is read", Readiness.WordsReady)
	r.agrees(t)
	if err := r.Reindex(t.Context(), "", nil); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("Reindex = %v", err)
	}
	if r.sink.resets != 1 {
		t.Errorf("%d resets", r.sink.resets)
	}
}

func TestCompareFinds(t *testing.T) {
	m := newMemory()
	m.put(someCourses(10)...)
	r := newRig(t, m, func(o *Options) { o.Config.RetrainShare = 100 })
	r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	x, _ := r.Generation()
	l := r.line.Load()
	item := func(id string) item {
		courses, _ := m.Courses(t.Context(), []string{id})
		e, _ := r.ActiveEmbedder()
		items, _ := r.items(t.Context(), e, courses, nil)
		return items[0]
	}
	spoil := func(id string, change func(*lectern.Point)) {
		it := item(id)
		p := l.point(&it, wordsOnly)
		change(&p)
		if err := x.Upsert(t.Context(), []lectern.Point{p}); err != nil {
			t.Fatal(err)
		}
	}
	spoil("c0001", func(p *lectern.Point) { p.Dense = nil })
	spoil("c0002", func(p *lectern.Point) { p.Payload.Provider = "nobody" })
	spoil("c0003", func(p *lectern.Point) { p.Sparse = nil })
	spoil("c0004", func(p *lectern.Point) { p.ID = "ghost" })
	if err := x.Delete(t.Context(), []string{"c0005"}); err != nil {
		t.Fatal(err)
	}
	diffs, err := r.Compare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range diffs {
		got = append(got, d.CourseID+" "+string(d.Kind))
	}
	want := []string{"c0001 vector", "c0002 payload", "c0003 payload", "c0005 missing", "ghost unexpected"}
	if !slices.Equal(got, want) {
		t.Errorf("differences %q, want %q", got, want)
	}
	if n, err := r.Mend(t.Context(), diffs); err != nil || n != 5 {
		t.Errorf("Mend = %d, %v", n, err)
	}
	r.agrees(t)
}

func TestConfigNamesTheKey(t *testing.T) {
	c := DefaultConfig()
	c.Poll, c.Page = 0, -1
	err := c.Validate()
	var e *lectern.Error
	if !errors.As(err, &e) || len(e.Fields) != 2 || e.Fields[0].Field != "indexing.poll" || e.Fields[1].Field != "indexing.page" {
		t.Errorf("Validate = %v", err)
	}
}

func FuzzDecodeArtefact(f *testing.F) {
	f.Add(EncodeArtefact([]uint64{3, 1, 2, 1}, []byte("model")))
	f.Add(EncodeArtefact(nil, nil))
	f.Add([]byte(artefactMagic))
	f.Fuzz(func(t *testing.T, body []byte) {
		texts, model, err := DecodeArtefact(body)
		if err != nil {
			if lectern.ErrorCode(err) != lectern.CodeInvalid {
				t.Errorf("code %q", lectern.ErrorCode(err))
			}
			return
		}
		if !slices.Equal(EncodeArtefact(texts, model), body) {
			t.Error("decoding and encoding does not give the same bytes")
		}
	})
}
