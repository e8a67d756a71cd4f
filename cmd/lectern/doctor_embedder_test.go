package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern/embed/openai/openaitest"
	"github.com/lectern-dev/lectern/index/qdrant"
	"github.com/lectern-dev/lectern/indexing"
)

// The doctor says of an embedding server what is true, whether or not the
// dimension is configured, and compares what can be compared while it is away.
func TestDoctorOnTheEmbeddingServer(t *testing.T) {
	server := openaitest.New(openaitest.Options{Dim: 64})
	address := embedderArgs(t, server)
	base := address[1]
	data, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "courses.jsonl")
	write(t, file, `{"id":"c1","title":"Statistics"}`+"\n"+`{"id":"c2","title":"Cooking"}`+"\n")
	common := append([]string{"--data", data, "--embed.driver", "openai"}, address...)
	mustRun(t, append([]string{"import", "courses", file}, common...)...)
	mustRun(t, append([]string{"reindex"}, common...)...)
	write(t, file, `{"id":"c3","title":"Gardening"}`+"\n")
	mustRun(t, append([]string{"import", "courses", file}, common...)...)

	doctor := func(code int, wants []string, args ...string) {
		t.Helper()
		got, out, stderr := runCommand(t, append(append([]string{"doctor"}, common...), args...)...)
		missing := got != code || strings.Contains(out, "answered once") || strings.Contains(stderr, "WARN")
		for _, want := range wants {
			missing = missing || !strings.Contains(out, want)
		}
		if missing {
			t.Errorf("doctor %v: status %d, want %d with %q:\n%s%s", args, got, code, wants, out, stderr)
		}
	}
	doctor(0, []string{"the embedding server answers in", "all is well"})
	for _, dimensions := range []string{"0", "64"} {
		with := []string{"--embed.openai.dimensions", dimensions}
		doctor(1, []string{"FAULT the embedding server at http://127.0.0.1:1/v1 does not serve", "cannot be reached"}, append(with, "--embed.openai.base_url", "http://127.0.0.1:1/v1")...)
		doctor(1, []string{"does not serve", "ends with the API's version, such as /v1"}, append(with, "--embed.openai.base_url", strings.TrimSuffix(base, "/v1"))...)
		server.Always(openaitest.Refusal(http.StatusNotFound, "no such model"))
		doctor(1, []string{"does not serve", "has no model other"}, append(with, "--embed.openai.model", "other")...)
		server.Always(nil)
	}
	doctor(1, []string{"answers with 64 dimensions where 32 are expected"}, "--embed.openai.dimensions", "32")

	away := []string{"--embed.openai.base_url", "http://127.0.0.1:1/v1", "--deep"}
	doctor(1, []string{"FAULT the embedding server", "every row is sound", "store and index agree", "1 courses wait for their vector"}, away...)
	doctor(1, []string{"FAULT the embedding server", "FAULT courses without a vector were not embedded", "store and index agree", "1 courses wait for their vector"}, append(away, "--mend")...)
	// Written anew by the mend, or before it by the engine that the doctor runs.
	doctor(0, []string{"3 with a vector", "all is well"}, "--deep", "--mend")
}

// A generation whose second collection is gone is no whole generation.
func TestDoctorMissesTheLearners(t *testing.T) {
	var out strings.Builder
	d := doctor{out: &out}
	learners := qdrant.CollectionInfo{Name: "lectern_learners_3", Version: 3, Learners: true, Status: "green"}
	use := &indexing.GenerationInfo{Version: 3}
	for i, tt := range []struct {
		all    []qdrant.CollectionInfo
		faults int
	}{{[]qdrant.CollectionInfo{learners}, 0}, {nil, 1}} {
		d.faults = 0
		d.qdrant(t.Context(), &engine{}, qdrant.Info{Active: 3, Collections: tt.all}, use, false)
		if d.faults != tt.faults {
			t.Errorf("case %d: %s", i, fmt.Sprint(d.faults, " faults: ", out.String()))
		}
	}
	if !strings.Contains(out.String(), "lost its collection for learners") || !strings.Contains(out.String(), "`lectern reindex`") {
		t.Error(out.String())
	}
}
