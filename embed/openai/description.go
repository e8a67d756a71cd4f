package openai

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/lectern-dev/lectern"
)

const (
	descriptionKind    = "openai"
	descriptionVersion = 1
	// textRules changes when texts are prepared or tokens estimated differently.
	textRules = 1
)

// description is what another process needs to make the same vectors. It holds
// no secret.
type description struct {
	Kind           string `json:"kind"`
	Version        int    `json:"version"`
	BaseURL        string `json:"base_url"`
	Model          string `json:"model"`
	Dimensions     int    `json:"dimensions"`
	SendDimensions bool   `json:"send_dimensions,omitempty"`
	QueryPrefix    string `json:"query_prefix,omitempty"`
	DocumentPrefix string `json:"document_prefix,omitempty"`
	MaxTextTokens  int    `json:"max_text_tokens"`
}

// Describe returns what Open makes the same embedder from: a small JSON, without
// the key and the headers.
func (e *Embedder) Describe() []byte {
	out, err := json.Marshal(description{
		Kind: descriptionKind, Version: descriptionVersion, BaseURL: e.cfg.BaseURL, Model: e.cfg.Model, Dimensions: e.dim,
		SendDimensions: e.cfg.SendDimensions, QueryPrefix: e.cfg.QueryPrefix, DocumentPrefix: e.cfg.DocumentPrefix,
		MaxTextTokens: e.cfg.MaxTextTokens,
	})
	if err != nil {
		panic(fmt.Sprintf("a struct of strings and numbers could not be written as JSON: %v", err))
	}
	return out
}

// Describes tells whether an artefact is a description that Describe wrote, as
// opposed to another embedder's artefact.
func Describes(artefact []byte) bool {
	var d description
	return bytes.HasPrefix(artefact, []byte("{")) && json.Unmarshal(artefact, &d) == nil && d.Kind == descriptionKind
}

// Open makes the described embedder again, without a request. What changes
// vectors comes from the description, the rest from o.Config: limits, timeouts,
// key, and the server's address while o.Config names the same model, so that a
// server may move. Otherwise the described address is used, and key, organisation
// and headers go there only if o.Config names the same host. Errors: CodeInvalid.
func Open(artefact []byte, o Options) (*Embedder, error) {
	var d description
	if !Describes(artefact) || json.Unmarshal(artefact, &d) != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "this is not the description of an OpenAI-compatible embedder")
	}
	if d.Version != descriptionVersion {
		return nil, lectern.Errorf(lectern.CodeInvalid, "the embedder's description has version %d, this release reads %d", d.Version, descriptionVersion)
	}
	c := &o.Config
	if c.Model != d.Model || c.BaseURL == "" {
		if !sameHost(c.BaseURL, d.BaseURL) {
			c.APIKey, c.APIKeyFile, c.Organisation, c.Headers = "", "", "", nil
		}
		c.BaseURL = d.BaseURL
	}
	c.Model, c.Dimensions, c.SendDimensions = d.Model, d.Dimensions, d.SendDimensions
	c.QueryPrefix, c.DocumentPrefix, c.MaxTextTokens = d.QueryPrefix, d.DocumentPrefix, d.MaxTextTokens
	c.BatchTokens = max(c.BatchTokens, c.MaxTextTokens)
	return New(o)
}

// sameHost tells whether two base URLs lead to the same server by the same means.
func sameHost(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Host != "" && x.Scheme == y.Scheme && x.Host == y.Host
}

// Fingerprint identifies what vectors depend on: model, dimension, prefixes, and
// where and how texts are cut. Address and key are not part of it.
func (e *Embedder) Fingerprint() string {
	parts, err := json.Marshal([]any{textRules, e.cfg.Model, e.dim, e.cfg.QueryPrefix, e.cfg.DocumentPrefix, e.cfg.MaxTextTokens})
	if err != nil {
		panic(fmt.Sprintf("strings and numbers could not be written as JSON: %v", err))
	}
	sum := sha256.Sum256(parts)
	return "openai-" + hex.EncodeToString(sum[:16])
}
