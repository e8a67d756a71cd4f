// Package experiment runs controlled experiments on lists: it keeps their definitions,
// shares the people of a layer out among them, says for every request which arm it
// falls into, and judges what came of it with package stats.
package experiment
