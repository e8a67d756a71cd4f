package embed

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/lectern-dev/lectern"
)

// CachedQueries is how many query vectors a cache keeps in memory by default.
const CachedQueries = 4096

// Cache embeds no document twice, across restarts: their vectors are kept in a
// VectorStore by content hash and fingerprint. Query vectors are kept in memory,
// the most recently used of them, and equal queries at one time are embedded
// once. A query that failed is not kept.
type Cache struct {
	embedder lectern.Embedder
	store    lectern.VectorStore

	mu      sync.Mutex
	limit   int
	recent  *list.List // of queryVector, the latest used in front
	queries map[string]*list.Element
	flights map[string]*flight // queries that are being embedded
	stats   QueryStats
}

var _ lectern.Embedder = (*Cache)(nil)

type queryVector struct {
	text   string
	vector []float32
}

// Cached puts a cache before an embedder. Without a store, documents pass
// through: for callers who keep documents' vectors themselves.
func Cached(e lectern.Embedder, s lectern.VectorStore) *Cache {
	return &Cache{embedder: e, store: s, limit: CachedQueries, recent: list.New(), queries: make(map[string]*list.Element), flights: make(map[string]*flight)}
}

// KeepQueries sets how many query vectors are kept in memory, before first use;
// 0 keeps none. It returns the cache.
func (c *Cache) KeepQueries(n int) *Cache {
	c.limit = max(n, 0)
	return c
}

// Dim is the embedder's.
func (c *Cache) Dim() int { return c.embedder.Dim() }

// Fingerprint is the embedder's.
func (c *Cache) Fingerprint() string { return c.embedder.Fingerprint() }

// KnowsCatalogueOnly is the embedder's.
func (c *Cache) KnowsCatalogueOnly() bool { return lectern.KnowsCatalogueOnly(c.embedder) }

// Embed returns kept vectors and embeds only the rest, each distinct text once.
// A document's vector has been stored when Embed returns. Errors are those of
// the embedder and of the store.
func (c *Cache) Embed(ctx context.Context, kind lectern.EmbedKind, texts []string) ([][]float32, error) {
	if kind == lectern.EmbedQuery {
		return c.embedQueries(ctx, texts)
	}
	if c.store == nil {
		return c.embedder.Embed(ctx, kind, texts)
	}
	hashes := make([]lectern.ContentHash, len(texts))
	for i, s := range texts {
		hashes[i] = lectern.HashContent(s)
	}
	distinct := slices.Clone(hashes)
	slices.SortFunc(distinct, func(a, b lectern.ContentHash) int { return slices.Compare(a[:], b[:]) })
	distinct = slices.Compact(distinct)
	known, err := c.store.VectorsByHash(ctx, c.Fingerprint(), distinct)
	if err != nil {
		return nil, fmt.Errorf("look up vectors: %w", err)
	}
	fresh, err := c.embedMissing(ctx, texts, hashes, known)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(texts))
	for i, h := range hashes {
		v, ok := known[h]
		if !ok {
			v = fresh[h]
		}
		out[i] = slices.Clone(v) // callers own what they get
	}
	return out, nil
}

// embedMissing embeds and stores the documents that are not known. A document
// without a vector is not stored: finding that out again is cheap.
func (c *Cache) embedMissing(ctx context.Context, texts []string, hashes []lectern.ContentHash, known map[lectern.ContentHash][]float32) (map[lectern.ContentHash][]float32, error) {
	var missing []string
	var at []lectern.ContentHash
	seen := make(map[lectern.ContentHash]bool)
	for i, h := range hashes {
		if _, ok := known[h]; !ok && !seen[h] {
			seen[h] = true
			missing = append(missing, texts[i])
			at = append(at, h)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	vectors, err := c.embedder.Embed(ctx, lectern.EmbedDocument, missing)
	if err != nil {
		return nil, err
	}
	if len(vectors) != len(missing) {
		return nil, lectern.Errorf(lectern.CodeInternal, "the embedder returned %d vectors for %d texts", len(vectors), len(missing))
	}
	fresh := make(map[lectern.ContentHash][]float32, len(missing))
	for i, v := range vectors {
		if v != nil {
			fresh[at[i]] = v
		}
	}
	if len(fresh) > 0 {
		if err := c.store.PutVectors(ctx, c.Fingerprint(), fresh); err != nil {
			return nil, fmt.Errorf("store vectors: %w", err)
		}
	}
	return fresh, nil
}
