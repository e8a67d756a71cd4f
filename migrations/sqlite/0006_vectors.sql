-- +goose Up

CREATE TABLE fingerprints (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint TEXT NOT NULL UNIQUE
) STRICT;

-- vector is little-endian float32.
CREATE TABLE embeddings (
    id             INTEGER PRIMARY KEY,
    fingerprint_id INTEGER NOT NULL REFERENCES fingerprints (id),
    content_hash   BLOB NOT NULL,
    vector         BLOB NOT NULL,
    UNIQUE (fingerprint_id, content_hash)
) STRICT;

-- The last version number ever given per kind, so that pruning frees none.
CREATE TABLE artefact_kinds (
    kind         TEXT PRIMARY KEY,
    last_version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE artefacts (
    kind        TEXT NOT NULL REFERENCES artefact_kinds (kind),
    version     INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    active      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    meta        TEXT NOT NULL,
    size        INTEGER NOT NULL,
    PRIMARY KEY (kind, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE artefact_chunks (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    version INTEGER NOT NULL,
    chunk   INTEGER NOT NULL,
    body    BLOB NOT NULL,
    UNIQUE (kind, version, chunk),
    FOREIGN KEY (kind, version) REFERENCES artefacts (kind, version) ON DELETE CASCADE
) STRICT;

-- +goose Down
DROP TABLE artefact_chunks;
DROP TABLE artefacts;
DROP TABLE artefact_kinds;
DROP TABLE embeddings;
DROP TABLE fingerprints;
