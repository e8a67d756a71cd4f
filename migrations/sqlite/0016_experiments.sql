-- +goose Up

-- Changes of experiments take turns by this row.
CREATE TABLE experiment_revisions (
    id       INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE experiments (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    state      TEXT NOT NULL,
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who changed what and when; it outlives a draft that is deleted.
CREATE TABLE experiment_changes (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment TEXT NOT NULL,
    version    INTEGER NOT NULL,
    action     TEXT NOT NULL,
    author     TEXT NOT NULL,
    comment    TEXT NOT NULL,
    at         INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;

CREATE INDEX experiment_changes_experiment ON experiment_changes (experiment, seq);

-- Artefacts that an experiment needs: nobody prunes them.
CREATE TABLE artefact_holds (
    experiment TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    PRIMARY KEY (experiment, kind, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX artefact_holds_artefact ON artefact_holds (kind, version);

-- Who was in which arm first. Who met another arm since counts for none.
CREATE TABLE exposures (
    experiment TEXT NOT NULL,
    learner_id INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
    arm        TEXT NOT NULL,
    crossed    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    ranking_id TEXT NOT NULL,
    segment    TEXT NOT NULL,
    PRIMARY KEY (experiment, learner_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX exposures_learner ON exposures (learner_id);

-- +goose Down
DROP TABLE exposures;
DROP TABLE artefact_holds;
DROP TABLE experiment_changes;
DROP TABLE experiments;
DROP TABLE experiment_revisions;
