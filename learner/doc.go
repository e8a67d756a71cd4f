// Package learner turns what learners do into what they like.
//
// Every event adds a weight to the learner's entry for its course (Config.Delta);
// the store adds the weights up under decay. Profiles reads them back and makes
// a taste of them: vectors derived from the courses' own vectors, so that a
// profile survives a change of embedder.
package learner
