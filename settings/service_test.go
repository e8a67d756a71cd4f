package settings_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
	"github.com/lectern-dev/lectern/store/sqlite"
)

func open(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func service(t *testing.T, store lectern.SettingsStore, change ...func(*settings.Options)) *settings.Service {
	t.Helper()
	o := settings.Options{
		Config: settings.DefaultConfig(), Store: store, File: rerank.DefaultConfig(),
		Clock: lectern.SystemClock, Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&o)
	}
	s, err := settings.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// patch is a merge patch of one number.
func patch(n int, match string) settings.Change {
	return settings.Change{Body: fmt.Appendf(nil, `{"terms":{"rating_prior":%d}}`, n), IfMatch: match, Author: "key", Comment: fmt.Sprint(n)}
}

func wantCode(t *testing.T, err error, want lectern.Code) {
	t.Helper()
	if lectern.ErrorCode(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func prior(t *testing.T, d settings.Document) float64 {
	t.Helper()
	cfg, err := rerank.Parse(d.Body)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Terms.RatingPrior
}

func TestRound(t *testing.T) {
	ctx, store := t.Context(), open(t)
	s := service(t, store)
	file, err := s.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if file.Version != 0 || !strings.HasPrefix(file.ETag, `"v0-`) || s.Reranker().Version() != file.Name || file.ActiveSince != nil {
		t.Errorf("the file's: %+v", file)
	}

	one, err := s.Patch(ctx, patch(30, file.ETag))
	if err != nil {
		t.Fatal(err)
	}
	if one.Name != "v1" || one.ETag != `"v1"` || !one.Changed || s.Reranker().Version() != "v1" || prior(t, one.Document) != 30 {
		t.Errorf("first: %+v, in use %s", one, s.Reranker().Version())
	}
	if d := cmp.Diff([]rerank.Change{{Path: "terms.rating_prior", From: json.RawMessage("20"), To: json.RawMessage("30")}}, one.Diff); d != "" {
		t.Errorf("diff (-want +got):\n%s", d)
	}

	// What is read may be written: no change, no version.
	got, err := s.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	same, err := s.Put(ctx, settings.Change{Body: got.Body, IfMatch: got.ETag})
	if err != nil || same.Changed || same.Version != 1 || len(same.Diff) != 0 {
		t.Errorf("the same again: %+v, %v", same, err)
	}

	// Stale and bad changes change nothing.
	_, err = s.Patch(ctx, patch(40, file.ETag))
	wantCode(t, err, lectern.CodePrecondition)
	if e, ok := errors.AsType[*lectern.Error](err); !ok || e.Fields[0].Allowed != `"v1"` || !strings.Contains(e.Message, "v1 is in use") {
		t.Errorf("stale: %v", err)
	}
	for _, tag := range []string{`W/"v1"`, `"v2"`, `"v0-x", "v9"`} {
		_, err = s.Patch(ctx, patch(40, tag))
		wantCode(t, err, lectern.CodePrecondition)
	}
	_, err = s.Patch(ctx, patch(40, `"v 1"`))
	wantCode(t, err, lectern.CodeInvalid)
	_, err = s.Patch(ctx, patch(-1, one.ETag))
	wantCode(t, err, lectern.CodeInvalid)
	long := patch(40, one.ETag)
	long.Comment = strings.Repeat("x", 1001)
	_, err = s.Patch(ctx, long)
	wantCode(t, err, lectern.CodeInvalid)
	if v, _, err := store.ActiveSettings(ctx, lectern.SettingsRerank); err != nil || v.Version != 1 {
		t.Errorf("version %d, %v after bad changes", v.Version, err)
	}

	two, err := s.Patch(ctx, patch(40, `"v0-x", "v1"`))
	if err != nil || two.Version != 2 {
		t.Fatalf("second: %+v, %v", two, err)
	}

	// Back, and to the file's, and on.
	back, err := s.Activate(ctx, 1, settings.Change{Author: "boss", Comment: "back", IfMatch: two.ETag})
	if err != nil || back.ETag != one.ETag || !back.Changed || s.Reranker().Version() != "v1" || len(back.Diff) != 1 {
		t.Errorf("back: %+v, %v", back, err)
	}
	_, err = s.Activate(ctx, 2, settings.Change{IfMatch: two.ETag})
	wantCode(t, err, lectern.CodePrecondition)
	_, err = s.Activate(ctx, 9, settings.Change{})
	wantCode(t, err, lectern.CodeNotFound)
	if again, err := s.Activate(ctx, 1, settings.Change{}); err != nil || again.Changed {
		t.Errorf("again: %+v, %v", again, err)
	}
	zero, err := s.Activate(ctx, 0, settings.Change{Author: "boss", Comment: "file"})
	if err != nil || zero.ETag != file.ETag || s.Reranker().Version() != file.Name || prior(t, zero.Document) != 20 {
		t.Errorf("the file's again: %+v, %v", zero, err)
	}
	three, err := s.Patch(ctx, patch(50, "*"))
	if err != nil || three.Version != 3 {
		t.Errorf("on from the file's: %+v, %v", three, err)
	}
	checkVersions(t, s)
}

// checkVersions looks at what TestRound has done.
func checkVersions(t *testing.T, s *settings.Service) {
	t.Helper()
	var got []string
	for before := int64(0); ; {
		list, next, err := s.Versions(t.Context(), before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			line := fmt.Sprintf("%d active=%v by %q for %q:", v.Version, v.Active, v.Author, v.Comment)
			for _, c := range v.Diff {
				line += fmt.Sprintf(" %s→%s", c.From, c.To)
			}
			for _, a := range v.Activations {
				line += fmt.Sprintf(" [%s %s]", a.Author, a.Comment)
			}
			got = append(got, line)
			if v.Body != nil {
				t.Errorf("version %d lists its document", v.Version)
			}
			one, err := s.Version(t.Context(), v.Version)
			if err != nil || one.Body == nil || len(one.Diff) != len(v.Diff) || len(one.Activations) != len(v.Activations) || !one.Readable {
				t.Errorf("version %d by itself: %+v, %v", v.Version, one, err)
			}
		}
		if before = next; next == 0 {
			break
		}
	}
	want := []string{
		`3 active=true by "key" for "50": 20→50 [key 50]`,
		`2 active=false by "key" for "40": 30→40 [key 40]`,
		`1 active=false by "key" for "30": 20→30 [boss back] [key 30]`,
		`0 active=false by "" for "": [boss file]`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("versions (-want +got):\n%s", d)
	}
	_, err := s.Version(t.Context(), 9)
	wantCode(t, err, lectern.CodeNotFound)
	if d, err := s.Diff(t.Context(), 1, 2); err != nil || len(d) != 1 || string(d[0].To) != "40" {
		t.Errorf("from 1 to 2: %v, %v", d, err)
	}
	if d, err := s.Diff(t.Context(), 3, 0); err != nil || len(d) != 1 || string(d[0].To) != "20" {
		t.Errorf("from 3 to the file's: %v, %v", d, err)
	}
	_, err = s.Diff(t.Context(), 3, 8)
	wantCode(t, err, lectern.CodeNotFound)
}

// Writers race; each tries again from what is in use when it was too late. Nothing is
// lost.
func TestWritersLoseNothing(t *testing.T) {
	ctx, store := t.Context(), open(t)
	const writers, each = 4, 4
	var group sync.WaitGroup
	for w := range writers {
		s := service(t, store) // each a process of its own
		group.Go(func() {
			for i := range each {
				for {
					d, err := s.Get(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					cfg := d.Config
					cfg.Rules = append(cfg.Rules[:len(cfg.Rules):len(cfg.Rules)], rerank.Rule{
						ID: fmt.Sprintf("r%d-%d", w, i), Action: rerank.RuleHide, Courses: []string{"x"},
					})
					body, err := rerank.Document(cfg)
					if err != nil {
						t.Error(err)
						return
					}
					r, err := s.Put(ctx, settings.Change{Body: body, IfMatch: d.ETag})
					if lectern.ErrorCode(err) == lectern.CodePrecondition {
						continue
					}
					if err != nil || !r.Changed {
						t.Errorf("%+v, %v", r, err)
						return
					}
					break
				}
			}
		})
	}
	group.Wait()
	d, err := service(t, store).Get(ctx)
	if err != nil || d.Version != writers*each || len(d.Config.Rules) != writers*each {
		t.Errorf("version %d with %d rules, %v; want %d", d.Version, len(d.Config.Rules), err, writers*each)
	}
}

// Patches that name no version overtake others, but are made anew from what they find.
func TestPatchesWithoutVersionMeet(t *testing.T) {
	ctx, store := t.Context(), open(t)
	names := []string{"rating_prior", "sentiment_prior", "completion_prior", "comfortable_weeks", "exposure_days"}
	var group sync.WaitGroup
	for _, name := range names {
		s := service(t, store)
		group.Go(func() {
			if _, err := s.Patch(ctx, settings.Change{Body: fmt.Appendf(nil, `{"terms":{%q:77}}`, name), IfMatch: "*"}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	d, err := service(t, store).Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got := d.Config.Terms
	if got.RatingPrior != 77 || got.SentimentPrior != 77 || got.CompletionPrior != 77 || got.ComfortableWeeks != 77 || got.ExposureDays != 77 {
		t.Errorf("a patch was lost: %+v", got)
	}
}

// What another process stored is in use after the next look; what this build cannot
// read never is, and the settings before stay.
func TestLook(t *testing.T) {
	ctx, store := t.Context(), open(t)
	a, b := service(t, store), service(t, store)
	if _, err := a.Patch(ctx, patch(30, "*")); err != nil {
		t.Fatal(err)
	}
	if b.Reranker().Version() == "v1" {
		t.Error("known before a look")
	}
	look := func(want string, stuck int64) {
		t.Helper()
		if err := b.Look(ctx); err != nil {
			t.Fatal(err)
		}
		if got := b.Reranker().Version(); got != want || b.Unreadable() != stuck {
			t.Errorf("in use %s, unreadable %d; want %s and %d", got, b.Unreadable(), want, stuck)
		}
	}
	look("v1", 0)
	later := lectern.SettingsVersion{Kind: lectern.SettingsRerank, Body: json.RawMessage(`{"terms":{"rating_prior":30},"of_a_later_build":1}`), Base: 1}
	if _, err := store.PutSettings(ctx, later); err != nil {
		t.Fatal(err)
	}
	look("v1", 2)
	look("v1", 2)
	d, err := b.Get(ctx)
	if err != nil || d.Version != 2 || d.Readable || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0].Message, "of_a_later_build") {
		t.Errorf("%+v, %v", d, err)
	}
	if c := service(t, store); c.Unreadable() != 2 || c.Reranker().Version() != "v1" {
		t.Errorf("started beside it: %s", c.Reranker().Version())
	}
	_, err = b.Activate(ctx, 2, settings.Change{})
	wantCode(t, err, lectern.CodeRefused)
	if v, err := b.Version(ctx, 2); err != nil || v.Readable || len(v.Diff) == 0 {
		t.Errorf("%+v, %v", v, err)
	}

	// A patch may mend it, and so may going back.
	if r, err := b.Patch(ctx, settings.Change{Body: []byte(`{"of_a_later_build":null}`), IfMatch: `"v2"`}); err != nil || r.Name != "v3" {
		t.Errorf("%+v, %v", r, err)
	}
	look("v3", 0)
	if r, err := b.Activate(ctx, 1, settings.Change{}); err != nil || r.Name != "v1" || !r.Changed {
		t.Errorf("%+v, %v", r, err)
	}
	look("v1", 0)
	since := func() time.Time { _, at := b.InUse(); return at }
	before := since()
	if before.IsZero() {
		t.Error("in use since never")
	}
	if _, err := a.Activate(ctx, 0, settings.Change{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Look(ctx); err != nil || !strings.HasPrefix(b.Reranker().Version(), "v0-") || since().Before(before) {
		t.Errorf("%s since %v, %v", b.Reranker().Version(), since(), err)
	}
}

func TestWarnings(t *testing.T) {
	ctx := t.Context()
	s := service(t, open(t), func(o *settings.Options) {
		o.Warn = func(c rerank.Config) []settings.Warning {
			if c.Terms.RatingPrior > 100 {
				return []settings.Warning{{Message: "that is a lot"}}
			}
			return nil
		}
	})
	r, err := s.Patch(ctx, patch(200, "*"))
	if err != nil || len(r.Warnings) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if v, err := s.Version(ctx, 1); err != nil || len(v.Warnings) != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	if r, err = s.Patch(ctx, patch(20, "*")); err != nil || r.Warnings == nil || len(r.Warnings) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestFileMustBeUsable(t *testing.T) {
	bad := rerank.DefaultConfig()
	bad.Terms.RatingPrior = -1
	_, err := settings.New(settings.Options{File: bad})
	wantCode(t, err, lectern.CodeInvalid)
}

// scripted is a store whose version in use a test sets, with or without hints.
type scripted struct {
	lectern.SettingsStore

	mu      sync.Mutex
	version int64
	fail    error
	changed func()
}

func (s *scripted) ActiveSettings(context.Context, string) (lectern.SettingsVersion, lectern.SettingsActivation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return lectern.SettingsVersion{}, lectern.SettingsActivation{}, s.fail
	}
	if s.version == 0 {
		return lectern.SettingsVersion{}, lectern.SettingsActivation{}, lectern.Errorf(lectern.CodeNotFound, "none")
	}
	return lectern.SettingsVersion{Version: s.version, Body: json.RawMessage("{}")}, lectern.SettingsActivation{Seq: s.version, Version: s.version}, nil
}

func (s *scripted) set(version int64, fail error) (changed func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version, s.fail = version, fail
	return s.changed
}

// hinting gives hints too.
type hinting struct{ scripted }

func (s *hinting) WatchSettings(ctx context.Context, changed func()) error {
	s.mu.Lock()
	s.changed = changed
	s.mu.Unlock()
	<-ctx.Done()
	return nil
}

// Run polls, follows hints at once, and keeps what it has while the store is away.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		store := &hinting{}
		s := service(t, store)
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()
		in := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := s.Reranker().Version(); got != want {
				t.Errorf("in use %s, want %s", got, want)
			}
		}
		changed := store.set(1, nil)
		time.Sleep(999 * time.Millisecond)
		changed() // hints come together
		changed()
		in("v1")
		store.set(2, nil) // and not at all
		time.Sleep(time.Second)
		in("v2")
		store.set(3, errors.New("away"))
		time.Sleep(10 * time.Second)
		in("v2")
		store.set(3, nil)
		time.Sleep(time.Second)
		in("v3")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestConfig(t *testing.T) {
	if err := settings.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, poll := range []time.Duration{0, -time.Second, time.Hour} {
		wantCode(t, settings.Config{Poll: poll}.Validate(), lectern.CodeInvalid)
	}
}
