-- name: InsertSearch :exec
INSERT INTO searches (ranking_id, learner_id, at, query, folded, surface, results, degraded)
VALUES (
    sqlc.arg(ranking_id), sqlc.narg(learner_id), sqlc.arg(at), sqlc.arg(query), sqlc.arg(folded),
    sqlc.arg(surface), sqlc.arg(results), sqlc.arg(degraded)
)
ON CONFLICT (ranking_id) DO NOTHING;

-- name: RecentSearches :many
SELECT n.ranking_id, n.at, n.query, n.folded, n.surface, n.results, n.degraded
FROM (
    SELECT r.*, row_number() OVER (PARTITION BY r.folded ORDER BY r.at DESC, r.id DESC) AS nth
    FROM (
        SELECT * FROM searches s
        WHERE s.learner_id = sqlc.arg(learner_id) AND s.surface = 'search' AND s.results > 0
        ORDER BY s.at DESC, s.id DESC
        LIMIT sqlc.arg(depth)
    ) r
) n
WHERE n.nth = 1
ORDER BY n.at DESC, n.id DESC
LIMIT sqlc.arg(max_rows);

-- since is from_at, or earlier where the time before it is compared. A day is
-- 86400000000 microseconds.

-- name: SearchCounts :many
WITH found AS (
    SELECT s.id, s.ranking_id, s.at, s.query, s.folded, s.results
    FROM searches s
    WHERE s.surface = 'search' AND s.at >= CAST(sqlc.arg(since) AS INTEGER) AND s.at < CAST(sqlc.arg(to_at) AS INTEGER)
), acts AS (
    SELECT f.id, f.folded, e.learner_id, e.position
    FROM found f
    JOIN events e ON e.ranking_id = f.ranking_id AND e.occurred_at >= f.at - 86400000000
    WHERE f.at >= CAST(sqlc.arg(from_at) AS INTEGER) AND e.type IN ('click', 'save', 'enrol', 'progress', 'complete')
), opened AS (
    SELECT DISTINCT a.id FROM acts a
), marked AS (
    SELECT f.at, f.query, f.folded, f.results, f.at >= CAST(sqlc.arg(from_at) AS INTEGER) AS inside, o.id AS opened_id,
        row_number() OVER (PARTITION BY f.folded ORDER BY f.at DESC, f.id DESC) AS nth
    FROM found f
    LEFT JOIN opened o ON o.id = f.id
), counted AS (
    SELECT m.folded,
        max(CASE WHEN m.nth = 1 THEN m.query END) AS spelling,
        max(CASE WHEN m.nth = 1 THEN m.results END) AS results,
        max(m.at) AS last_at,
        sum(m.inside) AS searches,
        sum(m.inside = 0) AS earlier,
        sum(m.inside AND m.results = 0) AS zero,
        count(m.opened_id) AS opened,
        sum(m.inside AND m.results > 0 AND m.opened_id IS NULL) AS missed,
        sum(CASE WHEN m.opened_id IS NULL THEN 0.0
            ELSE pow(0.5, min(1000.0, (CAST(sqlc.arg(to_at) AS INTEGER) - m.at) / CAST(sqlc.arg(half_life) AS REAL))) END) AS weight
    FROM marked m
    GROUP BY m.folded
    HAVING sum(m.inside) > 0
), openers AS (
    SELECT a.folded, count(DISTINCT a.learner_id) AS n, avg(a.position) AS position
    FROM acts a
    GROUP BY a.folded
), ranked AS (
    SELECT c.*, COALESCE(o.n, 0) AS openers, COALESCE(o.position, 0.0) AS position,
        CASE CAST(sqlc.arg(sort_by) AS TEXT)
            WHEN 'count' THEN 1.0 * c.searches
            WHEN 'zero' THEN 1.0 * c.zero
            WHEN 'missed' THEN 1.0 * c.missed
            WHEN 'weight' THEN c.weight
            ELSE (c.searches - c.earlier) / sqrt(c.earlier + 1.0)
        END AS standing,
        CASE CAST(sqlc.arg(sort_by) AS TEXT) WHEN 'count' THEN 1 WHEN 'growing' THEN 1 ELSE 0 END AS all_of_them
    FROM counted c
    LEFT JOIN openers o ON o.folded = c.folded
)
SELECT CAST(r.folded AS TEXT) AS folded, CAST(r.spelling AS TEXT) AS spelling,
    CAST(r.searches AS INTEGER) AS searches, CAST(r.zero AS INTEGER) AS zero,
    CAST(r.opened AS INTEGER) AS opened, CAST(r.missed AS INTEGER) AS missed,
    CAST(r.openers AS INTEGER) AS openers, CAST(r.earlier AS INTEGER) AS earlier,
    CAST(r.position AS REAL) AS position, CAST(r.results AS INTEGER) AS results,
    CAST(r.weight AS REAL) AS weight, CAST(r.last_at AS INTEGER) AS last_at
