package api

import (
	"context"
	"crypto/subtle"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lectern-dev/lectern"
)

// Headers that carry credentials.
const (
	headerAPIKey       = "X-API-Key"
	headerLearnerToken = "X-Learner-Token"
)

// caller is who sent a request.
type caller struct {
	keyID   string
	scope   lectern.Scope
	learner string // whose token came along; "" for none
}

// trusted reports whether the caller may act for anybody.
func (c caller) trusted() bool {
	return c.scope == lectern.ScopeServer || c.scope == lectern.ScopeAdmin
}

// admin reports whether the caller may see and do everything.
func (c caller) admin() bool { return c.scope == lectern.ScopeAdmin }

// mayActFor reports whether the caller may read and write for this learner.
func (c caller) mayActFor(learnerID string) bool {
	return c.trusted() || (c.learner != "" && c.learner == learnerID)
}

// authorise finds out who calls and whether the route is theirs.
func (s *Server) authorise(c echo.Context, need access) (caller, error) {
	if need == accessOpen {
		return caller{}, nil
	}
	text, err := credentials(c)
	if err != nil {
		return caller{}, err
	}
	key, err := s.auth.key(c.Request().Context(), text)
	if err != nil {
		return caller{}, err
	}
	c.Set(contextKeyID, key.ID)
	who := caller{keyID: key.ID, scope: key.Scope}
	if token := c.Request().Header.Get(headerLearnerToken); token != "" {
		if who.learner, err = s.tokens.learner(token); err != nil {
			return caller{}, err
		}
	}
	own := false
	if need == accessLearner && who.learner != "" {
		id, err := pathParam(c, "id")
		own = err == nil && id == who.learner
	}
	if !need.allows(who.scope, own) {
		return caller{}, forbidden(need, who)
	}
	return who, nil
}

// credentials returns the key's text from the request.
func credentials(c echo.Context) (string, error) {
	h := c.Request().Header
	text := h.Get(headerAPIKey)
	if text == "" {
		scheme, rest, _ := strings.Cut(h.Get(echo.HeaderAuthorization), " ")
		if strings.EqualFold(scheme, "Bearer") {
			text = strings.TrimSpace(rest)
		}
	}
	if text == "" {
		return "", lectern.Errorf(lectern.CodeUnauthenticated,
			"send an API key as \"Authorization: Bearer lk_…\" or as X-API-Key")
	}
	return text, nil
}

func forbidden(need access, who caller) error {
	switch need {
	case accessLearner:
		if who.learner != "" {
			return lectern.Errorf(lectern.CodeForbidden, "the learner token is another learner's")
		}
		return lectern.Errorf(lectern.CodeForbidden,
			"a %s key needs this learner's token in %s", who.scope, headerLearnerToken)
	case accessAdmin:
		return lectern.Errorf(lectern.CodeForbidden, "this needs an admin key, not a %s key", who.scope)
	}
	return lectern.Errorf(lectern.CodeForbidden, "this needs a server key, not a %s key", who.scope)
}

// authenticator looks keys up, remembering good ones for a moment: a revoked
// key stops working when its memory runs out, on every replica.
type authenticator struct {
	store lectern.KeyStore
	clock lectern.Clock
	ttl   time.Duration

	mu    sync.Mutex
	known map[[32]byte]knownKey
}

type knownKey struct {
	key   lectern.APIKey
	until time.Time
}

// maxKnownKeys bounds the memory; a deployment has tens of keys.
const maxKnownKeys = 1024

func newAuthenticator(store lectern.KeyStore, clock lectern.Clock, ttl time.Duration) *authenticator {
	return &authenticator{store: store, clock: clock, ttl: ttl, known: make(map[[32]byte]knownKey)}
}

// key returns the key with this text. Errors: CodeUnauthenticated for a text
// that is no key of ours or a revoked one.
func (a *authenticator) key(ctx context.Context, text string) (lectern.APIKey, error) {
	invalid := lectern.Errorf(lectern.CodeUnauthenticated, "the API key is not valid")
	if !looksLikeKey(text) {
		return lectern.APIKey{}, invalid
	}
	hash := [32]byte(HashKey(text))
	now := a.clock()
	a.mu.Lock()
	k, ok := a.known[hash]
	a.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.key, nil
	}
	key, err := a.store.KeyByHash(ctx, hash[:])
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return lectern.APIKey{}, invalid
	}
	if err != nil {
		return lectern.APIKey{}, err
	}
	if key.RevokedAt != nil || subtle.ConstantTimeCompare(key.Hash, hash[:]) != 1 {
		a.forget()
		return lectern.APIKey{}, invalid
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxKnownKeys {
		clear(a.known)
	}
	a.known[hash] = knownKey{key: key, until: now.Add(a.ttl)}
	return key, nil
}

// forget drops every remembered key, so that a revocation holds at once here.
func (a *authenticator) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.known)
}
