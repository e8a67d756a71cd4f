package openai

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/lectern-dev/lectern"
)

// Config holds where the embeddings come from and what may be tuned.
type Config struct {
	BaseURL               string            `koanf:"base_url"`                 // of the API, with its version, such as https://api.openai.com/v1 or http://ollama:11434/v1
	APIKey                string            `koanf:"api_key"`                  // secret; servers of one's own often need none
	APIKeyFile            string            `koanf:"api_key_file"`             // a file that holds the key, in place of api_key
	Organisation          string            `koanf:"organisation"`             // sent as OpenAI-Organization when set
	Headers               map[string]string `koanf:"headers"`                  // sent with each request, for gateways
	Model                 string            `koanf:"model"`                    // as the server names it
	Dimensions            int               `koanf:"dimensions"`               // of the vectors; 0 asks the server once, at start
	SendDimensions        bool              `koanf:"send_dimensions"`          // ask the server for that many; only for models that can shorten their vectors
	QueryPrefix           string            `koanf:"query_prefix"`             // put before queries, as some models want: "query: "
	DocumentPrefix        string            `koanf:"document_prefix"`          // put before documents: "passage: "
	MaxTextTokens         int               `koanf:"max_text_tokens"`          // longer texts are cut, by an estimate; at most what the model reads
	BatchTexts            int               `koanf:"batch_texts"`              // texts in one request; TEI takes 32 unless told otherwise
	BatchTokens           int               `koanf:"batch_tokens"`             // estimated tokens in one request
	Concurrency           int               `koanf:"concurrency"`              // requests for documents at a time
	Timeout               time.Duration     `koanf:"timeout"`                  // of one request for documents
	QueryTimeout          time.Duration     `koanf:"query_timeout"`            // for a query, its second attempt included
	Retries               int               `koanf:"retries"`                  // of a request for documents, after the first attempt
	RetryMaxWait          time.Duration     `koanf:"retry_max_wait"`           // between two attempts; who asks for a longer wait is not tried again
	Breaker               BreakerConfig     `koanf:"breaker"`                  // spares a server that fails
	PricePerMillionTokens float64           `koanf:"price_per_million_tokens"` // for the cost in the metrics, in any currency
}

// BreakerConfig says when a failing server is left alone.
type BreakerConfig struct {
	Failures int           `koanf:"failures"` // in a row, then no request is sent
	Open     time.Duration `koanf:"open"`     // how long, before one request tries again
}

// DefaultConfig returns the settings that Lectern ships with. They name no
// server and no model.
func DefaultConfig() Config {
	return Config{
		MaxTextTokens: 512,
		BatchTexts:    32,
		BatchTokens:   16_384,
		Concurrency:   4,
		Timeout:       30 * time.Second,
		QueryTimeout:  500 * time.Millisecond,
		Retries:       4,
		RetryMaxWait:  30 * time.Second,
		Breaker:       BreakerConfig{Failures: 5, Open: 15 * time.Second},
	}
}

// Validate returns a CodeInvalid error that names every key with a value that is
// not acceptable. It does not read the key file.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("embed.openai."+key, value, "is not usable", allowed))
		}
	}
	if reason := urlFault(c.BaseURL); reason != "" { // the URL itself may hold a password
		check(false, "base_url", reason, "an absolute http or https URL without user, query and fragment, such as https://api.openai.com/v1")
	}
	check(strings.TrimSpace(c.Model) != "", "model", c.Model, "the name of a model that the server has")
	check(c.APIKey == "" || c.APIKeyFile == "", "api_key_file", c.APIKeyFile, "empty where api_key is set")
	check(httpguts.ValidHeaderFieldValue(c.APIKey), "api_key", "(hidden)", "printable characters")
	check(httpguts.ValidHeaderFieldValue(c.Organisation), "organisation", c.Organisation, "printable characters")
	for name, value := range c.Headers {
		check(httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value), "headers", name, "HTTP headers")
	}
	check(c.Dimensions >= 0 && c.Dimensions <= maxDimensions, "dimensions", c.Dimensions, "0 to 65536")
	check(!c.SendDimensions || c.Dimensions > 0, "send_dimensions", c.SendDimensions, "true only where dimensions is above 0")
	check(c.MaxTextTokens >= minTextTokens, "max_text_tokens", c.MaxTextTokens, "at least 16")
	check(estimateTokens(c.QueryPrefix) <= c.MaxTextTokens/2, "query_prefix", c.QueryPrefix, "at most half of max_text_tokens")
	check(estimateTokens(c.DocumentPrefix) <= c.MaxTextTokens/2, "document_prefix", c.DocumentPrefix, "at most half of max_text_tokens")
	check(c.BatchTexts > 0, "batch_texts", c.BatchTexts, "above 0")
	check(c.BatchTokens >= c.MaxTextTokens, "batch_tokens", c.BatchTokens, "at least max_text_tokens")
	check(c.Concurrency > 0, "concurrency", c.Concurrency, "above 0")
	check(c.Timeout > 0, "timeout", c.Timeout, "above 0")
	check(c.QueryTimeout > 0, "query_timeout", c.QueryTimeout, "above 0")
	check(c.Retries >= 0 && c.Retries <= 100, "retries", c.Retries, "0 to 100")
	check(c.RetryMaxWait > 0, "retry_max_wait", c.RetryMaxWait, "above 0")
	check(c.Breaker.Failures > 0, "breaker.failures", c.Breaker.Failures, "above 0")
	check(c.Breaker.Open > 0, "breaker.open", c.Breaker.Open, "above 0")
	check(c.PricePerMillionTokens >= 0, "price_per_million_tokens", c.PricePerMillionTokens, "at least 0")
	if len(bad) > 0 {
		return lectern.Invalid("the settings of the OpenAI-compatible embedder are not usable", bad...)
	}
	return nil
}

const (
	maxDimensions = 65_536
	minTextTokens = 16
	maxKeyFile    = 16 << 10
)

// urlFault says what is wrong with a base URL, without repeating it.
func urlFault(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return "(empty)"
	case err != nil:
		return "(not a URL)"
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "(not an absolute http or https URL)"
	case u.User != nil:
		return "(with user or password)"
	case u.RawQuery != "" || u.Fragment != "":
		return "(with query or fragment)"
	}
	return ""
}

// key returns the API key, from its file where one is named.
func (c Config) key() (string, error) {
	if c.APIKeyFile == "" {
		return c.APIKey, nil
	}
	body, err := os.ReadFile(c.APIKeyFile)
	if err != nil {
		return "", lectern.Errorf(lectern.CodeInvalid, "embed.openai.api_key_file cannot be read: %w", err)
	}
	key := strings.TrimSpace(string(body))
	if key == "" || len(key) > maxKeyFile || !httpguts.ValidHeaderFieldValue(key) {
		return "", lectern.Errorf(lectern.CodeInvalid, "embed.openai.api_key_file %s does not hold a key", c.APIKeyFile)
	}
	return key, nil
}

// header returns the extra headers of a request.
func (c Config) header() http.Header {
	h := make(http.Header, len(c.Headers))
	for name, value := range c.Headers {
		h.Set(name, value)
	}
	return h
}
