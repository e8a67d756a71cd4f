// Package neighbours finds learners with similar profiles and what they take. Each
// learner is a point in an index of its own, under a number that stands for nobody
// outside of the store; the index follows the feed of profiles. Answers are courses:
// who the similar learners are is told to nobody.
package neighbours
