package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/transfer"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// killedAt is a target whose copy dies at a table.
type killedAt struct {
	transfer.Store
	table string
}

var errKilled = errors.New("killed")

func (s killedAt) RestoreRows(ctx context.Context, t transfer.Table, rows []transfer.Row) error {
	if t.Name == s.table {
		return errKilled
	}
	return s.Store.RestoreRows(ctx, t, rows)
}

// Nothing but the same copy works on a target that is half filled.
func TestHalfACopy(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	file := filepath.Join(t.TempDir(), "courses.jsonl")
	write(t, file, `{"id":"c1","title":"Statistics","description":"About probability"}`+"\n"+`{"id":"c2","title":"Cooking"}`+"\n")
	mustRun(t, "import", "courses", file, "--data", from)
	breakOffCopy(t, from, to, "courses")

	for _, command := range [][]string{{"serve", "--server.address", "127.0.0.1:0"}, {"import", "courses", file}, {"keys", "list"}, {"reindex"}} {
		code, _, stderr := runCommand(t, append(command, "--data", to)...)
		if code != 1 || !strings.Contains(stderr, "run the same `lectern copy` again") {
			t.Errorf("%v on half a copy: status %d, %s", command, code, stderr)
		}
	}
	for _, deep := range []string{"", "--deep"} {
		code, out, stderr := runCommand(t, strings.Fields("doctor --data "+to+" "+deep)...)
		if code != 1 || !strings.Contains(out, "FAULT") || !strings.Contains(out, "half a copy") || !strings.Contains(out, "the same `lectern copy` again") {
			t.Errorf("doctor %s on half a copy: status %d\n%s%s", deep, code, out, stderr)
		}
	}
	if code, _, stderr := runCommand(t, "copy", "--from", to, "--to", t.TempDir()); code != 1 || !strings.Contains(stderr, "half a copy") {
		t.Errorf("a copy of half a copy: status %d, %s", code, stderr)
	}
	mustRun(t, "copy", "--from", from, "--to", to)
	mustRun(t, "keys", "list", "--data", to)
	if out := mustRun(t, "doctor", "--data", to); !strings.Contains(out, "2 courses") {
		t.Errorf("after the copy has ended:\n%s", out)
	}
}

func breakOffCopy(t *testing.T, from, to, table string) {
	t.Helper()
	stores := make([]*sqlite.Store, 2)
	for i, folder := range []string{from, to} {
		if err := os.MkdirAll(folder, 0o750); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(folder, "lectern.db"), Clock: lectern.SystemClock})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		stores[i] = s
	}
	identity, err := stores[0].Secret(t.Context(), secretCursors, randomBytes(32))
	if err != nil {
		t.Fatal(err)
	}
	_, err = transfer.Copy(t.Context(), stores[0], killedAt{stores[1], table}, transfer.Options{Identity: identity})
	if !errors.Is(err, errKilled) {
		t.Fatalf("the copy ended with %v", err)
	}
}
