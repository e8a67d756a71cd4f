// Package opinion keeps what reviews say up to date. One process at a time, the
// leader, follows the change feed of courses, reads the reviews of those that changed
// again, holds back what looks like an attempt to move a score, and stores a summary
// per course; ranking hears of it through the feed. It trains the model that reads,
// compares it with the lexicon on reviews that neither has seen, and puts it to use
// where it is better. Every process answers from the store.
package opinion
