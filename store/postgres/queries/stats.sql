-- name: Totals :one
SELECT
    (SELECT count(*) FROM courses) AS courses,
    (SELECT count(*) FROM courses WHERE status = 'retired') AS retired,
    (SELECT count(*) FROM reviews) AS reviews,
    (SELECT COALESCE(sum(n), 0)::bigint FROM ratings)::bigint AS ratings,
    (SELECT count(*) FROM learners WHERE NOT anonymous) AS learners,
    (SELECT count(*) FROM learners WHERE anonymous) AS visitors,
    (SELECT count(*) FROM events) AS events,
    (SELECT count(*) FROM rankings) AS rankings,
    (SELECT count(*) FROM searches) AS searches,
    (SELECT count(*) FROM held_reviews WHERE status = 'pending') AS held_reviews,
    (SELECT COALESCE(max(seq), 0)::bigint FROM course_changes)::bigint AS last_change;

-- name: ParkedTotals :one
WITH unknown AS (
    SELECT i.id FROM course_ids i
    WHERE NOT EXISTS (SELECT 1 FROM courses c WHERE c.course_id = i.id)
)
SELECT
    (SELECT count(*) FROM reviews r JOIN unknown u ON r.course_id = u.id) AS reviews,
    (SELECT COALESCE(sum(t.n), 0)::bigint FROM ratings t JOIN unknown u ON t.course_id = u.id)::bigint AS ratings,
    (SELECT count(*) FROM events e JOIN unknown u ON e.course_id = u.id) AS events;

-- name: CoursesOutsideFeed :many
SELECT i.external_id
FROM courses c
JOIN course_ids i ON i.id = c.course_id
WHERE NOT EXISTS (
    SELECT 1 FROM course_changes ch WHERE ch.course_id = c.course_id AND ch.kind = 'course'
)
LIMIT 20;

-- name: LearnersWithoutIdentity :one
SELECT count(*) FROM learners l
WHERE NOT EXISTS (SELECT 1 FROM identities n WHERE n.learner_id = l.id);

-- name: MisnamedLearners :one
SELECT count(*) FROM identities n
JOIN learners l ON l.id = n.learner_id
WHERE (n.kind = 0 AND l.anonymous)
   OR (n.kind = 1 AND NOT l.anonymous
       AND NOT EXISTS (SELECT 1 FROM identities o WHERE o.learner_id = l.id AND o.kind = 0));

-- name: OddVectors :one
SELECT count(*) FROM embeddings WHERE length(vector) = 0 OR length(vector) % 4 <> 0;

-- name: BrokenArtefacts :many
SELECT a.kind, a.version
FROM artefacts a
LEFT JOIN artefact_chunks c ON c.kind = a.kind AND c.version = a.version
GROUP BY a.kind, a.version
HAVING a.size <> COALESCE(sum(length(c.body)), 0);
