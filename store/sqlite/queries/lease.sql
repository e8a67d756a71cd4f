-- name: DropOldLease :exec
DELETE FROM leases WHERE name = sqlc.arg(name) AND expires_at <= sqlc.arg(now);

-- name: AcquireLease :execrows
INSERT INTO leases (name, holder, expires_at)
VALUES (sqlc.arg(name), sqlc.arg(holder), sqlc.arg(expires_at))
ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at
WHERE leases.holder = excluded.holder;

-- name: ReleaseLease :exec
DELETE FROM leases WHERE name = sqlc.arg(name) AND holder = sqlc.arg(holder);

-- name: FeedPosition :one
SELECT seq FROM feed_positions WHERE name = sqlc.arg(name);

-- name: PutFeedPosition :exec
INSERT INTO feed_positions (name, seq) VALUES (sqlc.arg(name), sqlc.arg(seq))
ON CONFLICT (name) DO UPDATE SET seq = excluded.seq;

-- name: DeleteFeedPosition :exec
DELETE FROM feed_positions WHERE name = sqlc.arg(name);
