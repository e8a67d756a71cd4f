// Package lectern is the domain of a course-discovery engine: courses, reviews,
// ratings, learners, events and the rankings that were shown, together with the
// interfaces that more than one package implements or uses.
//
// It imports the standard library only. Everything else may import it; it
// imports nothing of ours. Adapters live in folders named after their
// technology (store/sqlite, index/qdrant), and only cmd wires them together.
package lectern
