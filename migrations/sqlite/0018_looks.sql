-- +goose Up

-- What looks at an experiment have shown so far: what holds at every look stays shown.
-- One row for each experiment that was looked at; revision makes writers take turns.
CREATE TABLE experiment_looks (
    experiment TEXT PRIMARY KEY,
    revision   INTEGER NOT NULL,
    body       TEXT NOT NULL,
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The sums that are being counted anew, beside those in use, whose place they then take
-- in one transaction; metric_progress has how far they have come in its row 2.
CREATE TABLE metric_cells_anew (
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

CREATE TABLE metric_courses_anew (
    day         INTEGER NOT NULL,
    course_id   INTEGER NOT NULL,
    impressions REAL NOT NULL,
    clicks      REAL NOT NULL,
    enrols      REAL NOT NULL,
    ratings     REAL NOT NULL,
    stars       REAL NOT NULL,
    PRIMARY KEY (day, course_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE learner_days_anew (
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

CREATE TABLE metric_lists_anew (
    ranking_id TEXT PRIMARY KEY,
    learner_id INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    state      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_taken_anew (
    learner_id INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    course_id  INTEGER NOT NULL,
    state      TEXT NOT NULL,
    PRIMARY KEY (learner_id, course_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_merged_anew (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    learner_id INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    course_id  INTEGER NOT NULL,
    state      TEXT NOT NULL
) STRICT;

CREATE INDEX metric_lists_anew_learner ON metric_lists_anew (learner_id);
CREATE INDEX metric_merged_anew_learner ON metric_merged_anew (learner_id);

-- +goose Down
DROP TABLE metric_merged_anew;
DROP TABLE metric_taken_anew;
DROP TABLE metric_lists_anew;
DROP TABLE learner_days_anew;
DROP TABLE metric_courses_anew;
DROP TABLE metric_cells_anew;
DELETE FROM metric_progress WHERE id = 2;
DROP TABLE experiment_looks;
