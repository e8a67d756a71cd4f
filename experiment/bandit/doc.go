// Package bandit learns which courses earn rewards where lists explore: a linear model
// of rewards from what is recorded of a list, and the policies that choose by it.
//
// One ridge regression serves all lists. Its statistics forget exponentially, so that
// it follows what changes; its prior says what the list says, so that it starts from
// the list's own order. Nothing here reads a clock, a store or a source of randomness
// of its own: the same inputs give the same choice on every machine of a kind.
package bandit
