package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/lectern-dev/lectern"
)

// maxJobAttempts keeps a job alive through an outage of hours: a course whose
// job is given up would stay without a vector until its text changes.
const maxJobAttempts = 200

// RiverDriver returns the driver for workers of the store's job queue. It is
// good until Close.
func (s *Store) RiverDriver() riverdriver.Driver[*sql.Tx] { return riversqlite.New(s.queueDB) }

// RescueJobs makes jobs that a dead process left running available again, and
// returns how many. Call it before workers start: with one server per file,
// whatever is running or leading then has lost its process.
func (s *Store) RescueJobs(ctx context.Context) (int, error) {
	var n int64
	// Not sqlc queries: the queue's tables are not in our migrations.
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if _, err := tx.stmts.ExecContext(ctx, `DELETE FROM river_leader`); err != nil {
			return err
		}
		res, err := tx.stmts.ExecContext(ctx, `UPDATE river_job
			SET state = 'available', max_attempts = max(max_attempts, attempt + 1)
			WHERE state = 'running'`)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("rescue jobs: %w", err)
	}
	return int(n), nil
}

// enqueueEmbed queues embedding jobs in the transaction of the write.
func (s *Store) enqueueEmbed(ctx context.Context, tx *writeTx, courseIDs []string) error {
	return s.enqueue(ctx, tx, courseIDs, func(batch []string) river.JobArgs {
		return lectern.EmbedCoursesJob{CourseIDs: batch}
	})
}

// enqueueEmbedReviews queues the embedding of these courses' reviews in the
// transaction of the write.
func (s *Store) enqueueEmbedReviews(ctx context.Context, tx *writeTx, courseIDs []string) error {
	return s.enqueue(ctx, tx, courseIDs, func(batch []string) river.JobArgs {
		return lectern.EmbedReviewsJob{CourseIDs: batch}
	})
}

// enqueueParkedReviews queues the embedding of reviews that came before their
// courses, which are new now.
func (s *Store) enqueueParkedReviews(ctx context.Context, tx *writeTx, created []string) error {
	if len(created) == 0 {
		return nil
	}
	reviewed, err := tx.q.CoursesWithReviews(ctx, jsonText(created))
	if err != nil {
		return err
	}
	return s.enqueueEmbedReviews(ctx, tx, reviewed)
}

func (s *Store) enqueue(ctx context.Context, tx *writeTx, courseIDs []string, job func(batch []string) river.JobArgs) error {
	if len(courseIDs) == 0 {
		return nil
	}
	var jobs []river.InsertManyParams
	for batch := range slices.Chunk(courseIDs, lectern.MaxEmbedBatch) {
		jobs = append(jobs, river.InsertManyParams{Args: job(batch)})
	}
	if _, err := s.river.InsertManyTx(ctx, tx.tx, jobs); err != nil {
		return fmt.Errorf("queue embedding: %w", err)
	}
	return nil
}
