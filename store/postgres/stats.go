package postgres

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// Not an sqlc query: the queue's tables are not in our migrations.
const countJobs = `SELECT count(*) FROM river_job
WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled')`

// Stats implements lectern.StatsStore.
func (s *Store) Stats(ctx context.Context) (lectern.StoreStats, error) {
	var out lectern.StoreStats
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		t, err := q.Totals(ctx)
		if err != nil {
			return err
		}
		parked, err := q.ParkedTotals(ctx)
		out = lectern.StoreStats{
			Courses: t.Courses, Retired: t.Retired, Reviews: t.Reviews, Ratings: t.Ratings,
			Learners: t.Learners, Visitors: t.Visitors, Events: t.Events, Rankings: t.Rankings, Searches: t.Searches,
			ParkedReviews: parked.Reviews, ParkedRatings: parked.Ratings, ParkedEvents: parked.Events,
			LastChange: t.LastChange, HeldReviews: t.HeldReviews,
		}
		if err != nil {
			return err
		}
		out.LastProfileChange, err = q.LastProfileChange(ctx)
		return err
	})
	if err != nil {
		return lectern.StoreStats{}, err
	}
	return out, fail(s.pool.QueryRow(ctx, countJobs).Scan(&out.PendingJobs))
}

// Check implements lectern.StatsStore. It reads all courses. Foreign keys and
// pages are the server's own to watch over.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	var found []string
	for _, check := range []func(context.Context) ([]string, error){
		s.checkIndexes, s.checkFeed, s.checkCourses, s.checkLearners, s.checkBlobs,
	} {
		lines, err := check(ctx)
		if err != nil {
			return found, fail(err)
		}
		found = append(found, lines...)
	}
	return found, nil
}

// checkIndexes lists the indexes that a statement which was cut off has left
// behind unfinished.
func (s *Store) checkIndexes(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT i.indexrelid::regclass::text FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid
		WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for i, name := range names {
		names[i] = fmt.Sprintf("index %s is not valid: REINDEX INDEX %s mends it", name, name)
	}
	return names, err
}

func (s *Store) checkFeed(ctx context.Context) (found []string, err error) {
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		outside, err := q.CoursesOutsideFeed(ctx)
		found = nil
		for _, id := range outside {
			found = append(found, fmt.Sprintf("course %q is not in the change feed", id))
		}
		return err
	})
	return found, err
}

// checkCourses decodes every course and compares its content hash.
func (s *Store) checkCourses(ctx context.Context) ([]string, error) {
	const page = 500
	var found []string
	for after := int64(0); ; {
		var rows []sqlcgen.CoursesAfterRow
		err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) (err error) {
			rows, err = q.CoursesAfter(ctx, after, page)
			return err
		})
		if err != nil || len(rows) == 0 {
			return found, err
		}
		for _, r := range rows {
			after = r.Course.CourseID
			c, err := courseOf(r.ExternalID, r.Course)
			if err != nil {
				found = append(found, err.Error())
				continue
			}
			if h := lectern.HashContent(c.EmbeddingText()); !bytes.Equal(h[:], r.Course.ContentHash) {
				found = append(found, fmt.Sprintf("course %q has a stale content hash", r.ExternalID))
			}
		}
	}
}

func (s *Store) checkLearners(ctx context.Context) (found []string, err error) {
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		found = nil
		nameless, err := q.LearnersWithoutIdentity(ctx)
		if err != nil {
			return err
		}
		if nameless > 0 {
			found = append(found, fmt.Sprintf("%d learners have no identity", nameless))
		}
		misnamed, err := q.MisnamedLearners(ctx)
		if misnamed > 0 {
			found = append(found, fmt.Sprintf("%d identities contradict whether their learner is anonymous", misnamed))
		}
		if err != nil {
			return err
		}
		outside, err := q.LearnersOutsideFeed(ctx)
		if outside > 0 {
			found = append(found, fmt.Sprintf("%d learners with a profile are not in the feed of profiles", outside))
		}
		return err
	})
	return found, err
}

func (s *Store) checkBlobs(ctx context.Context) (found []string, err error) {
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		found = nil
		odd, err := q.OddVectors(ctx)
		if err != nil {
			return err
		}
		if odd > 0 {
			found = append(found, fmt.Sprintf("%d vectors are not whole numbers of floats", odd))
		}
		broken, err := q.BrokenArtefacts(ctx)
		for _, a := range broken {
			found = append(found, fmt.Sprintf("artefact %s version %d is incomplete", a.Kind, a.Version))
		}
		return err
	})
	return found, err
}
