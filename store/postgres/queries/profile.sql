-- ProfilesChanged gives the learners new numbers, in their order. The events'
-- lock is held.

-- name: ProfilesChanged :exec
INSERT INTO learner_changes (learner_id)
SELECT w.id FROM (SELECT unnest(sqlc.arg(learner_ids)::bigint[]) AS id) w;

-- ProfileChanges says kind -1 of those who are gone.

-- name: ProfileChanges :many
SELECT ch.seq, ch.learner_id, COALESCE(n.kind, -1)::smallint AS kind, COALESCE(n.external_id, '')::text AS external_id
FROM (
    SELECT * FROM learner_changes x
    WHERE x.seq > sqlc.arg(after)
      AND NOT EXISTS (SELECT 1 FROM learner_changes y WHERE y.learner_id = x.learner_id AND y.seq > x.seq)
    ORDER BY x.seq LIMIT sqlc.arg(max_rows)
) ch
LEFT JOIN LATERAL (
    SELECT o.kind, o.external_id FROM identities o
    WHERE o.learner_id = ch.learner_id ORDER BY o.kind, o.external_id LIMIT 1
) n ON true
ORDER BY ch.seq;

-- CompactProfileChanges removes the older entries of those who have one between the
-- two numbers.

-- name: CompactProfileChanges :execrows
DELETE FROM learner_changes o
USING (
    SELECT ch.learner_id, max(ch.seq) AS newest FROM learner_changes ch
    WHERE ch.seq > sqlc.arg(after) AND ch.seq <= sqlc.arg(upto) GROUP BY ch.learner_id
) n
WHERE o.learner_id = n.learner_id AND o.seq < n.newest;

-- CatchUpProfileChanges gives those a number who have none, and with gone also those
-- again who are gone. The events' lock is held.

-- name: CatchUpProfileChanges :execrows
INSERT INTO learner_changes (learner_id)
SELECT w.id FROM (
    SELECT l.id FROM learners l
    WHERE NOT EXISTS (SELECT 1 FROM learner_changes c WHERE c.learner_id = l.id)
    UNION
    SELECT c.learner_id FROM learner_changes c
    WHERE sqlc.arg(gone)::boolean AND NOT EXISTS (SELECT 1 FROM learners l WHERE l.id = c.learner_id)
) w
ORDER BY w.id;

-- name: PruneProfileChanges :execrows
DELETE FROM learner_changes
WHERE seq <= sqlc.arg(upto)
  AND NOT EXISTS (SELECT 1 FROM learners l WHERE l.id = learner_changes.learner_id);

-- name: SetCorrections :exec
UPDATE learners SET corrections = sqlc.narg(corrections)::text::json WHERE id = sqlc.arg(id);

-- name: DeleteProfileEntries :exec
DELETE FROM profile_entries
WHERE learner_id = sqlc.arg(learner_id) AND course_id = ANY (sqlc.arg(course_ids)::bigint[]);

-- name: EntriesByKey :many
SELECT p.*, i.external_id
FROM (SELECT unnest(sqlc.arg(learner_ids)::bigint[]) AS learner_id) w
CROSS JOIN LATERAL (
    SELECT l.id FROM learners l WHERE l.id = w.learner_id AND coalesce(l.personalisation, true) OFFSET 0
) l
CROSS JOIN LATERAL (
    SELECT * FROM profile_entries x WHERE x.learner_id = l.id OFFSET 0
) p
JOIN course_ids i ON i.id = p.course_id
ORDER BY p.learner_id, p.course_id;

-- name: LearnersOutsideFeed :one
SELECT count(*) FROM learners l
WHERE EXISTS (SELECT 1 FROM profile_entries p WHERE p.learner_id = l.id)
  AND NOT EXISTS (SELECT 1 FROM learner_changes ch WHERE ch.learner_id = l.id);

-- name: LastProfileChange :one
SELECT COALESCE(max(seq), 0)::bigint AS seq FROM learner_changes;
