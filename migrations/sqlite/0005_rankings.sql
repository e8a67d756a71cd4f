-- +goose Up

CREATE TABLE rankings (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    ranking_id TEXT NOT NULL UNIQUE,
    learner_id INTEGER REFERENCES learners (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;

CREATE INDEX rankings_learner ON rankings (learner_id) WHERE learner_id IS NOT NULL;
CREATE INDEX rankings_created ON rankings (created_at);

-- +goose Down
DROP TABLE rankings;
