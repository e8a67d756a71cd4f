-- +goose Up

-- Days have partitions of their own, made ahead, so that retention drops a
-- table; the default one catches the rest.
CREATE TABLE rankings (
    ranking_id text NOT NULL,
    learner_id bigint REFERENCES learners (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    day        integer NOT NULL,
    body       json NOT NULL,
    PRIMARY KEY (ranking_id, day)
) PARTITION BY RANGE (day);

CREATE TABLE rankings_default PARTITION OF rankings DEFAULT;

CREATE INDEX rankings_learner ON rankings (learner_id) WHERE learner_id IS NOT NULL;
CREATE INDEX rankings_created ON rankings (created_at);

-- +goose Down
DROP TABLE rankings;
