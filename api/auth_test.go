package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lectern-dev/lectern"
)

// want is who may call what: the answer to the question of every route and every
// scope, written down apart from the table that the server uses.
func wantAllowed() map[string]string {
	const open, all, learner, server, admin = "open", "any", "learner", "server", "admin"
	return map[string]string{
		"GET /": open, "GET /healthz": open, "GET /readyz": open, "GET /metrics": open, "GET /openapi.yaml": open,
		"GET /admin/goals": open, "POST /admin/goals": open,
		"GET /v1/admin/metrics": admin, "GET /v1/admin/metrics/goals": admin, "PUT /v1/admin/metrics/goals": admin,
		"GET /docs": open, "GET /docs/{asset}": open,
		"GET /v1/recommendations": all, "GET /v1/learners/{id}/recommendations": learner,
		"GET /v1/visitors/{id}/recommendations": all, "GET /v1/search": all, "GET /v1/autocomplete": all, "GET /v1/courses/{id}/similar": all,
		"GET /v1/home": all, "GET /v1/rows/{row}": all, "GET /v1/visitors/{id}/home": all, "GET /v1/visitors/{id}/rows/{row}": all,
		"GET /v1/learners/{id}/home": learner, "GET /v1/learners/{id}/rows/{row}": learner,
		"GET /v1/courses/{id}/next": all, "GET /v1/catalog/trending": all,
		"GET /v1/learners/{id}/profile": learner, "PATCH /v1/learners/{id}/profile": learner,
		"GET /v1/learners/{id}/feedback": learner, "POST /v1/learners/{id}/feedback": learner, "DELETE /v1/learners/{id}/feedback/{feedback}": learner,
		"GET /v1/visitors/{id}/feedback": all, "POST /v1/visitors/{id}/feedback": all, "DELETE /v1/visitors/{id}/feedback/{feedback}": all,
		"GET /v1/admin/reports": admin, "PATCH /v1/admin/reports/{course}": admin, "POST /v1/admin/reports/{course}/rule": admin,
		"GET /v1/visitors/{id}/profile": all, "PATCH /v1/visitors/{id}/profile": all,
		"GET /v1/admin/config/rerank": admin, "PUT /v1/admin/config/rerank": admin, "PATCH /v1/admin/config/rerank": admin,
		"GET /v1/admin/config/rerank/schema": admin, "GET /v1/admin/config/rerank/versions": admin,
		"GET /v1/admin/config/rerank/versions/{version}": admin, "POST /v1/admin/config/rerank/versions/{version}/activate": admin,
		"GET /v1/admin/config/explore": admin, "PUT /v1/admin/config/explore": admin, "PATCH /v1/admin/config/explore": admin,
		"GET /v1/admin/config/explore/schema": admin, "GET /v1/admin/config/explore/versions": admin,
		"GET /v1/admin/config/explore/versions/{version}": admin, "POST /v1/admin/config/explore/versions/{version}/activate": admin,
		"GET /v1/admin/explore/status": admin, "POST /v1/admin/explore/rebuild": admin,
		"POST /v1/admin/config/rerank/preview": admin, "POST /v1/admin/config/rerank/tune": admin,
		"POST /v1/admin/config/rerank/estimate": admin,
		"GET /v1/admin/experiments":             admin, "POST /v1/admin/experiments": admin, "GET /v1/admin/experiments/metrics": admin,
		"GET /v1/admin/experiments/holdout":     admin,
		"GET /v1/admin/experiments/assignments": admin, "GET /v1/admin/experiments/{id}": admin, "PATCH /v1/admin/experiments/{id}": admin,
		"DELETE /v1/admin/experiments/{id}": admin, "POST /v1/admin/experiments/{id}/start": admin,
		"POST /v1/admin/experiments/{id}/stop": admin, "GET /v1/admin/experiments/{id}/results": admin,
		"GET /v1/admin/rankings/{id}/replay": admin,
		"GET /v1/admin/models":               admin, "POST /v1/admin/models/{version}/activate": admin,
		"GET /v1/courses/{id}/reviews/summary": all, "GET /v1/admin/reviews/held": admin, "POST /v1/admin/reviews/{id}/hold": admin,
		"GET /v1/courses": all, "GET /v1/courses/{id}": all, "GET /v1/courses/{id}/reviews": all, "POST /v1/events": all,
		"GET /v1/skills": all, "GET /v1/skills/{id}": all, "GET /v1/occupations": all, "GET /v1/occupations/{id}": all, "GET /v1/courses/{id}/skills": all,
		"PUT /v1/courses/{id}": server, "PATCH /v1/courses/{id}": server, "DELETE /v1/courses/{id}": server,
		"POST /v1/courses/batch": server, "PUT /v1/catalog/feed": server,
		"PUT /v1/reviews/{id}": server, "DELETE /v1/reviews/{id}": server, "POST /v1/reviews/batch": server, "POST /v1/ratings/batch": server,
		"GET /v1/learners/{id}": server, "PUT /v1/learners/{id}": server, "DELETE /v1/learners/{id}": server,
		"POST /v1/learners/{id}/merge": server, "POST /v1/learners/{id}/token": server, "POST /v1/learners/batch": server,
		"DELETE /v1/visitors/{id}": server, "POST /v1/events/batch": server, "GET /v1/rankings/{id}": server,
		"GET /v1/admin/trace": admin, "GET /v1/admin/search/insights": admin, "GET /v1/admin/stats": admin, "GET /v1/admin/keys": admin, "POST /v1/admin/keys": admin,
		"DELETE /v1/admin/keys/{id}": admin, "GET /v1/admin/reindex": admin, "POST /v1/admin/reindex": admin,
		"GET /v1/admin/generations": admin, "GET /v1/admin/synonyms": admin, "PUT /v1/admin/synonyms": admin,
	}
}

