-- name: ReviewByID :one
SELECT * FROM reviews WHERE review_id = sqlc.arg(review_id);

-- name: InsertReview :exec
INSERT INTO reviews (
    review_id, source, course_id, learner_id, stars_tenths, text, language, helpful, written_at,
    day, sort_at
) VALUES (
    sqlc.arg(review_id), sqlc.arg(source), sqlc.arg(course_id), sqlc.narg(learner_id),
    sqlc.narg(stars_tenths), sqlc.arg(text), sqlc.arg(language), sqlc.arg(helpful),
    sqlc.narg(written_at), sqlc.narg(day), sqlc.arg(sort_at)
);

-- name: UpdateReview :exec
UPDATE reviews SET
    source = sqlc.arg(source), course_id = sqlc.arg(course_id), learner_id = sqlc.narg(learner_id),
    stars_tenths = sqlc.narg(stars_tenths), text = sqlc.arg(text), language = sqlc.arg(language),
    helpful = sqlc.arg(helpful), written_at = sqlc.narg(written_at), day = sqlc.narg(day),
    sort_at = sqlc.arg(sort_at)
WHERE id = sqlc.arg(id);

-- name: DeleteReview :execrows
DELETE FROM reviews WHERE id = sqlc.arg(id);

-- name: DeleteCourseReviews :exec
DELETE FROM reviews WHERE course_id = sqlc.arg(course_id);

-- name: DeleteCourseRatings :exec
DELETE FROM ratings WHERE course_id = sqlc.arg(course_id);

-- name: ReviewsBefore :many
SELECT sqlc.embed(r), CAST(COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '') AS TEXT) AS learner, CAST(COALESCE((
    SELECT h.status FROM held_reviews h WHERE h.review_id = r.id
), '') AS TEXT) AS held
FROM reviews r
WHERE r.course_id = sqlc.arg(course_id)
  AND r.text <> ''
  AND (r.sort_at < sqlc.arg(sort_at) OR (r.sort_at = sqlc.arg(sort_at) AND r.id < sqlc.arg(id)))
ORDER BY r.sort_at DESC, r.id DESC
LIMIT sqlc.arg(max_rows);

-- With and without text.

-- name: AllReviewsBefore :many
SELECT sqlc.embed(r), CAST(COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '') AS TEXT) AS learner, CAST(COALESCE((
    SELECT h.status FROM held_reviews h WHERE h.review_id = r.id
), '') AS TEXT) AS held
FROM reviews r
WHERE r.course_id = sqlc.arg(course_id)
  AND (r.sort_at < sqlc.arg(sort_at) OR (r.sort_at = sqlc.arg(sort_at) AND r.id < sqlc.arg(id)))
ORDER BY r.sort_at DESC, r.id DESC
LIMIT sqlc.arg(max_rows);

-- name: CoursesWithReviews :many
SELECT i.external_id FROM course_ids i
WHERE i.external_id IN (SELECT value FROM json_each(CAST(sqlc.arg(external_ids) AS TEXT)))
  AND EXISTS (SELECT 1 FROM reviews r WHERE r.course_id = i.id AND r.text <> '')
ORDER BY i.id;

-- name: KnownCourse :one
SELECT i.external_id FROM course_ids i
JOIN courses c ON c.course_id = i.id
WHERE i.id = sqlc.arg(id);

-- A cell is a JSON array: course, source, day, tenths of stars, count.

-- name: RatingCells :many
SELECT CAST(e.key AS INTEGER) AS cell, r.n
FROM json_each(CAST(sqlc.arg(cells) AS TEXT)) e
JOIN ratings r ON r.course_id = json_extract(e.value, '$[0]')
    AND r.source = json_extract(e.value, '$[1]')
    AND r.day = json_extract(e.value, '$[2]')
    AND r.stars_tenths = json_extract(e.value, '$[3]');

-- name: UpsertRatingCells :exec
INSERT INTO ratings (course_id, source, day, stars_tenths, n)
SELECT json_extract(e.value, '$[0]'), json_extract(e.value, '$[1]'), json_extract(e.value, '$[2]'),
    json_extract(e.value, '$[3]'), json_extract(e.value, '$[4]')
FROM json_each(CAST(sqlc.arg(cells) AS TEXT)) e
WHERE true
ON CONFLICT (course_id, source, day, stars_tenths) DO UPDATE SET n = max(n, excluded.n);

