-- name: ReviewSummary :one
SELECT s.body
FROM review_summaries s
JOIN course_ids i ON i.id = s.course_id
WHERE i.external_id = sqlc.arg(external_id);

-- name: SummaryNumbers :one
SELECT score, weight FROM review_summaries WHERE course_id = sqlc.arg(course_id);

-- name: PutReviewSummary :exec
INSERT INTO review_summaries (course_id, score, weight, body)
VALUES (sqlc.arg(course_id), sqlc.narg(score), sqlc.arg(weight), sqlc.arg(body))
ON CONFLICT (course_id) DO UPDATE SET
    score = excluded.score, weight = excluded.weight, body = excluded.body;

-- The numbers of all courses, or (the Of query) of a JSON array of ids.

-- name: Sentiments :many
SELECT course_id, CAST(score AS REAL) AS score, weight FROM review_summaries WHERE score IS NOT NULL;

-- name: SentimentsOf :many
SELECT course_id, CAST(score AS REAL) AS score, weight FROM review_summaries
WHERE course_id IN (SELECT value FROM json_each(CAST(sqlc.arg(course_ids) AS TEXT))) AND score IS NOT NULL;

-- name: HoldByReview :one
SELECT * FROM held_reviews WHERE review_id = sqlc.arg(review_id);

-- name: PendingHolds :many
SELECT review_id FROM held_reviews WHERE course_id = sqlc.arg(course_id) AND status = 'pending';

-- name: DropHold :exec
DELETE FROM held_reviews WHERE review_id = sqlc.arg(review_id);

-- name: PutHold :exec
INSERT INTO held_reviews (review_id, course_id, rule, detail, held_at, status, decided_by, decided_at)
VALUES (
    sqlc.arg(review_id), sqlc.arg(course_id), sqlc.arg(rule), sqlc.arg(detail), sqlc.arg(held_at),
    sqlc.arg(status), sqlc.arg(decided_by), sqlc.narg(decided_at)
)
ON CONFLICT (review_id) DO UPDATE SET
    rule = excluded.rule, detail = excluded.detail, held_at = excluded.held_at,
    status = excluded.status, decided_by = excluded.decided_by, decided_at = excluded.decided_at;

-- name: MoveHold :exec
UPDATE held_reviews SET course_id = sqlc.arg(course_id) WHERE review_id = sqlc.arg(review_id);

-- Those before a hold (held_at and review_id), of one course where course_id is given.

-- name: HeldReviews :many
SELECT sqlc.embed(h), sqlc.embed(r), i.external_id AS course, CAST(COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '') AS TEXT) AS learner
FROM held_reviews h
JOIN reviews r ON r.id = h.review_id
JOIN course_ids i ON i.id = h.course_id
WHERE (CAST(sqlc.arg(status) AS TEXT) = '' OR h.status = CAST(sqlc.arg(status) AS TEXT))
  AND (CAST(sqlc.arg(course_id) AS INTEGER) = 0 OR h.course_id = CAST(sqlc.arg(course_id) AS INTEGER))
  AND (h.held_at < sqlc.arg(held_at) OR (h.held_at = sqlc.arg(held_at) AND h.review_id < sqlc.arg(review_id)))
ORDER BY h.held_at DESC, h.review_id DESC
LIMIT sqlc.arg(max_rows);

-- name: HoldOf :one
SELECT h.* FROM held_reviews h
JOIN reviews r ON r.id = h.review_id
WHERE r.review_id = sqlc.arg(review_id);

-- name: ReviewLearner :one
SELECT CAST(COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '') AS TEXT) AS learner
FROM reviews r WHERE r.id = sqlc.arg(id);

-- name: CountHeldReviews :one
SELECT count(*) FROM held_reviews h
WHERE (CAST(sqlc.arg(status) AS TEXT) = '' OR h.status = CAST(sqlc.arg(status) AS TEXT))
  AND (CAST(sqlc.arg(course_id) AS INTEGER) = 0 OR h.course_id = CAST(sqlc.arg(course_id) AS INTEGER));

-- The starred reviews that do not count, by day. What they take away from the ratings
-- is never more than there is: each is a starred review of its cell.

