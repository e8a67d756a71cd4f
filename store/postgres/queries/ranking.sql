-- InsertRankings takes arrays of equal length; a learner of 0 is nobody,
-- a posterior of 0 none. It runs under the rankings' advisory lock.

-- name: InsertRankings :exec
INSERT INTO rankings (ranking_id, learner_id, created_at, day, body, posterior)
SELECT r.ranking_id, NULLIF(r.learner_id, 0), r.created_at, r.day, r.body::json, NULLIF(r.posterior, 0)
FROM (
    SELECT unnest(sqlc.arg(ranking_ids)::text[]) AS ranking_id,
        unnest(sqlc.arg(learner_ids)::bigint[]) AS learner_id,
        unnest(sqlc.arg(created_ats)::timestamptz[]) AS created_at,
        unnest(sqlc.arg(days)::integer[]) AS day,
        unnest(sqlc.arg(bodies)::text[]) AS body,
        unnest(sqlc.arg(posteriors)::bigint[]) AS posterior
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

-- Lists of people who allow no personal lists teach nothing, here as elsewhere. The
-- days name the partitions.

-- name: CitedRankings :many
SELECT r.ranking_id, r.learner_id, r.created_at, r.body FROM rankings r
LEFT JOIN learners l ON l.id = r.learner_id
WHERE r.created_at >= sqlc.arg(since)
  AND r.day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day)
  AND (r.created_at, r.ranking_id) < (sqlc.arg(before)::timestamptz, sqlc.arg(before_id)::text)
  AND coalesce(l.personalisation, true)
  AND EXISTS (SELECT 1 FROM events e WHERE e.ranking_id = r.ranking_id)
ORDER BY r.created_at DESC, r.ranking_id DESC
LIMIT sqlc.arg(max_rows);

-- name: Citations :many
SELECT e.ranking_id::text AS ranking_id, e.type, e.position, e.occurred_at, i.external_id AS course
FROM events e
JOIN course_ids i ON i.id = e.course_id
WHERE e.ranking_id = ANY (sqlc.arg(ranking_ids)::text[])
ORDER BY e.ranking_id, e.occurred_at, e.id;
