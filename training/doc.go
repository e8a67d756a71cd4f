// Package training looks after the life of collaborative models: a snapshot of the
// events in the store, without noise; models fitted on it and compared on a cut in
// time; the best one kept in the store as a version, put to use if it deserves it;
// and in every process a keeper that loads the version in use and answers from it.
package training
