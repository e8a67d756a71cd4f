-- name: AcquireLease :execrows
INSERT INTO leases (name, holder, expires_at)
VALUES (
    sqlc.arg(name), sqlc.arg(holder),
    clock_timestamp() + sqlc.arg(ttl_micros)::bigint * interval '1 microsecond'
)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE leases.holder = excluded.holder OR leases.expires_at <= clock_timestamp();

-- name: ReleaseLease :exec
DELETE FROM leases WHERE name = sqlc.arg(name) AND holder = sqlc.arg(holder);

-- name: FeedPosition :one
SELECT seq FROM feed_positions WHERE name = sqlc.arg(name);

-- name: SetFeedPosition :exec
INSERT INTO feed_positions (name, seq) VALUES (sqlc.arg(name), sqlc.arg(seq))
ON CONFLICT (name) DO UPDATE SET seq = excluded.seq;

-- name: ForgetFeedPosition :exec
DELETE FROM feed_positions WHERE name = sqlc.arg(name);
