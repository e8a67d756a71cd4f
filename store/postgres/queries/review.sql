-- name: ReviewsByID :many
SELECT * FROM reviews WHERE review_id = ANY (sqlc.arg(review_ids)::text[]) ORDER BY review_id FOR UPDATE;

-- name: ReviewByID :one
SELECT * FROM reviews WHERE review_id = sqlc.arg(review_id);

-- What may be missing comes with a value that stands for it: 0 for a learner
-- and for stars, and dated tells whether written_at counts.

-- name: UpsertReviews :exec
INSERT INTO reviews (
    review_id, source, course_id, learner_id, stars_tenths, text, language, helpful, written_at,
    day, sort_at
)
SELECT e.review_id, e.source, e.course_id, NULLIF(e.learner_id, 0), NULLIF(e.stars_tenths, 0), e.text,
    e.language, e.helpful, CASE WHEN e.dated THEN e.written_at END, CASE WHEN e.dated THEN e.day END,
    CASE WHEN e.dated THEN e.written_at ELSE '-infinity'::timestamptz END
FROM (
    SELECT unnest(sqlc.arg(review_ids)::text[]) AS review_id,
        unnest(sqlc.arg(sources)::text[]) AS source,
        unnest(sqlc.arg(courses)::bigint[]) AS course_id,
        unnest(sqlc.arg(learners)::bigint[]) AS learner_id,
        unnest(sqlc.arg(stars_tenths)::integer[]) AS stars_tenths,
        unnest(sqlc.arg(texts)::text[]) AS text,
        unnest(sqlc.arg(languages)::text[]) AS language,
        unnest(sqlc.arg(helpful)::bigint[]) AS helpful,
        unnest(sqlc.arg(dated)::boolean[]) AS dated,
        unnest(sqlc.arg(written_ats)::timestamptz[]) AS written_at,
        unnest(sqlc.arg(days)::integer[]) AS day
) e
ORDER BY e.review_id
ON CONFLICT (review_id) DO UPDATE SET
    source = excluded.source, course_id = excluded.course_id, learner_id = excluded.learner_id,
    stars_tenths = excluded.stars_tenths, text = excluded.text, language = excluded.language,
    helpful = excluded.helpful, written_at = excluded.written_at, day = excluded.day,
    sort_at = excluded.sort_at;

-- name: DeleteReview :execrows
DELETE FROM reviews WHERE id = sqlc.arg(id);

-- name: DeleteReviewsOfCourses :exec
DELETE FROM reviews WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[]);

-- name: DeleteRatingsOfCourses :exec
DELETE FROM ratings WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[]);

-- name: DeleteReviewEmbeddingsOfCourses :exec
DELETE FROM review_embeddings WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[]);

-- name: CoursesWithReviews :many
SELECT i.external_id
FROM course_ids i
WHERE i.id = ANY (sqlc.arg(course_ids)::bigint[])
  AND EXISTS (SELECT 1 FROM reviews r WHERE r.course_id = i.id AND r.text <> '')
ORDER BY i.id;

-- name: NewestReviews :many
SELECT sqlc.embed(r), COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '')::text AS learner, COALESCE((
    SELECT h.status FROM held_reviews h WHERE h.review_id = r.id
), '')::text AS held
FROM reviews r
WHERE r.course_id = sqlc.arg(course_id) AND r.text <> ''
ORDER BY r.sort_at DESC, r.id DESC
LIMIT sqlc.arg(max_rows);

-- name: ReviewsBefore :many
SELECT sqlc.embed(r), COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '')::text AS learner, COALESCE((
    SELECT h.status FROM held_reviews h WHERE h.review_id = r.id
), '')::text AS held
FROM reviews r
JOIN reviews a ON a.id = sqlc.arg(after_id)
WHERE r.course_id = sqlc.arg(course_id)
  AND r.text <> ''
  AND (r.sort_at, r.id) < (a.sort_at, a.id)
ORDER BY r.sort_at DESC, r.id DESC
LIMIT sqlc.arg(max_rows);

-- With and without text.

-- name: AllNewestReviews :many
SELECT sqlc.embed(r), COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '')::text AS learner, COALESCE((
    SELECT h.status FROM held_reviews h WHERE h.review_id = r.id
), '')::text AS held
FROM reviews r
WHERE r.course_id = sqlc.arg(course_id)
ORDER BY r.sort_at DESC, r.id DESC
LIMIT sqlc.arg(max_rows);

-- name: AllReviewsBefore :many
SELECT sqlc.embed(r), COALESCE((
    SELECT n.external_id FROM identities n WHERE n.learner_id = r.learner_id ORDER BY n.kind LIMIT 1
), '')::text AS learner, COALESCE((
    SELECT h.status FROM held_reviews h WHERE h.review_id = r.id
), '')::text AS held
FROM reviews r
JOIN reviews a ON a.id = sqlc.arg(after_id)
WHERE r.course_id = sqlc.arg(course_id)
  AND (r.sort_at, r.id) < (a.sort_at, a.id)
