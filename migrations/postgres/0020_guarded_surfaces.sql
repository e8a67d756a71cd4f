-- +goose Up

-- Guardrails judge each surface by itself: whose places the list explored. What was
-- counted before belongs to none.
ALTER TABLE rewards ADD COLUMN surface text NOT NULL DEFAULT '';

ALTER TABLE exploration_counts ADD COLUMN surface text NOT NULL DEFAULT '';
ALTER TABLE exploration_counts DROP CONSTRAINT exploration_counts_pkey;
ALTER TABLE exploration_counts ADD PRIMARY KEY (run, hour, position, explored, name, surface);

-- +goose Down
CREATE TEMPORARY TABLE pooled ON COMMIT DROP AS
SELECT run, hour, position, explored, name, sum(n)::bigint AS n, sum(value) AS value
FROM exploration_counts GROUP BY run, hour, position, explored, name;

DELETE FROM exploration_counts;
ALTER TABLE exploration_counts DROP COLUMN surface;
ALTER TABLE exploration_counts ADD PRIMARY KEY (run, hour, position, explored, name);
INSERT INTO exploration_counts (run, hour, position, explored, name, n, value)
SELECT run, hour, position, explored, name, n, value FROM pooled;

ALTER TABLE rewards DROP COLUMN surface;
