package main

import (
	"crypto/rand"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
	"github.com/lectern-dev/lectern/settings"
)

// feedback wires what takes feedback and reports. It finds lists that are not in the
// store yet, too.
func (e *engine) feedback() *feedback.Service {
	return feedback.New(feedback.Options{
		Store: e.live, Rankings: e.live, Courses: e.live, Learners: e.live, Rules: e.settings,
		Clock: lectern.SystemClock, Random: rand.Reader,
	})
}

// storedFeedback takes feedback and reports where no server runs, or beside one; without
// a keeper no rules can be made.
func storedFeedback(env environment, keeper *settings.Service) *feedback.Service {
	var rules feedback.Rules
	if keeper != nil {
		rules = keeper
	}
	return feedback.New(feedback.Options{
		Store: env.store, Rankings: env.store, Courses: env.store, Learners: env.store, Rules: rules,
		Clock: lectern.SystemClock, Random: rand.Reader,
	})
}
