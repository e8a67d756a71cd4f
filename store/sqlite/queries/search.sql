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
-- 86400000000 microseconds. Beside one max, SQLite takes the columns that are not
-- aggregated from the row which has it.

-- name: SearchCounts :many
WITH acts AS (
    SELECT s.at, s.folded, s.results, e.learner_id, e.position, row_number() OVER (PARTITION BY s.at, s.id) AS nth
    FROM searches s
    JOIN events e ON e.ranking_id = s.ranking_id AND e.occurred_at >= s.at - 86400000000
    WHERE s.surface = 'search' AND s.at >= CAST(sqlc.arg(from_at) AS INTEGER) AND s.at < CAST(sqlc.arg(to_at) AS INTEGER)
      AND e.type IN ('click', 'save', 'enrol', 'progress', 'complete')
), opened AS (
    SELECT a.folded, count(DISTINCT a.learner_id) AS openers, avg(a.position) AS position,
        sum(a.nth = 1) AS opened, sum(a.nth = 1 AND a.results > 0) AS hits,
        sum(CASE WHEN a.nth = 1 THEN pow(0.5, min(1000.0,
            (CAST(sqlc.arg(to_at) AS INTEGER) - a.at) / CAST(sqlc.arg(half_life) AS REAL))) ELSE 0.0 END) AS weight
    FROM acts a
    GROUP BY a.folded
), counted AS (
    SELECT s.folded, s.query AS spelling, s.results, max(s.at) AS last_at,
        sum(s.at >= CAST(sqlc.arg(from_at) AS INTEGER)) AS searches,
        sum(s.at < CAST(sqlc.arg(from_at) AS INTEGER)) AS earlier,
        sum(s.at >= CAST(sqlc.arg(from_at) AS INTEGER) AND s.results = 0) AS zero
    FROM searches s
    WHERE s.surface = 'search' AND s.at >= CAST(sqlc.arg(since) AS INTEGER) AND s.at < CAST(sqlc.arg(to_at) AS INTEGER)
    GROUP BY s.folded
    HAVING max(s.at) >= CAST(sqlc.arg(from_at) AS INTEGER)
), joined AS (
    SELECT c.*, COALESCE(o.openers, 0) AS openers, COALESCE(o.position, 0.0) AS position, COALESCE(o.opened, 0) AS opened,
        COALESCE(o.weight, 0.0) AS weight, c.searches - c.zero - COALESCE(o.hits, 0) AS missed
    FROM counted c
    LEFT JOIN opened o ON o.folded = c.folded
), ranked AS (
    SELECT j.*,
        CASE CAST(sqlc.arg(sort_by) AS TEXT)
            WHEN 'count' THEN 1.0 * j.searches
            WHEN 'zero' THEN 1.0 * j.zero
            WHEN 'missed' THEN 1.0 * j.missed
            WHEN 'weight' THEN j.weight
            ELSE (j.searches - j.earlier) / sqrt(j.earlier + 1.0)
        END AS standing,
        CASE CAST(sqlc.arg(sort_by) AS TEXT) WHEN 'count' THEN 1 WHEN 'growing' THEN 1 ELSE 0 END AS all_of_them
    FROM joined j
)
SELECT CAST(r.folded AS TEXT) AS folded, CAST(r.spelling AS TEXT) AS spelling,
    CAST(r.searches AS INTEGER) AS searches, CAST(r.zero AS INTEGER) AS zero,
    CAST(r.opened AS INTEGER) AS opened, CAST(r.missed AS INTEGER) AS missed,
    CAST(r.openers AS INTEGER) AS openers, CAST(r.earlier AS INTEGER) AS earlier,
    CAST(r.position AS REAL) AS position, CAST(r.results AS INTEGER) AS results,
    CAST(r.weight AS REAL) AS weight, CAST(r.last_at AS INTEGER) AS last_at
FROM ranked r
WHERE r.openers >= CAST(sqlc.arg(min_openers) AS INTEGER) AND (r.standing > 0 OR r.all_of_them)
ORDER BY r.standing DESC, r.searches DESC, r.folded
LIMIT sqlc.arg(max_rows);

-- name: Reformulations :many
WITH steps AS (
    SELECT s.learner_id, s.ranking_id, s.at, s.query, s.folded, s.results,
        lead(s.ranking_id) OVER (PARTITION BY s.learner_id ORDER BY s.at, s.id) AS next_ranking_id,
        lead(s.at) OVER (PARTITION BY s.learner_id ORDER BY s.at, s.id) AS next_at,
        lead(s.query) OVER (PARTITION BY s.learner_id ORDER BY s.at, s.id) AS next_query,
        lead(s.folded) OVER (PARTITION BY s.learner_id ORDER BY s.at, s.id) AS next_folded
    FROM searches s
    WHERE s.surface = 'search' AND s.learner_id IS NOT NULL
      AND s.at >= CAST(sqlc.arg(from_at) AS INTEGER) AND s.at < CAST(sqlc.arg(to_at) AS INTEGER)
), pairs AS (
    SELECT p.learner_id, p.query, p.folded, p.results, p.next_at, p.next_query, p.next_folded,
        EXISTS (
            SELECT 1 FROM events e
            WHERE e.ranking_id = p.next_ranking_id AND e.occurred_at >= p.next_at - 86400000000
              AND e.type IN ('click', 'save', 'enrol', 'progress', 'complete')
        ) AS opened
    FROM steps p
    WHERE p.next_folded <> p.folded AND p.next_at - p.at <= CAST(sqlc.arg(within) AS INTEGER)
      AND NOT EXISTS (
        SELECT 1 FROM events e
        WHERE e.ranking_id = p.ranking_id AND e.occurred_at >= p.at - 86400000000 AND e.occurred_at < p.next_at
          AND e.type IN ('click', 'save', 'enrol', 'progress', 'complete')
      )
), counted AS (
    SELECT p.folded, p.next_folded, p.query, p.next_query, max(p.next_at) AS last_at,
        count(*) AS times, count(DISTINCT p.learner_id) AS learners, sum(p.opened) AS opened, sum(p.results = 0) AS from_zero
    FROM pairs p
    GROUP BY p.folded, p.next_folded
)
SELECT c.query AS from_query, CAST(c.next_query AS TEXT) AS to_query, c.times, c.learners,
    CAST(c.opened AS INTEGER) AS opened, CAST(c.from_zero AS INTEGER) AS from_zero
FROM counted c
ORDER BY c.learners DESC, c.times DESC, c.folded, c.next_folded
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
