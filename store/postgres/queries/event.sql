-- The key table says which events of a batch are new. Their rows come last in
-- the transaction, under the events' advisory lock, so that the order of their
-- ids is the order of commits.

-- name: InsertEventKeys :many
INSERT INTO event_keys (event_id, occurred_at)
SELECT e.event_id, e.occurred_at
FROM (
    SELECT unnest(sqlc.arg(event_ids)::text[]) AS event_id,
        unnest(sqlc.arg(occurred_ats)::timestamptz[]) AS occurred_at
) e
ORDER BY e.event_id
ON CONFLICT (event_id) DO NOTHING
RETURNING event_id;

-- name: AwaitTurn :exec
SELECT pg_advisory_xact_lock(sqlc.arg(key)::bigint);

-- InsertEvents takes arrays of equal length, which have no nulls: a course of 0,
-- the lowest position, a value that is no number and empty texts stand for them.

-- name: InsertEvents :exec
INSERT INTO events (
    event_id, schema_version, type, learner_id, course_id, occurred_at, received_at, ranking_id,
    position, surface, session_id, value, query, properties
)
SELECT e.event_id, e.schema_version, e.type, e.learner_id, NULLIF(e.course_id, 0), e.occurred_at,
    e.received_at, NULLIF(e.ranking_id, ''), NULLIF(e.position, -2147483648), e.surface,
    e.session_id, NULLIF(e.value, 'NaN'::double precision), e.query, NULLIF(e.properties, '')::json
FROM (
    SELECT unnest(sqlc.arg(event_ids)::text[]) AS event_id,
        unnest(sqlc.arg(schema_versions)::integer[]) AS schema_version,
        unnest(sqlc.arg(types)::text[]) AS type,
        unnest(sqlc.arg(learner_ids)::bigint[]) AS learner_id,
        unnest(sqlc.arg(course_ids)::bigint[]) AS course_id,
        unnest(sqlc.arg(occurred_ats)::timestamptz[]) AS occurred_at,
        unnest(sqlc.arg(received_ats)::timestamptz[]) AS received_at,
        unnest(sqlc.arg(ranking_ids)::text[]) AS ranking_id,
        unnest(sqlc.arg(positions)::integer[]) AS position,
        unnest(sqlc.arg(surfaces)::text[]) AS surface,
        unnest(sqlc.arg(session_ids)::text[]) AS session_id,
        unnest(sqlc.arg(vals)::double precision[]) AS value,
        unnest(sqlc.arg(queries)::text[]) AS query,
        unnest(sqlc.arg(properties)::text[]) AS properties
) e;

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
