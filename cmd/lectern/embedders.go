package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/embed/openai"
	"github.com/lectern-dev/lectern/indexing"
)

// makers are the sorts of embedder there are. Both can always be loaded, so that
// a generation made under another configuration goes on working.
func makers(c EmbedConfig, log *slog.Logger, m *meters) map[string]indexing.Maker {
	return map[string]indexing.Maker{
		driverLocal: {Train: localTrainer(c), Load: localLoader(c)},
		driverOpenAI: {
			Connect: func(ctx context.Context) (lectern.Embedder, []byte, error) {
				e, err := openai.Connect(ctx, openai.Options{Config: c.OpenAI, Clock: lectern.SystemClock, Logger: log})
				if err != nil {
					return nil, nil, err
				}
				m.addEmbedder(e)
				return withQueryCache(presuming{e}, c), e.Describe(), nil
			},
			Load: func(description []byte) (lectern.Embedder, error) {
				e, err := openai.Open(description, openai.Options{Config: c.OpenAI, Clock: lectern.SystemClock, Logger: log})
				if err != nil {
					return nil, err
				}
				m.addEmbedder(e)
				return withQueryCache(presuming{e}, c), nil
			},
		},
	}
}

// localTrainer makes local embedders and the bytes to keep them by.
func localTrainer(c EmbedConfig) func(context.Context, []string) (lectern.Embedder, []byte, error) {
	return func(ctx context.Context, texts []string) (lectern.Embedder, []byte, error) {
		options := embed.DefaultOptions()
		options.Dim, options.MaxDocs = c.Dimensions, c.MaxTrainDocs
		local, err := embed.Train(ctx, slices.Values(texts), options)
		if err != nil {
			return nil, nil, err
		}
		var body bytes.Buffer
		if err := local.Save(&body); err != nil {
			return nil, nil, fmt.Errorf("save the embedder: %w", err)
		}
		return withQueryCache(local, c), body.Bytes(), nil
	}
}

func localLoader(c EmbedConfig) func([]byte) (lectern.Embedder, error) {
	return func(body []byte) (lectern.Embedder, error) {
		local, err := embed.LoadLocal(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return withQueryCache(local, c), nil
	}
}

// withQueryCache keeps the vectors of queries; those of courses are kept by the
// pipeline, in the store.
func withQueryCache(e lectern.Embedder, c EmbedConfig) lectern.Embedder {
	return embed.Cached(e, nil).KeepQueries(c.QueryCache)
}

// presuming is an embedding server's embedder that can be spared the question
// whether a text has a vector: there, every text has that is not blank.
type presuming struct{ *openai.Embedder }

var _ lectern.Embedder = presuming{}

// presumeKey marks a context in which no server is asked for documents' vectors.
type presumeKey struct{}

// withoutAsking is for comparisons, which need not know a vector that the store
// lacks, and must not fail where the server is away. Nothing that is embedded under
// it may be kept.
func withoutAsking(ctx context.Context) context.Context {
	return context.WithValue(ctx, presumeKey{}, true)
}

// Embed implements lectern.Embedder.
func (p presuming) Embed(ctx context.Context, kind lectern.EmbedKind, texts []string) ([][]float32, error) {
	if presume, _ := ctx.Value(presumeKey{}).(bool); !presume || kind != lectern.EmbedDocument {
		return p.Embedder.Embed(ctx, kind, texts)
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		if strings.TrimSpace(text) != "" {
			out[i] = make([]float32, p.Dim())
			out[i][0] = 1
		}
	}
	return out, nil
}
