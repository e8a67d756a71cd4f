// Package retrieve makes ranked lists: for a learner's home page, for a search,
// and of courses similar to one.
//
// A list is made in stages, each with a time budget of its own: the learner's
// profile, candidates from several sources, hard filters, scoring (package
// rerank), and the record from which later pages are cut. Trace follows one course
// through the same stages. docs/ranking.md shows the whole in one picture.
//
// Engine knows interfaces only; the same object serves and is evaluated.
package retrieve
