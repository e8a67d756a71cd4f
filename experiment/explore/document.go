package explore

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/document"
)

// keyPrefix is what Validate's keys begin with, which are those of the configuration
// file.
const keyPrefix = "explore."

// NamePrefix is what names of stored versions begin with.
const NamePrefix = "e"

// Name is how lists call a stored version of the settings.
func Name(version int64) string { return NamePrefix + strconv.FormatInt(version, 10) }

// FileName is how lists call settings that no store has a version of: they are named
// after what is in them.
func FileName(cfg Config) string {
	body, err := Document(cfg)
	if err != nil { // a number that JSON does not know
		body = fmt.Appendf(nil, "%+v", cfg)
	}
	sum := sha256.Sum256(body)
	return Name(0) + "-" + hex.EncodeToString(sum[:6])
}

// spec says how the documents are read and described.
func spec() *document.Spec {
	return &document.Spec{
		Noun: "exploration settings", Prefix: keyPrefix, Fields: fields,
		Required: func(t reflect.Type, name string) bool { // a reward has no default for what it is
			return t == reflect.TypeFor[Reward]() && name != "at_least"
		},
		Schema: document.Schema{
			ID: "urn:lectern:schema:explore", Title: "Exploration settings",
			Description: "Where and how much lists explore. A section or field that is absent takes its default.",
		},
	}
}

// Parse reads a settings document. What is absent takes its default. Errors:
// CodeInvalid, or CodeUnknownField where fields that nobody knows are all that is
// wrong, naming every field at fault by its path, for example places.home[1] or
// rewards[2].value.
func Parse(body []byte) (Config, error) {
	cfg, err := document.Parse(spec(), DefaultConfig(), body)
	return cfg.Sorted(), err
}

// MergeDocument applies a JSON merge patch (RFC 7396) to a document: what the patch
// holds replaces, null takes away, so that the default holds again. Lists, and so the
// rewards, are replaced as a whole. Errors are Parse's.
func MergeDocument(body, patch []byte) (Config, error) {
	cfg, err := document.Merge(spec(), DefaultConfig(), body, patch)
	return cfg.Sorted(), err
}

// DiffDocuments returns what differs from a to b, documents that this build may not be
// able to read. None is an empty list. Errors: CodeInvalid for what is not JSON.
func DiffDocuments(a, b []byte) ([]document.Change, error) { return spec().Diff(a, b) }

// Document writes settings as the document that Parse reads back, with every section
// there. Equal settings give equal documents. Errors: CodeInvalid for numbers that
// JSON does not have, which no usable settings hold.
func Document(cfg Config) ([]byte, error) {
	cfg = cfg.Sorted()
	if cfg.Rewards == nil {
		cfg.Rewards = []Reward{}
	}
	body, err := json.Marshal(cfg)
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "the exploration settings cannot be written as JSON: %w", err)
	}
	return body, nil
}

// Schema returns a JSON Schema (2020-12) of the settings document, with a sentence,
// bounds and a default for every field: those that Parse goes by.
func Schema() []byte { return spec().Describe(DefaultConfig()) }

// Sorted returns the settings with the places of each surface in rising order.
func (c Config) Sorted() Config {
	p := &c.Places
	for _, places := range []*[]int{&p.Home, &p.Search, &p.Similar, &p.Next, &p.Trending} {
		sorted := append([]int{}, *places...)
		slices.Sort(sorted)
		*places = sorted
	}
	return c
}
