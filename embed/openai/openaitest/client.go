package openaitest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
)

// Client returns a client that reaches the server without a network, whatever the
// host, so that tests can run in virtual time.
func (s *Server) Client() *http.Client { return &http.Client{Transport: direct{s}} }

// direct calls the server in place of sending to it.
type direct struct{ server *Server }

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	done := make(chan bool, 1)
	go func() { // ends with the request's context at the latest
		complete := false
		defer func() {
			if cause := recover(); cause != nil && cause != any(http.ErrAbortHandler) {
				panic(cause)
			}
			done <- complete
		}()
		d.server.ServeHTTP(recorder, r)
		complete = true
	}()
	select {
	case complete := <-done:
		return response(recorder, complete)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// response is what the server wrote, or what a broken connection leaves of it.
func response(recorder *httptest.ResponseRecorder, complete bool) (*http.Response, error) {
	reset := errors.New("connection reset by peer")
	if complete {
		return recorder.Result(), nil
	}
	if recorder.Body.Len() == 0 {
		return nil, reset
	}
	res := recorder.Result()
	res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(recorder.Body.Bytes()), broken{reset}))
	return res, nil
}

// broken is a body that fails.
type broken struct{ err error }

// Read implements io.Reader.
func (b broken) Read([]byte) (int, error) { return 0, b.err }
