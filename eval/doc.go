// Package eval measures rankings offline: the metrics, the TREC file formats,
// the evaluation of search, and the builder of queries from skill tags.
package eval
