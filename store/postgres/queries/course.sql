-- name: CourseIDs :many
SELECT i.id, i.external_id, EXISTS (SELECT 1 FROM courses c WHERE c.course_id = i.id) AS known
FROM course_ids i
WHERE i.external_id = ANY (sqlc.arg(external_ids)::text[]);

-- name: InsertCourseIDs :many
INSERT INTO course_ids (external_id)
SELECT unnest(sqlc.arg(external_ids)::text[])
ON CONFLICT (external_id) DO NOTHING
RETURNING id, external_id;

-- name: CourseID :one
SELECT id FROM course_ids WHERE external_id = sqlc.arg(external_id);

-- LockCourseIDs keeps other writes of these courses out, whether they are there
-- or not. It does not stand in the way of rows that point at them.

-- name: LockCourseIDs :exec
SELECT id FROM course_ids WHERE id = ANY (sqlc.arg(ids)::bigint[])
ORDER BY id
FOR NO KEY UPDATE;

-- name: LockCourses :many
SELECT * FROM courses WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[])
ORDER BY course_id
FOR UPDATE;

-- name: CoursesByExternalID :many
SELECT i.external_id, sqlc.embed(c)
FROM course_ids i
JOIN courses c ON c.course_id = i.id
WHERE i.external_id = ANY (sqlc.arg(external_ids)::text[]);

-- name: CoursesAfter :many
SELECT i.external_id, sqlc.embed(c)
FROM courses c
JOIN course_ids i ON i.id = c.course_id
WHERE c.course_id > sqlc.arg(after)
ORDER BY c.course_id
LIMIT sqlc.arg(max_rows);

-- name: UpsertCourse :batchexec
INSERT INTO courses (
    course_id, title, description, language, provider, instructors, categories, skills, level,
    workload_hours, syllabus, prerequisites, published_at, updated_at, status, enrol_from,
    enrol_until, regions, organisations, url, image_url, rating_mean, rating_count, enrolments,
    extra, content_hash, stored_at
) VALUES (
    sqlc.arg(course_id), sqlc.arg(title), sqlc.arg(description), sqlc.arg(language),
    sqlc.arg(provider), sqlc.arg(instructors), sqlc.arg(categories), sqlc.arg(skills),
    sqlc.arg(level), sqlc.narg(workload_hours), sqlc.arg(syllabus), sqlc.arg(prerequisites),
    sqlc.narg(published_at), sqlc.narg(updated_at), sqlc.arg(status), sqlc.narg(enrol_from),
    sqlc.narg(enrol_until), sqlc.arg(regions), sqlc.arg(organisations), sqlc.arg(url),
    sqlc.arg(image_url), sqlc.arg(rating_mean), sqlc.arg(rating_count), sqlc.arg(enrolments),
    sqlc.arg(extra), sqlc.arg(content_hash), sqlc.arg(stored_at)
)
ON CONFLICT (course_id) DO UPDATE SET
    title = excluded.title, description = excluded.description, language = excluded.language,
    provider = excluded.provider, instructors = excluded.instructors,
    categories = excluded.categories, skills = excluded.skills, level = excluded.level,
    workload_hours = excluded.workload_hours, syllabus = excluded.syllabus,
    prerequisites = excluded.prerequisites, published_at = excluded.published_at,
    updated_at = excluded.updated_at, status = excluded.status, enrol_from = excluded.enrol_from,
    enrol_until = excluded.enrol_until, regions = excluded.regions,
    organisations = excluded.organisations, url = excluded.url, image_url = excluded.image_url,
    rating_mean = excluded.rating_mean, rating_count = excluded.rating_count,
    enrolments = excluded.enrolments, extra = excluded.extra,
    content_hash = excluded.content_hash, stored_at = excluded.stored_at;

-- name: DeleteCourses :many
DELETE FROM courses WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[]) RETURNING course_id;

-- name: CountListedCourses :one
SELECT count(*) FROM courses WHERE status <> 'retired';

-- name: MissingCourses :many
SELECT c.course_id
FROM courses c
JOIN course_ids i ON i.id = c.course_id
WHERE c.status <> 'retired' AND i.external_id <> ALL (sqlc.arg(keep)::text[])
ORDER BY c.course_id
FOR UPDATE OF c;

-- name: RetireCourses :exec
UPDATE courses SET status = 'retired', stored_at = sqlc.arg(stored_at)
WHERE course_id = ANY (sqlc.arg(course_ids)::bigint[]);

-- name: CourseChangesAfter :many
SELECT ch.seq, i.external_id, ch.kind
FROM course_changes ch
JOIN course_ids i ON i.id = ch.course_id
WHERE ch.seq > sqlc.arg(after)
ORDER BY ch.seq
LIMIT sqlc.arg(max_rows);

-- name: CourseContentIDs :many
SELECT course_id FROM courses WHERE content_hash = ANY (sqlc.arg(hashes)::bytea[]) ORDER BY course_id;

-- name: KnownCourses :many
SELECT i.id, i.external_id
FROM course_ids i
JOIN courses c ON c.course_id = i.id
WHERE i.id = ANY (sqlc.arg(ids)::bigint[]);
