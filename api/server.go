package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lectern-dev/lectern"
)

// Server answers HTTP requests. It holds no connection and starts no goroutine:
// listening and shutting down are its user's.
type Server struct {
	deps     Deps
	cfg      Config
	echo     *echo.Echo
	spec     *spec
	auth     *authenticator
	tokens   *tokenSigner
	metrics  *metrics
	problems map[lectern.Code]problemKind
	phrases  *phrasebook
	viewer   func() http.Handler
	waits    waits
}

// waits are how long the parts behind a request may take where it is answered without
// them; tests that are not about time are more patient.
type waits struct{ rights, ready time.Duration }

// New builds the server. It reads the token secret from the key store, making
// it on the first start.
func New(ctx context.Context, deps Deps, cfg Config) (*Server, error) {
	spec, err := loadSpec()
	if err != nil {
		return nil, err
	}
	return newServer(ctx, deps, cfg, spec)
}

func newServer(ctx context.Context, deps Deps, cfg Config, spec *spec) (*Server, error) {
	if err := deps.check(); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Registry == nil {
		deps.Registry = prometheus.NewRegistry()
	}
	fresh := make([]byte, 32)
	if _, err := io.ReadFull(deps.Random, fresh); err != nil {
		return nil, fmt.Errorf("make a token secret: %w", err)
	}
	secret, err := deps.Keys.Secret(ctx, secretLearnerTokens, fresh)
	if err != nil {
		return nil, fmt.Errorf("read the token secret: %w", err)
	}
	m, err := newMetrics(deps.Registry)
	if err != nil {
		return nil, err
	}
	s := &Server{
		deps: deps, cfg: cfg, spec: spec, metrics: m,
		auth:     newAuthenticator(deps.Keys, deps.Clock, cfg.KeyCacheTTL),
		tokens:   newTokenSigner(secret, deps.Clock),
		problems: problemTable(),
		phrases:  newPhrasebook(),
		viewer:   lazyViewer(),
		waits:    waits{rightsBudget, readyTimeout},
	}
	return s, s.build()
}

// Handler is what an http.Server serves.
func (s *Server) Handler() http.Handler { return s.echo }

// build registers the routes. Every one must be in the OpenAPI file.
func (s *Server) build() error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.writeProblem(c, err) }
	e.Use(s.observe, s.cors, s.limitURL)
	for _, r := range routes() {
		op, err := s.spec.operation(r.method, r.path)
		if err != nil {
			return err
		}
		handle := s.serve(r, op)
		e.Add(r.method, echoPath(r.path), handle)
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, echoPath(r.path), withoutBody(handle))
		}
	}
	s.echo = e
	return nil
}

// serve is the way of every request of one route.
func (s *Server) serve(r route, op *operation) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), s.timeout(r.body))
		defer cancel()
		c.SetRequest(c.Request().WithContext(ctx))
		who, err := s.authorise(c, r.access)
		if err != nil {
			return err
		}
		in := &request{Context: c, route: r, caller: who}
		if err := s.accept(in, op); err != nil {
			return err
		}
		return r.handle(s, in)
	}
}

// request is an accepted request: authorised, within limits and as described.
type request struct {
	echo.Context
	route  route
	caller caller
	body   []byte // of a JSON document, nil for lines
}

// ctx is the context of the request.
func (r *request) ctx() context.Context { return r.Request().Context() }
