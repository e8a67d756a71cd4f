package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/openai/openaitest"
	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
	"github.com/lectern-dev/lectern/indexing"
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

// embedded waits until nothing is left to embed, and every vector is in the index of each
// server. A list names a course before, but cannot tell yet how like it is to others.
func (d *deployment) embedded(servers ...*testServer) {
	d.t.Helper()
	eventually(d.t, 30*time.Second, "nothing left to embed", func() bool { return d.stats().PendingJobs == 0 })
	for _, s := range servers {
		eventually(d.t, 20*time.Second, "every vector in the index", func() bool {
			return s.metric(`lectern_index_vectors{vector="content"}`) == strconv.Itoa(d.vectors())
		})
	}
}

// vectors counts the courses that have a vector of the embedder in use.
func (d *deployment) vectors() (n int) {
	d.t.Helper()
	ctx := d.t.Context()
	d.withStore(func(store relational) {
		use, err := store.ActiveArtefact(ctx, indexing.ArtefactEmbedder)
		for after := int64(0); err == nil; {
			var page []lectern.Course
			var vectors map[lectern.ContentHash][]float32
			if page, after, err = store.ScanCourses(ctx, after, 1000); err != nil {
				break
			}
			page = slices.DeleteFunc(page, func(c lectern.Course) bool { return c.Availability.Status == lectern.StatusRetired })
			hashes := make([]lectern.ContentHash, len(page))
			for i := range page {
				hashes[i] = lectern.HashContent(page[i].EmbeddingText())
			}
			if vectors, err = store.VectorsByHash(ctx, use.Fingerprint, hashes); err != nil {
				break
			}
			for _, h := range hashes {
				if vectors[h] != nil {
					n++
				}
			}
			if after == 0 {
				return
			}
		}
		d.t.Fatal(err)
	})
	return n
}

// stored waits until a list is in the store: they are written in groups.
func (d *deployment) stored(ranking string) {
	d.t.Helper()
	eventually(d.t, time.Second, "the list in the store", func() (ok bool) {
		d.withStore(func(store relational) {
			_, err := store.Ranking(d.t.Context(), ranking)
			ok = err == nil
		})
		return ok
	})
}

// checkDeep compares store and index course by course.
func (d *deployment) checkDeep() {
	d.t.Helper()
	if out := d.run("doctor", "--deep"); !strings.Contains(out, "store and index agree") {
		d.t.Errorf("doctor --deep:\n%s", out)
	}
}
