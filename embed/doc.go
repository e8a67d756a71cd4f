// Package embed holds the local embedder, which learns from the platform's own
// catalogue, and the cache that keeps any embedder from doing work twice.
//
// Local is latent semantic analysis (Deerwester et al., 1990) over words, word
// pairs and letter n-grams, by a randomised truncated SVD (Halko, Martinsson and
// Tropp, 2011). Texts it was not trained on are folded in by projection.
package embed