FROM ranked r
WHERE r.openers >= CAST(sqlc.arg(min_openers) AS INTEGER)
  AND (r.standing > 0 OR r.all_of_them)
ORDER BY r.standing DESC, r.searches DESC, r.folded
LIMIT sqlc.arg(max_rows);

-- name: Reformulations :many
WITH steps AS (
    SELECT s.id, s.learner_id, s.ranking_id, s.at, s.query, s.folded, s.results,
        lead(s.ranking_id) OVER (PARTITION BY s.learner_id ORDER BY s.at, s.id) AS next_ranking_id,
        lead(s.at) OVER (PARTITION BY s.learner_id ORDER BY s.at, s.id) AS next_at,
        lead(s.query) OVER (PARTITION BY s.learner_id ORDER BY s.at, s.id) AS next_query,
        lead(s.folded) OVER (PARTITION BY s.learner_id ORDER BY s.at, s.id) AS next_folded
    FROM searches s
    WHERE s.surface = 'search' AND s.learner_id IS NOT NULL
      AND s.at >= CAST(sqlc.arg(from_at) AS INTEGER) AND s.at < CAST(sqlc.arg(to_at) AS INTEGER)
), pairs AS (
    SELECT p.learner_id, p.query, p.folded, p.results, p.next_query, p.next_folded,
        EXISTS (
            SELECT 1 FROM events e
            WHERE e.ranking_id = p.next_ranking_id AND e.occurred_at >= p.next_at - 86400000000
              AND e.type IN ('click', 'save', 'enrol', 'progress', 'complete')
        ) AS opened,
        row_number() OVER (PARTITION BY p.folded, p.next_folded ORDER BY p.next_at DESC, p.id DESC) AS nth
    FROM steps p
    WHERE p.next_folded <> p.folded AND p.next_at - p.at <= CAST(sqlc.arg(within) AS INTEGER)
      AND NOT EXISTS (
        SELECT 1 FROM events e
        WHERE e.ranking_id = p.ranking_id AND e.occurred_at >= p.at - 86400000000 AND e.occurred_at < p.next_at
          AND e.type IN ('click', 'save', 'enrol', 'progress', 'complete')
      )
)
SELECT CAST(max(CASE WHEN p.nth = 1 THEN p.query END) AS TEXT) AS from_query,
    CAST(max(CASE WHEN p.nth = 1 THEN p.next_query END) AS TEXT) AS to_query,
    count(*) AS times, count(DISTINCT p.learner_id) AS learners,
    CAST(sum(p.opened) AS INTEGER) AS opened, CAST(sum(p.results = 0) AS INTEGER) AS from_zero
FROM pairs p
GROUP BY p.folded, p.next_folded
ORDER BY learners DESC, times DESC, p.folded, p.next_folded
LIMIT sqlc.arg(max_rows);

-- name: MoveSearches :exec
UPDATE searches SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: ForgetSearchers :execrows
UPDATE searches SET learner_id = NULL WHERE id IN (
    SELECT s.id FROM searches s
    WHERE s.learner_id IS NOT NULL AND s.at < sqlc.arg(before)
    ORDER BY s.at
    LIMIT sqlc.arg(max_rows)
);

-- name: DeleteSearchesBefore :execrows
DELETE FROM searches WHERE id IN (
    SELECT s.id FROM searches s WHERE s.at < sqlc.arg(before) ORDER BY s.at LIMIT sqlc.arg(max_rows)
);
