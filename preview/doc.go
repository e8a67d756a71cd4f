// Package preview shows what a draft of the rerank settings would change before
// anybody sees it: for given or sampled learners it makes the list of the settings in
// use and that of the draft from the same candidates, and reports how far they differ,
// which courses enter and leave, and what becomes of diversity, coverage, freshness
// and the shares of providers. Nothing is recorded.
package preview
