-- name: Learning :one
SELECT * FROM learning WHERE run = sqlc.arg(run);

-- name: ActiveLearning :one
SELECT * FROM learning WHERE active;

-- name: LastLearningRun :one
SELECT greatest(
    (SELECT max(run) FROM learning), (SELECT max(run) FROM rewards), (SELECT max(run) FROM exploration_counts), (SELECT max(run) FROM surface_counts), 0
)::bigint;

-- name: EndLearning :exec
DELETE FROM learning WHERE NOT active;

-- name: InsertLearning :exec
INSERT INTO learning (run, active, position, revision, features, body, published, updated_at)
SELECT sqlc.arg(run), NOT EXISTS (SELECT 1 FROM learning WHERE active), 0, 0, '', '', 0, sqlc.arg(updated_at);

-- name: RestLearning :exec
UPDATE learning SET active = false WHERE run <> sqlc.arg(run);

-- name: UseLearning :exec
UPDATE learning SET active = true, revision = revision + 1 WHERE run = sqlc.arg(run);

-- name: LockLearning :one
SELECT revision FROM learning WHERE run = sqlc.arg(run) FOR UPDATE;

-- name: MoveLearning :execrows
UPDATE learning SET
    position = sqlc.arg(position), revision = revision + 1, features = sqlc.arg(features), body = sqlc.arg(body),
    published = CASE WHEN sqlc.arg(published)::bigint >= 0 THEN sqlc.arg(published)::bigint ELSE published END,
    updated_at = sqlc.arg(updated_at)
WHERE run = sqlc.arg(run) AND revision = sqlc.arg(revision);

-- A reward is that of the learner whose list earned it. A list that is gone earns none.

-- name: InsertRewards :exec
INSERT INTO rewards (run, ranking_id, course_id, name, learner_id, value, at, explored, surface)
SELECT sqlc.arg(run), w.ranking_id, w.course_id, w.name, k.learner_id, w.value, w.at, w.explored, w.surface
FROM (
    SELECT unnest(sqlc.arg(ranking_ids)::text[]) AS ranking_id,
        unnest(sqlc.arg(course_ids)::bigint[]) AS course_id,
        unnest(sqlc.arg(names)::text[]) AS name,
        unnest(sqlc.arg(vals)::double precision[]) AS value,
        unnest(sqlc.arg(ats)::timestamptz[]) AS at,
        unnest(sqlc.arg(explored)::boolean[]) AS explored,
        unnest(sqlc.arg(surfaces)::text[]) AS surface
) w
CROSS JOIN LATERAL (
    SELECT r.learner_id FROM rankings r WHERE r.ranking_id = w.ranking_id ORDER BY r.day LIMIT 1
) k
ORDER BY k.learner_id;

-- name: AddExplorationCounts :exec
INSERT INTO surface_counts AS x (run, hour, position, explored, name, surface, n, value)
SELECT sqlc.arg(run), w.hour, w.position, w.explored, w.name, w.surface, w.n, w.value
FROM (
    SELECT unnest(sqlc.arg(hours)::bigint[]) AS hour,
        unnest(sqlc.arg(positions)::integer[]) AS position,
        unnest(sqlc.arg(explored)::boolean[]) AS explored,
        unnest(sqlc.arg(names)::text[]) AS name,
        unnest(sqlc.arg(surfaces)::text[]) AS surface,
        unnest(sqlc.arg(ns)::bigint[]) AS n,
        unnest(sqlc.arg(vals)::double precision[]) AS value
) w
ON CONFLICT (run, hour, position, explored, name, surface) DO UPDATE SET n = x.n + excluded.n, value = x.value + excluded.value;

-- name: Rewards :many
SELECT w.ranking_id, i.external_id AS course, w.name, w.value, w.at
FROM rewards w
JOIN course_ids i ON i.id = w.course_id
WHERE w.run = sqlc.arg(run) AND w.ranking_id = ANY (sqlc.arg(ranking_ids)::text[])
ORDER BY w.ranking_id COLLATE "C", i.external_id COLLATE "C", w.name COLLATE "C";

-- name: ExplorationCounts :many
SELECT surface, position, explored, name, sum(n)::bigint AS n, sum(value)::double precision AS value
FROM surface_counts
WHERE run = sqlc.arg(run) AND hour >= sqlc.arg(hour)
GROUP BY surface, position, explored, name
ORDER BY surface COLLATE "C", position, explored, name COLLATE "C";

-- What releases counted that knew no surface.

-- name: PooledExplorationCounts :many
SELECT position, explored, name, sum(n)::bigint AS n, sum(value)::double precision AS value
FROM exploration_counts
WHERE run = sqlc.arg(run) AND hour >= sqlc.arg(hour)
GROUP BY position, explored, name
ORDER BY position, explored, name COLLATE "C";

-- name: ExplorationReports :many
SELECT w.surface, w.explored, count(*) AS n
FROM feedback f
JOIN rewards w ON w.ranking_id = f.ranking_id AND w.course_id = f.course_id
JOIN rankings r ON r.ranking_id = f.ranking_id
WHERE f.kind = 'report' AND f.at >= sqlc.arg(since)::timestamptz AND r.created_at >= sqlc.arg(since)::timestamptz
  AND w.run = sqlc.arg(run) AND w.name = 'seen'
GROUP BY w.surface, w.explored
ORDER BY w.surface COLLATE "C", w.explored;

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
DELETE FROM rewards d WHERE (d.run, d.ranking_id, d.course_id, d.name) IN (
    SELECT w.run, w.ranking_id, w.course_id, w.name FROM rewards w
    WHERE NOT EXISTS (SELECT 1 FROM learning l WHERE l.run = w.run)
    LIMIT sqlc.arg(max_rows)
);

-- name: DeleteEndedCounts :exec
DELETE FROM exploration_counts c WHERE NOT EXISTS (SELECT 1 FROM learning l WHERE l.run = c.run);

-- name: DeleteEndedSurfaceCounts :exec
DELETE FROM surface_counts c WHERE NOT EXISTS (SELECT 1 FROM learning l WHERE l.run = c.run);

-- name: DeleteLostRewards :execrows
DELETE FROM rewards d WHERE (d.run, d.ranking_id, d.course_id, d.name) IN (
    SELECT w.run, w.ranking_id, w.course_id, w.name FROM rewards w
    WHERE w.at < sqlc.arg(before)
      AND NOT EXISTS (SELECT 1 FROM rankings r WHERE r.ranking_id = w.ranking_id)
    LIMIT sqlc.arg(max_rows)
);