ORDER BY r.sort_at DESC, r.id DESC
LIMIT sqlc.arg(max_rows);

-- A cell's parts come in arrays of equal length, each cell once. What is returned
-- are the cells that were there before, as they were.

-- name: PutRatingCells :many
WITH cell AS (
    SELECT unnest(sqlc.arg(courses)::bigint[]) AS course_id,
        unnest(sqlc.arg(sources)::text[]) AS source,
        unnest(sqlc.arg(days)::integer[]) AS day,
        unnest(sqlc.arg(tenths)::integer[]) AS stars_tenths,
        unnest(sqlc.arg(counts)::bigint[]) AS n
), stored AS (
    SELECT r.course_id, r.source, r.day, r.stars_tenths, r.n
    FROM cell c
    JOIN ratings r ON r.course_id = c.course_id AND r.source = c.source AND r.day = c.day
        AND r.stars_tenths = c.stars_tenths
), grown AS (
    INSERT INTO ratings (course_id, source, day, stars_tenths, n)
    SELECT c.course_id, c.source, c.day, c.stars_tenths, c.n
    FROM cell c
    LEFT JOIN stored s ON s.course_id = c.course_id AND s.source = c.source AND s.day = c.day
        AND s.stars_tenths = c.stars_tenths
    WHERE s.n IS NULL OR s.n < c.n
    ORDER BY c.course_id, c.source, c.day, c.stars_tenths
    ON CONFLICT (course_id, source, day, stars_tenths) DO UPDATE SET n = greatest(ratings.n, excluded.n)
)
SELECT course_id, source, day, stars_tenths, n FROM stored;

-- name: RatingDays :many
SELECT cells.day::integer AS day, sum(cells.n)::bigint AS n, sum(cells.n * cells.stars_tenths)::bigint AS tenths
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
) cells
GROUP BY cells.day
ORDER BY cells.day;

-- The statistics come for all courses, or (the Of queries) for an array of ids.

-- name: StatsCourses :many
SELECT c.course_id, i.external_id
FROM courses c
JOIN course_ids i ON i.id = c.course_id
ORDER BY c.course_id;

-- name: StatsCoursesOf :many
SELECT c.course_id, i.external_id
FROM courses c
JOIN course_ids i ON i.id = c.course_id
WHERE i.external_id = ANY (sqlc.arg(external_ids)::text[]);

-- name: RatingTotals :many
SELECT course_id, sum(n)::bigint AS n, sum(n * stars_tenths)::bigint AS tenths
FROM ratings
GROUP BY course_id;

-- name: RatingTotalsOf :many
SELECT course_id, sum(n)::bigint AS n, sum(n * stars_tenths)::bigint AS tenths
FROM ratings
WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[])
GROUP BY course_id;

-- What starred reviews add to the ratings: per cell, how many more there are.

-- name: ReviewTotals :many
SELECT cell.course_id,
    sum(greatest(0, cell.n - COALESCE(r.n, 0)))::bigint AS n,
    sum(greatest(0, cell.n - COALESCE(r.n, 0)) * COALESCE(cell.stars_tenths, 0))::bigint AS tenths,
    sum(cell.texts)::bigint AS texts
FROM (
    SELECT v.course_id, v.source, v.day, v.stars_tenths, count(v.stars_tenths) AS n,
        count(*) FILTER (WHERE v.text <> '') AS texts
    FROM reviews v
    GROUP BY v.course_id, v.source, v.day, v.stars_tenths
) cell
LEFT JOIN ratings r ON r.course_id = cell.course_id AND r.source = cell.source
    AND r.day = cell.day AND r.stars_tenths = cell.stars_tenths
GROUP BY cell.course_id;

-- name: ReviewTotalsOf :many
SELECT cell.course_id,
    sum(greatest(0, cell.n - COALESCE(r.n, 0)))::bigint AS n,
    sum(greatest(0, cell.n - COALESCE(r.n, 0)) * COALESCE(cell.stars_tenths, 0))::bigint AS tenths,
    sum(cell.texts)::bigint AS texts
FROM (
    SELECT v.course_id, v.source, v.day, v.stars_tenths, count(v.stars_tenths) AS n,
        count(*) FILTER (WHERE v.text <> '') AS texts
    FROM reviews v
    WHERE v.course_id = ANY (sqlc.arg(course_ids)::bigint[])
    GROUP BY v.course_id, v.source, v.day, v.stars_tenths
) cell
LEFT JOIN ratings r ON r.course_id = cell.course_id AND r.source = cell.source
    AND r.day = cell.day AND r.stars_tenths = cell.stars_tenths
GROUP BY cell.course_id;

-- name: Activity :many
SELECT course_id, day, type, n FROM course_activity WHERE day >= sqlc.arg(since);

-- name: ActivityOf :many
SELECT course_id, day, type, n FROM course_activity
WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[]) AND day >= sqlc.arg(since);
