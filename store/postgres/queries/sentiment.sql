-- name: ReviewSummary :one
SELECT s.body
FROM review_summaries s
JOIN course_ids i ON i.id = s.course_id
WHERE i.external_id = sqlc.arg(external_id);

-- The lock makes writers of one summary come one after the other, so that each sees
-- what it replaces.

-- name: SummaryNumbers :many
SELECT course_id, score, weight FROM review_summaries
WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[])
ORDER BY course_id
FOR UPDATE;

-- scored tells whether score counts.

-- name: PutReviewSummaries :exec
INSERT INTO review_summaries (course_id, score, weight, body)
SELECT e.course_id, CASE WHEN e.scored THEN e.score END, e.weight, e.body::json
FROM (
    SELECT unnest(sqlc.arg(courses)::bigint[]) AS course_id,
        unnest(sqlc.arg(scored)::boolean[]) AS scored,
        unnest(sqlc.arg(scores)::double precision[]) AS score,
        unnest(sqlc.arg(weights)::double precision[]) AS weight,
        unnest(sqlc.arg(bodies)::text[]) AS body
) e
ORDER BY e.course_id
ON CONFLICT (course_id) DO UPDATE SET
    score = excluded.score, weight = excluded.weight, body = excluded.body;

-- The numbers of all courses, or (the Of query) of an array of ids.

-- name: Sentiments :many
SELECT course_id, score::double precision AS score, weight FROM review_summaries WHERE score IS NOT NULL;

-- name: SentimentsOf :many
SELECT course_id, score::double precision AS score, weight FROM review_summaries
WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[]) AND score IS NOT NULL;

-- A review that is about to be deleted is waited for, and then not among these.

-- name: ReviewsToHold :many
SELECT r.id, r.review_id FROM reviews r
WHERE r.review_id = ANY (sqlc.arg(review_ids)::text[]) AND r.course_id = sqlc.arg(course_id)
ORDER BY r.id
FOR KEY SHARE OF r;

-- name: DropPendingHolds :exec
DELETE FROM held_reviews
WHERE course_id = sqlc.arg(course_id) AND status = 'pending'
  AND NOT review_id = ANY (sqlc.arg(keep)::bigint[]);

-- A pending one that is held by the same rule again stays as old as it is.

-- name: PutPendingHolds :exec
INSERT INTO held_reviews (review_id, course_id, rule, detail, held_at, status, decided_by)
SELECT e.review_id, sqlc.arg(course_id)::bigint, e.rule, e.detail, e.held_at, 'pending', ''
FROM (
    SELECT unnest(sqlc.arg(reviews)::bigint[]) AS review_id,
        unnest(sqlc.arg(rules)::text[]) AS rule,
        unnest(sqlc.arg(details)::text[]) AS detail,
        unnest(sqlc.arg(held_ats)::timestamptz[]) AS held_at
) e
ORDER BY e.review_id
ON CONFLICT (review_id) DO UPDATE SET
    rule = excluded.rule, detail = excluded.detail,
    held_at = CASE WHEN held_reviews.rule = excluded.rule THEN held_reviews.held_at ELSE excluded.held_at END
WHERE held_reviews.status = 'pending';

-- name: DecideHold :one
INSERT INTO held_reviews (review_id, course_id, rule, detail, held_at, status, decided_by, decided_at)
VALUES (
    sqlc.arg(review_id), sqlc.arg(course_id), sqlc.arg(rule), sqlc.arg(detail), sqlc.arg(at),
    sqlc.arg(status), sqlc.arg(decided_by), sqlc.arg(at)
)
ON CONFLICT (review_id) DO UPDATE SET
    status = excluded.status, decided_by = excluded.decided_by, decided_at = excluded.decided_at
RETURNING *;

-- name: MoveHolds :exec
UPDATE held_reviews h SET course_id = r.course_id
FROM reviews r
WHERE r.id = h.review_id AND h.review_id = ANY (sqlc.arg(review_ids)::bigint[]);

-- Those after a hold, where after_id is not 0; of one course where course_id is not 0.

-- name: HeldReviews :many
SELECT sqlc.embed(h), sqlc.embed(r), i.external_id AS course, COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '')::text AS learner
FROM held_reviews h
JOIN reviews r ON r.id = h.review_id
JOIN course_ids i ON i.id = h.course_id
WHERE (sqlc.arg(status)::text = '' OR h.status = sqlc.arg(status)::text)
  AND (sqlc.arg(course_id)::bigint = 0 OR h.course_id = sqlc.arg(course_id)::bigint)
  AND (sqlc.arg(after_id)::bigint = 0 OR (h.held_at, h.review_id) < (
      SELECT a.held_at, a.review_id FROM held_reviews a WHERE a.review_id = sqlc.arg(after_id)::bigint
  ))
ORDER BY h.held_at DESC, h.review_id DESC
LIMIT sqlc.arg(max_rows);

-- name: HoldOf :one
SELECT h.review_id FROM held_reviews h
JOIN reviews r ON r.id = h.review_id
WHERE r.review_id = sqlc.arg(review_id);

