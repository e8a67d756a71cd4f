package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

func testRankings(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	appendEvents(t, s, click("e1", "l", "a", noon1))
	rk := lectern.Ranking{
		ID: "rk", Learner: lectern.LearnerRef{ID: "l"}, Surface: lectern.SurfaceSearch, Query: "قواعد بيانات",
		RequestHash: "h", CreatedAt: noon1, ConfigVersion: "v1", Degraded: []string{"semantic"},
		Items: []lectern.RankedItem{{
			CourseID: "a", Score: 0.123456789, Propensity: 0.5, Sources: []string{"popular"}, Terms: []float64{0.1, 0.2},
			Reasons: []lectern.Reason{{Code: "popular", Params: map[string]string{"n": "3"}}},
		}},
	}
	ok(t, s.PutRankings(ctx, []lectern.Ranking{rk, {ID: "nobody's", CreatedAt: noon1}}))
	equal(t, "ranking", must[lectern.Ranking](t)(s.Ranking(ctx, "rk")), rk)
	equal(t, "nobody's", must[lectern.Ranking](t)(s.Ranking(ctx, "nobody's")), lectern.Ranking{ID: "nobody's", CreatedAt: noon1})
	changed := rk
	changed.Query = "other"
	ok(t, s.PutRankings(ctx, []lectern.Ranking{changed}))
	equal(t, "a ranking that exists", must[lectern.Ranking](t)(s.Ranking(ctx, "rk")), rk)
	_, err := s.Ranking(ctx, "none")
	wantCode(t, err, lectern.CodeNotFound)

	visitor := lectern.Ranking{ID: "v", Learner: lectern.LearnerRef{AnonymousID: "anon"}, CreatedAt: noon1.Add(1999 * time.Nanosecond)}
	ok(t, s.PutRankings(ctx, []lectern.Ranking{visitor}))
	visitor.CreatedAt = noon1.Add(time.Microsecond)
	visitor.Learner = lectern.LearnerRef{} // nobody the store knows
	equal(t, "visitor's", must[lectern.Ranking](t)(s.Ranking(ctx, "v")), visitor)
	_, err = s.Learner(ctx, lectern.LearnerRef{AnonymousID: "anon"})
	wantCode(t, err, lectern.CodeNotFound)
}

func testRankingRetention(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	ok(t, s.PutRankings(ctx, []lectern.Ranking{
		{ID: "old", CreatedAt: noon1.Add(-time.Hour)}, {ID: "cited", CreatedAt: noon1.Add(-time.Hour)}, {ID: "new", CreatedAt: noon1},
	}))
	e := click("e", "l", "a", noon1)
	e.Event.RankingID = "cited"
	appendEvents(t, s, e)
	equal(t, "deleted", must[int](t)(s.DeleteRankingsBefore(ctx, noon1)), 1)
	_, err := s.Ranking(ctx, "old")
	wantCode(t, err, lectern.CodeNotFound)
	for _, id := range []string{"cited", "new"} {
		must[lectern.Ranking](t)(s.Ranking(ctx, id))
	}
	equal(t, "deleted again", must[int](t)(s.DeleteRankingsBefore(ctx, noon1)), 0)
}

