package api

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func TestHealthAndReadiness(t *testing.T) {
	e := newEnv(t)
	e.call("", "GET", "/healthz", "").want(200, "").mentions("ok")
	var out struct {
		Status string
		Parts  []partDTO
	}
	e.call("", "GET", "/readyz", "").want(200, "").into(&out)
	if out.Status != "ready" || len(out.Parts) != 2 {
		t.Errorf("%+v", out)
	}
	e.ready = lectern.Errorf(lectern.CodeUnavailable, "12 of 3,529 courses")
	e.call("", "GET", "/readyz", "").want(503, "").into(&out)
	if out.Status != "not_ready" || !out.Parts[0].Ready || out.Parts[1] != (partDTO{Name: "index", Detail: "12 of 3,529 courses"}) {
		t.Errorf("%+v", out)
	}
	e.call("", "GET", "/healthz", "").want(200, "") // alive all the same
}

type downStats struct{ lectern.StatsStore }

func (downStats) Ping(context.Context) error { return errors.New("/var/lib/x: disk I/O error") }

func TestStoreDownIsNotReady(t *testing.T) {
	e := newEnv(t, func(d *Deps, _ *Config) { d.Stats = downStats{d.Stats} })
	a := e.call("", "GET", "/readyz", "").want(503, "").mentions(`"name":"store"`, "does not answer")
	if strings.Contains(a.body, "/var") {
		t.Error("readiness tells paths")
	}
}

func TestMetricsHaveNoIDs(t *testing.T) {
	e := newEnv(t)
	e.putCourses("secret-course")
	e.call(lectern.ScopeServer, "GET", "/v1/learners/secret-learner/recommendations", "").want(200, "")
	e.call(lectern.ScopePublic, "GET", "/v1/search?q=secret-query", "").want(200, "")
	e.call(lectern.ScopePublic, "GET", "/secret-path", "").want(404, "")
	e.call("", "SECRET", "/v1/search", "").want(405, "")
	a := e.call("", "GET", "/metrics", "").want(200, "").mentions(
		`lectern_http_requests_total{method="GET",route="/v1/learners/{id}/recommendations",status="200"} 1`,
		`lectern_http_requests_total{method="GET",route="unmatched",status="404"}`,
		`lectern_http_request_duration_seconds_bucket{method="GET",route="/v1/search",le="0.005"}`,
		`lectern_list_stage_duration_seconds_count{stage="candidates",surface="search"} 1`,
		`lectern_ingest_rows_total{kind="courses",outcome="created"} 1`,
		"lectern_http_requests_in_flight 1",
	)
	if strings.Contains(strings.ToLower(a.body), "secret") {
		t.Error("metrics hold ids")
	}
	if strings.Contains(strings.ToLower(e.logs.String()), "secret") {
		t.Error("the log holds ids or queries")
	}
	if !strings.Contains(e.logs.String(), `"route":"/v1/search"`) || !strings.Contains(e.logs.String(), `"request_id"`) {
		t.Errorf("no access log: %s", e.logs)
	}
}

func TestRequestID(t *testing.T) {
	e := newEnv(t)
	for given, kept := range map[string]bool{"abc-123": true, "a b": false, "x\ny": false, strings.Repeat("a", 65): false, "<script>": false} {
		got := e.call("", "GET", "/healthz", "", header{"X-Request-Id", given}).header.Get("X-Request-Id")
		if (got == given) != kept || got == "" {
			t.Errorf("%q came back as %q", given, got)
		}
	}
	a := e.call(lectern.ScopePublic, "GET", "/v1/nothing", "", header{"X-Request-Id", "abc-123"})
	if a.problem().Instance != "abc-123" {
		t.Error(a.body)
	}
}