func TestPermissions(t *testing.T) {
	e := newEnv(t)
	token := header{"X-Learner-Token", e.token("ada")}
	want := wantAllowed()
	for _, r := range routes() {
		name := r.method + " " + r.path
		level, ok := want[name]
		if !ok {
			t.Errorf("%s has no line in this test", name)
			continue
		}
		delete(want, name)
		t.Run(name, func(t *testing.T) {
			e := e.on(t)
			target := strings.NewReplacer("{id}", "ada", "{asset}", "swagger-ui.css", "{row}", "for_you", "{version}", "1", "{feedback}", "f", "{course}", "c").Replace(r.path)
			if open := level == "open"; open != (e.call("", r.method, target, "").status != http.StatusUnauthorized) {
				t.Errorf("without a key: open is %v", open)
			}
			for _, scope := range lectern.Scopes() {
				trusted := scope == lectern.ScopeServer || scope == lectern.ScopeAdmin
				allowed := map[string]bool{
					"open": true, "any": true, "learner": trusted, "server": trusted, "admin": scope == lectern.ScopeAdmin,
				}[level]
				if got := e.call(scope, r.method, target, "").status; (got != http.StatusForbidden) != allowed {
					t.Errorf("%s: %d, allowed %v", scope, got, allowed)
				}
				withToken := allowed || level == "learner"
				if got := e.call(scope, r.method, target, "", token).status; (got != http.StatusForbidden) != withToken {
					t.Errorf("%s with the learner's token: %d, allowed %v", scope, got, withToken)
				}
			}
		})
	}
	for name := range want {
		t.Errorf("%s is no route", name)
	}
}

