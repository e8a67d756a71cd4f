package sqlite

import (
	"bytes"
	"context"
	"fmt"

	"github.com/lectern-dev/lectern"
)

// Stats implements lectern.StatsStore.
func (s *Store) Stats(ctx context.Context) (lectern.StoreStats, error) {
	t, err := s.read.Totals(ctx)
	if err != nil {
		return lectern.StoreStats{}, err
	}
	parked, err := s.read.ParkedTotals(ctx)
	if err != nil {
		return lectern.StoreStats{}, err
	}
	out := lectern.StoreStats{
		Courses: t.Courses, Retired: t.Retired, Reviews: t.Reviews, Ratings: t.Ratings,
		Learners: t.Learners, Visitors: t.Visitors, Events: t.Events, Rankings: t.Rankings, Searches: t.Searches,
		ParkedReviews: parked.Reviews, ParkedRatings: parked.Ratings, ParkedEvents: parked.Events,
		LastChange: t.LastChange, HeldReviews: t.HeldReviews,
	}
	if out.LastProfileChange, err = s.read.LastProfileChange(ctx); err != nil {
		return lectern.StoreStats{}, err
	}
	// Not an sqlc query: the queue's tables are not in our migrations.
	err = s.stmts.QueryRowContext(ctx, `SELECT count(*) FROM river_job
		WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled')`).Scan(&out.PendingJobs)
	return out, err
}

// Ping implements lectern.StatsStore.
func (s *Store) Ping(ctx context.Context) error { return s.readDB.PingContext(ctx) }

// Check implements lectern.StatsStore. It reads the whole file.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	var found []string
	for _, check := range []func(context.Context) ([]string, error){
		s.checkFile, s.checkForeignKeys, s.checkCourses, s.checkLearners, s.checkBlobs,
	} {
		lines, err := check(ctx)
		if err != nil {
			return found, err
		}
		found = append(found, lines...)
	}
	return found, nil
}

// checkFile runs SQLite's own check of pages, indexes and constraints.
func (s *Store) checkFile(ctx context.Context) ([]string, error) {
	rows, err := s.readDB.QueryContext(ctx, "PRAGMA integrity_check(20)")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		if line != "ok" {
			found = append(found, "database file: "+line)
		}
	}
	return found, rows.Err()
}

func (s *Store) checkForeignKeys(ctx context.Context) ([]string, error) {
	rows, err := s.readDB.QueryContext(ctx,
		`SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY "table", parent`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var table, parent string
		var n int64
		if err := rows.Scan(&table, &parent, &n); err != nil {
			return nil, err
		}
		found = append(found, fmt.Sprintf("%d rows of %s point at missing rows of %s", n, table, parent))
	}
	return found, rows.Err()
}

// checkCourses decodes every course and compares its content hash.
func (s *Store) checkCourses(ctx context.Context) ([]string, error) {
	var found []string
	outside, err := s.read.CoursesOutsideFeed(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range outside {
		found = append(found, fmt.Sprintf("course %q is not in the change feed", id))
	}
	for after := int64(0); ; {
		rows, err := s.read.CoursesAfter(ctx, after, 500)
		if err != nil {
			return nil, err
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
		if len(rows) == 0 {
			return found, nil
		}
	}
}

func (s *Store) checkLearners(ctx context.Context) ([]string, error) {
	var found []string
	nameless, err := s.read.LearnersWithoutIdentity(ctx)
	if err != nil {
		return nil, err
	}
	if nameless > 0 {
		found = append(found, fmt.Sprintf("%d learners have no identity", nameless))
	}
	misnamed, err := s.read.MisnamedLearners(ctx)
	if misnamed > 0 {
		found = append(found, fmt.Sprintf("%d identities contradict whether their learner is anonymous", misnamed))
	}
	if err != nil {
		return found, err
	}
	outside, err := s.read.LearnersOutsideFeed(ctx)
	if outside > 0 {
		found = append(found, fmt.Sprintf("%d learners with a profile are not in the feed of profiles", outside))
	}
	return found, err
}

func (s *Store) checkBlobs(ctx context.Context) ([]string, error) {
	var found []string
	odd, err := s.read.OddVectors(ctx)
	if err != nil {
		return nil, err
	}
	if odd > 0 {
		found = append(found, fmt.Sprintf("%d vectors are not whole numbers of floats", odd))
	}
	broken, err := s.read.BrokenArtefacts(ctx)
	for _, a := range broken {
		found = append(found, fmt.Sprintf("artefact %s version %d is incomplete", a.Kind, a.Version))
	}
	return found, err
}
