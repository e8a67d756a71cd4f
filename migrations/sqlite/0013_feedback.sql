-- +goose Up

-- The greatest share done that was reported.
ALTER TABLE profile_entries ADD COLUMN progress REAL NOT NULL DEFAULT 0;

-- What learners and visitors said about suggestions, the last of each kind about a
-- course. Reports outlive their reporter, without id, comment and list: a report of
-- nobody has no learner. The last four columns are of reports.
CREATE TABLE feedback (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    feedback_id    TEXT UNIQUE,
    learner_id     INTEGER REFERENCES learners (id) ON DELETE CASCADE,
    course_id      INTEGER NOT NULL REFERENCES course_ids (id),
    kind           TEXT NOT NULL,
    at             INTEGER NOT NULL,
    until          INTEGER,
    reason         TEXT NOT NULL,
    comment        TEXT NOT NULL,
    ranking_id     TEXT,
    position       INTEGER,
    surface        TEXT NOT NULL,
    list_row       TEXT NOT NULL,
    term           TEXT NOT NULL,
    config_version TEXT NOT NULL,
    status         TEXT NOT NULL,
    note           TEXT NOT NULL,
    set_by         TEXT NOT NULL,
    set_at         INTEGER,
    UNIQUE (learner_id, course_id, kind)
) STRICT;

CREATE INDEX feedback_reports ON feedback (at) WHERE kind = 'report';
CREATE INDEX feedback_reported ON feedback (course_id, at) WHERE kind = 'report';

-- +goose Down
DROP TABLE feedback;
ALTER TABLE profile_entries DROP COLUMN progress;
