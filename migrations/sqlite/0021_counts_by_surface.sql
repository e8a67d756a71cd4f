-- +goose Up

-- What exploration counts by surface moves to a table of its own, so that exploration_counts
-- is as releases that count without a surface know it.
CREATE TABLE surface_counts (
    run      INTEGER NOT NULL,
    hour     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    explored INTEGER NOT NULL,
    name     TEXT NOT NULL,
    surface  TEXT NOT NULL,
    n        INTEGER NOT NULL,
    value    REAL NOT NULL,
    PRIMARY KEY (run, hour, position, explored, name, surface)
) STRICT, WITHOUT ROWID;

INSERT INTO surface_counts (run, hour, position, explored, name, surface, n, value)
SELECT run, hour, position, explored, name, surface, n, value FROM exploration_counts WHERE surface <> '';

CREATE TABLE exploration_counts_pooled (
    run      INTEGER NOT NULL,
    hour     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    explored INTEGER NOT NULL,
    name     TEXT NOT NULL,
    n        INTEGER NOT NULL,
    value    REAL NOT NULL,
    PRIMARY KEY (run, hour, position, explored, name)
) STRICT, WITHOUT ROWID;

INSERT INTO exploration_counts_pooled (run, hour, position, explored, name, n, value)
SELECT run, hour, position, explored, name, n, value FROM exploration_counts WHERE surface = '';

DROP TABLE exploration_counts;
ALTER TABLE exploration_counts_pooled RENAME TO exploration_counts;

-- +goose Down
INSERT INTO surface_counts (run, hour, position, explored, name, surface, n, value)
SELECT run, hour, position, explored, name, '', n, value FROM exploration_counts WHERE true
ON CONFLICT (run, hour, position, explored, name, surface) DO UPDATE SET n = n + excluded.n, value = value + excluded.value;

DROP TABLE exploration_counts;
ALTER TABLE surface_counts RENAME TO exploration_counts;
