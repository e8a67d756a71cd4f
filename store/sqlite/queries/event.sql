-- name: KnownEvents :many
SELECT event_id FROM events
WHERE event_id IN (SELECT value FROM json_each(CAST(sqlc.arg(event_ids) AS TEXT)));

-- name: InsertEvent :exec
INSERT INTO events (
    event_id, schema_version, type, learner_id, course_id, occurred_at, received_at, ranking_id,
    position, surface, session_id, value, query, properties
) VALUES (
    sqlc.arg(event_id), sqlc.arg(schema_version), sqlc.arg(type), sqlc.arg(learner_id),
    sqlc.narg(course_id), sqlc.arg(occurred_at), sqlc.arg(received_at), sqlc.narg(ranking_id),
    sqlc.narg(position), sqlc.arg(surface), sqlc.arg(session_id), sqlc.narg(value),
    sqlc.arg(query), sqlc.narg(properties)
);

-- Counts are JSON arrays of course, day, type and number.

-- name: AddActivity :exec
INSERT INTO course_activity (course_id, day, type, n)
SELECT json_extract(e.value, '$[0]'), json_extract(e.value, '$[1]'), json_extract(e.value, '$[2]'),
    json_extract(e.value, '$[3]')
FROM json_each(CAST(sqlc.arg(counts) AS TEXT)) e
WHERE true
ON CONFLICT (course_id, day, type) DO UPDATE SET n = n + excluded.n;

-- name: LearnerEvents :many
SELECT sqlc.embed(e), i.external_id AS course
FROM events e
LEFT JOIN course_ids i ON i.id = e.course_id
WHERE e.learner_id = sqlc.arg(learner_id)
ORDER BY e.occurred_at DESC, e.id DESC
LIMIT sqlc.arg(max_rows);

-- name: EventsAfter :many
SELECT sqlc.embed(e), i.external_id AS course,
    CAST((SELECT n.kind FROM identities n WHERE n.learner_id = e.learner_id
        ORDER BY n.kind, n.external_id LIMIT 1) AS INTEGER) AS learner_kind,
    CAST((SELECT n.external_id FROM identities n WHERE n.learner_id = e.learner_id
        ORDER BY n.kind, n.external_id LIMIT 1) AS TEXT) AS learner
FROM events e
LEFT JOIN course_ids i ON i.id = e.course_id
WHERE e.id > sqlc.arg(after)
ORDER BY e.id
LIMIT sqlc.arg(max_rows);
