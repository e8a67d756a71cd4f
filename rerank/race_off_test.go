//go:build !race

package rerank_test

const raced = false
