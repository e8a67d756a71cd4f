-- InsertSearches takes arrays of equal length; a learner of 0 is nobody. Learners
-- are pointed at in a rising order, as they are locked elsewhere.

-- name: InsertSearches :exec
INSERT INTO searches (ranking_id, learner_id, at, query, folded, surface, results, degraded)
SELECT s.ranking_id, NULLIF(s.learner_id, 0), s.at, s.query, s.folded, s.surface, s.results, s.degraded
FROM (
    SELECT unnest(sqlc.arg(ranking_ids)::text[]) AS ranking_id,
        unnest(sqlc.arg(learner_ids)::bigint[]) AS learner_id,
        unnest(sqlc.arg(ats)::timestamptz[]) AS at,
        unnest(sqlc.arg(queries)::text[]) AS query,
        unnest(sqlc.arg(folded)::text[]) AS folded,
        unnest(sqlc.arg(surfaces)::text[]) AS surface,
        unnest(sqlc.arg(results)::bigint[]) AS results,
        unnest(sqlc.arg(degraded)::boolean[]) AS degraded
) s
ORDER BY s.learner_id, s.at, s.ranking_id
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

-- since is from_at, or earlier where the time before it is compared. Events have
-- partitions by time: the bound that needs no row of searches leaves most of them
-- out, whichever way they are joined. What was searched and what was opened are
-- put together by grouping: a join would be a loop in a loop for as long as nobody
-- has analysed the tables. A power below 2^-1000 would be an error.

-- name: SearchCounts :many
WITH acts AS (
    SELECT s.at, s.folded, s.results, e.learner_id, e.position, row_number() OVER (PARTITION BY s.id) AS nth
    FROM searches s
    JOIN events e ON e.ranking_id = s.ranking_id AND e.occurred_at >= s.at - interval '24 hours'
    WHERE s.surface = 'search' AND s.at >= sqlc.arg(from_at) AND s.at < sqlc.arg(to_at)
      AND e.occurred_at >= sqlc.arg(from_at)::timestamptz - interval '24 hours'
      AND e.type IN ('click', 'save', 'enrol', 'progress', 'complete')
), opened AS (
    SELECT a.folded, count(DISTINCT a.learner_id) AS openers, avg(a.position)::double precision AS position,
        count(*) FILTER (WHERE a.nth = 1) AS opened, count(*) FILTER (WHERE a.nth = 1 AND a.results > 0) AS hits,
        sum(power(0.5::double precision, least(1000, extract(epoch FROM sqlc.arg(to_at)::timestamptz - a.at)::double precision
            / sqlc.arg(half_life_seconds)::double precision))) FILTER (WHERE a.nth = 1) AS weight
    FROM acts a
    GROUP BY a.folded
), counted AS (
    SELECT n.folded, max(n.at) AS last_at,
        max(CASE WHEN n.nth = 1 THEN n.query END) AS spelling,
        max(CASE WHEN n.nth = 1 THEN n.results END) AS results,
        count(*) FILTER (WHERE n.inside) AS searches,
        count(*) FILTER (WHERE NOT n.inside) AS earlier,
        count(*) FILTER (WHERE n.inside AND n.results = 0) AS zero
    FROM (
        SELECT s.at, s.query, s.folded, s.results, s.at >= sqlc.arg(from_at)::timestamptz AS inside,
            row_number() OVER (PARTITION BY s.folded ORDER BY s.at DESC, s.id DESC) AS nth
        FROM searches s
        WHERE s.surface = 'search' AND s.at >= sqlc.arg(since) AND s.at < sqlc.arg(to_at)
    ) n
    GROUP BY n.folded
    HAVING max(n.at) >= sqlc.arg(from_at)::timestamptz
), stacked AS (
    SELECT c.folded, c.last_at, c.spelling, c.results, c.searches, c.earlier, c.zero,
        0::bigint AS openers, 0::double precision AS position, 0::bigint AS opened, 0::bigint AS hits, 0::double precision AS weight
    FROM counted c
    UNION ALL
    SELECT o.folded, NULL, NULL, NULL, 0, 0, 0, o.openers, COALESCE(o.position, 0), o.opened, o.hits, o.weight
    FROM opened o
), joined AS (
    SELECT t.folded, max(t.last_at) AS last_at, max(t.spelling) AS spelling, max(t.results) AS results, max(t.searches) AS searches,
        max(t.earlier) AS earlier, max(t.zero) AS zero, max(t.openers) AS openers, max(t.position) AS position,
        max(t.opened) AS opened, max(t.weight) AS weight, max(t.searches) - max(t.zero) - max(t.hits) AS missed
    FROM stacked t
    GROUP BY t.folded
), ranked AS (
    SELECT j.*,
        CASE sqlc.arg(sort_by)::text
            WHEN 'count' THEN j.searches::double precision
            WHEN 'zero' THEN j.zero::double precision
            WHEN 'missed' THEN j.missed::double precision
            WHEN 'weight' THEN j.weight
            ELSE (j.searches - j.earlier) / sqrt(j.earlier + 1::double precision)
        END AS standing,
        CASE sqlc.arg(sort_by)::text WHEN 'count' THEN true WHEN 'growing' THEN true ELSE false END AS all_of_them
    FROM joined j
)
SELECT r.folded::text AS folded, r.spelling::text AS spelling, r.searches::bigint AS searches, r.zero::bigint AS zero,
    r.opened::bigint AS opened, r.missed::bigint AS missed, r.openers::bigint AS openers, r.earlier::bigint AS earlier,
    r.position::double precision AS position, r.results::bigint AS results, r.weight::double precision AS weight,
    r.last_at::timestamptz AS last_at
