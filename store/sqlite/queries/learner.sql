-- name: Identity :one
SELECT learner_id FROM identities WHERE kind = sqlc.arg(kind) AND external_id = sqlc.arg(external_id);

-- name: Identities :many
SELECT kind, external_id, learner_id FROM identities
WHERE kind = sqlc.arg(kind)
  AND external_id IN (SELECT value FROM json_each(CAST(sqlc.arg(external_ids) AS TEXT)));

-- name: InsertIdentity :exec
INSERT INTO identities (kind, external_id, learner_id)
VALUES (sqlc.arg(kind), sqlc.arg(external_id), sqlc.arg(learner_id));

-- name: MoveIdentities :exec
UPDATE identities SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: IdentityOf :one
SELECT kind, external_id FROM identities
WHERE learner_id = sqlc.arg(learner_id) ORDER BY kind, external_id LIMIT 1;

-- name: InsertLearner :one
INSERT INTO learners (
    anonymous, interests, goal, weekly_hours, preferred_level, languages, region, organisations,
    personalisation, exploration, minor, profile_version, created_at, updated_at
) VALUES (
    sqlc.arg(anonymous), sqlc.arg(interests), sqlc.arg(goal), sqlc.narg(weekly_hours),
    sqlc.arg(preferred_level), sqlc.arg(languages), sqlc.arg(region), sqlc.arg(organisations),
    sqlc.narg(personalisation), sqlc.narg(exploration), sqlc.arg(minor), sqlc.arg(profile_version), sqlc.arg(created_at), sqlc.arg(updated_at)
) RETURNING id;

-- name: LearnerByID :one
SELECT * FROM learners WHERE id = sqlc.arg(id);

-- name: UpdateLearner :exec
UPDATE learners SET
    interests = sqlc.arg(interests), goal = sqlc.arg(goal), weekly_hours = sqlc.narg(weekly_hours),
    preferred_level = sqlc.arg(preferred_level), languages = sqlc.arg(languages),
    region = sqlc.arg(region), organisations = sqlc.arg(organisations),
    personalisation = sqlc.narg(personalisation), exploration = sqlc.narg(exploration), minor = sqlc.arg(minor),
    profile_version = profile_version + 1, updated_at = sqlc.arg(updated_at)
WHERE id = sqlc.arg(id);

-- name: BumpProfiles :exec
UPDATE learners SET profile_version = profile_version + 1
WHERE id IN (SELECT value FROM json_each(CAST(sqlc.arg(learner_ids) AS TEXT)));

-- name: ProfileVersion :one
SELECT l.profile_version FROM identities n JOIN learners l ON l.id = n.learner_id
WHERE n.kind = sqlc.arg(kind) AND n.external_id = sqlc.arg(external_id);

-- name: DeleteLearner :exec
DELETE FROM learners WHERE id = sqlc.arg(id);

-- Pairs are JSON arrays of learner and course.

-- name: ProfileEntriesOf :many
SELECT p.*
FROM json_each(CAST(sqlc.arg(pairs) AS TEXT)) e
JOIN profile_entries p ON p.learner_id = json_extract(e.value, '$[0]')
    AND p.course_id = json_extract(e.value, '$[1]');

-- name: ProfileEntries :many
SELECT sqlc.embed(p), i.external_id
FROM profile_entries p
JOIN course_ids i ON i.id = p.course_id
WHERE p.learner_id = sqlc.arg(learner_id)
ORDER BY p.course_id;

-- name: PutProfileEntry :exec
INSERT INTO profile_entries (learner_id, course_id, weight, weight_at, half_life, state, last_at, progress)
VALUES (
    sqlc.arg(learner_id), sqlc.arg(course_id), sqlc.arg(weight), sqlc.arg(weight_at),
    sqlc.arg(half_life), sqlc.arg(state), sqlc.arg(last_at), sqlc.arg(progress)
)
ON CONFLICT (learner_id, course_id) DO UPDATE SET
    weight = excluded.weight, weight_at = excluded.weight_at, half_life = excluded.half_life,
    state = excluded.state, last_at = excluded.last_at, progress = excluded.progress;

-- name: MoveEvents :exec
UPDATE events SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: MoveRankings :exec
UPDATE rankings SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);

-- name: MoveReviews :exec
UPDATE reviews SET learner_id = sqlc.arg(to_id) WHERE learner_id = sqlc.arg(from_id);
