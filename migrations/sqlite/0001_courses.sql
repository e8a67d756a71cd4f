-- Times are microseconds since 1970 UTC, lists are JSON arrays.

-- +goose Up

-- A mapping exists from the first mention of a course, so that reviews, ratings
-- and events may come before the course itself. It is never deleted.
CREATE TABLE course_ids (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    external_id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE courses (
    course_id      INTEGER PRIMARY KEY REFERENCES course_ids (id),
    title          TEXT NOT NULL,
    description    TEXT NOT NULL,
    language       TEXT NOT NULL,
    provider       TEXT NOT NULL,
    instructors    TEXT NOT NULL,
    categories     TEXT NOT NULL,
    skills         TEXT NOT NULL,
    level          TEXT NOT NULL,
    workload_hours REAL,
    syllabus       TEXT NOT NULL,
    prerequisites  TEXT NOT NULL,
    published_at   INTEGER,
    updated_at     INTEGER,
    status         TEXT NOT NULL,
    enrol_from     INTEGER,
    enrol_until    INTEGER,
    regions        TEXT NOT NULL,
    organisations  TEXT NOT NULL,
    url            TEXT NOT NULL,
    image_url      TEXT NOT NULL,
    rating_mean    REAL NOT NULL,
    rating_count   INTEGER NOT NULL,
    enrolments     INTEGER NOT NULL,
    extra          TEXT NOT NULL,
    content_hash   BLOB NOT NULL,
    stored_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX courses_content_hash ON courses (content_hash);

-- At most one entry per course and kind: a newer change replaces the older one
-- under a new sequence number, so the feed never outgrows the catalogue.
CREATE TABLE course_changes (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id INTEGER NOT NULL REFERENCES course_ids (id),
    kind      TEXT NOT NULL,
    UNIQUE (course_id, kind)
) STRICT;

-- +goose Down
DROP TABLE course_changes;
DROP TABLE courses;
DROP TABLE course_ids;
