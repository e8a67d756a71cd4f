//go:build race

package rerank_test

// raced says that pools drop at random, so that allocations cannot be counted.
const raced = true
