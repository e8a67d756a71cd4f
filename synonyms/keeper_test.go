package synonyms_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite"
	"github.com/lectern-dev/lectern/synonyms"
	"github.com/lectern-dev/lectern/text"
)

// process is a keeper with what it put to use.
type process struct {
	*synonyms.Keeper
	mu   sync.Mutex
	used []*text.Synonyms
	logs bytes.Buffer
}

func (p *process) variants(q string) (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.used) == 0 {
		return nil
	}
	for _, v := range p.used[len(p.used)-1].Variants(q) {
		out = append(out, v.Text)
	}
	return out
}

func newStore(t testing.TB) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func start(store synonyms.Store, name string) *process {
	p := &process{}
	p.Keeper = synonyms.New(synonyms.Options{
		Store: store, Holder: name, Clock: lectern.SystemClock, Logger: slog.New(slog.NewTextHandler(&p.logs, nil)),
		Use: []func(*text.Synonyms){func(s *text.Synonyms) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.used = append(p.used, s)
		}},
	})
	return p
}

func rules(pairs ...string) lectern.SynonymRules {
	var r lectern.SynonymRules
	for i := 0; i < len(pairs); i += 2 {
		r.Rules = append(r.Rules, lectern.SynonymRule{From: pairs[i], To: []string{pairs[i+1]}})
	}
	return r
}

func at(version int64) *int64 { return &version }

func TestRulesComeIntoUse(t *testing.T) {
	store := newStore(t)
	ctx := t.Context()
	here, there := start(store, "here"), start(store, "there")
	look := func(p *process) {
		t.Helper()
		if err := p.Look(ctx); err != nil {
			t.Fatal(err)
		}
	}
	look(here)
	if r, err := here.Synonyms(ctx); err != nil || r.Version != 0 || len(r.Rules) != 0 {
		t.Fatalf("before any: %+v, %v", r, err)
	}
	first, warnings, err := here.PutSynonyms(ctx, rules("sourdough", "bread baking", "x1", "x1"), at(0))
	if err != nil || first.Version == 0 || len(warnings) != 1 {
		t.Fatalf("%+v, %v, %v", first, warnings, err)
	}
	if d := cmp.Diff([]string{"bread baking"}, here.variants("sourdough")); d != "" {
		t.Errorf("here: %s", d)
	}
	if there.variants("sourdough") != nil {
		t.Error("there already")
	}
	look(there)
	look(there) // once is enough
	if d := cmp.Diff([]string{"bread baking"}, there.variants("sourdough")); d != "" || len(there.used) != 1 {
		t.Errorf("there: %d, %s", len(there.used), d)
	}
	got, err := there.Synonyms(ctx)
	if err != nil || !cmp.Equal(first, got) {
		t.Errorf("%+v, %v", got, err)
	}

	// The same again is no change, whatever it was made from.
	again, _, err := there.PutSynonyms(ctx, first, at(0))
	if err != nil || again.Version != first.Version {
		t.Errorf("%+v, %v", again, err)
	}
	// Somebody else was faster.
	second, _, err := there.PutSynonyms(ctx, rules("js", "javascript"), at(first.Version))
	if err != nil || second.Version <= first.Version {
		t.Fatalf("%+v, %v", second, err)
	}
	_, _, err = here.PutSynonyms(ctx, rules("ml", "machine learning"), at(first.Version))
	e, ok := errors.AsType[*lectern.Error](err)
	if !ok || e.Code != lectern.CodeConflict || e.Fields[0].Field != "version" || e.Fields[0].Allowed != fmt.Sprint(second.Version) {
		t.Errorf("%v", err)
	}
	// Bad rules change nothing.
	if _, _, err := here.PutSynonyms(ctx, rules("", "x"), nil); lectern.ErrorCode(err) != lectern.CodeInvalid || !strings.Contains(err.Error(), "rules[0].from") {
		t.Errorf("%v", err)
	}
	// None is a version too.
	none, _, err := here.PutSynonyms(ctx, lectern.SynonymRules{}, at(second.Version))
	if err != nil || here.variants("js") != nil {
		t.Errorf("%+v, %v", none, err)
	}
	restarted := start(store, "later")
	look(restarted)
	if r, err := restarted.Synonyms(ctx); err != nil || r.Version != none.Version || restarted.variants("js") != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestOnlyAFewVersionsAreKept(t *testing.T) {
	store := newStore(t)
	p := start(store, "p")
	for i := range synonyms.Kept + 5 {
		if _, _, err := p.PutSynonyms(t.Context(), rules("a1", fmt.Sprint("b", i)), nil); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := store.Artefacts(t.Context(), synonyms.Kind)
	if err != nil || len(kept) != synonyms.Kept || !kept[0].Active {
		t.Errorf("%d versions, the newest %+v, %v", len(kept), kept[0], err)
	}
}

// Of changes made from the same version at the same time, one wins.
func TestOneOfManyWins(t *testing.T) {
	store := newStore(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	processes := []*process{start(store, "p0"), start(store, "p1"), start(store, "p2")}
	for i := range 9 {
		p := processes[i%3] // three requests in each process
		wg.Go(func() {
			_, _, err := p.PutSynonyms(t.Context(), rules("a1", fmt.Sprint("b", i)), at(0))
			mu.Lock()
			defer mu.Unlock()
			switch lectern.ErrorCode(err) {
			case "":
				won++
			case lectern.CodeConflict:
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

func TestDamageIsLoggedOnce(t *testing.T) {
	store := newStore(t)
	ctx := t.Context()
	p := start(store, "p")
	if _, _, err := p.PutSynonyms(ctx, rules("js", "javascript"), nil); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"{", `{"rules":[{}]}`} {
		p.logs.Reset()
		v, err := store.PutArtefact(ctx, lectern.Artefact{Kind: synonyms.Kind}, []byte(body))
		if err == nil {
			err = store.ActivateArtefact(ctx, synonyms.Kind, v)
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := p.Look(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(p.logs.String(), "cannot be read"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, p.logs.String())
		}
		if len(p.variants("js")) != 1 {
			t.Error("the rules before are gone")
		}
	}
	if _, _, err := p.PutSynonyms(ctx, rules("ml", "machine learning"), nil); err != nil || len(p.variants("ml")) != 1 {
		t.Errorf("they cannot be replaced: %v", err)
	}
}

// downStore fails while it is down.
type downStore struct {
	*sqlite.Store
	down bool
}

func (d *downStore) ActiveArtefact(ctx context.Context, kind string) (lectern.Artefact, error) {
	if d.down {
		return lectern.Artefact{}, lectern.Errorf(lectern.CodeUnavailable, "the store is down")
	}
	return d.Store.ActiveArtefact(ctx, kind)
}

func TestRunFollowsUntilItEnds(t *testing.T) {
	store := &downStore{Store: newStore(t)}
	writer, reader := start(store.Store, "writer"), start(store, "reader")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- reader.Run(ctx) }()
	if _, _, err := writer.PutSynonyms(t.Context(), rules("js", "javascript"), nil); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); len(reader.variants("js")) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("not seen")
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	store.down = true
	if err := reader.Look(t.Context()); lectern.ErrorCode(err) != lectern.CodeUnavailable || len(reader.variants("js")) != 1 {
		t.Errorf("%v", err)
	}
}
