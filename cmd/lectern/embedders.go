package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"

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
				return withQueryCache(e, c), e.Describe(), nil
			},
			Load: func(description []byte) (lectern.Embedder, error) {
				e, err := openai.Open(description, openai.Options{Config: c.OpenAI, Clock: lectern.SystemClock, Logger: log})
				if err != nil {
					return nil, err
				}
				m.addEmbedder(e)
				return withQueryCache(e, c), nil
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
