// Package qdrant keeps course vectors in Qdrant, one node or a cluster, behind
// lectern.VectorIndex and lectern.SharedIndexes.
//
// A generation is two collections, <prefix>_courses_<version> and
// <prefix>_learners_<version>; two aliases without a version name the ones in
// use and move together. Dense vectors are compared by their dot product as
// they are, sparse vectors without a weight of Qdrant's own, so that scores are
// those of the in-process index. What a filter needs lies in the payload with
// an index of its own, written so that every condition is one plain test: an
// absent limit is a value too (see payload.go).
//
// Each call has a deadline. Searches go through a breaker and fail at once with
// CodeUnavailable while Qdrant is away; writes are tried again with backoff, and
// no more than a fixed number of batches travel at a time, so a writer waits.
package qdrant
