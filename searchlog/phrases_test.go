package searchlog

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func counted(query string, weight float64, openers int) lectern.SearchCount {
	return lectern.SearchCount{Folded: Fold(query), Query: query, Weight: weight, Openers: openers, Searches: 10, Opened: 5}
}

func newTestPhrases(store *fakeStore, change func(*Config)) *Phrases {
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	return NewPhrases(store, cfg, testClock, quiet())
}

func TestPhrases(t *testing.T) {
	store := newFakeStore()
	store.counts[lectern.SearchesByWeight] = []lectern.SearchCount{
		counted("Machine Learning?", 16, 9),
		counted("cracked exam", 15, 9),
		counted("ada@example.org", 14, 9),
		counted("python", 4, 3),
		counted("rare", 4, 2), // a store that counts generously does not matter
		counted("tail", 0.00001, 3),
	}
	p := newTestPhrases(store, func(c *Config) { c.Block = []string{"Cracked"} })
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	version, got := p.Phrases()
	want := []Phrase{
		{Text: "Machine Learning", Folded: "machine learning", Weight: 1, Openers: 9},
		{Text: "python", Folded: "python", Weight: .5, Openers: 3}, // √(4/16)
		{Text: "tail", Folded: "tail", Weight: .001, Openers: 3},
	}
	if d := cmp.Diff(want, got); d != "" || version != 1 {
		t.Errorf("version %d\n%s", version, d)
	}
	asked := store.asked[0]
	if asked.MinOpeners != 3 || asked.HalfLife != 14*24*time.Hour || !asked.From.Equal(testClock().Add(-140*24*time.Hour)) || asked.Limit < 5000 {
		t.Errorf("asked %+v", asked)
	}
}

// The version tells those who build something of the phrases whether to build it
// anew: it stays while nothing but time passes.
func TestPhrasesVersion(t *testing.T) {
	store := newFakeStore()
	store.counts[lectern.SearchesByWeight] = []lectern.SearchCount{counted("a", 8, 3), counted("b", 2, 3)}
	p := newTestPhrases(store, nil)
	refresh := func() int64 {
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return p.Snapshot().Version
	}
	first := refresh()
	for i := range store.counts[lectern.SearchesByWeight] { // as decay does
		store.counts[lectern.SearchesByWeight][i].Weight *= .97
	}
	if second := refresh(); first != 1 || second != 1 {
		t.Errorf("versions %d and %d of the same phrases", first, second)
	}
	store.counts[lectern.SearchesByWeight] = store.counts[lectern.SearchesByWeight][:1]
	if third := refresh(); third != 2 {
		t.Errorf("version %d after a change", third)
	}
	store.fail = errors.New("away")
	if err := p.Refresh(t.Context()); err == nil || p.Snapshot().Version != 2 || len(p.Snapshot().Phrases) != 1 {
		t.Errorf("%v, %+v", err, p.Snapshot())
	}
}

func TestPhrasesKeepTheirLimit(t *testing.T) {
	store := newFakeStore()
	store.counts[lectern.SearchesByWeight] = []lectern.SearchCount{counted("a", 1, 3), counted("b", 3, 3), counted("c", 2, 3)}
	p := newTestPhrases(store, func(c *Config) { c.MaxPhrases = 2 })
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.Snapshot().Phrases; len(got) != 2 || got[0].Folded != "b" || got[1].Folded != "c" {
		t.Errorf("%+v", got)
	}
}

func TestTrending(t *testing.T) {
	store := newFakeStore()
	grow := func(q string, searches, before, openers int) lectern.SearchCount {
		return lectern.SearchCount{Folded: q, Query: q, Searches: searches, Before: before, Openers: openers}
	}
	store.counts[lectern.SearchesByGrowing] = []lectern.SearchCount{
		grow("python", 1000, 990, 100), // popular, not trending
		grow("olympics", 40, 0, 12),    // (40+5)/(0+5) = 9
		grow("eclipse", 200, 20, 12),   // (200+5)/(20+5) = 8.2
		grow("one", 1, 0, 1),
	}
	p := newTestPhrases(store, nil)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ph := range p.Snapshot().Trending {
		got = append(got, ph.Text)
	}
	if d := cmp.Diff([]string{"olympics", "eclipse"}, got); d != "" {
		t.Error(d)
	}
}

