package sqlite

import (
	"context"
	"fmt"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/blob"
)

// PutReviewVectors implements lectern.VectorStore. An empty vector is as good as
// a nil one.
func (s *Store) PutReviewVectors(ctx context.Context, fingerprint string, vectors map[string][]float32) error {
	if fingerprint == "" {
		return lectern.Invalid("vectors need a fingerprint")
	}
	if len(vectors) == 0 {
		return ctx.Err()
	}
	ids := sortedKeys(vectors)
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		fp, err := tx.fingerprint(ctx, fingerprint)
		if err != nil {
			return err
		}
		courses, err := lookUpCourses(ctx, tx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			ref := courses.byID[id]
			if !ref.known {
				continue
			}
			if v := vectors[id]; len(v) > 0 {
				err = tx.q.PutReviewEmbedding(ctx, fp, ref.id, blob.FromVector(v))
			} else {
				err = tx.q.DeleteReviewEmbedding(ctx, fp, ref.id)
			}
			if err != nil {
				return fmt.Errorf("review vector of course %q: %w", id, err)
			}
			if err := tx.changed(ctx, ref.id, lectern.ChangeReviews); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReviewVectors implements lectern.VectorStore.
func (s *Store) ReviewVectors(ctx context.Context, fingerprint string, courseIDs []string) (map[string][]float32, error) {
	out := make(map[string][]float32, len(courseIDs))
	if len(courseIDs) == 0 {
		return out, ctx.Err()
	}
	fp, err := s.read.FingerprintID(ctx, fingerprint)
	if isNoRows(err) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := s.read.ReviewEmbeddings(ctx, fp, jsonText(distinct(courseIDs)))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if out[r.ExternalID], err = blob.Vector(r.Vector); err != nil {
			return nil, err
		}
	}
	return out, nil
}
