-- +goose Up

-- Guardrails judge each surface by itself: whose places the list explored. What was
-- counted before belongs to none.
ALTER TABLE rewards ADD COLUMN surface TEXT NOT NULL DEFAULT '';

CREATE TABLE exploration_counts_by_surface (
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

INSERT INTO exploration_counts_by_surface (run, hour, position, explored, name, surface, n, value)
SELECT run, hour, position, explored, name, '', n, value FROM exploration_counts;

DROP TABLE exploration_counts;
ALTER TABLE exploration_counts_by_surface RENAME TO exploration_counts;

-- +goose Down
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
SELECT run, hour, position, explored, name, sum(n), sum(value) FROM exploration_counts
GROUP BY run, hour, position, explored, name;

DROP TABLE exploration_counts;
ALTER TABLE exploration_counts_pooled RENAME TO exploration_counts;
ALTER TABLE rewards DROP COLUMN surface;
