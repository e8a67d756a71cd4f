package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// The doctor says which settings lists are made by, and calls it a fault when a build
// after this one wrote them.
func TestDoctorReadsSettings(t *testing.T) {
	dir := t.TempDir()
	expect := func(code int, command string, words ...string) {
		t.Helper()
		got, out, stderr := runCommand(t, append(strings.Fields(command), "--data", dir)...)
		missing := got != code
		for _, w := range words {
			missing = missing || !strings.Contains(out, w)
		}
		if missing {
			t.Errorf("%s ended with %d, want %d with %q:\n%s%s", command, got, code, words, out, stderr)
		}
	}
	expect(0, "migrate up")
	expect(0, "doctor", "lists are made by the settings v0-")
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(dir, "lectern.db"), Clock: lectern.SystemClock})
	if err != nil {
		t.Fatal(err)
	}
	for base, body := range []string{`{"terms":{"rating_prior":7}}`, `{"terms":{"rating_prior":7},"of_a_later_build":1}`} {
		v := lectern.SettingsVersion{Kind: lectern.SettingsRerank, Body: json.RawMessage(body), Base: int64(base)}
		if _, err := store.PutSettings(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	expect(1, "doctor", "FAULT this build cannot read the rerank settings in use, v2: it ranks by v1", "lectern config rerank activate")
	expect(0, "config rerank activate 1")
	expect(0, "doctor", "lists are made by the settings v1", "all is well")
}
