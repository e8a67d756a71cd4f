-- +goose Up

-- day is written_at in whole days since 1970 UTC; sort_at is written_at, or the
-- smallest number where it is unknown, so that paging compares plain numbers.
CREATE TABLE reviews (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    review_id    TEXT NOT NULL UNIQUE,
    source       TEXT NOT NULL,
    course_id    INTEGER NOT NULL REFERENCES course_ids (id),
    learner_id   INTEGER REFERENCES learners (id) ON DELETE SET NULL,
    stars_tenths INTEGER,
    text         TEXT NOT NULL,
    language     TEXT NOT NULL,
    helpful      INTEGER NOT NULL,
    written_at   INTEGER,
    day          INTEGER,
    sort_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX reviews_course ON reviews (course_id, sort_at, id);
CREATE INDEX reviews_learner ON reviews (learner_id) WHERE learner_id IS NOT NULL;

-- One row per cell with the highest occurrence number seen, which is the same
-- as a row per occurrence in a fifth of the space.
CREATE TABLE ratings (
    course_id    INTEGER NOT NULL REFERENCES course_ids (id),
    source       TEXT NOT NULL,
    day          INTEGER NOT NULL,
    stars_tenths INTEGER NOT NULL,
    n            INTEGER NOT NULL,
    PRIMARY KEY (course_id, source, day, stars_tenths)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE ratings;
DROP TABLE reviews;
