package retrieve_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

// pages walks a list to its end.
func pages(w *world, req lectern.ListRequest, between func(page int)) (items []lectern.Item, rankings map[string]bool) {
	w.t.Helper()
	rankings = map[string]bool{}
	for page := 0; ; page++ {
		l := w.list(req)
		items = append(items, l.Items...)
		rankings[l.RankingID] = true
		if req.Cursor = l.NextCursor; req.Cursor == "" {
			return items, rankings
		}
		if len(l.Items) != req.Limit {
			w.t.Errorf("page %d has %d items and a next page", page, len(l.Items))
		}
		between(page)
	}
}

func TestPagesAreOneList(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	for _, req := range []lectern.ListRequest{home(ada), search("python data marketing"), {Surface: lectern.SurfaceSimilar, CourseID: "py-101"}} {
		whole := req
		whole.Limit = 1000
		want := ids(w.list(whole))
		req.Limit = 3
		items, rankings := pages(w, req, func(int) {})
		var got []string
		for i, it := range items {
			got = append(got, it.Course.ID)
			if it.Position != i {
				t.Errorf("%s stands at %d, says %d", it.Course.ID, i, it.Position)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(rankings) != 1 {
			t.Errorf("%s: pages differ from the whole (-whole +pages):\n%s%d rankings", req.Surface, diff, len(rankings))
		}
	}
}

// TestPagesStandStill while courses come and go: nothing twice, nothing that is
// gone, and everything else in its place.
func TestPagesStandStill(t *testing.T) {
	w := newWorld(t, fixture(t))
	whole := home(lectern.LearnerRef{})
	whole.Limit = 1000
	want := ids(w.list(whole))
	retired, deleted := want[4], want[5]
	req := whole
	req.Limit = 2
	items, rankings := pages(w, req, func(page int) {
		switch page {
		case 0:
			c := w.courses[retired]
			c.Availability.Status = lectern.StatusRetired
			w.put(c)
			w.remove(deleted)
			w.put(lectern.Course{ID: "brand-new", Title: "Brand new", PublishedAt: &now})
		case 1: // the store knows before memory does
			c := w.courses[want[9]]
			c.Availability.Status = lectern.StatusRetired
			w.courses[c.ID] = c
		}
	})
	var got []string
	for _, it := range items {
		got = append(got, it.Course.ID)
		if want[it.Position] != it.Course.ID {
			t.Errorf("%s moved to %d", it.Course.ID, it.Position)
		}
	}
	left := slices.DeleteFunc(slices.Clone(want), func(id string) bool {
		return id == retired || id == deleted || id == want[9]
	})
	if diff := cmp.Diff(left, got); diff != "" || len(rankings) != 1 {
		t.Errorf("(-want +got):\n%s%d rankings", diff, len(rankings))
	}
}

func TestCursorErrors(t *testing.T) {
	w := newWorld(t, fixture(t))
	first := search("python")
	first.Limit = 2
	good := w.list(first).NextCursor
	if good == "" {
		t.Fatal("no second page")
	}
	with := func(change func(*lectern.ListRequest)) lectern.ListRequest {
		r := first
		r.Cursor = good
		change(&r)
		return r
	}
	tests := []struct {
		name string
		req  lectern.ListRequest
		code lectern.Code
		says string
	}{
		{"the same request", with(func(*lectern.ListRequest) {}), "", ""},
		{"another limit", with(func(r *lectern.ListRequest) { r.Limit = 5 }), "", ""},
		{"explained", with(func(r *lectern.ListRequest) { r.Explain = true }), "", ""},
		{"another query", with(func(r *lectern.ListRequest) { r.Query = "sql" }), lectern.CodeCursorMismatch, "query differs"},
		{"another filter", with(func(r *lectern.ListRequest) { r.Filter.Languages = []string{"en"} }), lectern.CodeCursorMismatch, "filter differs"},
		{"another learner", with(func(r *lectern.ListRequest) { r.Learner = ada }), lectern.CodeCursorMismatch, "learner differs"},
		{"another surface", with(func(r *lectern.ListRequest) { r.Surface, r.Query = lectern.SurfaceHome, "" }), lectern.CodeCursorMismatch, "surface, query differs"},
		{"garbage", with(func(r *lectern.ListRequest) { r.Cursor = "garbage" }), lectern.CodeInvalid, "cursor"},
		{"not base64", with(func(r *lectern.ListRequest) { r.Cursor = "ÿ!" }), lectern.CodeInvalid, "cursor"},
		{"long", with(func(r *lectern.ListRequest) { r.Cursor = strings.Repeat("A", 1<<20) }), lectern.CodeInvalid, "cursor"},
		{"cut short", with(func(r *lectern.ListRequest) { r.Cursor = good[:len(good)-4] }), lectern.CodeInvalid, "cursor"},
		{"another key", with(func(r *lectern.ListRequest) {
			r.Cursor = retrieve.EncodeCursor("01980000-0000-7000-8000-000000000000", 2, first, []byte("other"))
		}), lectern.CodeInvalid, "cursor"},
		{"a list that is gone", with(func(r *lectern.ListRequest) {
			r.Cursor = retrieve.EncodeCursor("01980000-0000-7000-8000-000000000000", 2, first, []byte("key"))
		}), lectern.CodeCursorExpired, "no longer kept"},
		{"past the end", with(func(r *lectern.ListRequest) {
			r.Cursor = retrieve.EncodeCursor(w.list(first).RankingID, 1<<19, first, []byte("key"))
		}), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.engine.List(context.Background(), tt.req)
			if lectern.ErrorCode(err) != tt.code || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q saying %q", err, tt.code, tt.says)
			}
		})
	}
}

