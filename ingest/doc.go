// Package ingest turns canonical JSON and imported rows into domain writes. It
// is the one place where a course, review, rating, learner or event is checked,
// so that a row means the same whether it came by HTTP or from a file.
//
// A row is first a Record: dotted field names with plain values. A Decoder
// checks a record against the schema of its Kind and reports every problem it
// finds, not just the first. A Service writes what was decoded.
package ingest
