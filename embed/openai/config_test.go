package openai_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/openai"
	"github.com/lectern-dev/lectern/embed/openai/openaitest"
)

func TestValidate(t *testing.T) {
	if err := config().Validate(); err != nil {
		t.Errorf("the defaults with a server and a model: %v", err)
	}
	tests := map[string]func(*openai.Config){
		"base_url":                 func(c *openai.Config) { c.BaseURL = "ollama:11434/v1" },
		"model":                    func(c *openai.Config) { c.Model = " " },
		"api_key_file":             func(c *openai.Config) { c.APIKey, c.APIKeyFile = "a", "b" },
		"api_key":                  func(c *openai.Config) { c.APIKey = "a\nb" },
		"organisation":             func(c *openai.Config) { c.Organisation = "a\nb" },
		"headers":                  func(c *openai.Config) { c.Headers = map[string]string{"a b": "c"} },
		"dimensions":               func(c *openai.Config) { c.Dimensions = -1 },
		"send_dimensions":          func(c *openai.Config) { c.SendDimensions, c.Dimensions = true, 0 },
		"max_text_tokens":          func(c *openai.Config) { c.MaxTextTokens = 1 },
		"query_prefix":             func(c *openai.Config) { c.QueryPrefix = strings.Repeat("query ", 300) },
		"document_prefix":          func(c *openai.Config) { c.DocumentPrefix = strings.Repeat("query ", 300) },
		"batch_texts":              func(c *openai.Config) { c.BatchTexts = 0 },
		"batch_tokens":             func(c *openai.Config) { c.BatchTokens = c.MaxTextTokens - 1 },
		"concurrency":              func(c *openai.Config) { c.Concurrency = 0 },
		"timeout":                  func(c *openai.Config) { c.Timeout = 0 },
		"query_timeout":            func(c *openai.Config) { c.QueryTimeout = -time.Second },
		"retries":                  func(c *openai.Config) { c.Retries = -1 },
		"retry_max_wait":           func(c *openai.Config) { c.RetryMaxWait = 0 },
		"breaker.failures":         func(c *openai.Config) { c.Breaker.Failures = 0 },
		"breaker.open":             func(c *openai.Config) { c.Breaker.Open = 0 },
		"price_per_million_tokens": func(c *openai.Config) { c.PricePerMillionTokens = -1 },
	}
	for key, spoil := range tests {
		c := config()
		spoil(&c)
		e, ok := errors.AsType[*lectern.Error](c.Validate())
		if !ok || e.Code != lectern.CodeInvalid {
			t.Errorf("%s: error = %v", key, e)
			continue
		}
		var got []string
		for _, f := range e.Fields {
			got = append(got, f.Field)
		}
		if diff := cmp.Diff([]string{"embed.openai." + key}, got); diff != "" {
			t.Errorf("%s: fields (-want +got):\n%s", key, diff)
		}
	}
}

func TestBaseURLsAreNotRepeated(t *testing.T) {
	for _, u := range []string{"", "http://user:hunter2@host/v1", "https://host/v1?key=hunter2", "ftp://hunter2/v1", "http://hunter2\x7f/"} {
		c := config()
		c.BaseURL = u
		if err := c.Validate(); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", u, err)
		}
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	s := openaitest.New(openaitest.Options{Dim: dim, Key: "from-file"})
	c := config()
	c.APIKeyFile = path
	open := func() (*openai.Embedder, error) {
		return openai.New(openai.Options{Config: c, Logger: slog.New(slog.DiscardHandler), HTTPClient: s.Client()})
	}
	for _, body := range []string{"", " \n", "two\nlines"} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := open(); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("file %q: %v", body, err)
		}
	}
	if err := os.WriteFile(path, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := open()
	if err != nil {
		t.Fatal(err)
	}
	documents(t, e, "x")
	c.APIKeyFile = path + ".gone"
	if _, err := open(); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("no file: %v", err)
	}
}
