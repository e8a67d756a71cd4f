package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	begin := time.Now()
	code, out, stderr := runCommand(t, append([]string{"doctor"}, args[:len(args)-4]...)...) // with the usual patience and log
	if code != 1 || strings.Contains(stderr, "WARN") || !strings.Contains(out, "within 3s") || time.Since(begin) > patience {
		t.Errorf("without Qdrant it ended with %d after %v:\n%s%s", code, time.Since(begin), out, stderr)
	}
	if err := index.Restart(); err != nil {
		t.Fatal(err)
	}
	expect("doctor --deep --mend", 0, "FAULT", "Qdrant's alias names none", "store and index agree", "has been mended", "all is well")
	expect("doctor", 0, "all is well")
	args[3] = "postgres://nobody:geheim@127.0.0.1:1/none"
	expect("doctor", 1, "FAULT open PostgreSQL", "store.postgres.dsn", "ok    Qdrant")
}
