-- name: InsertRanking :exec
INSERT INTO rankings (ranking_id, learner_id, created_at, day, body, posterior)
VALUES (
    sqlc.arg(ranking_id), sqlc.narg(learner_id), sqlc.arg(created_at), sqlc.arg(day), sqlc.arg(body), sqlc.narg(posterior)
)
ON CONFLICT (ranking_id) DO NOTHING;

-- name: Ranking :one
SELECT * FROM rankings WHERE ranking_id = sqlc.arg(ranking_id);

-- name: DeleteRankingsBefore :execrows
DELETE FROM rankings WHERE seq IN (
    SELECT r.seq FROM rankings r
    WHERE r.created_at < sqlc.arg(before)
      AND NOT EXISTS (SELECT 1 FROM events e WHERE e.ranking_id = r.ranking_id)
    ORDER BY r.created_at
    LIMIT sqlc.arg(max_rows)
);

-- Lists of people who allow no personal lists teach nothing, here as elsewhere.

-- name: CitedRankings :many
SELECT r.ranking_id, r.learner_id, r.created_at, r.body FROM rankings r
LEFT JOIN learners l ON l.id = r.learner_id
WHERE r.created_at >= sqlc.arg(since)
  AND r.created_at <= sqlc.arg(before)
  AND (r.created_at < sqlc.arg(before) OR r.ranking_id < CAST(sqlc.arg(before_id) AS TEXT))
  AND coalesce(l.personalisation, 1) <> 0
  AND EXISTS (SELECT 1 FROM events e WHERE e.ranking_id = r.ranking_id)
ORDER BY r.created_at DESC, r.ranking_id DESC
LIMIT sqlc.arg(max_rows);

-- name: Citations :many
SELECT CAST(e.ranking_id AS TEXT) AS ranking_id, e.type, e.position, e.occurred_at, i.external_id AS course
FROM events e
JOIN course_ids i ON i.id = e.course_id
WHERE e.ranking_id IN (SELECT value FROM json_each(CAST(sqlc.arg(ranking_ids) AS TEXT)))
ORDER BY e.ranking_id, e.occurred_at, e.id;
