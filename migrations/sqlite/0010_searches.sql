-- +goose Up

-- What was searched for, without the list itself. A plain table: it is thinned
-- out in slices, by indexes that hold only what is still to go.
CREATE TABLE searches (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    ranking_id TEXT NOT NULL UNIQUE,
    learner_id INTEGER REFERENCES learners (id) ON DELETE CASCADE,
    at         INTEGER NOT NULL,
    query      TEXT NOT NULL,
    folded     TEXT NOT NULL,
    surface    TEXT NOT NULL,
    results    INTEGER NOT NULL,
    degraded   INTEGER NOT NULL
) STRICT;

CREATE INDEX searches_at ON searches (at);
CREATE INDEX searches_named ON searches (at) WHERE learner_id IS NOT NULL;
CREATE INDEX searches_learner ON searches (learner_id, at) WHERE learner_id IS NOT NULL;

-- +goose Down
DROP TABLE searches;
