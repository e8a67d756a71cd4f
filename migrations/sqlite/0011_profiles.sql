-- +goose Up

-- What a learner said about their profile, as JSON; NULL is nothing.
ALTER TABLE learners ADD COLUMN corrections TEXT;

-- One entry per learner or visitor: a newer change replaces the older one under a
-- new sequence number. An entry outlives its learner, so that followers learn that
-- somebody is gone; it names nobody, and a learner's number is never given again.
CREATE TABLE learner_changes (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    learner_id INTEGER NOT NULL UNIQUE
) STRICT;

INSERT INTO learner_changes (learner_id) SELECT id FROM learners ORDER BY id;

-- +goose Down
DROP TABLE learner_changes;
ALTER TABLE learners DROP COLUMN corrections;
