-- +goose Up

-- PostgreSQL wants the partition key in every unique constraint, so that an
-- event id is unique by this table, which is not partitioned.
CREATE TABLE event_keys (
    event_id    text PRIMARY KEY,
    occurred_at timestamptz NOT NULL
);

CREATE SEQUENCE events_id_seq AS bigint;

-- Months have partitions of their own, made ahead; the default one catches the
-- rest. Ids are given before commit, so whoever writes here holds the events'
-- advisory lock until commit: then order of ids is order of commits.
CREATE TABLE events (
    id             bigint NOT NULL DEFAULT nextval('events_id_seq'),
    event_id       text NOT NULL,
    schema_version integer NOT NULL,
    type           text NOT NULL,
    learner_id     bigint NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    course_id      bigint, -- without foreign key, as in profile_entries
    occurred_at    timestamptz NOT NULL,
    received_at    timestamptz NOT NULL,
    ranking_id     text,
    position       integer,
    surface        text NOT NULL,
    session_id     text NOT NULL,
    value          double precision,
    query          text NOT NULL,
    properties     json,
    PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);

CREATE TABLE events_default PARTITION OF events DEFAULT;

CREATE INDEX events_learner ON events (learner_id, occurred_at, id);
CREATE INDEX events_course ON events (course_id) WHERE course_id IS NOT NULL;
CREATE INDEX events_ranking ON events (ranking_id) WHERE ranking_id IS NOT NULL;

-- Counts per course, day and type: what popularity and trend are made of. They
-- name nobody, so they outlive the learners behind them.
CREATE TABLE course_activity (
    course_id bigint NOT NULL,
    day       integer NOT NULL,
    type      text NOT NULL,
    n         bigint NOT NULL,
    PRIMARY KEY (course_id, day, type)
);

-- +goose Down
DROP TABLE course_activity;
DROP TABLE events;
DROP SEQUENCE events_id_seq;
DROP TABLE event_keys;