// The viewer loads nothing from elsewhere, and its files are in the binary.
func TestDocsAreSelfContained(t *testing.T) {
	e := newEnv(t)
	page := e.call("", "GET", "/docs", "").want(200, "").mentions("/openapi.yaml", "swagger-ui-bundle.js")
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
		if !strings.HasPrefix(m[1], "/docs/") {
			t.Errorf("the page loads %s", m[1])
			continue
		}
		if a := e.call("", "GET", m[1], ""); a.status != 200 || len(a.body) < 200 {
			t.Errorf("%s: %d, %d bytes", m[1], a.status, len(a.body))
		}
	}
	if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "http") {
		t.Errorf("policy %q", csp)
	}
	e.call("", "GET", "/docs/none.js", "").want(404, lectern.CodeNotFound)
	yaml := e.call("", "GET", "/openapi.yaml", "").want(200, "")
	if yaml.body != string(OpenAPI()) || !strings.HasPrefix(yaml.body, "openapi: 3.1.0") {
		t.Error("another file is served")
	}
	e.call("", "GET", "/", "").want(200, "").mentions("/docs", `"version":"test"`)
}

func TestCORS(t *testing.T) {
	e := newEnv(t, func(_ *Deps, c *Config) { c.AllowedOrigins = []string{"https://learn.example.org"} })
	good, bad := header{"Origin", "https://learn.example.org"}, header{"Origin", "https://evil.example.org"}
	ask := header{"Access-Control-Request-Method", "POST"}
	a := e.call("", "OPTIONS", "/v1/events", "", good, ask)
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != good.value ||
		!strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "X-Learner-Token") {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := e.call("", "OPTIONS", "/v1/events", "", bad, ask); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another origin may call")
	}
	a = e.call(lectern.ScopePublic, "GET", "/v1/recommendations", "", good)
	if a.header.Get("Access-Control-Allow-Origin") != good.value || a.header.Get("Vary") == "" || a.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%v", a.header)
	}
	// Also errors can be read by the page.
	if a := e.call("", "GET", "/v1/recommendations", "", good); a.status != 401 || a.header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	closed := newEnv(t)
	if a := closed.call("", "GET", "/healthz", "", good); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("without a list every origin may call")
	}
}

func TestStats(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a", "b")
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/stats", "").want(200, "").mentions(`"courses":2`, `"points":3`)
}

type fakeReindexer struct {
	status ReindexStatus
	asked  []ReindexRequest
}

func (f *fakeReindexer) StartReindex(_ context.Context, r ReindexRequest) error {
	f.asked = append(f.asked, r)
	if f.status.State == ReindexRunning {
		return lectern.Errorf(lectern.CodeConflict, "a run is under way")
	}
	at := testNow()
	f.status = ReindexStatus{State: ReindexRunning, Phase: "embedding", Done: 1, Total: 2, StartedAt: &at}
	return nil
}

func (f *fakeReindexer) ReindexStatus(context.Context) (ReindexStatus, error) { return f.status, nil }

func (f *fakeReindexer) Generations(context.Context) ([]Generation, error) {
	return []Generation{
		{Version: 7, Active: true, Embedder: "openai", Fingerprint: "f", Dimension: 384, CreatedAt: testNow(), Reason: "asked for", Indexed: true},
		{Version: 1, CreatedAt: testNow()},
	}, nil
}

