-- +goose Up

-- What exploration counts by surface moves to a table of its own, so that exploration_counts
-- is as releases that count without a surface know it: in a rolling upgrade one of them may
-- be the leader, and goes on to learn beside the new ones. Its counts belong to no surface.
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

INSERT INTO surface_counts (run, hour, position, explored, name, surface, n, value)
SELECT run, hour, position, explored, name, surface, n, value FROM exploration_counts WHERE surface <> '';

DELETE FROM exploration_counts WHERE surface <> '';
ALTER TABLE exploration_counts DROP COLUMN surface;
ALTER TABLE exploration_counts ADD PRIMARY KEY (run, hour, position, explored, name);

-- +goose Down
ALTER TABLE exploration_counts ADD COLUMN surface text NOT NULL DEFAULT '';
ALTER TABLE exploration_counts DROP CONSTRAINT exploration_counts_pkey;
ALTER TABLE exploration_counts ADD PRIMARY KEY (run, hour, position, explored, name, surface);

INSERT INTO exploration_counts AS x (run, hour, position, explored, name, surface, n, value)
SELECT run, hour, position, explored, name, surface, n, value FROM surface_counts
ON CONFLICT (run, hour, position, explored, name, surface) DO UPDATE SET n = x.n + excluded.n, value = x.value + excluded.value;

DROP TABLE surface_counts;
