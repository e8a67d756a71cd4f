package lectern

import (
	"context"
	"crypto/sha256"
)

// EmbedKind says what a text is, for models that tell queries from documents.
type EmbedKind int

// The kinds of text that are embedded.
const (
	EmbedDocument EmbedKind = iota
	EmbedQuery
)

// Embedder turns texts into vectors. Implementations are safe for concurrent use.
type Embedder interface {
	// Embed returns one unit-length vector of Dim floats per text, in order. A
	// text that holds nothing the embedder knows yields a nil vector.
	// Errors: CodeUnavailable, CodeDeadline.
	Embed(ctx context.Context, kind EmbedKind, texts []string) ([][]float32, error)
	// Dim is the length of every vector.
	Dim() int
	// Fingerprint identifies model, tokenizer and dimension. Vectors of
	// different fingerprints must never be compared.
	Fingerprint() string
}

// CatalogueBound is implemented by embedders that may know nothing but the words
// of the catalogue that they learnt from. Others know the language.
type CatalogueBound interface {
	// KnowsCatalogueOnly reports whether this one does not.
	KnowsCatalogueOnly() bool
}

// KnowsCatalogueOnly reports whether an embedder knows no words but the catalogue's.
func KnowsCatalogueOnly(e Embedder) bool {
	b, ok := e.(CatalogueBound)
	return ok && b.KnowsCatalogueOnly()
}

// ContentHash identifies a text that is embedded.
type ContentHash [sha256.Size]byte

// HashContent returns the hash under which a text's vector is kept.
func HashContent(text string) ContentHash { return sha256.Sum256([]byte(text)) }
