package api

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lectern-dev/lectern"
)

// Keys under which a request's facts are kept in echo's context.
const (
	contextRequestID = "lectern.request_id"
	contextKeyID     = "lectern.key_id"
)

// headerTiming tells how long each stage took.
const headerTiming = "Server-Timing"

// requestID is the id of the request, for problems and logs.
func requestID(c echo.Context) string {
	id, _ := c.Get(contextRequestID).(string)
	return id
}

// observe is the outermost layer: request ids, panics, errors, metrics, log.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := time.Now() // a duration, not a date: the injected clock may stand still
		id := s.newRequestID(c.Request().Header.Get(echo.HeaderXRequestID))
		c.Set(contextRequestID, id)
		h := c.Response().Header()
		h.Set(echo.HeaderXRequestID, id)
		h.Set(echo.HeaderXContentTypeOptions, "nosniff")
		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()

		err := guard(next, c)
		if err != nil {
			s.writeProblem(c, err)
		}
		s.finish(c, err, time.Since(begun))
		return nil
	}
}

// guard turns a panic into an error that carries the stack for the log.
func guard(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) { // net/http's own way to give up a connection
				panic(p)
			}
			err = &lectern.Error{Code: lectern.CodeInternal, Message: "panic",
				Err: fmt.Errorf("%v\n%s", p, debug.Stack())}
		}
	}()
	return next(c)
}

// finish counts and logs one request. Neither path nor query is logged: they
// hold learners' ids and what they searched for.
func (s *Server) finish(c echo.Context, err error, took time.Duration) {
	route, method := s.routeLabel(c), methodLabel(c.Request().Method)
	status := c.Response().Status
	if err != nil && s.status(err) == statusClientGone {
		status = statusClientGone
	}
	s.metrics.observe(method, route, status, took, c.Response().Size)
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("request_id", requestID(c)),
		slog.String("method", method),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Duration("took", took),
		slog.Int64("bytes", c.Response().Size),
	}
	if key, ok := c.Get(contextKeyID).(string); ok {
		attrs = append(attrs, slog.String("key", key))
	}
	if err != nil {
		attrs = append(attrs, slog.String("code", string(asLecternError(err).Code)))
	}
	switch {
	case route == "/healthz" || route == "/readyz" || route == "/metrics":
		level = slog.LevelDebug // probes come every few seconds, and "not ready" is an answer
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
		if err != nil {
			attrs = append(attrs, slog.String("error", err.Error()))
		}
	}
	s.deps.Log.LogAttrs(c.Request().Context(), level, "request", attrs...)
}

// newRequestID takes over the caller's id when it is harmless.
func (s *Server) newRequestID(given string) string {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
	if given != "" && len(given) <= 64 && strings.Trim(given, harmless) == "" {
		return given
	}
	var raw [12]byte
	if _, err := io.ReadFull(s.deps.Random, raw[:]); err != nil {
		return "unknown" // an id must never be why a request fails
	}
	return hex.EncodeToString(raw[:])
}

// routeLabel is the route's template: labels and logs never hold ids.
func (s *Server) routeLabel(c echo.Context) string {
	if p := specPath(c.Path()); s.spec.paths[p] {
		return p
	}
	return "unmatched"
}

func methodLabel(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// cors lets pages of the listed origins call. Credentials travel in headers, not
// in cookies, so an allowed origin can do no more than its key can.
func (s *Server) cors(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		origin := c.Request().Header.Get(echo.HeaderOrigin)
		if origin == "" || len(s.cfg.AllowedOrigins) == 0 {
			return next(c)
		}
		h := c.Response().Header()
		h.Add(echo.HeaderVary, echo.HeaderOrigin)
		preflight := c.Request().Method == http.MethodOptions &&
			c.Request().Header.Get(echo.HeaderAccessControlRequestMethod) != ""
		if slices.Contains(s.cfg.AllowedOrigins, origin) || slices.Contains(s.cfg.AllowedOrigins, "*") {
			h.Set(echo.HeaderAccessControlAllowOrigin, origin)
			h.Set(echo.HeaderAccessControlExposeHeaders, "X-Request-Id, Server-Timing, Content-Language, Retry-After, ETag, "+headerConfigVersion+", "+headerConfigWarnings)
			if preflight {
				h.Set(echo.HeaderAccessControlAllowMethods, "GET, PUT, POST, PATCH, DELETE")
				h.Set(echo.HeaderAccessControlAllowHeaders,
					"Authorization, X-API-Key, X-Learner-Token, X-Request-Id, Content-Type, Accept-Language, If-Match, If-None-Match")
				h.Set(echo.HeaderAccessControlMaxAge, "600")
			}
		}
		if preflight {
			return c.NoContent(http.StatusNoContent)
		}
		return next(c)
	}
}

// limitURL refuses addresses that no honest caller sends.
func (s *Server) limitURL(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		if n := len(u.EscapedPath()) + len(u.RawQuery); n > s.cfg.MaxURLBytes {
			return lectern.Errorf(codeURITooLong, "the address has %d bytes; at most %d are read", n, s.cfg.MaxURLBytes)
		}
		return next(c)
	}
}

// setTiming tells the stages' durations, in milliseconds.
func setTiming(c echo.Context, timings []lectern.Timing) {
	parts := make([]string, 0, len(timings))
	for _, t := range timings {
		ms := strconv.FormatFloat(float64(t.Duration.Microseconds())/1000, 'f', -1, 64)
		parts = append(parts, t.Stage+";dur="+ms)
	}
	if len(parts) > 0 {
		c.Response().Header().Set(headerTiming, strings.Join(parts, ", "))
	}
}
