-- name: FeedbackByID :one
SELECT sqlc.embed(f), i.external_id
FROM feedback f
JOIN course_ids i ON i.id = f.course_id
WHERE f.feedback_id = sqlc.arg(feedback_id);

-- name: FeedbackOf :many
SELECT sqlc.embed(f), i.external_id
FROM feedback f
JOIN course_ids i ON i.id = f.course_id
WHERE f.learner_id = sqlc.arg(learner_id)
ORDER BY f.at DESC, f.id DESC;

-- ReplaceFeedback makes room for what takes the place of others.

-- name: ReplaceFeedback :execrows
DELETE FROM feedback
WHERE learner_id = sqlc.arg(learner_id)
  AND (feedback_id = sqlc.arg(feedback_id)::text OR course_id = sqlc.arg(course_id) AND kind = sqlc.arg(kind));

-- InsertFeedback leaves out what another transaction was faster with.

-- name: InsertFeedback :execrows
INSERT INTO feedback (
    feedback_id, learner_id, course_id, kind, at, until, reason, comment, ranking_id, position,
    surface, list_row, term, config_version, status, note, set_by
) VALUES (
    sqlc.arg(feedback_id)::text, sqlc.arg(learner_id)::bigint, sqlc.arg(course_id), sqlc.arg(kind), sqlc.arg(at),
    sqlc.narg(until), sqlc.arg(reason), sqlc.arg(comment), sqlc.narg(ranking_id), sqlc.narg(position),
    sqlc.arg(surface), sqlc.arg(list_row), sqlc.arg(term), sqlc.arg(config_version), sqlc.arg(status), '', ''
)
ON CONFLICT DO NOTHING;

-- name: DeleteFeedback :execrows
DELETE FROM feedback WHERE learner_id = sqlc.arg(learner_id)::bigint AND feedback_id = sqlc.arg(feedback_id)::text;

-- DropOlderFeedback leaves, of what two people said in one kind about one course,
-- what was said last.

-- name: DropOlderFeedback :exec
DELETE FROM feedback f
USING feedback g
WHERE f.learner_id = ANY (sqlc.arg(people)::bigint[]) AND g.learner_id = ANY (sqlc.arg(people)::bigint[])
  AND g.learner_id <> f.learner_id AND g.course_id = f.course_id AND g.kind = f.kind
  AND (g.at > f.at OR g.at = f.at AND g.id > f.id);

-- name: MoveFeedback :exec
UPDATE feedback SET learner_id = sqlc.arg(to_id)::bigint WHERE learner_id = sqlc.arg(from_id)::bigint;

-- DetachReports leaves of a learner's reports what tells nothing of who made them.

-- name: DetachReports :exec
UPDATE feedback SET learner_id = NULL, feedback_id = NULL, comment = '', ranking_id = NULL, position = NULL
WHERE learner_id = sqlc.arg(learner_id)::bigint AND kind = 'report';

-- Reports takes the empty course for all, and no states for all.

-- name: Reports :many
SELECT sqlc.embed(f), i.external_id
FROM feedback f
JOIN course_ids i ON i.id = f.course_id
WHERE f.kind = 'report' AND f.at >= sqlc.arg(since)
  AND (sqlc.arg(course)::text = '' OR i.external_id = sqlc.arg(course)::text)
  AND (cardinality(sqlc.arg(statuses)::text[]) = 0 OR f.status = ANY (sqlc.arg(statuses)::text[]))
ORDER BY f.at DESC, f.id DESC
LIMIT sqlc.arg(max_rows);

-- name: SetReports :execrows
UPDATE feedback SET status = sqlc.arg(status), note = sqlc.arg(note), set_by = sqlc.arg(set_by), set_at = sqlc.arg(set_at)::timestamptz
WHERE kind = 'report' AND course_id = (SELECT i.id FROM course_ids i WHERE i.external_id = sqlc.arg(course))
  AND status = ANY (sqlc.arg(from_statuses)::text[]);
