-- name: InsertRanking :batchexec
INSERT INTO rankings (ranking_id, learner_id, created_at, day, body)
VALUES (
    sqlc.arg(ranking_id), sqlc.narg(learner_id), sqlc.arg(created_at), sqlc.arg(day), sqlc.arg(body)
)
ON CONFLICT (ranking_id, day) DO NOTHING;

-- A ranking's id is unique per day only, where it matters: the first one stands.

-- name: Ranking :one
SELECT * FROM rankings WHERE ranking_id = sqlc.arg(ranking_id) ORDER BY day LIMIT 1;

-- name: DeleteRankingsBefore :execrows
DELETE FROM rankings d WHERE (d.ranking_id, d.day) IN (
    SELECT r.ranking_id, r.day FROM rankings r
    WHERE r.created_at < sqlc.arg(before)
      AND NOT EXISTS (SELECT 1 FROM events e WHERE e.ranking_id = r.ranking_id)
    ORDER BY r.created_at
    LIMIT sqlc.arg(max_rows)
);
