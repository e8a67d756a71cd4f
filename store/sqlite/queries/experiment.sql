-- name: AddExperimentRevision :exec
INSERT INTO experiment_revisions (id, revision) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;

-- name: ExperimentRevision :one
SELECT CAST(coalesce(max(revision), 0) AS INTEGER) AS revision FROM experiment_revisions WHERE id = 1;

-- name: SetExperimentRevision :exec
UPDATE experiment_revisions SET revision = sqlc.arg(revision) WHERE id = 1;

-- name: Experiments :many
SELECT * FROM experiments ORDER BY id;

-- name: ArtefactHolds :many
SELECT * FROM artefact_holds ORDER BY experiment, kind, version;

-- name: HeldVersions :many
SELECT DISTINCT version FROM artefact_holds WHERE kind = sqlc.arg(kind);

-- name: PutExperiment :exec
INSERT INTO experiments (id, version, state, body, created_at, updated_at)
VALUES (
    sqlc.arg(id), sqlc.arg(version), sqlc.arg(state), sqlc.arg(body), sqlc.arg(created_at), sqlc.arg(updated_at)
)
ON CONFLICT (id) DO UPDATE SET
    version = excluded.version, state = excluded.state, body = excluded.body, updated_at = excluded.updated_at;

-- name: DeleteExperiment :execrows
DELETE FROM experiments WHERE id = sqlc.arg(id);

-- name: DropArtefactHolds :exec
DELETE FROM artefact_holds WHERE experiment = sqlc.arg(experiment);

-- name: HoldArtefact :execrows
INSERT INTO artefact_holds (experiment, kind, version)
SELECT CAST(sqlc.arg(experiment) AS TEXT), a.kind, a.version FROM artefacts a
WHERE a.kind = sqlc.arg(kind) AND a.version = sqlc.arg(version);

-- name: InsertExperimentChange :exec
INSERT INTO experiment_changes (experiment, version, action, author, comment, at, body)
VALUES (
    sqlc.arg(experiment), sqlc.arg(version), sqlc.arg(action), sqlc.arg(author), sqlc.arg(comment),
    sqlc.arg(at), sqlc.arg(body)
);

-- name: ExperimentChanges :many
SELECT * FROM experiment_changes WHERE experiment = sqlc.arg(experiment) ORDER BY seq;

-- What a person met first stands; another arm marks them.

-- name: PutExposure :exec
INSERT INTO exposures (experiment, learner_id, arm, crossed, at, ranking_id, segment)
VALUES (
    sqlc.arg(experiment), sqlc.arg(learner_id), sqlc.arg(arm), sqlc.arg(crossed), sqlc.arg(at),
    sqlc.arg(ranking_id), sqlc.arg(segment)
)
ON CONFLICT (experiment, learner_id) DO UPDATE SET
    crossed = max(exposures.crossed, excluded.crossed, exposures.arm <> excluded.arm),
    arm = CASE WHEN excluded.at < exposures.at THEN excluded.arm ELSE exposures.arm END,
    ranking_id = CASE WHEN excluded.at < exposures.at THEN excluded.ranking_id ELSE exposures.ranking_id END,
    segment = CASE WHEN excluded.at < exposures.at THEN excluded.segment ELSE exposures.segment END,
    at = min(exposures.at, excluded.at)
WHERE excluded.at < exposures.at OR excluded.crossed > exposures.crossed
    OR excluded.arm <> exposures.arm AND exposures.crossed = 0;

-- MoveExposures gives a learner what a visitor was exposed to; the visitor's own go
-- with the visitor.

-- name: MoveExposures :exec
INSERT INTO exposures (experiment, learner_id, arm, crossed, at, ranking_id, segment)
SELECT v.experiment, CAST(sqlc.arg(to_id) AS INTEGER), v.arm, v.crossed, v.at, v.ranking_id, v.segment
FROM exposures v WHERE v.learner_id = sqlc.arg(from_id)
ON CONFLICT (experiment, learner_id) DO UPDATE SET
    crossed = max(exposures.crossed, excluded.crossed, exposures.arm <> excluded.arm),
    arm = CASE WHEN excluded.at < exposures.at THEN excluded.arm ELSE exposures.arm END,
    ranking_id = CASE WHEN excluded.at < exposures.at THEN excluded.ranking_id ELSE exposures.ranking_id END,
    segment = CASE WHEN excluded.at < exposures.at THEN excluded.segment ELSE exposures.segment END,
    at = min(exposures.at, excluded.at);

-- name: ExposuresOf :many
SELECT * FROM exposures WHERE learner_id = sqlc.arg(learner_id) ORDER BY experiment;
