-- +goose Up

-- Who does what only one may do. Only the server's own clock counts.
CREATE TABLE leases (
    name       text PRIMARY KEY,
    holder     text NOT NULL,
    expires_at timestamptz NOT NULL
);

-- How far each follower of course_changes has come.
CREATE TABLE feed_positions (
    name text PRIMARY KEY,
    seq  bigint NOT NULL
);

-- +goose Down
DROP TABLE feed_positions;
DROP TABLE leases;
