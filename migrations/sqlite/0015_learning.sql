-- +goose Up

ALTER TABLE learners ADD COLUMN minor INTEGER NOT NULL DEFAULT 0;

-- seq is the order of recording, which under the one writer is that of commits.
-- posterior is what the list was explored by, so that it is kept as long.
ALTER TABLE rankings RENAME COLUMN id TO seq;
ALTER TABLE rankings ADD COLUMN posterior INTEGER;

CREATE INDEX rankings_posterior ON rankings (posterior) WHERE posterior IS NOT NULL;

-- Events that cite no list are put down to one that an earlier event cited.
CREATE INDEX events_cited ON events (learner_id, course_id, occurred_at, id)
    WHERE ranking_id IS NOT NULL AND course_id IS NOT NULL;

-- How far the log of events has been learnt from. One run is in use; another one may
-- be learning everything anew. body are the statistics up to position, and revision
-- rises with every step, so that of two leaders one succeeds.
CREATE TABLE learning (
    run        INTEGER PRIMARY KEY,
    active     INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    features   TEXT NOT NULL,
    body       BLOB NOT NULL,
    published  INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX learning_active ON learning (active) WHERE active = 1;

-- What has counted: each once. learner_id is that of the list.
CREATE TABLE rewards (
    run        INTEGER NOT NULL,
    ranking_id TEXT NOT NULL,
    course_id  INTEGER NOT NULL REFERENCES course_ids (id),
    name       TEXT NOT NULL,
    learner_id INTEGER REFERENCES learners (id) ON DELETE CASCADE,
    value      REAL NOT NULL,
    at         INTEGER NOT NULL,
    explored   INTEGER NOT NULL,
    PRIMARY KEY (run, ranking_id, course_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX rewards_learner ON rewards (learner_id) WHERE learner_id IS NOT NULL;

-- Sums of them by the hour in which the list was made. They name nobody, so they
-- outlive the learners behind them.
CREATE TABLE exploration_counts (
    run      INTEGER NOT NULL,
    hour     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    explored INTEGER NOT NULL,
    name     TEXT NOT NULL,
    n        INTEGER NOT NULL,
    value    REAL NOT NULL,
    PRIMARY KEY (run, hour, position, explored, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE posteriors (
    version    INTEGER PRIMARY KEY,
    features   TEXT NOT NULL,
    position   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    body       BLOB NOT NULL
) STRICT;

-- +goose Down
DROP TABLE posteriors;
DROP TABLE exploration_counts;
DROP TABLE rewards;
DROP TABLE learning;
DROP INDEX events_cited;
DROP INDEX rankings_posterior;
ALTER TABLE rankings DROP COLUMN posterior;
ALTER TABLE rankings RENAME COLUMN seq TO id;
ALTER TABLE learners DROP COLUMN minor;
