-- +goose Up

-- Settings that administrators change at run time. The row of a kind says which
-- version holds, 0 for the configuration file's.
CREATE TABLE settings_kinds (
    kind         TEXT PRIMARY KEY,
    last_version INTEGER NOT NULL,
    active       INTEGER NOT NULL,
    activation   INTEGER NOT NULL -- of settings_activations, 0 for none
) STRICT, WITHOUT ROWID;

-- The versions, never changed. The body keeps its text as it was written.
CREATE TABLE settings (
    kind       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    body       TEXT NOT NULL,
    author     TEXT NOT NULL,
    comment    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    base       INTEGER NOT NULL,
    PRIMARY KEY (kind, version)
) STRICT, WITHOUT ROWID;

-- What was in use since when, version 0 included.
CREATE TABLE settings_activations (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,
    version INTEGER NOT NULL,
    author  TEXT NOT NULL,
    comment TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

CREATE INDEX settings_activations_version ON settings_activations (kind, version, seq);

-- +goose Down
DROP TABLE settings_activations;
DROP TABLE settings;
DROP TABLE settings_kinds;