func testVectors(t *testing.T, s Store) {
	ctx := t.Context()
	a, b, c := lectern.HashContent("a"), lectern.HashContent("b"), lectern.HashContent("c")
	ok(t, s.PutVectors(ctx, "f", map[lectern.ContentHash][]float32{a: {0.6, -0.8}, b: {1, 0}}))
	ok(t, s.PutVectors(ctx, "g", map[lectern.ContentHash][]float32{a: {0, 1, 0}}))
	get := func(fingerprint string) map[lectern.ContentHash][]float32 {
		t.Helper()
		return must[map[lectern.ContentHash][]float32](t)(s.VectorsByHash(ctx, fingerprint, []lectern.ContentHash{c, a, b, a}))
	}
	equal(t, "f", get("f"), map[lectern.ContentHash][]float32{a: {0.6, -0.8}, b: {1, 0}})
	equal(t, "g", get("g"), map[lectern.ContentHash][]float32{a: {0, 1, 0}})
	equal(t, "unknown fingerprint", len(get("h")), 0)
	ok(t, s.PutVectors(ctx, "f", map[lectern.ContentHash][]float32{a: {0.6, -0.8}}))
	equal(t, "count", must[int](t)(s.CountVectors(ctx, "f")), 2)
	equal(t, "count of nothing", must[int](t)(s.CountVectors(ctx, "h")), 0)
	wantCode(t, s.PutVectors(ctx, "", map[lectern.ContentHash][]float32{a: {1}}), lectern.CodeInvalid)
	wantCode(t, s.PutVectors(ctx, "f", map[lectern.ContentHash][]float32{c: {}}), lectern.CodeInvalid)
}

func testVectorPrune(t *testing.T, s Store) {
	ctx := t.Context()
	many := map[lectern.ContentHash][]float32{}
	for i := range 2500 {
		many[lectern.HashContent(fmt.Sprint(i))] = []float32{1}
	}
	ok(t, s.PutVectors(ctx, "old", many))
	ok(t, s.PutVectors(ctx, "kept", map[lectern.ContentHash][]float32{lectern.HashContent("x"): {1}}))
	equal(t, "pruned", must[int](t)(s.PruneVectors(ctx, []string{"kept", "unknown"})), 2500)
	equal(t, "kept", must[int](t)(s.CountVectors(ctx, "kept")), 1)
	equal(t, "old", must[int](t)(s.CountVectors(ctx, "old")), 0)
	equal(t, "pruned with nothing to keep", must[int](t)(s.PruneVectors(ctx, nil)), 1)
}

func testVectorFeed(t *testing.T, s Store) {
	ctx := t.Context()
	twin := newCourse("twin")
	twin.Title = newCourse("a").Title // the same text, hence the same hash
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(newCourse("a"), newCourse("b"), twin)))
	_, after := changes(t, s, 0)
	ok(t, s.PutVectors(ctx, "f", map[lectern.ContentHash][]float32{
		lectern.HashContent(newCourse("a").EmbeddingText()): {1}, lectern.HashContent("nobody's"): {1},
	}))
	feed, _ := changes(t, s, after)
	slices.Sort(feed)
	equal(t, "feed", feed, []string{"a vector", "twin vector"})
}

func testArtefacts(t *testing.T, s Store) {
	ctx := t.Context()
	_, err := s.ActiveArtefact(ctx, "embedder")
	wantCode(t, err, lectern.CodeNotFound)
	body := bytes.Repeat([]byte("0123456789"), 250_000) // more than two chunks
	meta := map[string]string{"courses": "3", "名": "値"}
	put := func(kind string, body []byte) int64 {
		t.Helper()
		return must[int64](t)(s.PutArtefact(ctx, lectern.Artefact{Kind: kind, Fingerprint: "fp", CreatedAt: noon1, Meta: meta}, body))
	}
	equal(t, "versions", []int64{put("embedder", body), put("embedder", nil), put("other", []byte("x"))}, []int64{1, 2, 1})
	if got := must[[]byte](t)(s.ArtefactBody(ctx, "embedder", 1)); !bytes.Equal(got, body) {
		t.Errorf("body came back with %d bytes of %d", len(got), len(body))
	}
	equal(t, "empty body", len(must[[]byte](t)(s.ArtefactBody(ctx, "embedder", 2))), 0)
	_, err = s.ArtefactBody(ctx, "embedder", 9)
	wantCode(t, err, lectern.CodeNotFound)
	_, err = s.ActiveArtefact(ctx, "embedder")
	wantCode(t, err, lectern.CodeNotFound)

	wantCode(t, s.ActivateArtefact(ctx, "embedder", 9), lectern.CodeNotFound)
	ok(t, s.ActivateArtefact(ctx, "embedder", 2))
	ok(t, s.ActivateArtefact(ctx, "embedder", 1)) // back to an older one
	want := lectern.Artefact{Kind: "embedder", Version: 1, Fingerprint: "fp", Active: true, CreatedAt: noon1, Meta: meta}
	equal(t, "active", must[lectern.Artefact](t)(s.ActiveArtefact(ctx, "embedder")), want)
	second := want
	second.Version, second.Active = 2, false
	equal(t, "list", must[[]lectern.Artefact](t)(s.Artefacts(ctx, "embedder")), []lectern.Artefact{second, want})
	equal(t, "list of nothing", len(must[[]lectern.Artefact](t)(s.Artefacts(ctx, "none"))), 0)
}

