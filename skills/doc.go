// Package skills holds the skill graph: what people learn, what they call it,
// what is broader, related and needed before, and which skills an occupation
// takes.
//
// A Graph is loaded from readable files (the ones that Lectern ships are embedded
// in the binary), checked as a whole, and never changes; Extend makes a new one
// from it and a platform's own entries, which may be written by hand or imported
// from ESCO and O*NET. A Matcher finds the graph's skills in the text of courses
// (Tag) and in what learners type (Expand).
package skills
