// Package openaitest is a server that speaks OpenAI's embeddings API, for tests.
// Its vectors follow from the words of a text, so that texts with words in common
// are near each other, and it fails as it is told to.
package openaitest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are what a server is like.
type Options struct {
	Model    string        // "stub-embed" when empty
	Dim      int           // of its vectors; 64 when 0
	Shortens bool          // whether a request may ask for fewer dimensions
	Key      string        // asked for unless empty
	MaxTexts int           // in a request; 0 is no limit
	MaxWords int           // in a text; 0 is no limit
	Latency  time.Duration // of each answer
}

// Request is what the server was asked.
type Request struct {
	Texts      []string
	Dimensions int
	Header     http.Header
	At         time.Time
}

// Server is a stub of an embedding server. It is an http.Handler; Listen gives it
// a port, Client reaches it without one.
type Server struct {
	options Options

	mu          sync.Mutex
	script      []Fault
	standing    Fault
	requests    []Request
	underWay    int
	mostAtATime int
	http        *http.Server
}

// New returns a server that is well.
func New(o Options) *Server {
	if o.Model == "" {
		o.Model = "stub-embed"
	}
	if o.Dim == 0 {
		o.Dim = 64
	}
	return &Server{options: o}
}

// Model is the name of the server's model.
func (s *Server) Model() string { return s.options.Model }

// Listen serves on an address such as 127.0.0.1:0 until Close, and returns the
// base URL. A closed server may listen again.
func (s *Server) Listen(address string) (baseURL string, err error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.mu.Lock()
	s.http = srv
	s.mu.Unlock()
	go func() { _ = srv.Serve(l) }() // ends with Close
	return "http://" + l.Addr().String() + "/v1", nil
}

// Close stops listening and ends the requests under way.
func (s *Server) Close() error {
	s.mu.Lock()
	srv := s.http
	s.http = nil
	s.mu.Unlock()
	if srv == nil {
		return nil
	}
	return srv.Close()
}

// Script lets the next requests fail, one each, nil being none; those after them
// are answered as Always says.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, faults...)
}

// Always lets every request fail that Script does not speak of; nil ends it.
func (s *Server) Always(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standing = f
}

// Requests returns what was asked so far, in the order it came.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// MostAtATime is the largest number of requests that were under way together.
func (s *Server) MostAtATime() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mostAtATime
}

// Forget drops what is known of past requests.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.mostAtATime = nil, 0
}

// ask is the body of a request.
type ask struct {
	Input      any    `json:"input"`
	Model      string `json:"model"`
	Dimensions int    `json:"dimensions"`
}

// texts reads the input, which is a string or several.
func (a ask) texts() ([]string, error) {
	switch v := a.Input.(type) {
	case string:
		return []string{v}, nil
	case []any:
		out := make([]string, len(v))
		for i := range v {
			s, ok := v[i].(string)
			if !ok {
				return nil, errors.New("input holds something that is not a string")
			}
			out[i] = s
		}
		return out, nil
	}
	return nil, errors.New("input is neither a string nor an array")
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/health":
		w.WriteHeader(http.StatusOK)
		return
	case r.Method != http.MethodPost || r.URL.Path != "/v1/embeddings":
		refuse(w, http.StatusNotFound, "no such path")
		return
	}
	var a ask
	err := json.NewDecoder(r.Body).Decode(&a)
	texts, inputErr := a.texts()
	if err = errors.Join(err, inputErr); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	fault := s.begin(Request{Texts: texts, Dimensions: a.Dimensions, Header: r.Header.Clone(), At: time.Now()})
	defer s.end()
	if s.options.Latency > 0 && !pause(r, s.options.Latency) {
		return
	}
	if status, message := s.objection(r, a, texts); status != 0 {
		refuse(w, status, message)
		return
	}
	dim := s.options.Dim
	if a.Dimensions > 0 {
		dim = a.Dimensions
	}
	answer := Answer{Object: "list", Model: s.options.Model}
	for i, text := range texts {
		answer.Data = append(answer.Data, Datum{Object: "embedding", Index: i, Embedding: numbers(Vector(text, dim))})
		answer.Usage.PromptTokens += len(strings.Fields(text))
	}
	answer.Usage.TotalTokens = answer.Usage.PromptTokens
	if fault != nil {
		fault(w, r, answer)
		return
	}
	write(w, http.StatusOK, answer)
}

// objection is what a healthy server has against a request.
func (s *Server) objection(r *http.Request, a ask, texts []string) (status int, message string) {
	o := s.options
	switch {
	case o.Key != "" && r.Header.Get("Authorization") != "Bearer "+o.Key:
		return http.StatusUnauthorized, "Incorrect API key provided: " + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	case a.Model != o.Model:
		return http.StatusNotFound, fmt.Sprintf("The model `%s` does not exist", a.Model)
	case a.Dimensions != 0 && (!o.Shortens || a.Dimensions > o.Dim):
		return http.StatusBadRequest, "This model does not support specifying dimensions."
	case o.MaxTexts > 0 && len(texts) > o.MaxTexts:
		return http.StatusUnprocessableEntity, fmt.Sprintf("batch size %d > maximum allowed batch size %d", len(texts), o.MaxTexts)
	}
	for _, text := range texts {
		if n := len(strings.Fields(text)); o.MaxWords > 0 && n > o.MaxWords {
			return http.StatusBadRequest, fmt.Sprintf("This model's maximum context length is %d tokens. However, you requested %d tokens.", o.MaxWords, n)
		}
		if text == "" {
			return http.StatusBadRequest, "input cannot be an empty string"
		}
	}
	return 0, ""
}

// begin records a request and returns the fault that is due.
func (s *Server) begin(r Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	s.underWay++
	s.mostAtATime = max(s.mostAtATime, s.underWay)
	if len(s.script) > 0 {
		next := s.script[0]
		s.script = s.script[1:]
		return next
	}
	return s.standing
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay--
}

// pause waits unless the client goes away.
func pause(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func refuse(w http.ResponseWriter, status int, message string) {
	write(w, status, map[string]any{"error": map[string]any{"message": message, "type": "invalid_request_error", "code": nil}})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone misses nothing
}
