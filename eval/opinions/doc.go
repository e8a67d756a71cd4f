// Package opinions measures what reads reviews: how well it tells good reviews from
// bad ones on a later part of the history and on courses unseen, how honest its
// probabilities are, what it makes of sentences written to mislead it, whether the
// aspects it sees are those behind the reviews of a simulated platform, and whether
// attacks on a course's score are held back without holding honest reviews.
package opinions
