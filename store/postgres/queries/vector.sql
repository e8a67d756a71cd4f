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

-- name: DeleteFingerprint :exec
DELETE FROM fingerprints WHERE id = sqlc.arg(id);
