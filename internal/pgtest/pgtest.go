// Package pgtest starts throw-away PostgreSQL servers for tests.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// RequireEnv names the variable that, set to 1, makes a missing
// PostgreSQL a failure instead of a reason to skip.
const RequireEnv = "LECTERN_TEST_REQUIRE_POSTGRES"

// BinEnv names the folder of PostgreSQL's programs where they are in no usual
// place.
const BinEnv = "LECTERN_TEST_POSTGRES_BIN"

const startTimeout = 2 * time.Minute

// Server is one running cluster that nobody else uses. It listens on a Unix
// socket only.
type Server struct {
	bin, dir  string
	settings  []string // beside those of every server
	databases atomic.Int32

	guard *exec.Cmd // nil while the server is dead
	stop  io.Closer // ends the guard, and with it the server
	log   bytes.Buffer
}

// Start makes a cluster and runs it until the end of the test. It skips the
// test where PostgreSQL is not installed, or fails it with RequireEnv set.
func Start(tb testing.TB) *Server {
	tb.Helper()
	bin, err := findBinaries()
	if err != nil {
		if os.Getenv(RequireEnv) == "1" {
			tb.Fatalf("%v, and %s=1", err, RequireEnv)
		}
		tb.Skip(err)
	}
	// Not tb.TempDir: that one is closed to the user that the server runs as,
	// and its path may be too long for a socket.
	dir, err := os.MkdirTemp("", "lectern-pg")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{bin: bin, dir: dir}
	if _, measured := tb.(*testing.B); !measured {
		// It would lock tables, and keep databases from being copied, at odd moments.
		s.settings = []string{"-c", "autovacuum=off"}
	}
	if err := s.initialise(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		s.release()
		if tb.Failed() {
			tb.Logf("PostgreSQL's log:\n%s", s.log.String())
		}
	})
	if err := s.run(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

// DSN returns the connection string of a new, empty database.
func (s *Server) DSN(tb testing.TB) string {
	tb.Helper()
	return s.create(tb, "template0")
}

// Copy returns the connection string of a new database with all that the one
// behind dsn holds, which nobody may be connected to.
func (s *Server) Copy(tb testing.TB, dsn string) string {
	tb.Helper()
	_, rest, _ := strings.Cut(dsn, " dbname=")
	name, _, _ := strings.Cut(rest, " ")
	return s.create(tb, name)
}

func (s *Server) create(tb testing.TB, template string) string {
	tb.Helper()
	name := "test" + strconv.Itoa(int(s.databases.Add(1)))
	if err := s.command(tb.Context(), "createdb", "-h", s.dir, "-U", "postgres", "-T", template, name); err != nil {
		tb.Fatal(err)
	}
	return fmt.Sprintf("host=%s user=postgres dbname=%s sslmode=disable", s.dir, name)
}

// findBinaries returns the folder of the newest PostgreSQL's programs.
func findBinaries() (string, error) {
	if dir := os.Getenv(BinEnv); dir != "" {
		return dir, nil
	}
	var found []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin/initdb",         // Debian
		"/usr/pgsql-*/bin/initdb",                  // Red Hat
		"/opt/homebrew/opt/postgresql*/bin/initdb", // macOS
	} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		found = append(found, matches...)
	}
	if len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("PostgreSQL is not installed: no initdb found; set " + BinEnv)
}

// initialise makes the cluster's files, without the safety that a throw-away
// cluster does not need.
func (s *Server) initialise(ctx context.Context) error {
	if err := ownByServer(s.dir); err != nil {
		return err
	}
	return s.command(ctx, "initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8",
		"--locale=C", "-D", s.data())
}

// Kill ends the server as a crash would: at once, without a checkpoint, in the
// middle of whatever it does. What it has committed is in the operating system's
// hands and survives. Call Restart afterwards.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.command(tb.Context(), "pg_ctl", "stop", "-m", "immediate", "-D", s.data()); err != nil {
		tb.Fatal(err)
	}
	s.release()
}

// Restart starts the server that Kill has ended, under the same address, and
// returns when it takes connections.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	if err := s.run(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// run starts the server. A shell stands between us and it, which stops the
// server when its input closes: at the latest when this process dies.
func (s *Server) run(ctx context.Context) error {
	const guard = `"$0" "$@" & server=$!; read -r _; kill -INT $server; wait $server`
	// Not the test's context, which ends before the clean-up stops the server.
	args := []string{"-c", guard, filepath.Join(s.bin, "postgres"), "-D", s.data(),
		"-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "sh", append(args, s.settings...)...)
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.Dir = s.dir
	cmd.SysProcAttr = serverAttributes()
	stop, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.guard, s.stop = cmd, stop
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		err := s.command(ctx, "pg_isready", "-q", "-h", s.dir)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not start: %w", err)
		}
	}
}

// release stops the server, if it runs, and waits until it is gone.
func (s *Server) release() {
	if s.guard == nil {
		return
	}
	_ = s.stop.Close()
	_ = s.guard.Wait()
	s.guard = nil
}

// command runs one of PostgreSQL's programs to its end.
func (s *Server) command(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = serverAttributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}
