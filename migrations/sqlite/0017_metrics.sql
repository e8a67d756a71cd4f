-- +goose Up

-- What people said about suggestions and took back, in order. sign is 1 for what was
-- said and -1 for what was taken back. A row outlives the person, whom it then no
-- longer names.
CREATE TABLE feedback_log (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    learner_id INTEGER REFERENCES learners (id) ON DELETE SET NULL,
    course_id  INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    ranking_id TEXT,
    position   INTEGER,
    sign       INTEGER NOT NULL
) STRICT;

CREATE INDEX feedback_log_learner ON feedback_log (learner_id) WHERE learner_id IS NOT NULL;

INSERT INTO feedback_log (learner_id, course_id, kind, at, ranking_id, position, sign)
SELECT learner_id, course_id, kind, at, ranking_id, position, 1 FROM feedback ORDER BY id;

-- How far metrics have come in each log, and by which definitions they count: sums and
-- places move in one transaction. merges rises when people become one, so that nobody
-- writes what was read before. One row, or none before the first step.
CREATE TABLE metric_progress (
    id         INTEGER PRIMARY KEY,
    definition TEXT NOT NULL,
    events     INTEGER NOT NULL,
    lists      INTEGER NOT NULL,
    feedback   INTEGER NOT NULL,
    merges     INTEGER NOT NULL
) STRICT;

-- Sums by day of the platform's time zone. They name nobody, so they outlive the
-- people behind them. Empty texts are: of no list (surface), the list or the whole page
-- (list_row), everybody (experiment and arm), not explored. position is 0-based, 21 is
-- beyond the first 21, -1 is none.
CREATE TABLE metric_cells (
    day          INTEGER NOT NULL,
    surface      TEXT NOT NULL,
    list_row     TEXT NOT NULL,
    experiment   TEXT NOT NULL,
    arm          TEXT NOT NULL,
    segment      TEXT NOT NULL,
    position     INTEGER NOT NULL,
    explored     TEXT NOT NULL,
    lists       REAL NOT NULL DEFAULT 0,
    list_clicks REAL NOT NULL DEFAULT 0,
    impressions REAL NOT NULL DEFAULT 0,
    clicks      REAL NOT NULL DEFAULT 0,
    saves       REAL NOT NULL DEFAULT 0,
    enrols      REAL NOT NULL DEFAULT 0,
    progressed  REAL NOT NULL DEFAULT 0,
    completions REAL NOT NULL DEFAULT 0,
    drops       REAL NOT NULL DEFAULT 0,
    dismissals  REAL NOT NULL DEFAULT 0,
    hours       REAL NOT NULL DEFAULT 0,
    ratings     REAL NOT NULL DEFAULT 0,
    stars       REAL NOT NULL DEFAULT 0,
    liked       REAL NOT NULL DEFAULT 0,
    disliked    REAL NOT NULL DEFAULT 0,
    reports     REAL NOT NULL DEFAULT 0,
    views       REAL NOT NULL DEFAULT 0,
    begun       REAL NOT NULL DEFAULT 0,
    completed   REAL NOT NULL DEFAULT 0,
    kept_weight REAL NOT NULL DEFAULT 0,
    kept_clicks REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (day, experiment, arm, surface, list_row, segment, position, explored)
) STRICT, WITHOUT ROWID;

-- What courses got on a day.
CREATE TABLE metric_courses (
    day         INTEGER NOT NULL,
    course_id   INTEGER NOT NULL,
    impressions REAL NOT NULL,
    clicks      REAL NOT NULL,
    enrols      REAL NOT NULL,
    ratings     REAL NOT NULL,
    stars       REAL NOT NULL,
    PRIMARY KEY (day, course_id)
) STRICT, WITHOUT ROWID;

-- What one person did on a day.
CREATE TABLE learner_days (
    learner_id  INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    day         INTEGER NOT NULL,
    lists       REAL NOT NULL DEFAULT 0,
    list_clicks REAL NOT NULL DEFAULT 0,
    impressions REAL NOT NULL DEFAULT 0,
    clicks      REAL NOT NULL DEFAULT 0,
    saves       REAL NOT NULL DEFAULT 0,
    enrols      REAL NOT NULL DEFAULT 0,
    progressed  REAL NOT NULL DEFAULT 0,
    completions REAL NOT NULL DEFAULT 0,
    drops       REAL NOT NULL DEFAULT 0,
    dismissals  REAL NOT NULL DEFAULT 0,
    hours       REAL NOT NULL DEFAULT 0,
    ratings     REAL NOT NULL DEFAULT 0,
    stars       REAL NOT NULL DEFAULT 0,
    liked       REAL NOT NULL DEFAULT 0,
    disliked    REAL NOT NULL DEFAULT 0,
    reports     REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (learner_id, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX learner_days_day ON learner_days (day);

-- What has been counted of a list, so that nothing is counted twice.
CREATE TABLE metric_lists (
    ranking_id TEXT PRIMARY KEY,
    learner_id INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    state      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX metric_lists_learner ON metric_lists (learner_id);

-- What has been counted of a person and a course.
CREATE TABLE metric_taken (
    learner_id INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    course_id  INTEGER NOT NULL,
    state      TEXT NOT NULL,
    PRIMARY KEY (learner_id, course_id)
) STRICT, WITHOUT ROWID;

-- What had been counted of a visitor about a course that the learner whom they became
-- had touched, too: waits to be counted as one.
CREATE TABLE metric_merged (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    learner_id INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    course_id  INTEGER NOT NULL,
    state      TEXT NOT NULL
) STRICT;

CREATE INDEX metric_merged_learner ON metric_merged (learner_id);

-- +goose Down
DROP TABLE metric_merged;
DROP TABLE metric_taken;
DROP TABLE metric_lists;
DROP TABLE learner_days;
DROP TABLE metric_courses;
DROP TABLE metric_cells;
DROP TABLE metric_progress;
DROP TABLE feedback_log;
