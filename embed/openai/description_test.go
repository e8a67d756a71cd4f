package openai_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/openai"
)

func TestADescriptionMakesTheSameEmbedder(t *testing.T) {
	s := stub()
	first := embedder(t, s, func(c *openai.Config) {
		c.QueryPrefix, c.DocumentPrefix, c.MaxTextTokens = "query: ", "passage: ", 40_000
		c.BatchTokens = 50_000
	})
	body := first.Describe()
	if !openai.Describes(body) {
		t.Errorf("not known again: %s", body)
	}
	second, err := openai.Open(body, openai.Options{Config: openai.DefaultConfig(), Logger: slog.New(slog.DiscardHandler), HTTPClient: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if first.Fingerprint() != second.Fingerprint() || first.Dim() != second.Dim() || second.Model() != "stub-embed" {
		t.Errorf("fingerprint %s, dimension %d, model %s", second.Fingerprint(), second.Dim(), second.Model())
	}
	if diff := cmp.Diff(documents(t, first, "bread"), documents(t, second, "bread")); diff != "" {
		t.Errorf("vectors (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(body, second.Describe()); diff != "" {
		t.Errorf("descriptions (-first +second):\n%s", diff)
	}
}

func TestTheKeyStaysWithItsServer(t *testing.T) {
	s := stub()
	body := embedder(t, s, func(c *openai.Config) { c.BaseURL = "http://old/v1" }).Describe()
	for _, tt := range []struct {
		model, url string
		host       string // that is asked
		key        bool   // and gets the key
	}{
		{"stub-embed", "http://new/v1", "new", true}, // the server has moved
		{"stub-embed", "", "old", false},             // nothing says whose key it is
		{"another", "http://new/v1", "old", false},   // the new model's key is not for the old server
		{"another", "https://old/v1", "old", false},  // nor to be sent in the clear
		{"another", "http://old/v1/", "old", true},
	} {
		c := openai.DefaultConfig()
		c.Model, c.BaseURL, c.APIKey, c.Organisation = tt.model, tt.url, "key", "org"
		c.Headers = map[string]string{"X-Pass": "secret"}
		client := s.Client()
		host := &hostRecorder{next: client.Transport}
		client.Transport = host
		e, err := openai.Open(body, openai.Options{Config: c, Logger: slog.New(slog.DiscardHandler), HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		s.Forget()
		documents(t, e, "bread")
		h := s.Requests()[0].Header
		sent := h.Get("Authorization") != "" || h.Get("X-Pass") != "" || h.Get("OpenAI-Organization") != ""
		if host.seen != tt.host || sent != tt.key {
			t.Errorf("%s at %q: asked %s, key sent: %v; want %s, %v", tt.model, tt.url, host.seen, sent, tt.host, tt.key)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"another embedder's artefact": "LECTEMB2...",
		"nothing":                     "",
		"another JSON":                `{"kind":"other","version":1}`,
		"a newer version":             `{"kind":"openai","version":2,"base_url":"http://stub/v1","model":"m","dimensions":4,"max_text_tokens":512}`,
		"no dimension":                `{"kind":"openai","version":1,"base_url":"http://stub/v1","model":"m","max_text_tokens":512}`,
		"impossible values":           `{"kind":"openai","version":1,"base_url":"file:///etc","model":"m","dimensions":4,"max_text_tokens":512}`,
	} {
		_, err := openai.Open([]byte(body), openai.Options{Config: openai.DefaultConfig(), Logger: slog.New(slog.DiscardHandler)})
		if lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFingerprint(t *testing.T) {
	s := stub()
	base := embedder(t, s, nil).Fingerprint()
	for name, change := range map[string]func(*openai.Config){
		"model":           func(c *openai.Config) { c.Model = "other" },
		"dimensions":      func(c *openai.Config) { c.Dimensions = 8 },
		"query prefix":    func(c *openai.Config) { c.QueryPrefix = "query: " },
		"document prefix": func(c *openai.Config) { c.DocumentPrefix = "passage: " },
		"cutting":         func(c *openai.Config) { c.MaxTextTokens = 100 },
	} {
		if embedder(t, s, change).Fingerprint() == base {
			t.Errorf("%s does not change the fingerprint", name)
		}
	}
	same := embedder(t, s, func(c *openai.Config) {
		c.BaseURL, c.APIKey, c.BatchTexts, c.Retries, c.Headers = "https://other/api/v1", "key-2", 7, 1, map[string]string{"A": "b"}
	})
	if same.Fingerprint() != base {
		t.Error("address, key or limits change the fingerprint")
	}
	if a, b := embedder(t, s, func(c *openai.Config) { c.QueryPrefix = "a" }), embedder(t, s, func(c *openai.Config) { c.DocumentPrefix = "a" }); a.Fingerprint() == b.Fingerprint() {
		t.Error("the prefixes are mixed up")
	}
	if strings.ContainsAny(base, "/ :") {
		t.Errorf("%q cannot be part of a name", base)
	}
}

// hostRecorder notes which host is asked.
type hostRecorder struct {
	next http.RoundTripper
	seen string
}

// RoundTrip implements http.RoundTripper.
func (h *hostRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	h.seen = r.URL.Host
	return h.next.RoundTrip(r)
}
