// Package rerank turns the signals of candidates into an ordered list.
//
// A score is a weighted sum of named terms, each in [0, 1], with the weights of
// a surface divided by their sum, so that a score is in [0, 1] too and can be
// explained from the numbers that made it. The formulas are in terms.go and, for
// readers, in docs/ranking.md.
//
// NoOp, Random and Popularity stay beside the real thing as baselines: a stage
// that does not beat the one before it has no place in the pipeline.
package rerank