-- name: HeldStars :many
SELECT h.course_id, r.day, count(*) AS n, CAST(sum(r.stars_tenths) AS INTEGER) AS tenths
FROM held_reviews h
JOIN reviews r ON r.id = h.review_id
WHERE h.status <> 'released' AND r.stars_tenths IS NOT NULL
GROUP BY h.course_id, r.day;

-- name: HeldStarsOf :many
SELECT h.course_id, r.day, count(*) AS n, CAST(sum(r.stars_tenths) AS INTEGER) AS tenths
FROM held_reviews h
JOIN reviews r ON r.id = h.review_id
WHERE h.course_id IN (SELECT value FROM json_each(CAST(sqlc.arg(course_ids) AS TEXT)))
  AND h.status <> 'released' AND r.stars_tenths IS NOT NULL
GROUP BY h.course_id, r.day;

-- Ratings and starred reviews of the same source, course, day and stars are the same
-- acts: what counts beside the ratings of a cell is how many more reviews it has.

-- name: RatingMonths :many
SELECT a.course_id, CAST(COALESCE(strftime('%Y-%m', a.day * 86400, 'unixepoch'), '') AS TEXT) AS month,
    CAST(sum(a.n) AS INTEGER) AS n, CAST(sum(a.n * a.stars_tenths) AS INTEGER) AS tenths
FROM (
    SELECT r.course_id, r.day, r.stars_tenths, r.n
    FROM ratings r
    UNION ALL
    SELECT cell.course_id, cell.day, cell.stars_tenths, max(0, cell.n - COALESCE(t.n, 0))
    FROM (
        SELECT v.course_id, v.source, v.day, v.stars_tenths, count(*) AS n
        FROM reviews v
        WHERE v.stars_tenths IS NOT NULL AND v.day IS NOT NULL
        GROUP BY v.course_id, v.source, v.day, v.stars_tenths
    ) cell
    LEFT JOIN ratings t ON t.course_id = cell.course_id AND t.source = cell.source
        AND t.day = cell.day AND t.stars_tenths = cell.stars_tenths
) a
GROUP BY a.course_id, month
HAVING sum(a.n) > 0
ORDER BY a.course_id, month;

-- name: RatingMonthsOf :many
SELECT a.course_id, CAST(COALESCE(strftime('%Y-%m', a.day * 86400, 'unixepoch'), '') AS TEXT) AS month,
    CAST(sum(a.n) AS INTEGER) AS n, CAST(sum(a.n * a.stars_tenths) AS INTEGER) AS tenths
FROM (
    SELECT r.course_id, r.day, r.stars_tenths, r.n
    FROM ratings r
    WHERE r.course_id IN (SELECT value FROM json_each(CAST(sqlc.arg(course_ids) AS TEXT)))
    UNION ALL
    SELECT cell.course_id, cell.day, cell.stars_tenths, max(0, cell.n - COALESCE(t.n, 0))
    FROM (
        SELECT v.course_id, v.source, v.day, v.stars_tenths, count(*) AS n
        FROM reviews v
        WHERE v.stars_tenths IS NOT NULL AND v.day IS NOT NULL
          AND v.course_id IN (SELECT value FROM json_each(CAST(sqlc.arg(course_ids) AS TEXT)))
        GROUP BY v.course_id, v.source, v.day, v.stars_tenths
    ) cell
    LEFT JOIN ratings t ON t.course_id = cell.course_id AND t.source = cell.source
        AND t.day = cell.day AND t.stars_tenths = cell.stars_tenths
) a
GROUP BY a.course_id, month
HAVING sum(a.n) > 0
ORDER BY a.course_id, month;

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
        WHERE e.learner_id = l.id AND e.course_id = sqlc.arg(course_id) AND (e.state & sqlc.arg(states)) <> 0
    ) AS took
FROM identities n
JOIN learners l ON l.id = n.learner_id
WHERE n.external_id IN (SELECT value FROM json_each(CAST(sqlc.arg(external_ids) AS TEXT))) AND n.kind = 0;

-- name: CourseName :one
SELECT external_id FROM course_ids WHERE id = sqlc.arg(id);
