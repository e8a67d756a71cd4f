-- name: InsertKey :execrows
INSERT INTO api_keys (key_id, name, scope, hash, created_at, revoked_at)
VALUES (
    sqlc.arg(key_id), sqlc.arg(name), sqlc.arg(scope), sqlc.arg(hash), sqlc.arg(created_at),
    sqlc.narg(revoked_at)
)
ON CONFLICT DO NOTHING;

-- name: KeyByHash :one
SELECT * FROM api_keys WHERE hash = sqlc.arg(hash);

-- name: Keys :many
SELECT * FROM api_keys ORDER BY created_at, id;

-- name: RevokeKey :execrows
UPDATE api_keys SET revoked_at = COALESCE(revoked_at, sqlc.narg(revoked_at)) WHERE key_id = sqlc.arg(key_id);

-- name: Secret :one
SELECT value FROM secrets WHERE name = sqlc.arg(name);

-- name: InsertSecret :exec
INSERT INTO secrets (name, value) VALUES (sqlc.arg(name), sqlc.arg(value))
ON CONFLICT (name) DO NOTHING;