FROM ranked r
WHERE r.openers >= sqlc.arg(min_openers)::bigint AND (r.standing > 0 OR r.all_of_them)
ORDER BY r.standing DESC, r.searches DESC, r.folded
LIMIT sqlc.arg(max_rows);

-- name: Reformulations :many
WITH steps AS (
    SELECT s.id, s.learner_id, s.ranking_id, s.at, s.query, s.folded, s.results,
        lead(s.ranking_id) OVER w AS next_ranking_id, lead(s.at) OVER w AS next_at,
        lead(s.query) OVER w AS next_query, lead(s.folded) OVER w AS next_folded
    FROM searches s
    WHERE s.surface = 'search' AND s.learner_id IS NOT NULL
      AND s.at >= sqlc.arg(from_at) AND s.at < sqlc.arg(to_at)
    WINDOW w AS (PARTITION BY s.learner_id ORDER BY s.at, s.id)
), pairs AS (
    SELECT p.learner_id, p.query, p.folded, p.results, p.next_query, p.next_folded,
        EXISTS (
            SELECT 1 FROM events e
            WHERE e.ranking_id = p.next_ranking_id AND e.occurred_at >= p.next_at - interval '24 hours'
              AND e.occurred_at >= sqlc.arg(from_at)::timestamptz - interval '24 hours'
              AND e.type IN ('click', 'save', 'enrol', 'progress', 'complete')
        ) AS opened,
        row_number() OVER (PARTITION BY p.folded, p.next_folded ORDER BY p.next_at DESC, p.id DESC) AS nth
    FROM steps p
    WHERE p.next_folded <> p.folded
      AND p.next_at - p.at <= sqlc.arg(within_microseconds)::bigint * interval '1 microsecond'
      AND NOT EXISTS (
        SELECT 1 FROM events e
        WHERE e.ranking_id = p.ranking_id AND e.occurred_at >= p.at - interval '24 hours' AND e.occurred_at < p.next_at
          AND e.occurred_at >= sqlc.arg(from_at)::timestamptz - interval '24 hours'
          AND e.type IN ('click', 'save', 'enrol', 'progress', 'complete')
      )
)
SELECT max(CASE WHEN p.nth = 1 THEN p.query END)::text AS from_query,
    max(CASE WHEN p.nth = 1 THEN p.next_query END)::text AS to_query,
    count(*) AS times, count(DISTINCT p.learner_id) AS learners,
    count(*) FILTER (WHERE p.opened) AS opened, count(*) FILTER (WHERE p.results = 0) AS from_zero
FROM pairs p
GROUP BY p.folded, p.next_folded
ORDER BY count(DISTINCT p.learner_id) DESC, count(*) DESC, p.folded, p.next_folded
LIMIT sqlc.arg(max_rows);

-- name: MoveSearches :exec
UPDATE searches SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: ForgetSearchers :execrows
UPDATE searches SET learner_id = NULL WHERE id = ANY (ARRAY(
    SELECT s.id FROM searches s
    WHERE s.learner_id IS NOT NULL AND s.at < sqlc.arg(before)
    ORDER BY s.at
    LIMIT sqlc.arg(max_rows)
));

-- name: DeleteSearchesBefore :execrows
DELETE FROM searches WHERE id = ANY (ARRAY(
    SELECT s.id FROM searches s WHERE s.at < sqlc.arg(before) ORDER BY s.at LIMIT sqlc.arg(max_rows)
));
