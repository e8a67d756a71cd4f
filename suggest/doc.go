// Package suggest answers while a query is being typed: it completes words,
// forgives typing errors and names courses, skills, categories and providers.
//
// What it searches is an immutable snapshot of the catalogue in memory, made of
// two word indexes: one of courses and one of phrases (skills, categories,
// providers, titles, and word sequences that several titles share). Courses that
// have changed since the snapshot was made are in a second, small snapshot beside
// it, the delta, which is searched too; now and then both become one.
package suggest
