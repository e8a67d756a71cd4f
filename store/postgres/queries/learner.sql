-- name: Identity :one
SELECT learner_id FROM identities WHERE kind = sqlc.arg(kind) AND external_id = sqlc.arg(external_id);

-- name: Identities :many
SELECT kind, external_id, learner_id FROM identities
WHERE kind = sqlc.arg(kind) AND external_id = ANY (sqlc.arg(external_ids)::text[]);

-- InsertIdentity returns no row when another transaction was faster: read its
-- learner then, and delete the one made in vain.

-- name: InsertIdentity :execrows
INSERT INTO identities (kind, external_id, learner_id)
VALUES (sqlc.arg(kind), sqlc.arg(external_id), sqlc.arg(learner_id))
ON CONFLICT (kind, external_id) DO NOTHING;

-- name: MoveIdentities :exec
UPDATE identities SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: IdentityOf :one
SELECT kind, external_id FROM identities
WHERE learner_id = sqlc.arg(learner_id) ORDER BY kind, external_id LIMIT 1;

-- name: InsertLearner :one
INSERT INTO learners (
    anonymous, interests, goal, weekly_hours, preferred_level, languages, region, organisations,
    personalisation, exploration, profile_version, created_at, updated_at
) VALUES (
    sqlc.arg(anonymous), sqlc.arg(interests), sqlc.arg(goal), sqlc.narg(weekly_hours),
    sqlc.arg(preferred_level), sqlc.arg(languages), sqlc.arg(region), sqlc.arg(organisations),
    sqlc.narg(personalisation), sqlc.narg(exploration), sqlc.arg(profile_version), sqlc.arg(created_at), sqlc.arg(updated_at)
) RETURNING id;

-- name: LearnerByID :one
SELECT * FROM learners WHERE id = sqlc.arg(id);

-- LockLearners locks in the order of ids, so that two writes cannot wait for
-- each other.

-- name: LockLearners :many
SELECT * FROM learners WHERE id = ANY (sqlc.arg(ids)::bigint[]) ORDER BY id FOR UPDATE;

-- name: UpdateLearner :exec
UPDATE learners SET
    interests = sqlc.arg(interests), goal = sqlc.arg(goal), weekly_hours = sqlc.narg(weekly_hours),
    preferred_level = sqlc.arg(preferred_level), languages = sqlc.arg(languages),
    region = sqlc.arg(region), organisations = sqlc.arg(organisations),
    personalisation = sqlc.narg(personalisation), exploration = sqlc.narg(exploration),
    profile_version = profile_version + 1, updated_at = sqlc.arg(updated_at)
WHERE id = sqlc.arg(id);

-- name: BumpProfiles :exec
UPDATE learners SET profile_version = profile_version + 1
WHERE id = ANY (sqlc.arg(learner_ids)::bigint[]);

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
JOIN profile_entries p ON p.learner_id = e.learner_id AND p.course_id = e.course_id;

-- name: ProfileEntries :many
SELECT sqlc.embed(p), i.external_id
FROM profile_entries p
JOIN course_ids i ON i.id = p.course_id
WHERE p.learner_id = sqlc.arg(learner_id)
ORDER BY p.course_id;

-- name: PutProfileEntry :batchexec
INSERT INTO profile_entries (learner_id, course_id, weight, weight_at, half_life, state, last_at)
VALUES (
    sqlc.arg(learner_id), sqlc.arg(course_id), sqlc.arg(weight), sqlc.arg(weight_at),
    sqlc.arg(half_life), sqlc.arg(state), sqlc.arg(last_at)
)
ON CONFLICT (learner_id, course_id) DO UPDATE SET
    weight = excluded.weight, weight_at = excluded.weight_at, half_life = excluded.half_life,
    state = excluded.state, last_at = excluded.last_at;

-- name: MoveEvents :exec
UPDATE events SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: MoveRankings :exec
UPDATE rankings SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: MoveReviews :exec
UPDATE reviews SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);
