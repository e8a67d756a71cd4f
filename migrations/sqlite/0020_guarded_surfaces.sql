-- +goose Up

-- Guardrails judge each surface by itself: whose places the list explored. What was
-- counted before belongs to none. What is counted by surface has a table of its own, so
-- that exploration_counts is as releases that count without a surface know it: in a
-- rolling upgrade one of them may be the leader, and goes on to learn beside the new ones.
ALTER TABLE rewards ADD COLUMN surface TEXT NOT NULL DEFAULT '';

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

-- +goose Down
INSERT INTO exploration_counts (run, hour, position, explored, name, n, value)
SELECT run, hour, position, explored, name, sum(n), sum(value) FROM surface_counts
WHERE true GROUP BY run, hour, position, explored, name
ON CONFLICT (run, hour, position, explored, name) DO UPDATE SET n = n + excluded.n, value = value + excluded.value;

DROP TABLE surface_counts;
ALTER TABLE rewards DROP COLUMN surface;
