// Package learner turns what learners do into what is known of them.
//
// Every event adds a weight to the learner's entry for its course (Config.Delta);
// the store adds the weights up under decay. Profiles reads them back and makes a
// taste of them: one vector per interest, derived from the courses' own vectors, so
// that a profile survives a change of embedder; what the last session was about and
// what was turned down; level, pace, hours and skills. Describe says it in words, and
// Correct lets the learner have the last one. A Rebuilder makes profiles from events
// again.
package learner
