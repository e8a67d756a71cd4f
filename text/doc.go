// Package text turns human text into terms, and terms into the sparse vectors of
// word search.
//
// Analyzer splits, folds and stems. Lexicon counts in how many documents of the
// live catalogue each term occurs, and makes both sides of BM25: document
// vectors that do not change when other documents come and go, and query vectors
// that carry the inverse document frequencies. Any index that can do a sparse dot
// product therefore ranks alike.
package text