func TestCredentials(t *testing.T) {
	e := newEnv(t)
	key := e.keys[lectern.ScopePublic]
	tests := []struct {
		name    string
		headers []header
		want    int
	}{
		{"none", nil, 401},
		{"bearer", []header{{"Authorization", "Bearer " + key}}, 200},
		{"bearer in small letters", []header{{"Authorization", "bearer " + key}}, 200},
		{"X-API-Key", []header{{"X-API-Key", key}}, 200},
		{"basic", []header{{"Authorization", "Basic " + key}}, 401},
		{"key without scheme", []header{{"Authorization", key}}, 401},
		{"unknown key", []header{{"X-API-Key", "lk_aaaaaaaa_bbbbbbbb"}}, 401},
		{"other secret of a known id", []header{{"X-API-Key", key[:len(key)-1] + "_"}}, 401},
		{"cut", []header{{"X-API-Key", key[:len(key)-1]}}, 401},
		{"huge", []header{{"X-API-Key", "lk_a_" + strings.Repeat("x", 100_000)}}, 401},
		{"bad token beside a good key", []header{{"X-API-Key", key}, {"X-Learner-Token", "a.b.c"}}, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := e.on(t)
			a := e.call("", "GET", "/v1/recommendations", "", tt.headers...)
			if a.status != tt.want {
				t.Errorf("%d, want %d: %s", a.status, tt.want, a.body)
			}
			if tt.want == 401 && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
				t.Error("401 without WWW-Authenticate")
			}
			if strings.Contains(a.body, key) {
				t.Error("the answer shows the key")
			}
		})
	}
	if strings.Contains(e.logs.String(), key[10:]) {
		t.Error("the log shows a key")
	}
}

func TestRevocation(t *testing.T) {
	e := newEnv(t)
	text, key, err := NewKey(lectern.ScopePublic, "page", randomBytes(9), e.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.store.PutKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	with := header{"X-API-Key", text}
	get := func() int { return e.call("", "GET", "/v1/recommendations", "", with).status }
	if got := get(); got != 200 {
		t.Fatal(got)
	}
	// Revoked by another replica or the command line: it takes the cache's time.
	if err := e.store.RevokeKey(t.Context(), key.ID, e.now); err != nil {
		t.Fatal(err)
	}
	e.now = e.now.Add(DefaultConfig().KeyCacheTTL + time.Millisecond)
	if got := get(); got != 401 {
		t.Errorf("revoked elsewhere: %d after the cache's time", got)
	}
	// Revoked here: at once.
	var made keyDTO
	e.call(lectern.ScopeAdmin, "POST", "/v1/admin/keys", `{"name":"tmp","scope":"server"}`).want(201, "").into(&made)
	with = header{"X-API-Key", made.Key}
	if got := get(); got != 200 {
		t.Fatal(got)
	}
	e.call(lectern.ScopeAdmin, "DELETE", "/v1/admin/keys/"+made.ID, "").want(204, "")
	if got := get(); got != 401 {
		t.Errorf("revoked here: %d", got)
	}
	e.call(lectern.ScopeAdmin, "DELETE", "/v1/admin/keys/nobody", "").want(404, lectern.CodeNotFound)
	list := e.call(lectern.ScopeAdmin, "GET", "/v1/admin/keys", "").want(200, "").mentions(made.ID, "revoked_at", `"name":"tmp"`)
	if strings.Contains(list.body, "lk_") || strings.Contains(list.body, `"key"`) {
		t.Error("the list shows secrets")
	}
}

// downKeys is a key store that does not answer.
type downKeys struct{ lectern.KeyStore }

func (downKeys) KeyByHash(context.Context, []byte) (lectern.APIKey, error) {
	return lectern.APIKey{}, errors.New("disk on fire")
}

func TestKeyStoreDownIsNotUnauthenticated(t *testing.T) {
	e := newEnv(t, func(d *Deps, _ *Config) { d.Keys = downKeys{d.Keys} })
	e.call(lectern.ScopePublic, "GET", "/v1/recommendations", "").want(500, lectern.CodeInternal)
	if !strings.Contains(e.logs.String(), "disk on fire") {
		t.Error("the log does not say why")
	}
}

func TestNewKey(t *testing.T) {
	a, ka, err := NewKey(lectern.ScopeServer, "shop", randomBytes(1), testNow())
	if err != nil {
		t.Fatal(err)
	}
	b, kb, err := NewKey(lectern.ScopeServer, "shop", randomBytes(2), testNow())
	if err != nil {
		t.Fatal(err)
	}
	if a == b || ka.ID == kb.ID || !looksLikeKey(a) || !strings.HasPrefix(a, "lk_"+ka.ID+"_") {
		t.Errorf("keys %s %s", a, b)
	}
	if !bytes.Equal(ka.Hash, HashKey(a)) || strings.Contains(string(ka.Hash), a) {
		t.Error("the key is not stored hashed")
	}
	for _, bad := range []struct {
		scope lectern.Scope
		name  string
	}{{"root", "x"}, {"", "x"}, {lectern.ScopePublic, " "}, {lectern.ScopePublic, strings.Repeat("x", 101)}} {
		if _, _, err := NewKey(bad.scope, bad.name, randomBytes(1), testNow()); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%q %q: %v", bad.scope, bad.name, err)
		}
	}
	if _, _, err := NewKey(lectern.ScopePublic, "x", strings.NewReader("short"), testNow()); err == nil {
		t.Error("a key from too little randomness")
	}
}

