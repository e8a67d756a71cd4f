package sqlite

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/blob"
)

// PutVectors implements lectern.VectorStore.
func (s *Store) PutVectors(ctx context.Context, fingerprint string, vectors map[lectern.ContentHash][]float32) error {
	if fingerprint == "" {
		return lectern.Invalid("vectors need a fingerprint")
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
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		fp, err := tx.fingerprint(ctx, fingerprint)
		if err != nil {
			return err
		}
		touched := map[int64]bool{}
		for _, h := range hashes {
			if err := tx.q.PutEmbedding(ctx, fp, h[:], blob.FromVector(vectors[h])); err != nil {
				return err
			}
			ids, err := tx.q.CourseContentIDs(ctx, h[:])
			if err != nil {
				return err
			}
			for _, id := range ids {
				touched[id] = true
			}
		}
		return tx.changedAll(ctx, touched, lectern.ChangeVector)
	})
}

func (tx *writeTx) fingerprint(ctx context.Context, fingerprint string) (int64, error) {
	id, err := tx.q.FingerprintID(ctx, fingerprint)
	if isNoRows(err) {
		return tx.q.InsertFingerprint(ctx, fingerprint)
	}
	return id, err
}

// VectorsByHash implements lectern.VectorStore.
func (s *Store) VectorsByHash(ctx context.Context, fingerprint string, hashes []lectern.ContentHash) (map[lectern.ContentHash][]float32, error) {
	out := make(map[lectern.ContentHash][]float32, len(hashes))
	if len(hashes) == 0 {
		return out, ctx.Err()
	}
	fp, err := s.read.FingerprintID(ctx, fingerprint)
	if isNoRows(err) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := s.read.EmbeddingsByHash(ctx, fp, hexList(hashes))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		h, err := blob.Hash(r.ContentHash)
		if err != nil {
			return nil, err
		}
		if out[h], err = blob.Vector(r.Vector); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CountVectors implements lectern.VectorStore.
func (s *Store) CountVectors(ctx context.Context, fingerprint string) (int, error) {
	n, err := s.read.CountEmbeddings(ctx, fingerprint)
	return int(n), err
}

// PruneVectors implements lectern.VectorStore.
func (s *Store) PruneVectors(ctx context.Context, keep []string) (int, error) {
	stale, err := s.read.StaleFingerprints(ctx, jsonText(distinct(keep)))
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
	reviews, err := s.prune(ctx, func(ctx context.Context, tx *writeTx) (int64, error) {
		return tx.q.DeleteReviewEmbeddings(ctx, fp, pruneBatch)
	})
	if err != nil {
		return reviews, err
	}
	n, err := s.prune(ctx, func(ctx context.Context, tx *writeTx) (int64, error) {
		return tx.q.DeleteEmbeddings(ctx, fp, pruneBatch)
	})
	if err != nil {
		return reviews + n, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		return tx.q.DeleteFingerprintIfUnused(ctx, fp)
	})
	return reviews + n, err
}

// hexList encodes hashes as the JSON array of hexadecimals that the query reads.
func hexList(hashes []lectern.ContentHash) string {
	const width = 2*len(lectern.ContentHash{}) + 3
	b := make([]byte, 0, width*len(hashes)+2)
	b = append(b, '[')
	for i, h := range hashes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = hex.AppendEncode(b, h[:])
		b = append(b, '"')
	}
	return string(append(b, ']'))
}
