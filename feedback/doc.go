// Package feedback is what learners say about suggestions, and what administrators make
// of it.
//
// Say checks one thing that was said, finds out what put the course into the list that
// it is about, and stores it; from the next list on it counts, until TakeBack. Of
// reports, ByCourse and ByTerm are the two views that administrators read, Settle says
// what became of them, and Rule makes a rule of them in one call.
package feedback
