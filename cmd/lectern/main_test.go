package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childVariable makes the test binary run as lectern itself, so that tests can
// start, kill and restart real processes without building anything first.
const childVariable = "LECTERN_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	bePatient()
	os.Exit(m.Run())
}

// patience is how long a test waits for what should come soon, and how long a part of an
// answer may take unless the test is about time. How busy the machine is shall decide
// whether a test takes long, and not whether it passes.
const patience = 5 * time.Minute

// bePatient gives every command and every server that tests start all the time that it
// wants: none leaves a source out of a list, the learner out of an answer or meaning out
// of a search because the machine was busy. What a test says by flags comes first.
func bePatient() {
	for _, key := range []string{
		"retrieve.budgets.profile", "retrieve.budgets.embed", "retrieve.budgets.candidates", "retrieve.budgets.courses",
		"retrieve.budgets.neighbours", "embed.openai.query_timeout",
		"suggest.profile_timeout", "suggest.embed_timeout", "suggest.embed_give_up", "suggest.meanings_timeout",
		"index.qdrant.search_timeout", "store.postgres.connect_timeout", "api.request_timeout", "preview.timeout",
	} {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
		if _, set := os.LookupEnv(name); !set {
			_ = os.Setenv(name, "1m")
		}
	}
}

// lectern runs one command in this process and returns status and output.
func runCommand(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// mustRun runs one command in this process and fails the test unless it succeeds.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := runCommand(t, args...)
	if code != 0 {
		t.Fatalf("lectern %v: status %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}

// childCommand prepares a process of its own, which the test may kill.
func childCommand(t *testing.T, stderr io.Writer, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = stderr
	return cmd
}
