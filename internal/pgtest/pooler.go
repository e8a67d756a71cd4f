package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const poolerPort = "6432"

// StartPooler runs PgBouncer in transaction mode before the server, until the end
// of the test, and returns what turns an address from DSN into one that leads
// through it. It skips the test where PgBouncer is not installed. With two
// sessions for all, no client can count on meeting the same one again.
func (s *Server) StartPooler(tb testing.TB) func(dsn string) string {
	tb.Helper()
	path, err := lookPooler()
	if err != nil {
		if os.Getenv(RequireEnv) == "1" {
			tb.Fatalf("PgBouncer is not installed, and %s=1", RequireEnv)
		}
		tb.Skip("PgBouncer is not installed")
	}
	settings := filepath.Join(s.dir, "pgbouncer.ini")
	text := fmt.Sprintf(`[databases]
* = host=%[1]s user=postgres
[pgbouncer]
listen_port = %[2]s
unix_socket_dir = %[1]s
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 500
; Every test has a database of its own: its connections must not wait for others.
server_idle_timeout = 1
`, s.dir, poolerPort)
	if err := os.WriteFile(settings, []byte(text), 0o644); err != nil { //nolint:gosec // the server's user reads it
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), path, settings)
	cmd.Dir = s.dir
	cmd.SysProcAttr = serverAttributes()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		err := s.command(tb.Context(), "pg_isready", "-q", "-h", s.dir, "-p", poolerPort)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			tb.Fatalf("PgBouncer does not start: %v", err)
		}
	}
	return func(dsn string) string {
		return strings.Replace(dsn, "host="+s.dir, "host="+s.dir+" port="+poolerPort, 1)
	}
}

// lookPooler finds PgBouncer, which Debian keeps where users' paths do not lead.
func lookPooler() (string, error) {
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/pgbouncer")
}
