// Package demo writes a demo platform: a catalogue of courses, reviews whose
// words fit their stars, learners, and their events from a latent-interest
// model with trends over time. The same Options always give the same platform.
//
// The hidden state behind the platform is kept apart in Truth, for evaluation
// and simulation only: models and rankers never see it. docs/demo.md states the
// model and its formulas. The words come from the text files under banks.
package demo