func TestFilterOrderDoesNotMatterToCursors(t *testing.T) {
	w := newWorld(t, fixture(t))
	req := home(lectern.LearnerRef{})
	req.Limit, req.Filter.Providers = 2, []string{"Lyceum", "northfield"}
	req.Cursor = w.list(req).NextCursor
	req.Filter.Providers = []string{"NORTHFIELD", "lyceum"}
	w.list(req)
}

func TestCursorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.IntRange(0, 1<<20).Draw(t, "offset")
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		id := retrieve.RankingIDs(func() time.Time { return now }, strings.NewReader("0123456789"))()
		s := retrieve.EncodeCursor(id, offset, search("q"), key)
		gotID, gotOffset, err := retrieve.DecodeCursor(s, key)
		if err != nil || gotID != id || gotOffset != offset || strings.ContainsAny(s, "+/=") {
			t.Fatalf("%s %d became %s %d, %v", id, offset, gotID, gotOffset, err)
		}
	})
}

// FuzzDecodeCursor: what we did not write is refused, whatever it is.
func FuzzDecodeCursor(f *testing.F) {
	good := retrieve.EncodeCursor("01980000-0000-7000-8000-000000000000", 7, search("q"), []byte("key"))
	f.Add(good)
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		id, offset, err := retrieve.DecodeCursor(s, []byte("key"))
		if err == nil && s != retrieve.EncodeCursor(id, offset, search("q"), []byte("key")) && s != good {
			t.Errorf("%q was taken for a cursor", s)
		}
		if err != nil && lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%v", err)
		}
	})
}

func TestRecorder(t *testing.T) {
	w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.Record.FlushEvery = time.Second }))
	people(w)
	req := home(ada)
	req.Limit = 2
	l := w.list(req)
	w.mu.Lock()
	early := len(w.stored)
	w.mu.Unlock()
	if early != 0 {
		t.Fatal("stored before the flush")
	}
	r, err := w.recorder.Ranking(context.Background(), l.RankingID)
	if err != nil || r.Items[0].CourseID != l.Items[0].Course.ID || r.Learner != ada {
		t.Fatalf("not readable before it is stored: %v", err)
	}
	w.mu.Lock()
	w.putFails = errors.New("down")
	w.mu.Unlock()
	if err := w.recorder.Close(context.Background()); err == nil {
		t.Error("closing hides that rankings were not stored")
	}
	w.putFails = nil
	if err := w.recorder.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := w.stored[l.RankingID]
	if diff := cmp.Diff(r, got); diff != "" || len(got.Items) != l.Total || got.Items[0].Propensity != 1 || len(got.RequestHash) == 0 {
		t.Errorf("stored (-made +stored):\n%s", diff)
	}
	// Another replica cuts the next page from the store.
	w.build(patient(), linearDefault(t))
	req.Cursor, req.Explain = l.NextCursor, true
	second := w.list(req)
	if second.RankingID != l.RankingID || second.Items[0].Position != 2 || len(second.Items[0].Terms) == 0 {
		t.Errorf("second page: %+v", second)
	}
	w.recorder.Forget(ada)
	delete(w.stored, l.RankingID)
	req.Limit = 2
	if _, err := w.engine.List(context.Background(), req); lectern.ErrorCode(err) != lectern.CodeCursorExpired {
		t.Errorf("after the learner was erased: %v", err)
	}
}

func TestRankingIDs(t *testing.T) {
	clock := now
	next := retrieve.RankingIDs(func() time.Time { return clock }, strings.NewReader(strings.Repeat("random-bytes", 9)))
	a := next()
	clock = clock.Add(time.Millisecond)
	b := next()
	if len(a) != 36 || a[14] != '7' || !strings.ContainsRune("89ab", rune(a[19])) || a >= b {
		t.Errorf("%s, %s", a, b)
	}
}