func TestReindexRequests(t *testing.T) {
	fake := &fakeReindexer{status: ReindexStatus{State: ReindexIdle}}
	e := newEnv(t, func(d *Deps, _ *Config) { d.Reindexer = fake })
	for body, want := range map[string]ReindexRequest{
		"": {}, "{}": {}, `{"embedder":"local"}`: {Embedder: "local"}, `{"rollback":true}`: {Rollback: true},
		`{"generation":7}`: {Generation: 7}, `{"embedder":"openai","rollback":false}`: {Embedder: "openai"},
	} {
		fake.status, fake.asked = ReindexStatus{}, nil
		e.call(lectern.ScopeAdmin, "POST", "/v1/admin/reindex", body).want(202, "")
		if diff := cmp.Diff([]ReindexRequest{want}, fake.asked); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	fake.asked = nil
	for body, code := range map[string]lectern.Code{
		`{"embedder":"ollama"}`: lectern.CodeInvalid, `{"generation":0}`: lectern.CodeInvalid, `{"generation":"7"}`: lectern.CodeInvalid,
		`{"rollback":true,"generation":7}`: lectern.CodeInvalid, `{"embedder":"local","rollback":true}`: lectern.CodeInvalid,
		`{"embeder":"local"}`: lectern.CodeUnknownField,
	} {
		e.call(lectern.ScopeAdmin, "POST", "/v1/admin/reindex", body).want(400, code)
	}
	if len(fake.asked) > 0 {
		t.Errorf("bad requests were passed on: %v", fake.asked)
	}
	e.call(lectern.ScopeAdmin, "POST", "/v1/admin/reindex", `{"rollback":true,"generation":7}`).want(400, "").mentions(`"rollback"`, `"generation"`)
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/generations", "").want(200, "").mentions(`"version":7`, `"dimension":384`, `"version":1`)
	newEnv(t).call(lectern.ScopeAdmin, "GET", "/v1/admin/generations", "").want(200, "").mentions(`"generations":[]`)
}

func TestReindex(t *testing.T) {
	e := newEnv(t, func(d *Deps, _ *Config) { d.Reindexer = &fakeReindexer{status: ReindexStatus{State: ReindexIdle}} })
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/reindex", "").want(200, "").mentions(`"state":"idle"`)
	e.call(lectern.ScopeAdmin, "POST", "/v1/admin/reindex", "").want(202, "").mentions(`"state":"running"`)
	e.call(lectern.ScopeAdmin, "POST", "/v1/admin/reindex", "").want(409, lectern.CodeConflict)
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/reindex", "").want(200, "").mentions(`"phase":"embedding"`)
	none := newEnv(t)
	none.call(lectern.ScopeAdmin, "GET", "/v1/admin/reindex", "").want(200, "").mentions("idle")
	none.call(lectern.ScopeAdmin, "POST", "/v1/admin/reindex", "").want(503, lectern.CodeUnavailable)
}

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for key, change := range map[string]func(*Config){
		"api.max_page":           func(c *Config) { c.MaxPage = 101 },
		"api.default_page":       func(c *Config) { c.DefaultPage = 0 },
		"api.max_retire_share":   func(c *Config) { c.MaxRetireShare = 1.5 },
		"api.allowed_origins":    func(c *Config) { c.AllowedOrigins = []string{"example.org"} },
		"api.max_token_lifetime": func(c *Config) { c.MaxTokenLifetime = 1 << 50 },
		"api.key_cache_ttl":      func(c *Config) { c.KeyCacheTTL = -1 },
		"api.max_body_bytes":     func(c *Config) { c.MaxBodyBytes = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestDepsAreChecked(t *testing.T) {
	if _, err := New(t.Context(), Deps{}, DefaultConfig()); err == nil || !strings.Contains(err.Error(), "Ranker") {
		t.Error(err)
	}
}

// The guide names routes and event types that exist.
func TestGuidesNameWhatExists(t *testing.T) {
	known := make(map[string]bool)
	for _, r := range routes() {
		known[r.path] = true
	}
	for _, name := range []string{"api.md", "events.md"} {
		text, err := os.ReadFile(filepath.Join("..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`(?:[A-Z]+ )?(/v1/[a-z_/{}]+)`").FindAllStringSubmatch(string(text), -1) {
			if !known[m[1]] {
				t.Errorf("%s names %s, which is no route", name, m[1])
			}
		}
		if name == "events.md" {
			for _, typ := range lectern.EventTypes() {
				if !strings.Contains(string(text), "| `"+string(typ)+"` |") {
					t.Errorf("events.md has no row for %s", typ)
				}
			}
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	e := newEnv(b)
	e.checks = false
	for range 1 {
		e.putCourses("a", "b", "c")
	}
	b.ReportAllocs()
	for b.Loop() {
		if a := e.call(lectern.ScopePublic, http.MethodGet, "/v1/search?q=statistics&limit=10&level=beginner&max_hours=20", ""); a.status != 200 {
			b.Fatal(a.body)
		}
	}
}

func BenchmarkValidateGET(b *testing.B) {
	e := newEnv(b)
	op, err := e.server.spec.operation("GET", "/v1/search")
	if err != nil {
		b.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "/v1/search?q=statistics&limit=10&level=beginner&max_hours=20", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := op.unknownParams(req); err != nil {
			b.Fatal(err)
		}
		if err := e.server.spec.checkParams(req, op); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	e := newEnv(b)
	for b.Loop() {
		if _, err := New(b.Context(), e.server.depsForTest(), DefaultConfig()); err != nil {
			b.Fatal(err)
		}
	}
}
