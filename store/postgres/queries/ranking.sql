-- InsertRankings takes arrays of equal length; a learner of 0 is nobody.

-- name: InsertRankings :exec
INSERT INTO rankings (ranking_id, learner_id, created_at, day, body)
SELECT r.ranking_id, NULLIF(r.learner_id, 0), r.created_at, r.day, r.body::json
FROM (
    SELECT unnest(sqlc.arg(ranking_ids)::text[]) AS ranking_id,
        unnest(sqlc.arg(learner_ids)::bigint[]) AS learner_id,
        unnest(sqlc.arg(created_ats)::timestamptz[]) AS created_at,
        unnest(sqlc.arg(days)::integer[]) AS day,
        unnest(sqlc.arg(bodies)::text[]) AS body
) r
ORDER BY r.learner_id, r.day, r.ranking_id
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
