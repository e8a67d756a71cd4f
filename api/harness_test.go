package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// testNow is when every test happens.
func testNow() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

// env is a server on a real store, with a ranker that answers from it.
type env struct {
	t      testing.TB
	server *Server
	store  *sqlite.Store
	ranker *storeRanker
	logs   *lockedBuffer
	now    time.Time
	keys   map[lectern.Scope]string
	ready  error // of the part "index"
	checks bool  // hold answers against the description
}

// lockedBuffer takes the log of concurrent requests.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// sharedSpec is read once for all tests: it never changes, and compiling every
// schema takes a moment.
var sharedSpec = sync.OnceValues(loadSpec)

// newEnv starts with an empty store and a key of each scope.
func newEnv(t testing.TB, change ...func(*Deps, *Config)) *env {
	t.Helper()
	ctx := t.Context()
	e := &env{t: t, now: testNow(), logs: &lockedBuffer{}, keys: make(map[lectern.Scope]string), checks: true}
	clock := func() time.Time { return e.now }
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := store.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	e.store, e.ranker = store, &storeRanker{store: store}
	deps := Deps{
		Ranker: e.ranker, Courses: store, Reviews: store, Learners: store, Rankings: store, Keys: store, Stats: store,
		Ingest: ingest.Service{Courses: store, Reviews: store, Learners: store, Events: store, Clock: clock},
		Checks: []Check{{Name: "index", Ready: func(context.Context) error { return e.ready }}},
		IndexStats: func(context.Context) (lectern.IndexStats, error) {
			return lectern.IndexStats{Points: 3, Vectors: map[string]int{"content": 3}}, nil
		},
		Registry: prometheus.NewRegistry(),
		Log:      slog.New(slog.NewJSONHandler(e.logs, &slog.HandlerOptions{Level: slog.LevelInfo})),
		Clock:    clock, Random: randomBytes(1), Version: "test",
	}
	cfg := DefaultConfig()
	cfg.RequestTimeout = 5 * time.Minute // a busy machine is not what is tested
	for _, f := range change {
		f(&deps, &cfg)
	}
	spec, err := sharedSpec()
	if err != nil {
		t.Fatal(err)
	}
	if e.server, err = newServer(ctx, deps, cfg, spec); err != nil {
		t.Fatal(err)
	}
	e.server.waits = waits{time.Minute, time.Minute}
	random := randomBytes(2)
	for _, scope := range lectern.Scopes() {
		text, key, err := NewKey(scope, "test "+string(scope), random, e.now)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.PutKey(ctx, key); err != nil {
			t.Fatal(err)
		}
		e.keys[scope] = text
	}
	return e
}

// on is the same environment for a subtest.
func (e *env) on(t testing.TB) *env {
	c := *e
	c.t = t
	return &c
}

// lockedReader makes a seeded source safe for concurrent requests, as
// crypto/rand.Reader is.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

func randomBytes(seed byte) io.Reader {
	return &lockedReader{r: rand.NewChaCha8(sha256.Sum256([]byte{seed}))}
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// header sets one header of a request.
type header struct{ name, value string }

// call sends a request with the key of a scope ("" sends none) and holds the
// answer against the description.
func (e *env) call(scope lectern.Scope, method, target, body string, headers ...header) answer {
	e.t.Helper()
	req := httptest.NewRequestWithContext(e.t.Context(), method, target, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if scope != "" {
		req.Header.Set("Authorization", "Bearer "+e.keys[scope])
	}
	for _, h := range headers {
		req.Header.Set(h.name, h.value)
	}
	rec := httptest.NewRecorder()
	e.server.Handler().ServeHTTP(rec, req)
	res := rec.Result()
	a := answer{t: e.t, status: res.StatusCode, header: res.Header, body: rec.Body.String()}
	if e.checks {
		e.conforms(req, a)
	}
	return a
}

// conforms fails the test when an answer is not as described.
func (e *env) conforms(req *http.Request, a answer) {
	e.t.Helper()
	if req.Method == http.MethodOptions || req.Method == http.MethodHead {
		return // without body
	}
	if a.status >= 400 && a.status != http.StatusServiceUnavailable {
		if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
			e.t.Errorf("%s %s: %d with content type %q", req.Method, req.URL.Path, a.status, ct)
		}
		if p := a.problem(); p.Status != a.status || p.Code == "" || p.Title == "" || p.Type == "" ||
			p.Instance != a.header.Get("X-Request-Id") {
			e.t.Errorf("%s %s: problem is not complete: %s", req.Method, req.URL.Path, a.body)
		}
	}
	if strings.Contains(req.URL.EscapedPath(), "%") || a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed {
		return // the validator finds paths by their decoded form, and only those described
	}
	if a.header.Get("Content-Type") == "application/x-ndjson" {
		dec := json.NewDecoder(strings.NewReader(a.body))
		dec.DisallowUnknownFields()
		for dec.More() {
			var l outcomeDTO
			if err := dec.Decode(&l); err != nil || l.Line < 1 || l.Status < 200 || l.Outcome == "" {
				e.t.Errorf("%s: line %+v: %v", req.URL.Path, l, err)
			}
		}
		return
	}
	ok, problems := e.server.spec.validator.ValidateHttpResponse(req, &http.Response{
		StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)),
	})
	if !ok {
		for _, p := range problems {
			e.t.Errorf("%s %s: the answer %d is not as described: %s: %s %v\n%.600s", req.Method, req.URL.Path, a.status, p.Message, p.Reason, p.SchemaValidationErrors, a.body)
		}
	}
}

