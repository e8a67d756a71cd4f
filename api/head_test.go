package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// HEAD is answered wherever GET is: the same status and headers, no body.
func TestHead(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	filled := strings.NewReplacer("{id}", "a", "{asset}", "swagger-ui.css")
	query := map[string]string{"/v1/search": "?q=course", "/v1/admin/trace": "?course=a"}
	for _, r := range routes() {
		if r.method != http.MethodGet {
			continue
		}
		t.Run(r.path, func(t *testing.T) {
			e := e.on(t)
			target := filled.Replace(r.path) + query[r.path]
			get := e.call(lectern.ScopeAdmin, "GET", target, "")
			head := e.call(lectern.ScopeAdmin, "HEAD", target, "")
			if head.status != get.status || head.body != "" {
				t.Errorf("HEAD %d %q, GET %d", head.status, head.body, get.status)
			}
			if d := cmp.Diff(get.header.Get("Content-Type"), head.header.Get("Content-Type")); d != "" {
				t.Errorf("content type:\n%s", d)
			}
			if get.status == http.StatusOK && r.path != "/metrics" && r.path != "/v1/admin/stats" {
				if got := head.header.Get("Content-Length"); got == "" || got == "0" {
					t.Errorf("content length %q", got)
				}
			}
			for name := range get.header {
				if head.header.Get(name) == "" {
					t.Errorf("HEAD has no %s", name)
				}
			}
		})
	}
	e.call("", "HEAD", "/v1/courses/a", "").want(http.StatusUnauthorized, "")
	if a := e.call(lectern.ScopeServer, "HEAD", "/v1/courses/none", ""); a.status != http.StatusNotFound || a.body != "" {
		t.Errorf("%d %q", a.status, a.body)
	}
	if a := e.call(lectern.ScopeServer, "HEAD", "/v1/search?q=go&limit=0", ""); a.status != http.StatusBadRequest || a.body != "" {
		t.Errorf("%d %q", a.status, a.body)
	}
	if a := e.call(lectern.ScopeServer, "HEAD", "/v1/events", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("HEAD of a route without GET: %d", a.status)
	}
	allow := e.call(lectern.ScopeServer, "POST", "/v1/search", "{}").want(http.StatusMethodNotAllowed, codeMethodNotAllowed).header.Get("Allow")
	if !strings.Contains(allow, "GET") || !strings.Contains(allow, "HEAD") {
		t.Errorf("Allow: %q", allow)
	}
}

// Over a connection the announced length is that of GET's body.
func TestHeadOverTheWire(t *testing.T) {
	e := newEnv(t)
	server := httptest.NewServer(e.server.Handler())
	defer server.Close()
	for _, path := range []string{"/healthz", "/docs", "/openapi.yaml"} {
		get := fetch(t, http.MethodGet, server.URL+path)
		head := fetch(t, http.MethodHead, server.URL+path)
		if head.status != http.StatusOK || head.length != int64(len(get.body)) || head.body != "" {
			t.Errorf("%s: %d, announced %d of %d bytes, got %d", path, head.status, head.length, len(get.body), len(head.body))
		}
	}
}

type fetched struct {
	status int
	length int64
	body   string
}

func fetch(t *testing.T, method, url string) fetched {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fetched{res.StatusCode, res.ContentLength, string(body)}
}
