package embed_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/embed/embedtest"
)

// memoryVectors is a VectorStore for tests; it counts what it stores.
type memoryVectors struct {
	lectern.VectorStore // the methods a cache does not call
	kept                map[string][]float32
	err                 error
}

func (m *memoryVectors) PutVectors(_ context.Context, print string, vectors map[lectern.ContentHash][]float32) error {
	for h, v := range vectors {
		m.kept[fmt.Sprint(print, h)] = slices.Clone(v)
	}
	return m.err
}

func (m *memoryVectors) VectorsByHash(_ context.Context, print string, hashes []lectern.ContentHash) (map[lectern.ContentHash][]float32, error) {
	out := make(map[lectern.ContentHash][]float32)
	for _, h := range hashes {
		if v, ok := m.kept[fmt.Sprint(print, h)]; ok {
			out[h] = v
		}
	}
	return out, m.err
}

// counting counts the texts that reach the embedder.
type counting struct {
	lectern.Embedder
	texts int
	print string
}

func (c *counting) Embed(ctx context.Context, kind lectern.EmbedKind, texts []string) ([][]float32, error) {
	c.texts += len(texts)
	return c.Embedder.Embed(ctx, kind, texts)
}

func (c *counting) Fingerprint() string { return c.print + c.Embedder.Fingerprint() }

func TestCachedConformance(t *testing.T) {
	// The suite calls from many goroutines; a map would not do without a lock,
	// and nothing is stored twice once it is known, so warm it first.
	l := train(t, corpus(40), nil)
	store := &memoryVectors{kept: map[string][]float32{}}
	known := []string{"python", "bread\nrecipe", "guitar chords"}
	c := embed.Cached(l, store)
	if _, err := c.Embed(t.Context(), lectern.EmbedDocument, known); err != nil {
		t.Fatal(err)
	}
	embedtest.Run(t, embedtest.Subject{Embedder: c, Known: known, Unknown: []string{"", "机"}})
}

func TestNothingIsEmbeddedTwice(t *testing.T) {
	store := &memoryVectors{kept: map[string][]float32{}}
	inner := &counting{Embedder: train(t, corpus(40), nil)}
	embedAll := func(kind lectern.EmbedKind, texts ...string) int {
		t.Helper()
		before := inner.texts
		if _, err := embed.Cached(inner, store).Embed(t.Context(), kind, texts); err != nil { // as after a restart
			t.Fatal(err)
		}
		return inner.texts - before
	}
	if n := embedAll(lectern.EmbedDocument, "python", "bread", "python"); n != 2 {
		t.Errorf("%d texts embedded, want the 2 distinct ones", n)
	}
	if n := embedAll(lectern.EmbedDocument, "bread", "guitar", "python"); n != 1 {
		t.Errorf("%d texts embedded, want the new one", n)
	}
	inner.print = "other "
	if n := embedAll(lectern.EmbedDocument, "bread"); n != 1 {
		t.Errorf("%d texts embedded under a new fingerprint, want 1", n)
	}

	c := embed.Cached(inner, store)
	for range 2 {
		if _, err := c.Embed(t.Context(), lectern.EmbedQuery, []string{"bread", "law"}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := inner.texts, 4+2; got != want {
		t.Errorf("%d texts embedded in all, want %d: queries are kept in memory, apart from documents", got, want)
	}
}

func TestQueriesAreForgottenInTime(t *testing.T) {
	inner := &counting{Embedder: train(t, corpus(40), nil)}
	c := embed.Cached(inner, &memoryVectors{kept: map[string][]float32{}})
	for i := range embed.CachedQueries + 1 { // the first falls out
		if _, err := c.Embed(t.Context(), lectern.EmbedQuery, []string{fmt.Sprint("law ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	before := inner.texts
	for _, q := range []string{"law 0", fmt.Sprint("law ", embed.CachedQueries)} {
		if _, err := c.Embed(t.Context(), lectern.EmbedQuery, []string{q}); err != nil {
			t.Fatal(err)
		}
	}
	if inner.texts-before != 1 {
		t.Errorf("%d embedded, want the oldest only", inner.texts-before)
	}
}

func TestCachePassesErrorsOn(t *testing.T) {
	broken := errors.New("disk on fire")
	c := embed.Cached(train(t, corpus(8), nil), &memoryVectors{kept: map[string][]float32{}, err: broken})
	if _, err := c.Embed(t.Context(), lectern.EmbedDocument, []string{"python"}); !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
}
