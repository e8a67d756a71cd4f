package rerank

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/document"
)

// Change is one difference between two documents.
type Change = document.Change

// keyPrefix is what Validate's keys begin with, which are those of the
// configuration file.
const keyPrefix = "rerank."

// spec says how the documents are read and described.
func spec() *document.Spec {
	return &document.Spec{
		Noun: "rerank settings", Prefix: keyPrefix, Fields: fieldRules, Generic: generic,
		Members: func(reflect.Type) []string { return words(lectern.Rows()) },
		Cleared: func(t reflect.Type) bool { return t == reflect.TypeFor[TermWeights]() }, // what is not weighed has no weight
		Required: func(t reflect.Type, name string) bool {
			return t == reflect.TypeFor[Rule]() && (name == "id" || name == "action")
		},
		ByID:  func(path string) bool { return path == "rules" },
		Apart: func(path string) bool { return path == "rules" || path == "disabled" },
		Schema: document.Schema{
			ID: "urn:lectern:schema:rerank", Title: "Rerank settings",
			Description: "What lists are made by. A section or field that is absent takes its default; of a surface or row whose weights are given, an absent weight is 0.",
			Definitions: []document.Definition{
				{Name: "weights", Type: reflect.TypeFor[TermWeights](), Path: "weights.*"},
				{Name: "rule", Type: reflect.TypeFor[Rule](), Path: "rules[]", Some: []string{"courses", "skills", "categories", "providers"}},
			},
		},
	}
}

// Parse reads a settings document. What is absent takes its default; but of a surface
// or row whose weights are given, an absent weight is 0. Errors: CodeInvalid, or
// CodeUnknownField where fields that nobody knows are all that is wrong, naming
// every field at fault by its path, for example weights.home.quality or
// rules[2].until.
func Parse(body []byte) (Config, error) {
	return document.Parse(spec(), DefaultConfig(), body)
}

// Merge applies a JSON merge patch (RFC 7396) to settings: what the patch holds
// replaces, null takes away, so that the default holds again, or, of a weight,
// nothing. Lists, and so the rules, are replaced as a whole. Errors are Parse's.
func Merge(cfg Config, patch []byte) (Config, error) {
	body, err := Document(cfg)
	if err != nil {
		return Config{}, err
	}
	return MergeDocument(body, patch)
}

// MergeDocument is Merge for a document as it is stored, which this build may not be
// able to read: the patch may be what mends it.
func MergeDocument(body, patch []byte) (Config, error) {
	return document.Merge(spec(), DefaultConfig(), body, patch)
}

// Diff returns what differs from a to b, in the order of the document. Rules are
// the same when their ids are; their order is one value, rules.order. Errors are
// Document's.
func Diff(a, b Config) ([]Change, error) {
	from, err := Document(a)
	if err != nil {
		return nil, err
	}
	to, err := Document(b)
	if err != nil {
		return nil, err
	}
	return DiffDocuments(from, to)
}

// DiffDocuments is Diff for documents as they are stored, which this build may not
// be able to read. None is an empty list. Errors: CodeInvalid for what is not JSON.
func DiffDocuments(a, b []byte) ([]Change, error) { return spec().Diff(a, b) }

// Document writes settings as the document that Parse reads back, with every section
// there. Equal settings give equal documents. Errors: CodeInvalid for numbers that
// JSON does not have, which no usable settings hold.
func Document(cfg Config) ([]byte, error) {
	if cfg.Disabled == nil {
		cfg.Disabled = []string{}
	}
	if cfg.Rules == nil {
		cfg.Rules = []Rule{}
	}
	if cfg.Weights.Rows == nil {
		cfg.Weights.Rows = map[lectern.Row]TermWeights{}
	}
	body, err := json.Marshal(cfg)
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "the rerank settings cannot be written as JSON: %w", err)
	}
	return body, nil
}

// Schema returns a JSON Schema (2020-12) of the settings document, with a sentence,
// bounds and a default for every field: those that Parse goes by.
func Schema() []byte { return spec().Describe(DefaultConfig()) }

// generic is the path that fieldRules knows a field by.
func generic(path string) string {
	rest, ok := strings.CutPrefix(path, "weights.")
	if !ok {
		return path
	}
	parts := strings.Split(rest, ".")
	switch {
	case parts[0] == "rows" && len(parts) == 2:
		return "weights.rows.*"
	case parts[0] == "rows" && len(parts) == 3:
		return "weights.*." + parts[2]
	case len(parts) == 2 && (parts[0] == "*" || slices.Contains(lectern.Surfaces(), lectern.Surface(parts[0]))):
		return "weights.*." + parts[1]
	}
	return path
}

// fieldProblems names every number that its rule does not allow, rules left out.
func fieldProblems(cfg Config) []lectern.FieldError {
	return spec().Problems(reflect.ValueOf(cfg), "")
}