// The newest spelling is shown, unless somebody piled marks upon it.
func TestShownSpelling(t *testing.T) {
	for query, want := range map[string]string{
		"SQL basics!":           "SQL basics",
		"c++ (advanced)":        "c++ advanced",
		"p\u0336y\u0336t\u0336": "pyt",
		"Gestión":               "Gestión",
	} {
		if got := shown(query, Fold(query)); got != want {
			t.Errorf("%q is shown as %q, want %q", query, got, want)
		}
	}
}

func TestRecent(t *testing.T) {
	ctx := t.Context()
	now := testClock()
	store := newFakeStore()
	store.recent = []lectern.Search{
		{Query: "blocked thing", Surface: lectern.SurfaceSearch}, {Query: "ada@example.org", Surface: lectern.SurfaceSearch},
		{Query: "pyth", Surface: lectern.SurfaceAutocomplete}, {Query: "python", Surface: lectern.SurfaceSearch},
	}
	cfg := DefaultConfig()
	cfg.Block = []string{"blocked"}
	p := NewPhrases(store, cfg, func() time.Time { return now }, quiet())
	ada := lectern.LearnerRef{ID: "ada"}
	recent := func(n int) []string {
		t.Helper()
		got, err := p.Recent(ctx, ada, n)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if d := cmp.Diff([]string{"blocked thing", "python"}, recent(5)); d != "" { // one's own is not blocked
		t.Error(d)
	}
	if got := recent(1); len(got) != 1 || store.reads != 1 {
		t.Errorf("%v after %d reads", got, store.reads)
	}
	now = now.Add(recentMemory)
	store.recent = nil
	if got := recent(5); len(got) != 0 || store.reads != 2 {
		t.Errorf("%v after %d reads", got, store.reads)
	}
	p.Forget(ada)
	if recent(5); store.reads != 3 {
		t.Errorf("%d reads after an erasure", store.reads)
	}
	if got, err := p.Recent(ctx, lectern.LearnerRef{}, 5); got != nil || err != nil || store.reads != 3 {
		t.Errorf("nobody has %v, %v", got, err)
	}
}

func TestRecentIsBounded(t *testing.T) {
	p := newTestPhrases(newFakeStore(), nil)
	for i := range 3 * maxRecent {
		if _, err := p.Recent(t.Context(), lectern.LearnerRef{ID: string(rune(i + 1))}, 1); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p.recent.young) + len(p.recent.old); n > maxRecent {
		t.Errorf("%d learners are remembered", n)
	}
}

// What was read before an erasure is not remembered after it.
func TestRecentForgetsWhatIsBeingRead(t *testing.T) {
	c := newRecentCache()
	ada := lectern.LearnerRef{ID: "ada"}
	before := c.version()
	c.forget(ada)
	c.put(ada, []string{"python"}, testClock(), before)
	if _, ok := c.get(ada, testClock()); ok {
		t.Error("an erased learner is remembered")
	}
}

func TestRunRefreshesAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		ctx, cancel := context.WithCancel(t.Context())
		p := newTestPhrases(store, nil)
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		synctest.Wait()
		if p.Snapshot().Version != 1 {
			t.Error("nothing is read at the start")
		}
		store.mu.Lock()
		store.counts[lectern.SearchesByWeight] = []lectern.SearchCount{counted("new", 1, 3)}
		store.mu.Unlock()
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if p.Snapshot().Version != 2 {
			t.Error("nothing is read after a minute")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	c := Config{Block: []string{" "}}
	var e *lectern.Error
	if !errors.As(c.Validate(), &e) {
		t.Fatal("an empty configuration is accepted")
	}
	var keys []string
	for _, f := range e.Fields {
		keys = append(keys, f.Field)
	}
	want := []string{"searchlog.flush_every", "searchlog.queue", "searchlog.learner_retention", "searchlog.refresh",
		"searchlog.half_life", "searchlog.min_openers", "searchlog.trending_period", "searchlog.block"}
	if d := cmp.Diff(want, keys); d != "" {
		t.Error(d)
	}
}
