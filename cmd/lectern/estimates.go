package main

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/learn"
	"github.com/lectern-dev/lectern/experiment/ope"
	"github.com/lectern-dev/lectern/rerank"
)

// newEstimates wires what says, from the log, what other settings or another policy would
// have earned.
func newEstimates(env environment, exploring explore.Settings, courses ope.Catalogue) (*ope.Service, error) {
	posteriors := learn.NewKeeper(env.store, env.log)
	step, err := explore.New(explore.Deps{Settings: exploring, Posteriors: posteriors, Logger: env.log})
	if err != nil {
		return nil, err
	}
	return ope.New(ope.Deps{
		Log: env.store, Step: step, Explore: exploring, Catalogue: courses, Posterior: posteriors,
		Config: env.config.Estimates, Clock: lectern.SystemClock,
	})
}

// ruledCourses are what rules need to know of the courses of a store.
type ruledCourses map[string]*rerank.Facts

// Facts implements ope.Catalogue.
func (c ruledCourses) Facts(id string) *rerank.Facts { return c[id] }

// readRuledCourses reads every course.
func readRuledCourses(ctx context.Context, store lectern.CourseStore) (ruledCourses, error) {
	out := ruledCourses{}
	for after := int64(0); ; {
		courses, next, err := store.ScanCourses(ctx, after, 1000)
		if err != nil {
			return nil, err
		}
		for i := range courses {
			p := lectern.PayloadOf(courses[i])
			out[courses[i].ID] = &rerank.Facts{
				ID: courses[i].ID, Title: courses[i].Title, Provider: p.Provider, Skills: p.Skills, Categories: p.Categories,
			}
		}
		if after = next; next == 0 {
			return out, nil
		}
	}
}
