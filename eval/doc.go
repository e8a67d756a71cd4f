// Package eval measures rankings offline: the metrics, the TREC file formats, the
// evaluation of search by class of query and of suggestions while typing, and the
// builders of queries from titles and skill tags.
package eval
