-- name: FingerprintID :one
SELECT id FROM fingerprints WHERE fingerprint = sqlc.arg(fingerprint);

-- name: InsertFingerprint :exec
INSERT INTO fingerprints (fingerprint) VALUES (sqlc.arg(fingerprint)) ON CONFLICT (fingerprint) DO NOTHING;

-- name: PutEmbeddings :exec
INSERT INTO embeddings (fingerprint_id, content_hash, vector)
SELECT sqlc.arg(fingerprint_id), e.content_hash, e.vector
FROM (
    SELECT unnest(sqlc.arg(hashes)::bytea[]) AS content_hash,
        unnest(sqlc.arg(vectors)::bytea[]) AS vector
) e
ORDER BY e.content_hash
ON CONFLICT (fingerprint_id, content_hash) DO UPDATE SET vector = excluded.vector;

-- name: EmbeddingsByHash :many
SELECT e.content_hash, e.vector
FROM embeddings e
WHERE e.fingerprint_id = sqlc.arg(fingerprint_id) AND e.content_hash = ANY (sqlc.arg(hashes)::bytea[]);

-- name: CountEmbeddings :one
SELECT count(*) FROM embeddings e JOIN fingerprints f ON f.id = e.fingerprint_id
WHERE f.fingerprint = sqlc.arg(fingerprint);

-- name: StaleFingerprints :many
SELECT id FROM fingerprints WHERE fingerprint <> ALL (sqlc.arg(keep)::text[]) ORDER BY id;

-- name: DeleteEmbeddings :execrows
DELETE FROM embeddings d WHERE d.fingerprint_id = sqlc.arg(fingerprint_id) AND d.content_hash IN (
    SELECT e.content_hash FROM embeddings e
    WHERE e.fingerprint_id = sqlc.arg(fingerprint_id) LIMIT sqlc.arg(max_rows)
);

-- name: DeleteUnusedFingerprint :exec
DELETE FROM fingerprints f WHERE f.id = sqlc.arg(id)
  AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.fingerprint_id = f.id)
  AND NOT EXISTS (SELECT 1 FROM review_embeddings r WHERE r.fingerprint_id = f.id);

-- name: CoursesWithContent :many
SELECT course_id FROM courses WHERE content_hash = ANY (sqlc.arg(hashes)::bytea[]) ORDER BY course_id;

-- HoldCourses keeps courses from being deleted until the end of the transaction.

-- name: HoldCourses :many
SELECT i.external_id, c.course_id
FROM courses c
JOIN course_ids i ON i.id = c.course_id
WHERE i.external_id = ANY (sqlc.arg(external_ids)::text[])
ORDER BY c.course_id
FOR KEY SHARE OF c;

-- name: PutReviewEmbeddings :exec
INSERT INTO review_embeddings (fingerprint_id, course_id, vector)
SELECT sqlc.arg(fingerprint_id), e.course_id, e.vector
FROM (
    SELECT unnest(sqlc.arg(courses)::bigint[]) AS course_id,
        unnest(sqlc.arg(vectors)::bytea[]) AS vector
) e
ORDER BY e.course_id
ON CONFLICT (fingerprint_id, course_id) DO UPDATE SET vector = excluded.vector;

-- name: DropReviewEmbeddings :exec
DELETE FROM review_embeddings
WHERE fingerprint_id = sqlc.arg(fingerprint_id) AND course_id = ANY (sqlc.arg(courses)::bigint[]);

-- name: ReviewEmbeddings :many
SELECT i.external_id, e.vector
FROM course_ids i
JOIN review_embeddings e ON e.course_id = i.id
WHERE i.external_id = ANY (sqlc.arg(external_ids)::text[]) AND e.fingerprint_id = sqlc.arg(fingerprint_id);

-- name: PruneReviewEmbeddings :execrows
DELETE FROM review_embeddings d WHERE d.fingerprint_id = sqlc.arg(fingerprint_id) AND d.course_id IN (
    SELECT e.course_id FROM review_embeddings e
    WHERE e.fingerprint_id = sqlc.arg(fingerprint_id) LIMIT sqlc.arg(max_rows)
);
