// Package indexing keeps search in step with the store.
//
// A Pipeline reads the whole catalogue once, then follows the store's change
// feed and hands batches of what changed to sinks: its own index, and others
// such as the ranking's in-memory facts. It embeds what has no vector yet, trains
// the local embedder when the catalogue has grown or changed enough, and builds a
// second index beside the live one before it switches to a new embedder.
//
// An index and the embedder whose vectors are in it make one Generation, which
// is replaced as a whole. Whoever takes a Generation for the length of a request
// therefore never compares vectors of different fingerprints.
package indexing
