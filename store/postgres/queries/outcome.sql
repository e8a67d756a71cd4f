-- An event that cites no list is put down to the one that an event of the same
-- person about the same course cited last, of those recorded before it: so that
-- whoever reads the log again finds the same. within is in microseconds.

-- name: OutcomesAfter :many
SELECT sqlc.embed(e), i.external_id AS course, n.kind AS learner_kind, n.external_id AS learner,
    (NOT coalesce(l.personalisation, true))::boolean AS silent,
    coalesce(e.ranking_id, c.ranking_id, '')::text AS list
FROM events e
JOIN learners l ON l.id = e.learner_id
LEFT JOIN course_ids i ON i.id = e.course_id
CROSS JOIN LATERAL (
    SELECT o.kind, o.external_id FROM identities o
    WHERE o.learner_id = e.learner_id ORDER BY o.kind, o.external_id LIMIT 1
) n
LEFT JOIN LATERAL (
    SELECT x.ranking_id FROM events x
    WHERE e.ranking_id IS NULL AND x.learner_id = e.learner_id AND x.course_id = e.course_id
      AND x.ranking_id IS NOT NULL AND x.course_id IS NOT NULL
      AND x.occurred_at BETWEEN e.occurred_at - sqlc.arg(within)::bigint * interval '1 microsecond' AND e.occurred_at
      AND x.id < e.id
    ORDER BY x.occurred_at DESC, x.id DESC LIMIT 1
) c ON true
WHERE e.id > sqlc.arg(after)
ORDER BY e.id
LIMIT sqlc.arg(max_rows);

-- Of lists with the same id the first one stands, as with Ranking.

-- name: RankingBodies :many
SELECT DISTINCT ON (ranking_id) ranking_id, body FROM rankings
WHERE ranking_id = ANY (sqlc.arg(ranking_ids)::text[])
ORDER BY ranking_id, day;

-- name: RankingsAfter :many
SELECT seq, ranking_id, learner_id, body FROM rankings
WHERE seq > sqlc.arg(after)
ORDER BY seq
LIMIT sqlc.arg(max_rows);
