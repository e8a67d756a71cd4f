-- name: AddExperimentRevision :exec
INSERT INTO experiment_revisions (id, revision) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;

-- name: ExperimentRevision :one
SELECT coalesce(max(revision), 0)::bigint AS revision FROM experiment_revisions WHERE id = 1;

-- LockExperiments makes changes of experiments take turns.

-- name: LockExperiments :one
SELECT revision FROM experiment_revisions WHERE id = 1 FOR UPDATE;

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
SELECT sqlc.arg(experiment)::text, a.kind, a.version FROM artefacts a
WHERE a.kind = sqlc.arg(kind) AND a.version = sqlc.arg(version);

-- name: InsertExperimentChange :exec
INSERT INTO experiment_changes (experiment, version, action, author, comment, at, body)
VALUES (
    sqlc.arg(experiment), sqlc.arg(version), sqlc.arg(action), sqlc.arg(author), sqlc.arg(comment),
    sqlc.arg(at), sqlc.arg(body)
);

-- name: ExperimentChanges :many
SELECT * FROM experiment_changes WHERE experiment = sqlc.arg(experiment) ORDER BY seq;

-- PutExposures takes arrays of equal length, at most one row of a person and an
-- experiment. What a person met first stands; another arm marks them.

-- name: PutExposures :exec
INSERT INTO exposures (experiment, learner_id, arm, crossed, at, ranking_id, segment)
SELECT r.experiment, r.learner_id, r.arm, r.crossed, r.at, r.ranking_id, r.segment
FROM (
    SELECT unnest(sqlc.arg(experiments)::text[]) AS experiment,
        unnest(sqlc.arg(learner_ids)::bigint[]) AS learner_id,
        unnest(sqlc.arg(arms)::text[]) AS arm,
        unnest(sqlc.arg(crossed)::boolean[]) AS crossed,
        unnest(sqlc.arg(ats)::timestamptz[]) AS at,
        unnest(sqlc.arg(ranking_ids)::text[]) AS ranking_id,
        unnest(sqlc.arg(segments)::text[]) AS segment
) r
ORDER BY r.learner_id, r.experiment COLLATE "C"
ON CONFLICT (experiment, learner_id) DO UPDATE SET
    crossed = exposures.crossed OR excluded.crossed OR exposures.arm <> excluded.arm,
    arm = CASE WHEN excluded.at < exposures.at THEN excluded.arm ELSE exposures.arm END,
    ranking_id = CASE WHEN excluded.at < exposures.at THEN excluded.ranking_id ELSE exposures.ranking_id END,
    segment = CASE WHEN excluded.at < exposures.at THEN excluded.segment ELSE exposures.segment END,
    at = least(exposures.at, excluded.at)
WHERE excluded.at < exposures.at OR excluded.crossed AND NOT exposures.crossed
    OR excluded.arm <> exposures.arm AND NOT exposures.crossed;

-- MoveExposures gives a learner what a visitor was exposed to; the visitor's own go
-- with the visitor.

-- name: MoveExposures :exec
INSERT INTO exposures (experiment, learner_id, arm, crossed, at, ranking_id, segment)
SELECT v.experiment, sqlc.arg(to_id)::bigint, v.arm, v.crossed, v.at, v.ranking_id, v.segment
FROM exposures v WHERE v.learner_id = sqlc.arg(from_id)
ORDER BY v.experiment
ON CONFLICT (experiment, learner_id) DO UPDATE SET
    crossed = exposures.crossed OR excluded.crossed OR exposures.arm <> excluded.arm,
    arm = CASE WHEN excluded.at < exposures.at THEN excluded.arm ELSE exposures.arm END,
    ranking_id = CASE WHEN excluded.at < exposures.at THEN excluded.ranking_id ELSE exposures.ranking_id END,
    segment = CASE WHEN excluded.at < exposures.at THEN excluded.segment ELSE exposures.segment END,
    at = least(exposures.at, excluded.at);

-- name: ExposuresOf :many
SELECT * FROM exposures WHERE learner_id = sqlc.arg(learner_id) ORDER BY experiment;
