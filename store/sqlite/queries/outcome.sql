-- An event that cites no list is put down to the one that an event of the same
-- person about the same course cited last, of those recorded before it: so that
-- whoever reads the log again finds the same. Times are in microseconds.

-- name: OutcomesAfter :many
SELECT sqlc.embed(e), i.external_id AS course,
    CAST((SELECT n.kind FROM identities n WHERE n.learner_id = e.learner_id
        ORDER BY n.kind, n.external_id LIMIT 1) AS INTEGER) AS learner_kind,
    CAST((SELECT n.external_id FROM identities n WHERE n.learner_id = e.learner_id
        ORDER BY n.kind, n.external_id LIMIT 1) AS TEXT) AS learner,
    CAST(coalesce(l.personalisation, 1) = 0 AS INTEGER) AS silent,
    CAST(coalesce(e.ranking_id, (
        SELECT c.ranking_id FROM events c
        WHERE c.learner_id = e.learner_id AND c.course_id = e.course_id
          AND c.ranking_id IS NOT NULL AND c.course_id IS NOT NULL
          AND c.occurred_at BETWEEN e.occurred_at - CAST(sqlc.arg(within) AS INTEGER) AND e.occurred_at
          AND c.id < e.id
        ORDER BY c.occurred_at DESC, c.id DESC LIMIT 1
    ), '') AS TEXT) AS list
FROM events e
JOIN learners l ON l.id = e.learner_id
LEFT JOIN course_ids i ON i.id = e.course_id
WHERE e.id > sqlc.arg(after)
ORDER BY e.id
LIMIT sqlc.arg(max_rows);

-- name: RankingBodies :many
SELECT ranking_id, body FROM rankings
WHERE ranking_id IN (SELECT value FROM json_each(CAST(sqlc.arg(ranking_ids) AS TEXT)));

-- name: RankingsAfter :many
SELECT seq, ranking_id, learner_id, body FROM rankings
WHERE seq > sqlc.arg(after)
ORDER BY seq
LIMIT sqlc.arg(max_rows);
