package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"github.com/lectern-dev/lectern"
)

func (s *Server) landing(in *request) error {
	return respond(in, http.StatusOK, map[string]any{
		"name": "lectern", "version": s.deps.Version,
		"links": map[string]string{
			"docs": "/docs", "openapi": "/openapi.yaml", "ready": "/readyz", "health": "/healthz", "metrics": "/metrics",
		},
	})
}

func (s *Server) health(in *request) error {
	return respond(in, http.StatusOK, map[string]string{"status": "ok"})
}

// readyTimeout bounds how long a part may take to say whether it is ready.
const readyTimeout = 2 * time.Second

type partDTO struct {
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
	Detail string `json:"detail,omitempty"`
}

// ready asks every part. The store's own error may hold paths, so it stays in
// the log.
func (s *Server) ready(in *request) error {
	ctx, cancel := context.WithTimeout(in.ctx(), s.waits.ready)
	defer cancel()
	parts := []partDTO{{Name: "store", Ready: true}}
	if err := s.deps.Stats.Ping(ctx); err != nil {
		s.deps.Log.WarnContext(ctx, "store is not ready", "error", err)
		parts[0] = partDTO{Name: "store", Detail: "does not answer"}
	}
	status, word := http.StatusOK, "ready"
	for _, c := range s.deps.Checks {
		p := partDTO{Name: c.Name, Ready: true}
		if err := c.Ready(ctx); err != nil {
			p.Ready, p.Detail = false, asLecternError(err).Message
			if p.Detail == "" {
				p.Detail = err.Error()
			}
		}
		parts = append(parts, p)
	}
	for _, p := range parts {
		if !p.Ready {
			status, word = http.StatusServiceUnavailable, "not_ready"
		}
	}
	in.Response().Header().Set("Cache-Control", "no-store")
	return respond(in, status, struct {
		Status string    `json:"status"`
		Parts  []partDTO `json:"parts"`
	}{word, parts})
}

// exposition writes the metrics. It leaves compression to a proxy.
func (s *Server) exposition(in *request) error {
	promhttp.HandlerFor(s.deps.Registry, promhttp.HandlerOpts{DisableCompression: true}).
		ServeHTTP(in.Response(), in.Request())
	return nil
}

func (s *Server) description(in *request) error {
	in.Response().Header().Set("Cache-Control", "no-cache")
	return in.Blob(http.StatusOK, "application/yaml", openapiYAML)
}

// viewer is the embedded Swagger UI. Its assets come with the binary.
func viewer() http.Handler {
	return v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "Lectern", SwaggerJSON: "/openapi.yaml", BasePath: "/docs",
		SettingsUI: map[string]string{
			"persistAuthorization": "true", // the key survives a reload
			"docExpansion":         `"list"`,
			"tryItOutEnabled":      "true",
		},
	})
}

// docs shows the viewer. The policy makes sure that a browser loads nothing from
// elsewhere and sends nothing elsewhere; the page's own script is inline.
func (s *Server) docs(in *request) error {
	h := in.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'unsafe-inline'; "+
		"style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self' data:; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	rec := &statusCatcher{ResponseWriter: in.Response()}
	s.viewer().ServeHTTP(rec, in.Request())
	if rec.missing {
		h.Del("Content-Security-Policy")
		h.Del(echo.HeaderContentType)
		return lectern.Errorf(lectern.CodeNotFound, "the viewer has no such file")
	}
	return nil
}

// statusCatcher keeps a file server's plain 404 back, so that it becomes a
// problem like any other.
type statusCatcher struct {
	http.ResponseWriter
	missing bool
}

// WriteHeader implements http.ResponseWriter.
func (w *statusCatcher) WriteHeader(status int) {
	if status == http.StatusNotFound {
		w.missing = true
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusCatcher) Write(p []byte) (int, error) {
	if w.missing {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// lazyViewer builds the viewer once, when somebody first looks.
func lazyViewer() func() http.Handler { return sync.OnceValue(viewer) }
