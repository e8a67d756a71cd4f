-- name: AddSettingsKind :exec
INSERT INTO settings_kinds (kind, last_version, active, activation) VALUES (sqlc.arg(kind), 0, 0, 0)
ON CONFLICT (kind) DO NOTHING;

-- LockSettingsKind makes changes of a kind take turns.

-- name: LockSettingsKind :one
SELECT * FROM settings_kinds WHERE kind = sqlc.arg(kind) FOR UPDATE;

-- name: SetActiveSettings :exec
UPDATE settings_kinds
SET last_version = sqlc.arg(last_version), active = sqlc.arg(active), activation = sqlc.arg(activation)
WHERE kind = sqlc.arg(kind);

-- name: InsertSettings :exec
INSERT INTO settings (kind, version, body, author, comment, created_at, base)
VALUES (
    sqlc.arg(kind), sqlc.arg(version), sqlc.arg(body), sqlc.arg(author), sqlc.arg(comment),
    sqlc.arg(created_at), sqlc.arg(base)
);

-- name: InsertSettingsActivation :one
INSERT INTO settings_activations (kind, version, author, comment, at)
VALUES (sqlc.arg(kind), sqlc.arg(version), sqlc.arg(author), sqlc.arg(comment), sqlc.arg(at))
RETURNING seq;

-- name: ActiveSettings :one
SELECT a.* FROM settings_kinds k JOIN settings_activations a ON a.seq = k.activation WHERE k.kind = sqlc.arg(kind);

-- name: Settings :one
SELECT * FROM settings WHERE kind = sqlc.arg(kind) AND version = sqlc.arg(version);

-- name: SettingsExists :one
SELECT EXISTS (SELECT 1 FROM settings WHERE kind = sqlc.arg(kind) AND version = sqlc.arg(version));

-- name: SettingsVersions :many
SELECT * FROM settings WHERE kind = sqlc.arg(kind) AND version < sqlc.arg(before)
ORDER BY version DESC LIMIT sqlc.arg(page);

-- name: SettingsActivations :many
SELECT * FROM settings_activations
WHERE kind = sqlc.arg(kind) AND version >= sqlc.arg(lowest) AND version <= sqlc.arg(highest)
ORDER BY seq DESC;
