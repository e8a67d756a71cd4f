-- The key table says which events of a batch are new; those are copied into
-- the partitioned table under ids that are reserved first.

-- name: ReserveEventIDs :many
SELECT nextval('events_id_seq')::bigint AS id FROM generate_series(1, sqlc.arg(n)::integer);

-- name: InsertEventKeys :many
INSERT INTO event_keys (event_id, id, occurred_at)
SELECT e.event_id, e.id, e.occurred_at
FROM (
    SELECT unnest(sqlc.arg(event_ids)::text[]) AS event_id,
        unnest(sqlc.arg(ids)::bigint[]) AS id,
        unnest(sqlc.arg(occurred_ats)::timestamptz[]) AS occurred_at
) e
ORDER BY e.event_id
ON CONFLICT (event_id) DO NOTHING
RETURNING event_id;

-- name: InsertEvents :copyfrom
INSERT INTO events (
    id, event_id, schema_version, type, learner_id, course_id, occurred_at, received_at, ranking_id,
    position, surface, session_id, value, query, properties
) VALUES (
    sqlc.arg(id), sqlc.arg(event_id), sqlc.arg(schema_version), sqlc.arg(type),
    sqlc.arg(learner_id), sqlc.narg(course_id), sqlc.arg(occurred_at), sqlc.arg(received_at),
    sqlc.narg(ranking_id), sqlc.narg(position), sqlc.arg(surface), sqlc.arg(session_id),
    sqlc.narg(value), sqlc.arg(query), sqlc.narg(properties)
);

-- name: DeleteEventKeysOf :exec
DELETE FROM event_keys k USING events e
WHERE e.learner_id = sqlc.arg(learner_id) AND k.event_id = e.event_id;

-- name: AddActivity :exec
INSERT INTO course_activity (course_id, day, type, n)
SELECT e.course_id, e.day, e.type, e.n
FROM (
    SELECT unnest(sqlc.arg(courses)::bigint[]) AS course_id,
        unnest(sqlc.arg(days)::integer[]) AS day,
        unnest(sqlc.arg(types)::text[]) AS type,
        unnest(sqlc.arg(counts)::bigint[]) AS n
) e
ORDER BY e.course_id, e.day, e.type
ON CONFLICT (course_id, day, type) DO UPDATE SET n = course_activity.n + excluded.n;

-- name: LearnerEvents :many
SELECT sqlc.embed(e), i.external_id AS course
FROM events e
LEFT JOIN course_ids i ON i.id = e.course_id
WHERE e.learner_id = sqlc.arg(learner_id)
ORDER BY e.occurred_at DESC, e.id DESC
LIMIT sqlc.arg(max_rows);

-- name: EventsAfter :many
SELECT sqlc.embed(e), i.external_id AS course, n.kind AS learner_kind, n.external_id AS learner
FROM events e
LEFT JOIN course_ids i ON i.id = e.course_id
CROSS JOIN LATERAL (
    SELECT o.kind, o.external_id FROM identities o
    WHERE o.learner_id = e.learner_id ORDER BY o.kind, o.external_id LIMIT 1
) n
WHERE e.id > sqlc.arg(after)
ORDER BY e.id
LIMIT sqlc.arg(max_rows);
