package postgres

import (
	"bytes"
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/blob"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// pruneBatch bounds the rows that one pruning write deletes, so that locks are
// short.
const pruneBatch = 2000

// PutVectors implements lectern.VectorStore.
func (s *Store) PutVectors(ctx context.Context, fingerprint string, vectors map[lectern.ContentHash][]float32) error {
	if err := checkFingerprint(fingerprint); err != nil {
		return err
	}
	if len(vectors) == 0 {
		return ctx.Err()
	}
	hashes := make([]lectern.ContentHash, 0, len(vectors))
	for h, v := range vectors {
		if len(v) == 0 {
			return lectern.Invalid("a vector is empty")
		}
		hashes = append(hashes, h)
	}
	slices.SortFunc(hashes, func(a, b lectern.ContentHash) int { return bytes.Compare(a[:], b[:]) })
	encoded := make([][]byte, len(hashes))
	for i, h := range hashes {
		encoded[i] = blob.FromVector(vectors[h])
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		fp, err := tx.fingerprint(ctx, fingerprint)
		if err != nil {
			return err
		}
		if err := tx.q.PutEmbeddings(ctx, fp, hashList(hashes), encoded); err != nil {
			return err
		}
		// A course that takes one of these texts right now either shows here, or
		// gets into the feed after these vectors have been committed.
		if _, err := tx.tx.Exec(ctx, lockFeed, feedLock); err != nil {
			return err
		}
		courses, err := tx.q.CoursesWithContent(ctx, hashList(hashes))
		tx.changed(lectern.ChangeVector, courses...)
		return err
	})
}

func checkFingerprint(fingerprint string) error {
	if fingerprint == "" {
		return lectern.Invalid("vectors need a fingerprint")
	}
	return checkText("fingerprint", fingerprint)
}

func (tx *writeTx) fingerprint(ctx context.Context, fingerprint string) (int64, error) {
	id, err := tx.q.FingerprintID(ctx, fingerprint)
	if !isNoRows(err) {
		return id, err
	}
	if err := tx.q.InsertFingerprint(ctx, fingerprint); err != nil {
		return 0, err
	}
	return tx.q.FingerprintID(ctx, fingerprint)
}

// VectorsByHash implements lectern.VectorStore.
func (s *Store) VectorsByHash(ctx context.Context, fingerprint string, hashes []lectern.ContentHash) (map[lectern.ContentHash][]float32, error) {
	out := make(map[lectern.ContentHash][]float32, len(hashes))
	if len(hashes) == 0 {
		return out, ctx.Err()
	}
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		fp, err := q.FingerprintID(ctx, fingerprint)
		if err != nil {
			return err
		}
		rows, err := q.EmbeddingsByHash(ctx, fp, hashList(hashes))
		if err != nil {
			return err
		}
		for _, r := range rows {
			h, err := blob.Hash(r.ContentHash)
			if err != nil {
				return err
			}
			if out[h], err = blob.Vector(r.Vector); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !isNoRows(err) {
		return nil, err
	}
	return out, nil
}

// CountVectors implements lectern.VectorStore.
func (s *Store) CountVectors(ctx context.Context, fingerprint string) (int, error) {
	var n int64
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) (err error) {
		n, err = q.CountEmbeddings(ctx, fingerprint)
		return err
	})
	return int(n), err
}

// PutReviewVectors implements lectern.VectorStore. An empty vector is as good as
// a nil one.
func (s *Store) PutReviewVectors(ctx context.Context, fingerprint string, vectors map[string][]float32) error {
	if err := checkFingerprint(fingerprint); err != nil {
		return err
	}
	if len(vectors) == 0 {
		return ctx.Err()
	}
	ids := slices.DeleteFunc(sortedKeys(vectors), func(id string) bool { return !isText(id) })
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		fp, err := tx.fingerprint(ctx, fingerprint)
		if err != nil {
			return err
		}
		courses, err := tx.q.HoldCourses(ctx, ids)
		if err != nil {
			return err
		}
		var put, drop []int64
		var encoded [][]byte
		for _, c := range courses {
			if v := vectors[c.ExternalID]; len(v) > 0 {
				put, encoded = append(put, c.CourseID), append(encoded, blob.FromVector(v))
			} else {
				drop = append(drop, c.CourseID)
			}
		}
		if err := tx.q.PutReviewEmbeddings(ctx, fp, put, encoded); err != nil {
			return err
		}
		tx.changed(lectern.ChangeReviews, put...)
		tx.changed(lectern.ChangeReviews, drop...)
		return tx.q.DropReviewEmbeddings(ctx, fp, drop)
	})
}

// ReviewVectors implements lectern.VectorStore.
func (s *Store) ReviewVectors(ctx context.Context, fingerprint string, courseIDs []string) (map[string][]float32, error) {
	out := make(map[string][]float32, len(courseIDs))
	if len(courseIDs) == 0 {
		return out, ctx.Err()
	}
	ids := slices.DeleteFunc(slices.Clone(courseIDs), func(id string) bool { return !isText(id) })
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		fp, err := q.FingerprintID(ctx, fingerprint)
		if err != nil {
			return err
		}
		rows, err := q.ReviewEmbeddings(ctx, ids, fp)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if out[r.ExternalID], err = blob.Vector(r.Vector); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !isNoRows(err) {
		return nil, err
	}
	return out, nil
}

// PruneVectors implements lectern.VectorStore.
func (s *Store) PruneVectors(ctx context.Context, keep []string) (int, error) {
	var stale []int64
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) (err error) {
		stale, err = q.StaleFingerprints(ctx, distinct(keep))
		return err
	})
	if err != nil {
		return 0, err
	}
	total := 0
	for _, fp := range stale {
		n, err := s.pruneFingerprint(ctx, fp)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// pruneFingerprint deletes all vectors of a fingerprint, and then its name.
func (s *Store) pruneFingerprint(ctx context.Context, fp int64) (int, error) {
	reviews, err := s.prune(ctx, func(ctx context.Context, q *sqlcgen.Queries) (int64, error) {
		return q.PruneReviewEmbeddings(ctx, fp, pruneBatch)
	})
	if err != nil {
		return reviews, err
	}
	n, err := s.prune(ctx, func(ctx context.Context, q *sqlcgen.Queries) (int64, error) {
		return q.DeleteEmbeddings(ctx, fp, pruneBatch)
	})
	if err != nil {
		return reviews + n, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		return tx.q.DeleteUnusedFingerprint(ctx, fp)
	})
	return reviews + n, err
}

// prune repeats a bounded delete, each time in a transaction of its own, until
// it deletes less than its bound.
func (s *Store) prune(ctx context.Context, step func(context.Context, *sqlcgen.Queries) (int64, error)) (int, error) {
	total := 0
	for {
		var n int64
		err := s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
			n, err = step(ctx, tx.q)
			return err
		})
		if err != nil {
			return total, err
		}
		total += int(n)
		if n < pruneBatch {
			return total, nil
		}
	}
}

// hashList returns hashes as an array that the server reads.
func hashList(hashes []lectern.ContentHash) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}
