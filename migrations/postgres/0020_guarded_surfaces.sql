-- +goose Up

-- Guardrails judge each surface by itself: whose places the list explored. What was
-- counted before belongs to none. What is counted by surface has a table of its own, so
-- that exploration_counts is as releases that count without a surface know it: in a
-- rolling upgrade one of them may be the leader, and goes on to learn beside the new ones.
ALTER TABLE rewards ADD COLUMN surface text NOT NULL DEFAULT '';

CREATE TABLE surface_counts (
    run      bigint NOT NULL,
    hour     bigint NOT NULL,
    position integer NOT NULL,
    explored boolean NOT NULL,
    name     text NOT NULL,
    surface  text NOT NULL,
    n        bigint NOT NULL,
    value    double precision NOT NULL,
    PRIMARY KEY (run, hour, position, explored, name, surface)
);

-- +goose Down
INSERT INTO exploration_counts AS x (run, hour, position, explored, name, n, value)
SELECT run, hour, position, explored, name, sum(n)::bigint, sum(value) FROM surface_counts
GROUP BY run, hour, position, explored, name
ON CONFLICT (run, hour, position, explored, name) DO UPDATE SET n = x.n + excluded.n, value = x.value + excluded.value;

DROP TABLE surface_counts;
ALTER TABLE rewards DROP COLUMN surface;
