// Package index is the in-process vector index: an exact scan over float32
// vectors, an inverted file for sparse vectors, and filters that are turned into
// a bitmap of rows before any dot product is taken.
//
// Points are rows. Rows are only ever appended: an upsert appends the new form of
// a point and marks the old row dead, a delete marks it dead, and when enough
// rows are dead the living ones are copied into fresh storage. A search works on
// a view, which never changes once it is published, so it sees one moment of
// the index and holds no lock while it computes.
package index