func (a answer) problem() problem {
	a.t.Helper()
	var p problem
	a.into(&p)
	return p
}

func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		a.t.Fatalf("%v in %d %.300q", err, a.status, a.body)
	}
}

// want fails unless the status, and for problems the code, are these.
func (a answer) want(status int, code lectern.Code) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %.600s", a.status, status, a.body)
	}
	if code != "" {
		if p := a.problem(); p.Code != code {
			a.t.Fatalf("code %q, want %q: %s", p.Code, code, a.body)
		}
	}
	return a
}

// mentions fails unless every word is in the body.
func (a answer) mentions(words ...string) answer {
	a.t.Helper()
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			a.t.Errorf("%q is not in %.900s", w, a.body)
		}
	}
	return a
}

// putCourses stores courses with these ids, in order.
func (e *env) putCourses(ids ...string) {
	e.t.Helper()
	for _, id := range ids {
		e.call(lectern.ScopeServer, "PUT", "/v1/courses/"+id, fmt.Sprintf(`{"title":"Course %s"}`, id)).want(http.StatusCreated, "")
	}
}

func (e *env) token(learner string) string {
	e.t.Helper()
	var out struct{ Token string }
	e.call(lectern.ScopeServer, "POST", "/v1/learners/"+learner+"/token", "").want(http.StatusCreated, "").into(&out)
	return out.Token
}

// storeRanker lists the catalogue in the order in which it came. It keeps the
// last request, pages by cursors that know their request, and fails on demand.
type storeRanker struct {
	store *sqlite.Store
	mu    sync.Mutex
	last  lectern.ListRequest
	trace lectern.TraceRequest
	fail  error
	boom  bool
	with  func(*lectern.List)
}

func (r *storeRanker) seen() lectern.ListRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *storeRanker) List(ctx context.Context, req lectern.ListRequest) (lectern.List, error) {
	r.mu.Lock()
	r.last = req
	r.mu.Unlock()
	if r.boom {
		panic("the ranker fell over")
	}
	if r.fail != nil {
		return lectern.List{}, r.fail
	}
	all, _, err := r.store.ScanCourses(ctx, 0, 1000)
	if err != nil {
		return lectern.List{}, err
	}
	from, of := 0, fmt.Sprintf("%s|%s|%s|%v", req.Surface, req.Query, req.CourseID, req.Learner)
	if req.Cursor != "" {
		cur, err := parsePageCursor(req.Cursor, of)
		if err != nil {
			return lectern.List{}, err
		}
		from = int(cur.After)
	}
	l := lectern.List{RankingID: "0195-ranking", Total: len(all), ConfigVersion: "c1",
		Timings: []lectern.Timing{{Stage: "candidates", Duration: 1500 * time.Microsecond}}}
	for i := from; i < min(from+req.Limit, len(all)); i++ {
		it := lectern.Item{Course: all[i], Position: i, Score: 1 / float64(i+1), Sources: []string{"popular"},
			Reasons: []lectern.Reason{{Code: "popular"}}}
		if req.Explain {
			it.Terms = []lectern.Term{{Name: "popularity", Value: 1, Weight: it.Score, Contribution: it.Score}}
		}
		l.Items = append(l.Items, it)
	}
	if from+req.Limit < len(all) {
		l.NextCursor = pageCursor{Of: of, After: int64(from + req.Limit)}.String()
	}
	if r.with != nil {
		r.with(&l)
	}
	return l, nil
}

func (r *storeRanker) Trace(ctx context.Context, req lectern.TraceRequest) (lectern.Trace, error) {
	r.mu.Lock()
	r.trace = req
	r.mu.Unlock()
	found, err := r.store.Courses(ctx, []string{req.CourseID})
	if err != nil {
		return lectern.Trace{}, err
	}
	if len(found) == 0 {
		return lectern.Trace{}, lectern.Errorf(lectern.CodeNotFound, "there is no such course")
	}
	at := 0
	return lectern.Trace{CourseID: req.CourseID, Outcome: "ranked", Position: &at, Score: .5,
		Stages: []lectern.TraceStage{{Stage: "exists", Passed: true, Detail: "is in the catalogue"}},
		Terms:  []lectern.Term{{Name: "quality", Value: .5, Weight: 1, Contribution: .5}}}, nil
}
