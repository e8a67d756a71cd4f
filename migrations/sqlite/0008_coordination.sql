-- +goose Up

-- Who does what only one may do. expires_at is in microseconds since 1970 UTC.
CREATE TABLE leases (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each follower of course_changes has come.
CREATE TABLE feed_positions (
    name TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE feed_positions;
DROP TABLE leases;
