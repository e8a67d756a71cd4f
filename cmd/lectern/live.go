package main

import (
	"context"
	"log/slog"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/suggest"
)

// liveStore is the store as a running server uses it: the pipeline hears of
// writes at once instead of at its next look at the feed, and what the recorder
// holds in memory is part of the rankings, and an erasure reaches what is in memory.
type liveStore struct {
	relational
	pipeline *indexing.Pipeline
	recorder *retrieve.Recorder
	searches *searches
	suggest  *suggest.Suggester
	keepers  []keeper

	followers followers
	log       *slog.Logger
}

// keeper has something of a learner in memory.
type keeper interface{ Forget(ref lectern.LearnerRef) }

var (
	_ lectern.CourseStore  = liveStore{}
	_ lectern.ReviewStore  = liveStore{}
	_ lectern.LearnerStore = liveStore{}
	_ lectern.RankingStore = liveStore{}
)

func (s liveStore) PutCourses(ctx context.Context, patches []lectern.CoursePatch) ([]lectern.WriteResult, error) {
	defer s.pipeline.Notify()
	return s.relational.PutCourses(ctx, patches)
}

func (s liveStore) DeleteCourses(ctx context.Context, ids []string) (int, error) {
	defer s.pipeline.Notify()
	return s.relational.DeleteCourses(ctx, ids)
}

func (s liveStore) RetireMissing(ctx context.Context, keep []string, maxShare float64) (int, error) {
	defer s.pipeline.Notify()
	return s.relational.RetireMissing(ctx, keep, maxShare)
}

func (s liveStore) PutReviews(ctx context.Context, reviews []lectern.Review) ([]lectern.WriteResult, error) {
	defer s.pipeline.Notify()
	return s.relational.PutReviews(ctx, reviews)
}

func (s liveStore) PutRatings(ctx context.Context, ratings []lectern.Rating) ([]lectern.WriteResult, error) {
	defer s.pipeline.Notify()
	return s.relational.PutRatings(ctx, ratings)
}

func (s liveStore) DeleteReview(ctx context.Context, id string) error {
	defer s.pipeline.Notify()
	return s.relational.DeleteReview(ctx, id)
}

// DeleteLearner also forgets the lists and searches that are not in the store yet.
func (s liveStore) DeleteLearner(ctx context.Context, ref lectern.LearnerRef) error {
	s.forget(ref)
	key, err := s.ProfileKey(ctx, ref)
	if err != nil {
		return err
	}
	if err := s.relational.DeleteLearner(ctx, ref); err != nil {
		return err
	}
	s.forget(ref) // what was made meanwhile
	s.erase(ctx, ref, key)
	return nil
}

func (s liveStore) forget(ref lectern.LearnerRef) {
	s.recorder.Forget(ref)
	s.searches.forget(ref)
	s.suggest.Forget(ref)
	for _, k := range s.keepers {
		k.Forget(ref)
	}
}

// Ranking finds lists that are not in the store yet, too.
func (s liveStore) Ranking(ctx context.Context, id string) (lectern.Ranking, error) {
	return s.recorder.Ranking(ctx, id)
}
