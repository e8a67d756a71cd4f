package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// draft is a settings document with one number, made from a version.
func draft(kind string, n int, base int64) lectern.SettingsVersion {
	return lectern.SettingsVersion{
		Kind: kind, Body: json.RawMessage(fmt.Sprintf(`{"n": %d,  "text": "ü \u0000 'x'"}`, n)),
		Author: "key", Comment: "because", Base: base, CreatedAt: noon1,
	}
}

// wantActive checks what is in use.
func wantActive(t *testing.T, s Store, kind string, want lectern.SettingsVersion) lectern.SettingsActivation {
	t.Helper()
	v, a, err := s.ActiveSettings(t.Context(), kind)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "in use", v, want)
	equal(t, "activation", a.Version, want.Version)
	return a
}

func testSettings(t *testing.T, s Store) {
	ctx := t.Context()
	put := func(n int, base int64) lectern.SettingsVersion {
		t.Helper()
		return must[lectern.SettingsVersion](t)(s.PutSettings(ctx, draft("rerank", n, base)))
	}
	_, _, err := s.ActiveSettings(ctx, "rerank")
	wantCode(t, err, lectern.CodeNotFound)
	_, err = s.Settings(ctx, "rerank", 1)
	wantCode(t, err, lectern.CodeNotFound)
	versions, history, err := s.SettingsVersions(ctx, "rerank", 0, 10)
	ok(t, err)
	equal(t, "versions of nothing", len(versions)+len(history), 0)

	one := put(1, 0)
	want := draft("rerank", 1, 0)
	want.Version = 1
	equal(t, "stored", one, want)
	a := wantActive(t, s, "rerank", one)
	equal(t, "activation of the first", a, lectern.SettingsActivation{
		Seq: a.Seq, Kind: "rerank", Version: 1, Author: "key", Comment: "because", At: noon1,
	})

	// What was made from something else is not stored, and takes no number.
	for _, base := range []int64{0, 2, 7} {
		_, err := s.PutSettings(ctx, draft("rerank", 99, base))
		wantCode(t, err, lectern.CodePrecondition)
		if !strings.Contains(err.Error(), "version 1 is in use") {
			t.Errorf("base %d: %v does not name the version in use", base, err)
		}
	}
	two := put(2, 1)
	equal(t, "second", two.Version, int64(2))
	second := wantActive(t, s, "rerank", two)
	if second.Seq <= a.Seq {
		t.Errorf("activation %d after %d", second.Seq, a.Seq)
	}
	equal(t, "the first is as it was", must[lectern.SettingsVersion](t)(s.Settings(ctx, "rerank", 1)), one)

	// Kinds do not know each other.
	other := must[lectern.SettingsVersion](t)(s.PutSettings(ctx, draft("other", 1, 0)))
	equal(t, "another kind's", other.Version, int64(1))
	wantActive(t, s, "rerank", two)
	wantActive(t, s, "other", other)

	timed := draft("rerank", 3, 2)
	timed.CreatedAt = time.Time{}
	got := must[lectern.SettingsVersion](t)(s.PutSettings(ctx, timed))
	if since := time.Since(got.CreatedAt); since < -time.Hour || since > time.Hour {
		t.Errorf("a version without a time is of %v", got.CreatedAt)
	}
	wantActive(t, s, "rerank", got)
}

