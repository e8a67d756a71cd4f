package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

const (
	maxTries     = 6                      // of one transaction
	firstPause   = 5 * time.Millisecond   // between two tries, doubling, with jitter
	commitWait   = 10 * time.Second       // for the answer to a commit, whatever becomes of the caller
	rollbackWait = 500 * time.Millisecond // after which the connection is dropped instead
)

// readFunc is one read. It may run twice, so it must set its results anew.
type readFunc func(ctx context.Context, q *sqlcgen.Queries) error

// read runs fn on one connection, outside a transaction, and again on another
// one if the connection turns out to be dead.
func (s *Store) read(ctx context.Context, fn readFunc) error {
	lost, err := s.readOnce(ctx, fn)
	if lost {
		_, err = s.readOnce(ctx, fn)
	}
	return fail(err)
}

func (s *Store) readOnce(ctx context.Context, fn readFunc) (lost bool, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	err = fn(ctx, sqlcgen.New(conn))
	if err != nil && conn.Conn().IsClosed() && ctx.Err() == nil {
		return true, errors.Join(err, errLost)
	}
	return false, err
}

// writeTx is what a write function works with. It must not be kept.
type writeTx struct {
	tx  pgx.Tx
	q   *sqlcgen.Queries
	now time.Time // UTC, truncated to microseconds

	changes      map[lectern.ChangeKind]map[int64]struct{}
	profiles     map[int64]struct{} // learners, see profileChanged
	feedback     []loggedFeedback   // see noteFeedback
	embedCourses []string           // external ids
	embedReviews []string
}

// writeFunc is one write. All it does is undone when it returns an error. It may
// run several times, so it must set its results anew. It takes locks in this
// order, and within a table in the order of ids, so that writes seldom deadlock:
// course_ids, learners with their identities, courses, everything else.
type writeFunc func(ctx context.Context, tx *writeTx) error

// write runs fn in a transaction and commits it, with the changes and jobs that
// fn has noted. What fails because of another transaction, or because the
// connection was lost before the commit, is tried again.
func (s *Store) write(ctx context.Context, fn writeFunc) error {
	pause := firstPause
	for try := 1; ; try++ {
		again, err := s.writeOnce(ctx, fn)
		if err == nil || !again || try == maxTries {
			return fail(err)
		}
		s.log.DebugContext(ctx, "write again", "try", try, "error", err)
		select {
		case <-ctx.Done():
			return fail(ctx.Err())
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause *= 2
	}
}

func (s *Store) writeOnce(ctx context.Context, fn writeFunc) (again bool, err error) {
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, BeginQuery: s.beginQuery()})
	if err != nil {
		_, dial := errors.AsType[*pgconn.ConnectError](err)
		return !dial && ctx.Err() == nil, err
	}
	conn := tx.Conn()
	defer func() {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWait)
		defer cancel()
		_ = tx.Rollback(undo) // does nothing after a commit
	}()
	w := &writeTx{
		tx: tx, q: sqlcgen.New(tx), now: lectern.Timestamp(s.clock()),
		changes: map[lectern.ChangeKind]map[int64]struct{}{}, profiles: map[int64]struct{}{},
	}
	if err = fn(ctx, w); err == nil {
		err = s.finish(ctx, w)
	}
	if err != nil {
		lost := conn.IsClosed() && ctx.Err() == nil
		if lost {
			err = errors.Join(err, errLost)
		}
		return lost || isConflict(err), err
	}
	return s.commit(ctx, tx)
}

// commit waits for the outcome even if the caller no longer does. An answer that
// is lost is not asked for again: every write of the store can be sent again
// without doubling anything, except those that say so, and the caller knows.
func (s *Store) commit(ctx context.Context, tx pgx.Tx) (again bool, err error) {
	conn := tx.Conn()
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWait)
	defer cancel()
	if err = tx.Commit(wait); err == nil {
		return false, nil
	}
	if isConflict(err) { // the server has undone it
		return true, err
	}
	if conn.IsClosed() {
		return false, unavailable("the answer to a commit was lost: it may or may not have been stored", err)
	}
	return false, fmt.Errorf("commit: %w", err)
}

// beginQuery sets what a session cannot keep behind a pooler.
func (s *Store) beginQuery() string {
	if !s.opts.pooled() || s.opts.StatementTimeout <= 0 {
		return ""
	}
	return "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = " + millis(s.opts.StatementTimeout)
}

// changed puts courses into the change feed when the transaction commits, each
// in place of its older entry of the same kind. Courses that are not stored are
// left out, except with ChangeDeleted.
func (tx *writeTx) changed(kind lectern.ChangeKind, courseIDs ...int64) {
	set := tx.changes[kind]
	if set == nil {
		set = make(map[int64]struct{}, len(courseIDs))
		tx.changes[kind] = set
	}
	for _, id := range courseIDs {
		set[id] = struct{}{}
	}
}

// profileChanged puts learners into the feed of profiles when the transaction
// commits.
func (tx *writeTx) profileChanged(learnerIDs ...int64) {
	for _, id := range learnerIDs {
		tx.profiles[id] = struct{}{}
	}
}

// finish writes the jobs and, last of all, the feeds: their locks make writers wait
// for each other's commits, so they are held as briefly as can be.
func (s *Store) finish(ctx context.Context, tx *writeTx) error {
	if err := s.enqueue(ctx, tx); err != nil {
		return err
	}
	if err := tx.writeProfileFeed(ctx); err != nil {
		return err
	}
	if err := tx.writeFeedbackLog(ctx); err != nil {
		return err
	}
	return tx.writeFeed(ctx)
}

// sortedKeys returns the keys of m in rising order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