func testArtefactPrune(t *testing.T, s Store) {
	ctx := t.Context()
	put := func() int64 {
		t.Helper()
		return must[int64](t)(s.PutArtefact(ctx, lectern.Artefact{Kind: "k"}, []byte("x")))
	}
	for range 5 {
		put()
	}
	ok(t, s.ActivateArtefact(ctx, "k", 2))
	versions := func() (out []int64) {
		for _, a := range must[[]lectern.Artefact](t)(s.Artefacts(ctx, "k")) {
			out = append(out, a.Version)
		}
		return out
	}
	equal(t, "pruned", must[int](t)(s.PruneArtefacts(ctx, "k", 2)), 2)
	equal(t, "kept", versions(), []int64{5, 4, 2})
	equal(t, "pruned", must[int](t)(s.PruneArtefacts(ctx, "k", 0)), 2)
	equal(t, "kept", versions(), []int64{2})
	_, err := s.ArtefactBody(ctx, "k", 5)
	wantCode(t, err, lectern.CodeNotFound)
	equal(t, "a pruned version's number is not given again", put(), int64(6))
}

func testKeys(t *testing.T, s Store) {
	ctx := t.Context()
	first := lectern.APIKey{ID: "k1", Name: "widget", Scope: lectern.ScopePublic, Hash: []byte{1, 0, 255}, CreatedAt: noon1}
	second := lectern.APIKey{ID: "k2", Scope: lectern.ScopeAdmin, Hash: []byte{2}, CreatedAt: noon1.Add(time.Second)}
	ok(t, s.PutKey(ctx, second))
	ok(t, s.PutKey(ctx, first))
	wantCode(t, s.PutKey(ctx, lectern.APIKey{ID: "k1", Hash: []byte{3}}), lectern.CodeConflict)
	equal(t, "by hash", must[lectern.APIKey](t)(s.KeyByHash(ctx, first.Hash)), first)
	_, err := s.KeyByHash(ctx, []byte{9})
	wantCode(t, err, lectern.CodeNotFound)
	equal(t, "keys", must[[]lectern.APIKey](t)(s.Keys(ctx)), []lectern.APIKey{first, second})

	ok(t, s.RevokeKey(ctx, "k1", noon1.Add(time.Hour)))
	ok(t, s.RevokeKey(ctx, "k1", noon1.Add(2*time.Hour)))
	first.RevokedAt = ptr(noon1.Add(time.Hour))
	equal(t, "revoked", must[lectern.APIKey](t)(s.KeyByHash(ctx, first.Hash)), first)
	wantCode(t, s.RevokeKey(ctx, "none", noon1), lectern.CodeNotFound)
}

func testSecrets(t *testing.T, s Store) {
	ctx := t.Context()
	secret := must[[]byte](t)
	equal(t, "first", secret(s.Secret(ctx, "tokens", []byte("one"))), []byte("one"))
	equal(t, "again", secret(s.Secret(ctx, "tokens", []byte("two"))), []byte("one"))
	equal(t, "other", secret(s.Secret(ctx, strings.Repeat("n", 100), []byte("two"))), []byte("two"), cmpopts.EquateEmpty())
}
