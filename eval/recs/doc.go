// Package recs evaluates recommendations offline: it reads who took what, holds
// some of it back, asks models for lists and says how many of the courses that were
// held back they found, and how the lists are beyond that: how varied, how novel,
// how true to what the learner took before.
//
// Two things are evaluated: collaborative models from files ([Evaluate]) and the
// stages of the pipeline that serves ([Pipeline]).
package recs
