-- name: InsertRanking :exec
INSERT INTO rankings (ranking_id, learner_id, created_at, day, body)
VALUES (
    sqlc.arg(ranking_id), sqlc.narg(learner_id), sqlc.arg(created_at), sqlc.arg(day), sqlc.arg(body)
)
ON CONFLICT (ranking_id) DO NOTHING;

-- name: Ranking :one
SELECT * FROM rankings WHERE ranking_id = sqlc.arg(ranking_id);

-- name: DeleteRankingsBefore :execrows
DELETE FROM rankings WHERE id IN (
    SELECT r.id FROM rankings r
    WHERE r.created_at < sqlc.arg(before)
      AND NOT EXISTS (SELECT 1 FROM events e WHERE e.ranking_id = r.ranking_id)
    ORDER BY r.created_at
    LIMIT sqlc.arg(max_rows)
);
