-- name: Identity :one
SELECT learner_id FROM identities WHERE kind = sqlc.arg(kind) AND external_id = sqlc.arg(external_id);

-- Lists of keys are looked up one by one (LATERAL, with an OFFSET that keeps it
-- so): a plan that was made for a table when it was small would otherwise read
-- the whole of it for as long as nobody has analysed it again.

-- name: Identities :many
SELECT p.*
FROM (
    SELECT unnest(sqlc.arg(kinds)::smallint[]) AS kind,
        unnest(sqlc.arg(external_ids)::text[]) AS external_id
) w
CROSS JOIN LATERAL (
    SELECT n.kind, n.external_id, n.learner_id, (SELECT l.anonymous FROM learners l WHERE l.id = n.learner_id) AS anonymous
    FROM identities n
    WHERE n.kind = w.kind AND n.external_id = w.external_id
    OFFSET 0
) p;

-- InsertIdentities leaves out what another transaction was faster with.

-- name: InsertIdentities :execrows
INSERT INTO identities (kind, external_id, learner_id)
SELECT w.kind, w.external_id, w.learner_id
FROM (
    SELECT unnest(sqlc.arg(kinds)::smallint[]) AS kind,
        unnest(sqlc.arg(external_ids)::text[]) AS external_id,
        unnest(sqlc.arg(learner_ids)::bigint[]) AS learner_id
) w
ORDER BY w.kind, w.external_id
ON CONFLICT (kind, external_id) DO NOTHING;

-- name: MoveIdentities :exec
UPDATE identities SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: IdentityOf :one
SELECT kind, external_id FROM identities
WHERE learner_id = sqlc.arg(learner_id) ORDER BY kind, external_id LIMIT 1;

-- CreateLearners makes learners and visitors of whom nothing is known yet.
-- Versions begin at the server's time in microseconds, so that one who is erased
-- and comes back never has a version that a cache still knows.

-- name: CreateLearners :many
INSERT INTO learners (
    anonymous, interests, goal, preferred_level, languages, region, organisations,
    profile_version, created_at, updated_at
)
SELECT n.anonymous, '{}', '', '', '{}', '', '{}',
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, sqlc.arg(created_at), sqlc.arg(created_at)
FROM (SELECT unnest(sqlc.arg(anonymous)::boolean[]) AS anonymous) n
RETURNING id, anonymous;

-- name: LearnerByID :one
SELECT * FROM learners WHERE id = sqlc.arg(id);

-- LockLearners locks in the order in which it gets the ids, a rising one, so that two writes cannot wait for
-- each other. Rows that refer to a learner may still be written.

-- name: LockLearners :many
SELECT l.*
FROM (SELECT unnest(sqlc.arg(ids)::bigint[]) AS id) w
CROSS JOIN LATERAL (SELECT * FROM learners x WHERE x.id = w.id OFFSET 0 FOR NO KEY UPDATE) l;

-- SeizeLearners locks learners who are about to go: nothing that refers to them
-- may be written any more.

-- name: SeizeLearners :many
SELECT l.*
FROM (SELECT unnest(sqlc.arg(ids)::bigint[]) AS id) w
CROSS JOIN LATERAL (SELECT * FROM learners x WHERE x.id = w.id OFFSET 0 FOR UPDATE) l;

-- name: UpdateLearner :exec
UPDATE learners SET
    interests = sqlc.arg(interests), goal = sqlc.arg(goal), weekly_hours = sqlc.narg(weekly_hours),
    preferred_level = sqlc.arg(preferred_level), languages = sqlc.arg(languages),
    region = sqlc.arg(region), organisations = sqlc.arg(organisations),
    personalisation = sqlc.narg(personalisation), exploration = sqlc.narg(exploration), minor = sqlc.arg(minor),
    profile_version = profile_version + 1, created_at = sqlc.arg(created_at),
    updated_at = sqlc.arg(updated_at)
WHERE id = sqlc.arg(id);

-- name: BumpProfiles :exec
UPDATE learners SET profile_version = profile_version + 1
WHERE ctid = ANY (ARRAY(
    SELECT (SELECT l.ctid FROM learners l WHERE l.id = w.id)
    FROM (SELECT unnest(sqlc.arg(learner_ids)::bigint[]) AS id) w
));

-- name: ProfileVersion :one
SELECT l.profile_version FROM identities n JOIN learners l ON l.id = n.learner_id
WHERE n.kind = sqlc.arg(kind) AND n.external_id = sqlc.arg(external_id);

-- name: DeleteLearner :exec
DELETE FROM learners WHERE id = sqlc.arg(id);

-- name: ProfileEntriesOf :many
SELECT p.*
FROM (
    SELECT unnest(sqlc.arg(learners)::bigint[]) AS learner_id,
        unnest(sqlc.arg(courses)::bigint[]) AS course_id
) e
CROSS JOIN LATERAL (
    SELECT * FROM profile_entries x WHERE x.learner_id = e.learner_id AND x.course_id = e.course_id OFFSET 0
) p;

-- name: ProfileEntries :many
SELECT sqlc.embed(p), i.external_id
FROM profile_entries p
JOIN course_ids i ON i.id = p.course_id
WHERE p.learner_id = sqlc.arg(learner_id)
ORDER BY p.course_id;

-- name: PutProfileEntries :exec
INSERT INTO profile_entries (learner_id, course_id, weight, weight_at, half_life, state, last_at, progress)
SELECT e.learner_id, e.course_id, e.weight, e.weight_at, e.half_life, e.state, e.last_at, e.progress
FROM (
    SELECT unnest(sqlc.arg(learners)::bigint[]) AS learner_id,
        unnest(sqlc.arg(courses)::bigint[]) AS course_id,
        unnest(sqlc.arg(weights)::double precision[]) AS weight,
        unnest(sqlc.arg(weight_ats)::timestamptz[]) AS weight_at,
        unnest(sqlc.arg(half_lives)::bigint[]) AS half_life,
        unnest(sqlc.arg(states)::integer[]) AS state,
        unnest(sqlc.arg(last_ats)::timestamptz[]) AS last_at,
        unnest(sqlc.arg(progresses)::double precision[]) AS progress
) e
ON CONFLICT (learner_id, course_id) DO UPDATE SET
    weight = excluded.weight, weight_at = excluded.weight_at, half_life = excluded.half_life,
    state = excluded.state, last_at = excluded.last_at, progress = excluded.progress;

-- name: MoveEvents :exec
UPDATE events SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: MoveRankings :exec
UPDATE rankings SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: MoveReviews :exec
UPDATE reviews SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);
