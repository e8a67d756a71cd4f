package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/lectern-dev/lectern"
)

// maxJobAttempts keeps a job alive through an outage of hours: a course whose
// job is given up would stay without a vector until its text changes.
const maxJobAttempts = 200

// RiverDriver returns the driver for workers of the store's job queue. It is
// good until Close. Behind a pooler in transaction mode, where nothing can
// listen, workers poll.
func (s *Store) RiverDriver() riverdriver.Driver[pgx.Tx] {
	driver := riverpgxv5.New(s.pool)
	if s.opts.pooled() {
		return pollingDriver{driver}
	}
	return driver
}

// pollingDriver is a driver of which River knows that it cannot listen.
type pollingDriver struct{ *riverpgxv5.Driver }

// SupportsListener implements riverdriver.Driver.
func (pollingDriver) SupportsListener() bool { return false }

// enqueue queues embedding jobs in the transaction of the write.
func (s *Store) enqueue(ctx context.Context, tx *writeTx) error {
	var jobs []river.InsertManyParams
	for ids := range slices.Chunk(distinct(tx.embedCourses), lectern.MaxEmbedBatch) {
		jobs = append(jobs, river.InsertManyParams{Args: lectern.EmbedCoursesJob{CourseIDs: ids}})
	}
	for ids := range slices.Chunk(distinct(tx.embedReviews), lectern.MaxEmbedBatch) {
		jobs = append(jobs, river.InsertManyParams{Args: lectern.EmbedReviewsJob{CourseIDs: ids}})
	}
	if len(jobs) == 0 {
		return nil
	}
	if _, err := s.river.InsertManyTx(ctx, tx.tx, jobs); err != nil {
		return fmt.Errorf("queue embedding: %w", err)
	}
	return nil
}
