-- name: Learning :one
SELECT * FROM learning WHERE run = sqlc.arg(run);

-- name: ActiveLearning :one
SELECT * FROM learning WHERE active = 1;

-- name: LastLearningRun :one
SELECT CAST(max(
    coalesce((SELECT max(run) FROM learning), 0),
    coalesce((SELECT max(run) FROM rewards), 0),
    coalesce((SELECT max(run) FROM exploration_counts), 0),
    coalesce((SELECT max(run) FROM surface_counts), 0)
) AS INTEGER);

-- name: EndLearning :exec
DELETE FROM learning WHERE active = 0;

-- name: InsertLearning :exec
INSERT INTO learning (run, active, position, revision, features, body, published, updated_at)
SELECT sqlc.arg(run), NOT EXISTS (SELECT 1 FROM learning WHERE active = 1), 0, 0, '', x'', 0, sqlc.arg(updated_at);

-- name: RestLearning :exec
UPDATE learning SET active = 0 WHERE run <> sqlc.arg(run);

-- name: UseLearning :exec
UPDATE learning SET active = 1, revision = revision + 1 WHERE run = sqlc.arg(run);

-- name: MoveLearning :execrows
UPDATE learning SET
    position = sqlc.arg(position), revision = revision + 1, features = sqlc.arg(features), body = sqlc.arg(body),
    published = CASE WHEN CAST(sqlc.arg(published) AS INTEGER) >= 0 THEN CAST(sqlc.arg(published) AS INTEGER) ELSE published END,
    updated_at = sqlc.arg(updated_at)
WHERE run = sqlc.arg(run) AND revision = sqlc.arg(revision);

-- A reward is that of the learner whose list earned it. A list that is gone earns none.

-- name: InsertReward :exec
INSERT INTO rewards (run, ranking_id, course_id, name, learner_id, value, at, explored, surface)
SELECT sqlc.arg(run), r.ranking_id, sqlc.arg(course_id), sqlc.arg(name), r.learner_id, sqlc.arg(value), sqlc.arg(at), sqlc.arg(explored), sqlc.arg(surface)
FROM rankings r WHERE r.ranking_id = sqlc.arg(ranking_id);

-- name: AddExplorationCount :exec
INSERT INTO surface_counts (run, hour, position, explored, name, surface, n, value)
VALUES (sqlc.arg(run), sqlc.arg(hour), sqlc.arg(position), sqlc.arg(explored), sqlc.arg(name), sqlc.arg(surface), sqlc.arg(n), sqlc.arg(value))
ON CONFLICT (run, hour, position, explored, name, surface) DO UPDATE SET n = n + excluded.n, value = value + excluded.value;

-- name: Rewards :many
SELECT w.ranking_id, i.external_id AS course, w.name, w.value, w.at
FROM rewards w
JOIN course_ids i ON i.id = w.course_id
WHERE w.run = sqlc.arg(run) AND w.ranking_id IN (SELECT value FROM json_each(CAST(sqlc.arg(ranking_ids) AS TEXT)))
ORDER BY w.ranking_id, i.external_id, w.name;

-- name: ExplorationCounts :many
SELECT surface, position, explored, name, CAST(sum(n) AS INTEGER) AS n, CAST(sum(value) AS REAL) AS value
FROM surface_counts
WHERE run = sqlc.arg(run) AND hour >= sqlc.arg(hour)
GROUP BY surface, position, explored, name
ORDER BY surface, position, explored, name;

-- What releases counted that knew no surface.

-- name: PooledExplorationCounts :many
SELECT position, explored, name, CAST(sum(n) AS INTEGER) AS n, CAST(sum(value) AS REAL) AS value
FROM exploration_counts
WHERE run = sqlc.arg(run) AND hour >= sqlc.arg(hour)
GROUP BY position, explored, name
ORDER BY position, explored, name;

-- name: ExplorationReports :many
SELECT w.surface, w.explored, count(*) AS n
FROM feedback f
JOIN rewards w ON w.ranking_id = f.ranking_id AND w.course_id = f.course_id
JOIN rankings r ON r.ranking_id = f.ranking_id
WHERE f.kind = 'report' AND f.at >= sqlc.arg(since) AND r.created_at >= sqlc.arg(since)
  AND w.run = sqlc.arg(run) AND w.name = 'seen'
GROUP BY w.surface, w.explored
ORDER BY w.surface, w.explored;

-- name: MoveRewards :exec
UPDATE rewards SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: InsertPosterior :one
INSERT INTO posteriors (version, features, position, created_at, body)
VALUES (
    (SELECT coalesce(max(version), 0) + 1 FROM posteriors),
    sqlc.arg(features), sqlc.arg(position), sqlc.arg(created_at), sqlc.arg(body)
) RETURNING version;

-- name: Posterior :one
SELECT * FROM posteriors WHERE version = sqlc.arg(version);

-- name: NewestPosterior :one
SELECT * FROM posteriors ORDER BY version DESC LIMIT 1;

-- name: Posteriors :many
SELECT version, features, position, created_at FROM posteriors ORDER BY version DESC LIMIT sqlc.arg(max_rows);

-- name: DeletePosteriors :execrows
DELETE FROM posteriors WHERE version IN (
    SELECT p.version FROM posteriors p
    WHERE p.created_at < sqlc.arg(before)
      AND p.version < (SELECT max(version) FROM posteriors)
      AND NOT EXISTS (SELECT 1 FROM rankings r WHERE r.posterior = p.version)
    ORDER BY p.version
    LIMIT sqlc.arg(max_rows)
);

-- name: DeleteEndedRewards :execrows
DELETE FROM rewards WHERE (run, ranking_id, course_id, name) IN (
    SELECT w.run, w.ranking_id, w.course_id, w.name FROM rewards w
    WHERE NOT EXISTS (SELECT 1 FROM learning l WHERE l.run = w.run)
    LIMIT sqlc.arg(max_rows)
);

-- name: DeleteEndedCounts :exec
DELETE FROM exploration_counts WHERE run NOT IN (SELECT run FROM learning);

-- name: DeleteEndedSurfaceCounts :exec
DELETE FROM surface_counts WHERE run NOT IN (SELECT run FROM learning);

-- name: DeleteLostRewards :execrows
DELETE FROM rewards WHERE (run, ranking_id, course_id, name) IN (
    SELECT w.run, w.ranking_id, w.course_id, w.name FROM rewards w
    WHERE w.at < sqlc.arg(before)
      AND NOT EXISTS (SELECT 1 FROM rankings r WHERE r.ranking_id = w.ranking_id)
    LIMIT sqlc.arg(max_rows)
);
