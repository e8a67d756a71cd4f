package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
	"github.com/lectern-dev/lectern/internal/pgtest"
)

// The doctor names what is wrong with each part, says how to mend it, and goes on.
func TestDoctorInProduction(t *testing.T) {
	server, index := pgtest.Start(t), qdranttest.Start(t)
	args := []string{
		"--store.driver", "postgres", "--store.postgres.dsn", server.DSN(t), "--data", filepath.Join(t.TempDir(), "none"),
		"--index.driver", "qdrant", "--index.qdrant.address", index.Addr(), "--index.qdrant.connect_timeout", "500ms", "--log.level", "error",
	}
	call := func(command string, more ...string) (int, string) {
		var out strings.Builder
		code := run(t.Context(), append(append(strings.Fields(command), args...), more...), &out, &out)
		return code, out.String()
	}
	expect := func(command string, code int, words ...string) {
		t.Helper()
		got, out := call(command)
		missing := got != code
		for _, w := range words {
			missing = missing || !strings.Contains(out, w)
		}
		if missing {
			t.Errorf("%s ended with %d, want %d with %q:\n%s", command, got, code, words, out)
		}
	}
	expect("doctor", 1, "FAULT", "migrations are not applied", "`lectern migrate up`", "ok    Qdrant")
	expect("migrate up", 0)
	expect("doctor", 0, "ok    PostgreSQL", "the clocks agree", "connections are taken", "no server is running", "no index is in use", "data folder", "all is well")
	var courses strings.Builder
	for i := range 40 {
		fmt.Fprintf(&courses, `{"id":"c%d","title":"Course %d on statistics","description":"About probability, data and lesson %d"}`+"\n", i, i, i)
	}
	file := filepath.Join(t.TempDir(), "courses.jsonl")
	if err := os.WriteFile(file, []byte(courses.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("import courses "+file, 0, "created 40")
	expect("reindex", 0, "reindexed", "generation 1")
	expect("doctor --deep", 0, "generation 1 is in use: embedder local", "every row is sound", "store and index agree", "all is well")
	expect("doctor --embed.driver openai --embed.openai.base_url http://127.0.0.1:1/v1 --embed.openai.model m", 1,
		"the embedding server at http://127.0.0.1:1/v1 does not serve", "the configuration names the embedder openai", "run `lectern reindex`")
	expect("doctor --store.postgres.max_conns 5000", 1, "are more than the", "lower store.postgres.max_conns")
	expect("doctor --mend", 2)
	expect("reindex", 0, "generation 2")
	expect("reindex --rollback", 0, "switched", "generation 1")
	expect("reindex --list", 0, "GENERATION", "local")
	index.Kill()
	expect("doctor", 1, "FAULT Qdrant at", "start Qdrant")
	code, out, stderr := runCommand(t, append([]string{"doctor"}, args[:len(args)-4]...)...) // with the usual patience and log
	if code != 1 || strings.Contains(stderr, "WARN") || !strings.Contains(out, "within 3s") {
		t.Errorf("without Qdrant it ended with %d:\n%s%s", code, out, stderr)
	}
	if err := index.Restart(); err != nil {
		t.Fatal(err)
	}
	expect("doctor --deep --mend", 0, "FAULT", "Qdrant's alias names none", "store and index agree", "has been mended", "all is well")
	expect("doctor", 0, "all is well")
	args[3] = "postgres://nobody:geheim@127.0.0.1:1/none"
	expect("doctor", 1, "FAULT open PostgreSQL", "store.postgres.dsn", "ok    Qdrant")
}

// Points are counted before courses. What a server writes in between is no fault, what is
// not there at all is one.
func TestDoctorCountsAgain(t *testing.T) {
	d := production(t)
	d.importDemo(20, "courses")
	d.run("reindex")
	c, err := LoadConfig("", d.environ(), nil)
	if err != nil {
		t.Fatal(err)
	}
	env := environment{config: c, log: newLogger(io.Discard, c.Log)}
	if err := env.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(e.close(t.Context()), env.store.Close()); err != nil {
			t.Error(err)
		}
	}()
	look := func(earlier int) (faults int, says string) {
		t.Helper()
		info, err := e.indexes.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range info.Collections {
			if !info.Collections[i].Learners {
				info.Collections[i].Points -= earlier
			}
		}
		var out strings.Builder
		doctor := doctor{out: &out}
		all, _ := doctor.generations(t.Context(), e, true)
		doctor.qdrant(t.Context(), e, info, active(all), false)
		return doctor.faults, out.String()
	}
	if faults, says := look(3); faults > 0 {
		t.Errorf("points that came meanwhile:\n%s", says)
	}
	courses, _, err := e.store.ScanCourses(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	index, _, err := e.indexes.Open(t.Context(), 1)
	if err == nil {
		err = index.Delete(t.Context(), []string{courses[0].ID})
	}
	if err != nil {
		t.Fatal(err)
	}
	if faults, says := look(0); faults != 1 || !strings.Contains(says, "has 19 points for 20 courses") {
		t.Errorf("a point that is missing:\n%s", says)
	}
}
