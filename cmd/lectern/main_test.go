package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
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
	os.Exit(m.Run())
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
