package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// testServer is a `lectern serve` process of its own.
type testServer struct {
	t       *testing.T
	cmd     *exec.Cmd
	base    string
	client  *http.Client
	stopped bool
}

// startServer starts a server on a free port and waits until it listens.
func startServer(t *testing.T, data string, args ...string) *testServer {
	t.Helper()
	logs, logWriter := io.Pipe()
	cmd := childCommand(t, logWriter, append([]string{"serve", "--data", data, "--server.address", "127.0.0.1:0", "--log.format", "json"}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &testServer{t: t, cmd: cmd, client: &http.Client{Timeout: patience}}
	t.Cleanup(func() {
		s.kill()
		_ = logWriter.Close()
	})
	listening := make(chan string, 1)
	last := new(lastLines)
	go followLog(logs, listening, last)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the log of the server at %s:\n%s", s.base, last)
		}
	})
	select {
	case s.base = <-listening:
	case <-time.After(patience):
		t.Fatal("the server did not start to listen")
	}
	return s
}

// followLog reads the server's log to its end and reports its address once.
func followLog(logs io.Reader, listening chan<- string, last *lastLines) {
	scanner := bufio.NewScanner(logs)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(scanner.Bytes(), &line) == nil && line.Msg == "listening" {
			listening <- line.Address
		}
		last.add(scanner.Text())
	}
	_, _ = io.Copy(io.Discard, logs) // after a line that is too long: the server must not wait for us
}

// lastLines are the last lines of a log, for tests that fail.
type lastLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *lastLines) add(line string) {
	const kept = 60
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	l.lines = l.lines[max(0, len(l.lines)-kept):]
}

// String implements fmt.Stringer.
func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// kill ends the server as kill -9 does.
func (s *testServer) kill() {
	if s.stopped {
		return
	}
	s.stopped = true
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.client.CloseIdleConnections()
}

// send returns the status of one request, 999 when no answer came.
func (s *testServer) send(method, path, key, body string) int {
	status, _ := s.do(method, path, key, "application/json", body)
	return status
}

func (s *testServer) do(method, path, key, contentType, body string) (int, []byte) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		return 999, nil
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 999, nil
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	if _, err := io.Copy(&b, resp.Body); err != nil {
		return 999, nil
	}
	return resp.StatusCode, b.Bytes()
}

// get decodes a successful answer.
func (s *testServer) get(path, key string, into any) {
	s.t.Helper()
	status, body := s.do(http.MethodGet, path, key, "", "")
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		s.t.Fatalf("GET %s: %v in %s", path, err, body)
	}
}

// must sends a request that has to succeed.
func (s *testServer) must(method, path, key, body string) []byte {
	s.t.Helper()
	status, answer := s.do(method, path, key, "application/json", body)
	if status >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return answer
}

// eventually polls until ok, and returns how long that took. What takes longer than it
// should is told; what does not come at all fails the test.
func eventually(t *testing.T, should time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !ok() {
		if took := time.Since(begin); took > max(should, patience) {
			t.Fatalf("not within %v: %s", took.Round(time.Second), what)
		}
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(begin)
	if took > should {
		t.Logf("%s: only after %v, not %v", what, took.Round(10*time.Millisecond), should)
	}
	return took
}