-- name: RatingDays :many
SELECT day, CAST(sum(n) AS INTEGER) AS n, CAST(sum(n * stars_tenths) AS INTEGER) AS tenths
FROM (
    SELECT cell.source, cell.day, cell.stars_tenths, max(cell.n) AS n
    FROM (
        SELECT r.source, r.day, r.stars_tenths, r.n
        FROM ratings r WHERE r.course_id = sqlc.arg(course_id)
        UNION ALL
        SELECT v.source, v.day, v.stars_tenths, count(*)
        FROM reviews v
        WHERE v.course_id = sqlc.arg(course_id) AND v.stars_tenths IS NOT NULL AND v.day IS NOT NULL
        GROUP BY v.source, v.day, v.stars_tenths
    ) cell
    GROUP BY cell.source, cell.day, cell.stars_tenths
)
GROUP BY day
ORDER BY day;

-- The statistics come for all courses, or (the Of queries) for a JSON array of ids.

-- name: StatsCourses :many
SELECT c.course_id, i.external_id
FROM courses c
JOIN course_ids i ON i.id = c.course_id
ORDER BY c.course_id;

-- name: StatsCoursesOf :many
SELECT c.course_id, i.external_id
FROM courses c
JOIN course_ids i ON i.id = c.course_id
WHERE i.external_id IN (SELECT value FROM json_each(CAST(sqlc.arg(external_ids) AS TEXT)));

-- name: RatingTotals :many
SELECT course_id, CAST(sum(n) AS INTEGER) AS n, CAST(sum(n * stars_tenths) AS INTEGER) AS tenths
FROM ratings
GROUP BY course_id;

-- name: RatingTotalsOf :many
SELECT course_id, CAST(sum(n) AS INTEGER) AS n, CAST(sum(n * stars_tenths) AS INTEGER) AS tenths
FROM ratings
WHERE course_id IN (SELECT value FROM json_each(CAST(sqlc.arg(course_ids) AS TEXT)))
GROUP BY course_id;

-- What starred reviews add to the ratings: per cell, how many more there are.

-- name: ReviewTotals :many
SELECT cell.course_id,
    CAST(sum(max(0, cell.n - COALESCE(r.n, 0))) AS INTEGER) AS n,
    CAST(sum(max(0, cell.n - COALESCE(r.n, 0)) * COALESCE(cell.stars_tenths, 0)) AS INTEGER) AS tenths,
    CAST(sum(cell.texts) AS INTEGER) AS texts
FROM (
    SELECT v.course_id, v.source, v.day, v.stars_tenths, count(v.stars_tenths) AS n,
        sum(v.text <> '') AS texts
    FROM reviews v
    GROUP BY v.course_id, v.source, v.day, v.stars_tenths
) cell
LEFT JOIN ratings r ON r.course_id = cell.course_id AND r.source = cell.source
    AND r.day = cell.day AND r.stars_tenths = cell.stars_tenths
GROUP BY cell.course_id;

-- name: ReviewTotalsOf :many
SELECT cell.course_id,
    CAST(sum(max(0, cell.n - COALESCE(r.n, 0))) AS INTEGER) AS n,
    CAST(sum(max(0, cell.n - COALESCE(r.n, 0)) * COALESCE(cell.stars_tenths, 0)) AS INTEGER) AS tenths,
    CAST(sum(cell.texts) AS INTEGER) AS texts
FROM (
    SELECT v.course_id, v.source, v.day, v.stars_tenths, count(v.stars_tenths) AS n,
        sum(v.text <> '') AS texts
    FROM reviews v
    WHERE v.course_id IN (SELECT value FROM json_each(CAST(sqlc.arg(course_ids) AS TEXT)))
    GROUP BY v.course_id, v.source, v.day, v.stars_tenths
) cell
LEFT JOIN ratings r ON r.course_id = cell.course_id AND r.source = cell.source
    AND r.day = cell.day AND r.stars_tenths = cell.stars_tenths
GROUP BY cell.course_id;

-- name: Activity :many
SELECT course_id, day, type, n FROM course_activity WHERE day >= sqlc.arg(since);

-- name: ActivityOf :many
SELECT course_id, day, type, n FROM course_activity
WHERE course_id IN (SELECT value FROM json_each(CAST(sqlc.arg(course_ids) AS TEXT)))
  AND day >= sqlc.arg(since);
