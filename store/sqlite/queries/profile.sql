-- Lists of learners are JSON arrays, in the order in which they get their numbers.

-- name: ProfilesChanged :exec
INSERT INTO learner_changes (learner_id)
SELECT value FROM json_each(CAST(sqlc.arg(learner_ids) AS TEXT));

-- ProfileChanges says kind -1 of those who are gone.

-- name: ProfileChanges :many
SELECT ch.seq, ch.learner_id,
    CAST(COALESCE((SELECT n.kind FROM identities n WHERE n.learner_id = ch.learner_id
        ORDER BY n.kind, n.external_id LIMIT 1), -1) AS INTEGER) AS kind,
    CAST(COALESCE((SELECT n.external_id FROM identities n WHERE n.learner_id = ch.learner_id
        ORDER BY n.kind, n.external_id LIMIT 1), '') AS TEXT) AS external_id
FROM learner_changes ch
WHERE ch.seq > sqlc.arg(after)
  AND NOT EXISTS (SELECT 1 FROM learner_changes x WHERE x.learner_id = ch.learner_id AND x.seq > ch.seq)
ORDER BY ch.seq
LIMIT sqlc.arg(max_rows);

-- CompactProfileChanges removes the older entries of those who have one between the
-- two numbers.

-- name: CompactProfileChanges :execrows
DELETE FROM learner_changes
WHERE seq IN (
    SELECT o.seq
    FROM (
        SELECT ch.learner_id, max(ch.seq) AS newest FROM learner_changes ch
        WHERE ch.seq > sqlc.arg(after) AND ch.seq <= sqlc.arg(upto) GROUP BY ch.learner_id
    ) n
    JOIN learner_changes o ON o.learner_id = n.learner_id AND o.seq < n.newest
);

-- CatchUpProfileChanges gives those a number who have none, and with gone also those
-- again who are gone.

-- name: CatchUpProfileChanges :execrows
INSERT INTO learner_changes (learner_id)
SELECT w.id FROM (
    SELECT l.id FROM learners l
    WHERE NOT EXISTS (SELECT 1 FROM learner_changes c WHERE c.learner_id = l.id)
    UNION
    SELECT c.learner_id FROM learner_changes c
    WHERE CAST(sqlc.arg(gone) AS INTEGER) = 1 AND NOT EXISTS (SELECT 1 FROM learners l WHERE l.id = c.learner_id)
) w
ORDER BY w.id;

-- name: PruneProfileChanges :execrows
DELETE FROM learner_changes
WHERE seq <= sqlc.arg(upto)
  AND NOT EXISTS (SELECT 1 FROM learners l WHERE l.id = learner_changes.learner_id);

-- name: SetCorrections :exec
UPDATE learners SET corrections = sqlc.narg(corrections) WHERE id = sqlc.arg(id);

-- Courses are a JSON array.

-- name: DeleteProfileEntries :exec
DELETE FROM profile_entries
WHERE learner_id = sqlc.arg(learner_id)
  AND course_id IN (SELECT value FROM json_each(CAST(sqlc.arg(course_ids) AS TEXT)));

-- name: EntriesByKey :many
SELECT sqlc.embed(p), i.external_id
FROM json_each(CAST(sqlc.arg(learner_ids) AS TEXT)) w
JOIN learners l ON l.id = w.value AND coalesce(l.personalisation, 1) <> 0
JOIN profile_entries p ON p.learner_id = l.id
JOIN course_ids i ON i.id = p.course_id
ORDER BY p.learner_id, p.course_id;

-- name: LearnersOutsideFeed :one
SELECT count(*) FROM learners l
WHERE EXISTS (SELECT 1 FROM profile_entries p WHERE p.learner_id = l.id)
  AND NOT EXISTS (SELECT 1 FROM learner_changes ch WHERE ch.learner_id = l.id);

-- name: LastProfileChange :one
SELECT CAST(COALESCE(max(seq), 0) AS INTEGER) AS seq FROM learner_changes;
