-- +goose Up

CREATE TABLE learners (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    anonymous       INTEGER NOT NULL,
    interests       TEXT NOT NULL,
    goal            TEXT NOT NULL,
    weekly_hours    REAL,
    preferred_level TEXT NOT NULL,
    languages       TEXT NOT NULL,
    region          TEXT NOT NULL,
    organisations   TEXT NOT NULL,
    personalisation INTEGER,
    exploration     INTEGER,
    profile_version INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;

-- The only table that holds an external id of a learner (kind 0) or a visitor
-- (kind 1). A learner has one learner id at most and any number of visitor ids.
CREATE TABLE identities (
    kind        INTEGER NOT NULL CHECK (kind IN (0, 1)),
    external_id TEXT NOT NULL,
    learner_id  INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, external_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_learner ON identities (learner_id, kind);

CREATE TABLE profile_entries (
    learner_id INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    course_id  INTEGER NOT NULL REFERENCES course_ids (id),
    weight     REAL NOT NULL,
    weight_at  INTEGER NOT NULL,
    half_life  INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    PRIMARY KEY (learner_id, course_id)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE profile_entries;
DROP TABLE identities;
DROP TABLE learners;
