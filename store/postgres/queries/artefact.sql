-- name: NextArtefactVersion :one
INSERT INTO artefact_kinds (kind, last_version) VALUES (sqlc.arg(kind), 1)
ON CONFLICT (kind) DO UPDATE SET last_version = artefact_kinds.last_version + 1
RETURNING last_version;

-- name: InsertArtefact :exec
INSERT INTO artefacts (kind, version, fingerprint, active, created_at, meta, size)
VALUES (
    sqlc.arg(kind), sqlc.arg(version), sqlc.arg(fingerprint), false, sqlc.arg(created_at),
    sqlc.arg(meta), sqlc.arg(size)
);

-- name: InsertArtefactChunks :copyfrom
INSERT INTO artefact_chunks (kind, version, chunk, body)
VALUES (sqlc.arg(kind), sqlc.arg(version), sqlc.arg(chunk), sqlc.arg(body));

-- LockArtefactKind makes writes to the versions of a kind take turns.

-- name: LockArtefactKind :exec
SELECT last_version FROM artefact_kinds WHERE kind = sqlc.arg(kind) FOR UPDATE;

-- name: ArtefactSize :one
SELECT size FROM artefacts WHERE kind = sqlc.arg(kind) AND version = sqlc.arg(version);

-- name: ArtefactChunks :many
SELECT body FROM artefact_chunks WHERE kind = sqlc.arg(kind) AND version = sqlc.arg(version)
ORDER BY chunk;

-- name: Artefacts :many
SELECT * FROM artefacts WHERE kind = sqlc.arg(kind) ORDER BY version DESC;

-- name: ActiveArtefact :one
SELECT * FROM artefacts WHERE kind = sqlc.arg(kind) AND active ORDER BY version DESC LIMIT 1;

-- name: SetActiveArtefact :exec
UPDATE artefacts SET active = (version = sqlc.arg(version)) WHERE kind = sqlc.arg(kind);

-- name: DeleteArtefact :exec
DELETE FROM artefacts WHERE kind = sqlc.arg(kind) AND version = sqlc.arg(version);