-- name: ReviewLearner :one
SELECT COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '')::text AS learner
FROM reviews r WHERE r.id = sqlc.arg(id);

-- name: CountHeldReviews :one
SELECT count(*) FROM held_reviews h
WHERE (sqlc.arg(status)::text = '' OR h.status = sqlc.arg(status)::text)
  AND (sqlc.arg(course_id)::bigint = 0 OR h.course_id = sqlc.arg(course_id)::bigint);

-- name: PendingHolds :many
SELECT review_id FROM held_reviews
WHERE course_id = sqlc.arg(course_id) AND status = 'pending'
ORDER BY review_id;

-- The starred reviews that do not count, by day. What they take away from the ratings
-- is never more than there is: each is a starred review of its cell.

-- name: HeldStars :many
SELECT h.course_id, r.day, count(*) AS n, sum(r.stars_tenths)::bigint AS tenths
FROM held_reviews h
JOIN reviews r ON r.id = h.review_id
WHERE h.status <> 'released' AND r.stars_tenths IS NOT NULL
GROUP BY h.course_id, r.day;

-- name: HeldStarsOf :many
SELECT h.course_id, r.day, count(*) AS n, sum(r.stars_tenths)::bigint AS tenths
FROM held_reviews h
JOIN reviews r ON r.id = h.review_id
WHERE h.course_id = ANY (sqlc.arg(course_ids)::bigint[])
  AND h.status <> 'released' AND r.stars_tenths IS NOT NULL
GROUP BY h.course_id, r.day;

-- Ratings and starred reviews of the same source, course, day and stars are the same
-- acts: what counts beside the ratings of a cell is how many more reviews it has.

-- name: RatingMonths :many
SELECT a.course_id, date_trunc('month', '1970-01-01'::date + a.day)::date AS month,
    sum(a.n)::bigint AS n, sum(a.n * a.stars_tenths)::bigint AS tenths
FROM (
    SELECT r.course_id, r.day, r.stars_tenths, r.n
    FROM ratings r
    UNION ALL
    SELECT cell.course_id, cell.day, cell.stars_tenths, greatest(0, cell.n - COALESCE(t.n, 0))
    FROM (
        SELECT v.course_id, v.source, v.day, v.stars_tenths, count(*) AS n
        FROM reviews v
        WHERE v.stars_tenths IS NOT NULL AND v.day IS NOT NULL
        GROUP BY v.course_id, v.source, v.day, v.stars_tenths
    ) cell
    LEFT JOIN ratings t ON t.course_id = cell.course_id AND t.source = cell.source
        AND t.day = cell.day AND t.stars_tenths = cell.stars_tenths
) a
GROUP BY 1, 2
HAVING sum(a.n) > 0
ORDER BY 1, 2;

-- name: RatingMonthsOf :many
SELECT a.course_id, date_trunc('month', '1970-01-01'::date + a.day)::date AS month,
    sum(a.n)::bigint AS n, sum(a.n * a.stars_tenths)::bigint AS tenths
FROM (
    SELECT r.course_id, r.day, r.stars_tenths, r.n
    FROM ratings r
    WHERE r.course_id = ANY (sqlc.arg(course_ids)::bigint[])
    UNION ALL
    SELECT cell.course_id, cell.day, cell.stars_tenths, greatest(0, cell.n - COALESCE(t.n, 0))
    FROM (
        SELECT v.course_id, v.source, v.day, v.stars_tenths, count(*) AS n
        FROM reviews v
        WHERE v.stars_tenths IS NOT NULL AND v.day IS NOT NULL
          AND v.course_id = ANY (sqlc.arg(course_ids)::bigint[])
        GROUP BY v.course_id, v.source, v.day, v.stars_tenths
    ) cell
    LEFT JOIN ratings t ON t.course_id = cell.course_id AND t.source = cell.source
        AND t.day = cell.day AND t.stars_tenths = cell.stars_tenths
) a
GROUP BY 1, 2
HAVING sum(a.n) > 0
ORDER BY 1, 2;

-- What is known of those who wrote reviews of a course. Several reviews of a course
-- are one, and those that are held elsewhere are none.

-- name: ReviewAuthors :many
SELECT n.external_id, l.created_at,
    (
        SELECT count(DISTINCT r.course_id) FROM reviews r
        LEFT JOIN held_reviews h ON h.review_id = r.id
        WHERE r.learner_id = l.id
          AND (h.status IS NULL OR h.status = 'released' OR r.course_id = sqlc.arg(course_id))
    ) AS reviews,
    EXISTS (
        SELECT 1 FROM profile_entries e
        WHERE e.learner_id = l.id AND e.course_id = sqlc.arg(course_id) AND (e.state & sqlc.arg(states)::integer) <> 0
    ) AS took
FROM identities n
JOIN learners l ON l.id = n.learner_id
WHERE n.external_id = ANY (sqlc.arg(external_ids)::text[]) AND n.kind = 0;

-- name: CourseName :one
SELECT external_id FROM course_ids WHERE id = sqlc.arg(id);
