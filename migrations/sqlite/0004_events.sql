-- +goose Up

CREATE TABLE events (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id       TEXT NOT NULL UNIQUE,
    schema_version INTEGER NOT NULL,
    type           TEXT NOT NULL,
    learner_id     INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    course_id      INTEGER REFERENCES course_ids (id),
    occurred_at    INTEGER NOT NULL,
    received_at    INTEGER NOT NULL,
    ranking_id     TEXT,
    position       INTEGER,
    surface        TEXT NOT NULL,
    session_id     TEXT NOT NULL,
    value          REAL,
    query          TEXT NOT NULL,
    properties     TEXT
) STRICT;

CREATE INDEX events_learner ON events (learner_id, occurred_at, id);
CREATE INDEX events_course ON events (course_id) WHERE course_id IS NOT NULL;
CREATE INDEX events_ranking ON events (ranking_id) WHERE ranking_id IS NOT NULL;

-- Counts per course, day and type: what popularity and trend are made of. They
-- name nobody, so they outlive the learners behind them.
CREATE TABLE course_activity (
    course_id INTEGER NOT NULL REFERENCES course_ids (id),
    day       INTEGER NOT NULL,
    type      TEXT NOT NULL,
    n         INTEGER NOT NULL,
    PRIMARY KEY (course_id, day, type)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE course_activity;
DROP TABLE events;
