// Package stats judges experiments: differences between arms with intervals that hold
// at every look and with those that hold at one look, variance reduction by what people
// did before, sample ratios, sizes, corrections for many looks, novelty, interleaving,
// and the verdict. It is pure: numbers in, numbers out. The unit of everything is the
// person who was assigned to an arm, never the click or the impression.
package stats
