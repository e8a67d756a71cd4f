package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
)

// feedLock is the feed's name among advisory locks and nothing else.
const feedLock int64 = 7310579603201

// feedChannel is where processes are told that the feed has grown.
const feedChannel = "lectern_feed"

// changeKinds are all kinds, in the order in which one transaction writes them.
func changeKinds() []lectern.ChangeKind {
	return []lectern.ChangeKind{
		lectern.ChangeCourse, lectern.ChangeDeleted, lectern.ChangeVector, lectern.ChangeStats, lectern.ChangeReviews,
		lectern.ChangeSentiment,
	}
}

// The feed's statements are not sqlc queries: they go in one round trip, because
// the lock is held over it. Sequence numbers are given before the commit, so
// whoever writes here holds the lock until then: the order of numbers is the
// order of commits. The second statement sees all that was committed before the
// lock was had, courses included, because it has a snapshot of its own.
const (
	lockFeed  = `SELECT pg_advisory_xact_lock($1)`
	writeFeed = `INSERT INTO course_changes (course_id, kind)
SELECT c.id, c.kind
FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS c (id, kind, place)
WHERE c.kind = 'deleted' OR EXISTS (SELECT 1 FROM courses x WHERE x.course_id = c.id)
ORDER BY c.place
ON CONFLICT (course_id, kind) DO UPDATE SET seq = excluded.seq`
	notifyFeed = `SELECT pg_notify($1, '')`
)

// writeFeed takes the feed's lock and writes what was noted with changed.
func (tx *writeTx) writeFeed(ctx context.Context) error {
	var ids []int64
	var kinds []string
	for _, kind := range changeKinds() {
		for _, id := range sortedKeys(tx.changes[kind]) {
			ids = append(ids, id)
			kinds = append(kinds, string(kind))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var batch pgx.Batch
	batch.Queue(lockFeed, feedLock)
	batch.Queue(writeFeed, ids, kinds)
	batch.Queue(notifyFeed, feedChannel)
	return tx.tx.SendBatch(ctx, &batch).Close()
}