func TestLearnerTokens(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	get := func(token string) int {
		return e.call(lectern.ScopePublic, "GET", "/v1/learners/ada/recommendations", "", header{"X-Learner-Token", token}).status
	}
	var out struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	e.call(lectern.ScopeServer, "POST", "/v1/learners/ada/token", `{"ttl_seconds":60}`).want(201, "").into(&out)
	if want := e.now.Add(time.Minute); !out.ExpiresAt.Equal(want) {
		t.Errorf("expires %s, want %s", out.ExpiresAt, want)
	}
	if got := get(out.Token); got != 200 {
		t.Fatal(got)
	}
	for _, body := range []string{`{"ttl_seconds":3601}`, `{"ttl_seconds":0}`, `{"ttl_seconds":"60"}`, `{"ttl":60}`, `[]`} {
		if got := e.call(lectern.ScopeServer, "POST", "/v1/learners/ada/token", body).status; got != 400 {
			t.Errorf("%s: %d", body, got)
		}
	}
	claims := jwt.RegisteredClaims{Subject: "ada", Audience: jwt.ClaimStrings{tokenAudience},
		IssuedAt: jwt.NewNumericDate(e.now), ExpiresAt: jwt.NewNumericDate(e.now.Add(time.Minute))}
	forge := func(m jwt.SigningMethod, secret any, c jwt.RegisteredClaims) string {
		text, err := jwt.NewWithClaims(m, c).SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	noExpiry, otherAudience, nobody := claims, claims, claims
	noExpiry.ExpiresAt, otherAudience.Audience, nobody.Subject = nil, jwt.ClaimStrings{"shop"}, ""
	secret := e.server.tokens.secret
	for name, token := range map[string]string{
		"another secret": forge(jwt.SigningMethodHS256, []byte("guess"), claims),
		"no signature":   forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims),
		"other method":   forge(jwt.SigningMethodHS512, secret, claims),
		"no expiry":      forge(jwt.SigningMethodHS256, secret, noExpiry),
		"other audience": forge(jwt.SigningMethodHS256, secret, otherAudience),
		"no subject":     forge(jwt.SigningMethodHS256, secret, nobody),
		"a key":          e.keys[lectern.ScopeServer],
	} {
		if got := get(token); got != 401 {
			t.Errorf("%s: %d", name, got)
		}
	}
	e.now = e.now.Add(time.Minute + 6*time.Second)
	if got := get(out.Token); got != 401 {
		t.Errorf("expired: %d", got)
	}
	// Another replica shares the secret through the store.
	other, err := New(t.Context(), e.server.depsForTest(), DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(other.tokens.secret, secret) {
		t.Error("two replicas sign with different secrets")
	}
}
