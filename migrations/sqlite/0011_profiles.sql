-- +goose Up

-- What a learner said about their profile, as JSON; NULL is nothing.
ALTER TABLE learners ADD COLUMN corrections TEXT;

-- Of a learner's or visitor's entries the newest counts; the others are removed now
-- and then, because to replace them in place would cost the writer of an event more
-- than to leave them. An entry outlives its learner, so that followers learn that
-- somebody is gone; it names nobody, and a learner's number is never given again.
CREATE TABLE learner_changes (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    learner_id INTEGER NOT NULL
) STRICT;

CREATE INDEX learner_changes_learner ON learner_changes (learner_id, seq);

INSERT INTO learner_changes (learner_id) SELECT id FROM learners ORDER BY id;

-- +goose Down
DROP TABLE learner_changes;
-- Numbers begin anew with the table.
DELETE FROM feed_positions WHERE name = 'profiles' OR name LIKE 'learners %';
ALTER TABLE learners DROP COLUMN corrections;
