package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	mux := http.NewServeMux()
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	mux.HandleFunc("/healthz", answer(http.StatusOK, `{"status":"ok"}`))
	mux.HandleFunc("/readyz", answer(http.StatusServiceUnavailable, `{"status":"not_ready","parts":[{"name":"store"}]}`))
	s := httptest.NewServer(mux)
	defer s.Close()
	address := s.Listener.Addr().String()

	if out := mustRun(t, "health", "--server.address", address); !strings.Contains(out, `"ok"`) {
		t.Errorf("health says %q", out)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, "health", "--server.address", "0.0.0.0:"+port)
	code, _, stderr := runCommand(t, "health", "--ready", "--server.address", address)
	if code != 1 || !strings.Contains(stderr, "503") || !strings.Contains(stderr, `"store"`) {
		t.Errorf("health --ready: status %d, %q", code, stderr)
	}

	other := httptest.NewServer(answer(http.StatusOK, "hello"))
	defer other.Close()
	if code, _, _ := runCommand(t, "health", "--server.address", other.Listener.Addr().String()); code != 1 {
		t.Errorf("another server passes for Lectern: status %d", code)
	}
	s.Close()
	if code, _, stderr := runCommand(t, "health", "--server.address", address); code != 1 || !strings.Contains(stderr, "no answer") {
		t.Errorf("no server: status %d, %q", code, stderr)
	}
}

func TestDialAddress(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080":   "127.0.0.1:8080",
		":8080":            "127.0.0.1:8080",
		"0.0.0.0:8080":     "127.0.0.1:8080",
		"[::]:8080":        "[::1]:8080",
		"lectern.lan:8080": "lectern.lan:8080",
	} {
		if got := dialAddress(listen); got != want {
			t.Errorf("%s is asked at %s, want %s", listen, got, want)
		}
	}
}
