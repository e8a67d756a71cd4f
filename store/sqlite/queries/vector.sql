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

-- name: DeleteFingerprint :exec
DELETE FROM fingerprints WHERE id = sqlc.arg(id);
