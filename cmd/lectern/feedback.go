package main

import (
	"crypto/rand"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
)

// feedback wires what takes feedback and reports. It finds lists that are not in the
// store yet, too.
func (e *engine) feedback() *feedback.Service {
	return feedback.New(feedback.Options{
		Store: e.live, Rankings: e.live, Courses: e.live, Learners: e.live, Rules: e.settings,
		Clock: lectern.SystemClock, Random: rand.Reader,
	})
}
