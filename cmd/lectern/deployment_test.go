package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/openai/openaitest"
	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
	"github.com/lectern-dev/lectern/internal/pgtest"
)

// qdrantVariable names a real Qdrant's gRPC address, which the production tests
// then use in place of the fake one.
const qdrantVariable = "LECTERN_TEST_QDRANT"

// deployment is a way to run Lectern: the flags that every command gets, and the
// servers behind them.
type deployment struct {
	t    *testing.T
	data string   // folder
	args []string // for every command

	// Of production only.
	postgres *pgtest.Server
	qdrant   *qdranttest.Server // nil where a real one is used
	embedder *openaitest.Server
}

// deployments runs a test in embedded mode and in production mode, side by side: most of
// the time each waits for its own servers. They have begun when it returns, and are done
// before the next test.
func deployments(t *testing.T, test func(t *testing.T, d *deployment)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, embedded(t))
	})
	t.Run("production", func(t *testing.T) {
		t.Parallel()
		test(t, production(t))
	})
}

func embedded(t *testing.T) *deployment {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	return &deployment{t: t, data: data, args: []string{"--data", data}}
}

// production is PostgreSQL, Qdrant and an OpenAI-compatible embedder.
func production(t *testing.T) *deployment {
	t.Helper()
	d := embedded(t)
	d.postgres = pgtest.Start(t)
	address := os.Getenv(qdrantVariable)
	if address == "" {
		d.qdrant = qdranttest.Start(t, qdranttest.Durable())
		address = d.qdrant.Addr()
	}
	d.embedder = openaitest.New(openaitest.Options{Dim: 64})
	d.args = append(d.args,
		"--store.driver", "postgres", "--store.postgres.dsn", d.postgres.DSN(t),
		"--index.driver", "qdrant", "--index.qdrant.address", address,
		"--index.qdrant.prefix", "test"+strconv.Itoa(os.Getpid())+strings.ToLower(t.Name()[:4])+strconv.Itoa(len(t.Name())),
		"--embed.driver", "openai",
	)
	d.args = append(d.args, embedderArgs(t, d.embedder)...)
	return d
}

// embedderArgs starts an embedding server and names it.
func embedderArgs(t *testing.T, s *openaitest.Server) []string {
	t.Helper()
	base, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return []string{"--embed.openai.base_url", base, "--embed.openai.model", s.Model()}
}

// inTest is the deployment for a subtest's own assertions.
func (d *deployment) inTest(t *testing.T) *deployment {
	out := *d
	out.t = t
	return &out
}

func (d *deployment) with(args []string) []string {
	return append(append([]string{}, args...), d.args...)
}

// run runs a command that must succeed.
func (d *deployment) run(args ...string) string {
	d.t.Helper()
	return mustRun(d.t, d.with(args)...)
}

// start starts a server.
func (d *deployment) start(args ...string) *testServer {
	d.t.Helper()
	return startServer(d.t, d.data, append(append([]string{}, d.args[2:]...), args...)...)
}

// child prepares a command as a process of its own.
func (d *deployment) child(stderr io.Writer, args ...string) *exec.Cmd {
	d.t.Helper()
	return childCommand(d.t, stderr, d.with(args)...)
}

func (d *deployment) key(scope string) string {
	d.t.Helper()
	return strings.TrimSpace(d.run("keys", "create", "--scope", scope, "--name", "test "+scope))
}

// withStore opens the deployment's store.
func (d *deployment) withStore(f func(relational)) {
	d.t.Helper()
	c, err := LoadConfig("", d.environ(), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	env := environment{config: c, log: newLogger(io.Discard, c.Log)}
	if err := env.open(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	defer func() {
		if err := env.store.Close(); err != nil {
			d.t.Error(err)
		}
	}()
	f(env.store)
}

// environ are the flags as environment variables.
func (d *deployment) environ() []string {
	var out []string
	for i := 0; i+1 < len(d.args); i += 2 {
		key := strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(d.args[i], "--"), ".", "__"))
		out = append(out, fmt.Sprintf("%s%s=%s", envPrefix, key, d.args[i+1]))
	}
	return out
}

func (d *deployment) stats() (s lectern.StoreStats) {
	d.t.Helper()
	d.withStore(func(store relational) {
		var err error
		if s, err = store.Stats(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
	})
	return s
}

// checkDeep compares store and index course by course.
func (d *deployment) checkDeep() {
	d.t.Helper()
	if out := d.run("doctor", "--deep"); !strings.Contains(out, "store and index agree") {
		d.t.Errorf("doctor --deep:\n%s", out)
	}
}