func testSettingsReject(t *testing.T, s Store) {
	ctx := t.Context()
	for name, change := range map[string]func(*lectern.SettingsVersion){
		"no kind":    func(v *lectern.SettingsVersion) { v.Kind = "" },
		"no body":    func(v *lectern.SettingsVersion) { v.Body = nil },
		"no JSON":    func(v *lectern.SettingsVersion) { v.Body = json.RawMessage(`{"a":}`) },
		"no object":  func(v *lectern.SettingsVersion) { v.Body = json.RawMessage(`[1]`) },
		"two bodies": func(v *lectern.SettingsVersion) { v.Body = json.RawMessage(`{} {}`) },
		"no base":    func(v *lectern.SettingsVersion) { v.Base = -1 },
	} {
		v := draft("rerank", 1, 0)
		change(&v)
		if _, err := s.PutSettings(ctx, v); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err := s.ActiveSettings(ctx, "rerank")
	wantCode(t, err, lectern.CodeNotFound)
}

func testSettingsActivate(t *testing.T, s Store) {
	ctx := t.Context()
	at := func(version int64, comment string, minutes int) lectern.SettingsActivation {
		return lectern.SettingsActivation{
			Kind: "rerank", Version: version, Author: "boss", Comment: comment, At: noon1.Add(time.Duration(minutes) * time.Minute),
		}
	}
	ok(t, s.ActivateSettings(ctx, at(0, "nothing to go back from", 0), -1))
	wantCode(t, s.ActivateSettings(ctx, at(1, "", 0), -1), lectern.CodeNotFound)
	var versions []lectern.SettingsVersion
	for i := range 3 {
		versions = append(versions, must[lectern.SettingsVersion](t)(s.PutSettings(ctx, draft("rerank", i, int64(i)))))
	}
	wantCode(t, s.ActivateSettings(ctx, at(4, "", 0), 3), lectern.CodeNotFound)
	wantCode(t, s.ActivateSettings(ctx, at(1, "", 0), 2), lectern.CodePrecondition)
	wantCode(t, s.ActivateSettings(ctx, at(3, "", 0), 2), lectern.CodePrecondition)
	before := wantActive(t, s, "rerank", versions[2])
	ok(t, s.ActivateSettings(ctx, at(3, "as it is", 1), 3))
	equal(t, "activating the one in use", wantActive(t, s, "rerank", versions[2]), before)

	ok(t, s.ActivateSettings(ctx, at(1, "back", 2), 3))
	a := wantActive(t, s, "rerank", versions[0])
	want := at(1, "back", 2)
	want.Seq = a.Seq
	equal(t, "activation", a, want)
	_, err := s.PutSettings(ctx, draft("rerank", 9, 3))
	wantCode(t, err, lectern.CodePrecondition)
	four := must[lectern.SettingsVersion](t)(s.PutSettings(ctx, draft("rerank", 4, 1)))
	equal(t, "number after going back", four.Version, int64(4))

	// Back to the configuration file's, and on from there.
	ok(t, s.ActivateSettings(ctx, at(0, "to the file", 3), 4))
	v, a, err := s.ActiveSettings(ctx, "rerank")
	wantCode(t, err, lectern.CodeNotFound)
	equal(t, "no version", v.Version, int64(0))
	want = at(0, "to the file", 3)
	want.Seq = a.Seq
	equal(t, "since when the file's hold", a, want)
	ok(t, s.ActivateSettings(ctx, at(0, "again", 4), 0))
	five := must[lectern.SettingsVersion](t)(s.PutSettings(ctx, draft("rerank", 5, 0)))
	equal(t, "number after the file's", five.Version, int64(5))
	ok(t, s.ActivateSettings(ctx, at(1, "back again", 5), -1))
	checkSettingsHistory(t, s)
}

// checkSettingsHistory pages through what testSettingsActivate has done.
func checkSettingsHistory(t *testing.T, s Store) {
	t.Helper()
	var got []string
	for before := int64(0); ; {
		versions, history, err := s.SettingsVersions(t.Context(), "rerank", before, 2)
		ok(t, err)
		if len(versions) != len(history) {
			t.Fatalf("%d versions and %d histories", len(versions), len(history))
		}
		for i, v := range versions {
			line := fmt.Sprint(v.Version, ":")
			for _, a := range history[i] {
				line += " " + a.Comment
			}
			got = append(got, line)
		}
		if len(versions) < 2 || versions[len(versions)-1].Version <= 1 {
			if len(versions) == 2 && versions[1].Version == 1 { // the file's may follow
				before = 1
				continue
			}
			break
		}
		before = versions[len(versions)-1].Version
	}
	want := []string{
		"5: because", "4: because", "3: because", "2: because",
		"1: back again back because", "0: to the file",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("history (-want +got):\n%s", d)
	}
}

// testSettingsRace lets writers start from the same version: one succeeds.
func testSettingsRace(t *testing.T, s Store) {
	ctx := t.Context()
	const rounds, writers = 8, 4
	for round := range rounds {
		start, answers := make(chan struct{}), make(chan error, writers)
		for w := range writers {
			go func() {
				<-start
				_, err := s.PutSettings(ctx, draft("rerank", round*writers+w, int64(round)))
				answers <- err
			}()
		}
		close(start)
		won := 0
		for range writers {
			if err := <-answers; err == nil {
				won++
			} else {
				wantCode(t, err, lectern.CodePrecondition)
			}
		}
		equal(t, fmt.Sprint("winners of round ", round), won, 1)
	}
	v, _, err := s.ActiveSettings(ctx, "rerank")
	ok(t, err)
	equal(t, "version", v.Version, int64(rounds))
}

// testSettingsRetry lets many writers add to a document, each trying again when
// another was faster: nothing is lost, and numbers have no holes.
func testSettingsRetry(t *testing.T, s Store) {
	ctx := t.Context()
	const writers, each = 6, 5
	type body struct{ Done []string }
	add := func(what string) error {
		for {
			var doc body
			v, _, err := s.ActiveSettings(ctx, "rerank")
			if err == nil {
				err = json.Unmarshal(v.Body, &doc)
			}
			if err != nil && lectern.ErrorCode(err) != lectern.CodeNotFound {
				return err
			}
			doc.Done = append(doc.Done, what)
			next, err := json.Marshal(doc)
			if err != nil {
				return err
			}
			_, err = s.PutSettings(ctx, lectern.SettingsVersion{Kind: "rerank", Body: next, Author: what, Base: v.Version})
			if lectern.ErrorCode(err) != lectern.CodePrecondition {
				return err
			}
		}
	}
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				if err := add(fmt.Sprint(w, "/", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	v, _, err := s.ActiveSettings(ctx, "rerank")
	ok(t, err)
	var doc body
	ok(t, json.Unmarshal(v.Body, &doc))
	equal(t, "what was added", len(doc.Done), writers*each)
	versions, history, err := s.SettingsVersions(ctx, "rerank", 0, 100)
	ok(t, err)
	equal(t, "versions", len(versions), writers*each)
	last := int64(0)
	for i, v := range versions {
		equal(t, "number", v.Version, int64(writers*each-i))
		equal(t, "base", v.Base, v.Version-1)
		if len(history[i]) != 1 || (i > 0 && history[i][0].Seq >= last) {
			t.Errorf("version %d: activations %v", v.Version, history[i])
		}
		last = history[i][0].Seq
	}
}
