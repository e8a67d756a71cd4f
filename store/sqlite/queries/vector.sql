-- name: FingerprintID :one
SELECT id FROM fingerprints WHERE fingerprint = sqlc.arg(fingerprint);

-- name: InsertFingerprint :one
INSERT INTO fingerprints (fingerprint) VALUES (sqlc.arg(fingerprint)) RETURNING id;

-- name: PutEmbedding :exec
INSERT INTO embeddings (fingerprint_id, content_hash, vector)
VALUES (sqlc.arg(fingerprint_id), sqlc.arg(content_hash), sqlc.arg(vector))
ON CONFLICT (fingerprint_id, content_hash) DO UPDATE SET vector = excluded.vector;

-- name: EmbeddingsByHash :many
SELECT e.content_hash, e.vector
FROM embeddings e
WHERE e.fingerprint_id = sqlc.arg(fingerprint_id)
  AND e.content_hash IN (
    SELECT unhex(j.value) FROM json_each(CAST(sqlc.arg(hashes) AS TEXT)) j
  );

-- name: CountEmbeddings :one
SELECT count(*) FROM embeddings e JOIN fingerprints f ON f.id = e.fingerprint_id
WHERE f.fingerprint = sqlc.arg(fingerprint);

-- name: StaleFingerprints :many
SELECT id FROM fingerprints
WHERE fingerprint NOT IN (SELECT value FROM json_each(CAST(sqlc.arg(keep) AS TEXT)))
ORDER BY id;

-- name: DeleteEmbeddings :execrows
DELETE FROM embeddings WHERE id IN (
    SELECT e.id FROM embeddings e WHERE e.fingerprint_id = sqlc.arg(fingerprint_id) LIMIT sqlc.arg(max_rows)
);

-- name: DeleteFingerprintIfUnused :exec
DELETE FROM fingerprints WHERE fingerprints.id = sqlc.arg(id)
  AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.fingerprint_id = fingerprints.id)
  AND NOT EXISTS (SELECT 1 FROM review_embeddings r WHERE r.fingerprint_id = fingerprints.id);

-- name: PutReviewEmbedding :exec
INSERT INTO review_embeddings (fingerprint_id, course_id, vector)
VALUES (sqlc.arg(fingerprint_id), sqlc.arg(course_id), sqlc.arg(vector))
ON CONFLICT (fingerprint_id, course_id) DO UPDATE SET vector = excluded.vector;

-- name: DeleteReviewEmbedding :exec
DELETE FROM review_embeddings
WHERE fingerprint_id = sqlc.arg(fingerprint_id) AND course_id = sqlc.arg(course_id);

-- CROSS JOIN keeps SQLite from reading all vectors to find a few courses'.

-- name: ReviewEmbeddings :many
SELECT i.external_id, e.vector
FROM course_ids i
CROSS JOIN review_embeddings e
WHERE e.fingerprint_id = sqlc.arg(fingerprint_id) AND e.course_id = i.id
  AND i.external_id IN (SELECT value FROM json_each(CAST(sqlc.arg(external_ids) AS TEXT)));

-- Naming the fingerprints lets the primary key find the course's few rows.

-- name: DeleteCourseReviewEmbeddings :exec
DELETE FROM review_embeddings
WHERE fingerprint_id IN (SELECT id FROM fingerprints) AND course_id = sqlc.arg(course_id);

-- name: DeleteReviewEmbeddings :execrows
DELETE FROM review_embeddings
WHERE review_embeddings.fingerprint_id = sqlc.arg(fingerprint_id) AND review_embeddings.course_id IN (
    SELECT e.course_id FROM review_embeddings e
    WHERE e.fingerprint_id = sqlc.arg(fingerprint_id) LIMIT sqlc.arg(max_rows)
);
