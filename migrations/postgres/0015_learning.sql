-- +goose Up

ALTER TABLE learners ADD COLUMN minor boolean NOT NULL DEFAULT false;

-- seq is the order of recording. Numbers are given before commit, so whoever writes
-- here holds the rankings' advisory lock until commit: then their order is that of
-- commits. posterior is what the list was explored by, so that it is kept as long.
CREATE SEQUENCE rankings_seq AS bigint;

ALTER TABLE rankings ADD COLUMN seq bigint, ADD COLUMN posterior bigint;

UPDATE rankings r SET seq = n.seq
FROM (SELECT ranking_id, day, row_number() OVER (ORDER BY created_at, ranking_id) AS seq FROM rankings) n
WHERE n.ranking_id = r.ranking_id AND n.day = r.day;

SELECT setval('rankings_seq', coalesce((SELECT max(seq) FROM rankings), 0) + 1, false);

ALTER TABLE rankings ALTER COLUMN seq SET DEFAULT nextval('rankings_seq'), ALTER COLUMN seq SET NOT NULL;

CREATE INDEX rankings_recorded ON rankings (seq);
CREATE INDEX rankings_posterior ON rankings (posterior) WHERE posterior IS NOT NULL;

-- Events that cite no list are put down to one that an earlier event cited.
CREATE INDEX events_cited ON events (learner_id, course_id, occurred_at, id)
    WHERE ranking_id IS NOT NULL AND course_id IS NOT NULL;

-- How far the log of events has been learnt from. One run is in use; another one may
-- be learning everything anew. body are the statistics up to position, and revision
-- rises with every step, so that of two leaders one succeeds.
CREATE TABLE learning (
    run        bigint PRIMARY KEY,
    active     boolean NOT NULL,
    position   bigint NOT NULL,
    revision   bigint NOT NULL,
    features   text NOT NULL,
    body       bytea NOT NULL,
    published  bigint NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX learning_active ON learning (active) WHERE active;

-- What has counted: each once. learner_id is that of the list. The course has no
-- foreign key, as in profile_entries, nor has the list, whose table is partitioned.
CREATE TABLE rewards (
    run        bigint NOT NULL,
    ranking_id text NOT NULL,
    course_id  bigint NOT NULL,
    name       text NOT NULL,
    learner_id bigint REFERENCES learners (id) ON DELETE CASCADE,
    value      double precision NOT NULL,
    at         timestamptz NOT NULL,
    explored   boolean NOT NULL,
    PRIMARY KEY (run, ranking_id, course_id, name)
);

CREATE INDEX rewards_learner ON rewards (learner_id) WHERE learner_id IS NOT NULL;

-- Sums of them by the hour in which the list was made. They name nobody, so they
-- outlive the learners behind them.
CREATE TABLE exploration_counts (
    run      bigint NOT NULL,
    hour     bigint NOT NULL,
    position integer NOT NULL,
    explored boolean NOT NULL,
    name     text NOT NULL,
    n        bigint NOT NULL,
    value    double precision NOT NULL,
    PRIMARY KEY (run, hour, position, explored, name)
);

CREATE TABLE posteriors (
    version    bigint PRIMARY KEY,
    features   text NOT NULL,
    position   bigint NOT NULL,
    created_at timestamptz NOT NULL,
    body       bytea NOT NULL
);

-- +goose Down
DROP TABLE posteriors;
DROP TABLE exploration_counts;
DROP TABLE rewards;
DROP TABLE learning;
DROP INDEX events_cited;
ALTER TABLE rankings DROP COLUMN posterior, DROP COLUMN seq;
DROP SEQUENCE rankings_seq;
ALTER TABLE learners DROP COLUMN minor;
