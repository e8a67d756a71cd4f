package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

const (
	monthsAhead = 2      // partitions of events after the current month's
	daysAhead   = 3      // partitions of rankings after today's
	splitRows   = 50_000 // rows of one month in the default partition that are worth a partition of their own

	// partitionLock is the name of the right to change partitions among advisory
	// locks.
	partitionLock int64 = 7310579603204

	lockPatience = 300 * time.Millisecond // how long writers may have to wait for us to wait
	lockTries    = 12
	lockPause    = 250 * time.Millisecond // between two tries, with jitter
)

// span is one partition: the rows of parent with from ≤ column < to. The bounds
// are SQL literals.
type span struct{ parent, column, name, from, to string }

func (p span) within() string {
	return fmt.Sprintf("%s >= %s AND %s < %s", p.column, p.from, p.column, p.to)
}

func (p span) rest() string { return p.parent + "_default" }

// eventMonth returns the partition of events for t's month, UTC.
func eventMonth(t time.Time) span {
	from := monthOf(t)
	const literal = "'2006-01-02 15:04:05+00'"
	return span{
		parent: "events", column: "occurred_at", name: from.Format("events_200601"),
		from: from.Format(literal), to: from.AddDate(0, 1, 0).Format(literal),
	}
}

// monthOf returns the first moment of t's month, UTC.
func monthOf(t time.Time) time.Time {
	y, m, _ := t.UTC().Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}

// rankingName is how partitions of rankings are called, as time.Format reads it.
const rankingName = "rankings_20060102"

// rankingDay returns the partition of rankings for t's day, UTC.
func rankingDay(t time.Time) span {
	n := int(dayOf(t))
	return span{
		parent: "rankings", column: "day", name: t.UTC().Format(rankingName),
		from: strconv.Itoa(n), to: strconv.Itoa(n + 1),
	}
}

// MaintainPartitions makes the partitions that the coming days and months will
// need, and moves the rows of a range that the default partition holds already.
// It is for scheduled work, at least daily; nothing is lost where it has not run,
// because the default partition catches the rest. Running it again changes
// nothing, also while another process runs it. Errors: CodeUnavailable when a
// lock could not be had without making writers wait; the next run tries again.
func (s *Store) MaintainPartitions(ctx context.Context, now time.Time) error {
	var spans []span
	for i := range daysAhead + 1 {
		spans = append(spans, rankingDay(now.Add(time.Duration(i)*day)))
	}
	for i := range monthsAhead + 1 {
		spans = append(spans, eventMonth(monthOf(now).AddDate(0, i, 0)))
	}
	full, err := s.fullMonths(ctx)
	if err != nil {
		return err
	}
	for _, month := range full {
		spans = append(spans, eventMonth(month))
	}
	var errs []error
	for _, p := range spans {
		if err := s.ensurePartition(ctx, p); err != nil {
			errs = append(errs, fmt.Errorf("partition %s: %w", p.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// fullMonths returns the months of which the default partition of events holds
// many rows, as after an import of old events.
func (s *Store) fullMonths(ctx context.Context) ([]time.Time, error) {
	rows, err := s.pool.Query(ctx, `SELECT date_trunc('month', occurred_at, 'UTC') AS month
		FROM events_default
		WHERE occurred_at >= '0001-01-01 00:00:00+00' AND occurred_at < '9999-01-01 00:00:00+00'
		GROUP BY month HAVING count(*) >= $1 ORDER BY month`, splitRows)
	if err != nil {
		return nil, fail(err)
	}
	months, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	return months, fail(err)
}

// ensurePartition makes a partition unless there is one.
func (s *Store) ensurePartition(ctx context.Context, p span) error {
	if attached, err := s.isPartition(ctx, p.name); err != nil || attached {
		return err
	}
	// The table is made in a transaction of its own, so that the lock which its
	// foreign key takes on learners is not held while rows are moved.
	if err := s.patiently(ctx, func(ctx context.Context, tx *writeTx) error { return tx.makePartition(ctx, p) }); err != nil {
		return err
	}
	return s.patiently(ctx, func(ctx context.Context, tx *writeTx) error { return tx.attachPartition(ctx, p) })
}

// Not by to_regclass, which may answer from before a lock was had.
const findPartition = `SELECT relispartition FROM pg_class
	WHERE relname = $1 AND relnamespace = current_schema()::regnamespace`

func (s *Store) isPartition(ctx context.Context, name string) (bool, error) {
	var attached bool
	err := s.pool.QueryRow(ctx, findPartition, name).Scan(&attached)
	if isNoRows(err) {
		return false, nil
	}
	return attached, fail(err)
}

// patiently runs fn, which takes heavy locks, alone among processes. It gives up
// soon where it has to wait, because writers then wait behind it, and tries again
// after they have had their turn.
func (s *Store) patiently(ctx context.Context, fn writeFunc) error {
	for try := 1; ; try++ {
		err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
			if err := tx.q.AwaitTurn(ctx, partitionLock); err != nil {
				return err
			}
			if err := tx.run(ctx, "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = "+millis(lockPatience)); err != nil {
				return err
			}
			return fn(ctx, tx)
		})
		if sqlState(err) != stateLockNotAvailable || try == lockTries {
			return err
		}
		select {
		case <-ctx.Done():
			return fail(ctx.Err())
		case <-time.After(lockPause + rand.N(lockPause)):
		}
	}
}

// run executes statements without parameters, which need not be prepared.
func (tx *writeTx) run(ctx context.Context, sql string) error {
	_, err := tx.tx.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

// makePartition makes the table of a partition, which is none yet. A check spares
// the server from reading it when it becomes one, and keys that are there already
// from comparing them then.
func (tx *writeTx) makePartition(ctx context.Context, p span) error {
	var there bool
	if err := tx.tx.QueryRow(ctx, findPartition, p.name).Scan(&there); !isNoRows(err) {
		return err
	}
	err := tx.run(ctx, fmt.Sprintf(`CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING DEFAULTS);
		ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s)`, p.name, p.parent, p.name, p.bounds(), p.within()))
	if err != nil {
		return err
	}
	found, err := tx.tx.Query(ctx, `SELECT pg_get_constraintdef(oid) FROM pg_constraint
		WHERE conrelid = to_regclass($1) AND contype = 'f' ORDER BY conname`, p.parent)
	if err != nil {
		return err
	}
	keys, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := tx.run(ctx, fmt.Sprintf(`ALTER TABLE %s ADD %s`, p.name, key)); err != nil {
			return err
		}
	}
	return nil
}

func (p span) bounds() string { return p.name + "_bounds" }

// attachPartition moves the rows of a range out of the default partition and
// makes their table a partition. Nobody waits for the move, but for the moment at its
// end: then the parent is locked, and what came meanwhile is moved too. Whoever has
// begun a statement knows which partitions there were; without the lock on the parent
// it could wait for the default partition alone, and then find the rows neither there
// nor in a partition that it knows nothing of. The foreign key to learners is joined
// with the parent's in the end, for which the server locks learners twice; taking the
// heavier lock at once, and before the parent's as other writes do, keeps that from
// becoming a deadlock with every writer.
func (tx *writeTx) attachPartition(ctx context.Context, p span) error {
	if attached, err := tx.isPartition(ctx, p.name); err != nil || attached {
		return err
	}
	move := fmt.Sprintf(`WITH moved AS (DELETE FROM %s WHERE %s RETURNING *) INSERT INTO %s SELECT * FROM moved`,
		p.rest(), p.within(), p.name)
	return tx.run(ctx, fmt.Sprintf(`%[1]s;
		LOCK TABLE learners IN ACCESS EXCLUSIVE MODE;
		LOCK TABLE %[2]s IN ACCESS EXCLUSIVE MODE;
		%[1]s;
		ALTER TABLE %[2]s ATTACH PARTITION %[3]s FOR VALUES FROM (%[4]s) TO (%[5]s);
		ALTER TABLE %[3]s DROP CONSTRAINT %[6]s`,
		move, p.parent, p.name, p.from, p.to, p.bounds()))
}

// maxKept bounds the rows that are moved out of a day before it is dropped. A
// day of which more are cited is emptied row by row instead.
const maxKept = 5000

// DeleteRankingsBefore implements lectern.RankingStore. A day that is wholly
// before t is dropped as one, after the few of its rankings that events cite have
// been moved to the default partition.
func (s *Store) DeleteRankingsBefore(ctx context.Context, t time.Time) (int, error) {
	days, err := s.rankingDays(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, name := range days {
		from, err := time.Parse(rankingName, name)
		if err != nil || from.Add(day).After(t) {
			continue // not a day of ours, or not over
		}
		n, err := s.dropDay(ctx, name)
		if total += n; err != nil && sqlState(err) != stateLockNotAvailable {
			return total, err
		}
	}
	n, err := s.pruneRankings(ctx, t)
	return total + n, err
}

func (s *Store) rankingDays(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = to_regclass('rankings') ORDER BY c.relname`)
	if err != nil {
		return nil, fail(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, fail(err)
}

// dropDay drops one day's partition and returns how many rankings went with it.
// It leaves a day alone of which too many rankings are cited.
func (s *Store) dropDay(ctx context.Context, name string) (gone int, err error) {
	rows, err := s.pool.Query(ctx, fmt.Sprintf(`SELECT r.ranking_id FROM %s r
		WHERE EXISTS (SELECT 1 FROM events e WHERE e.ranking_id = r.ranking_id) LIMIT $1`, name), maxKept+1)
	var cited []string
	if err == nil {
		cited, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if sqlState(err) == stateNoTable {
		return 0, nil // another process was faster
	}
	if err != nil || len(cited) > maxKept {
		return 0, fail(err)
	}
	err = s.patiently(ctx, func(ctx context.Context, tx *writeTx) error {
		gone = 0
		if attached, err := tx.isPartition(ctx, name); err != nil || !attached {
			return err // another process was faster
		}
		if err := tx.run(ctx, `LOCK TABLE rankings IN ACCESS EXCLUSIVE MODE`); err != nil {
			return err
		}
		var all int
		if err := tx.tx.QueryRow(ctx, `SELECT count(*) FROM `+name).Scan(&all); err != nil {
			return err
		}
		kept, err := tx.tx.Exec(ctx, fmt.Sprintf(`CREATE TEMPORARY TABLE kept_rankings ON COMMIT DROP AS
			SELECT * FROM %s WHERE ranking_id = ANY ($1)`, name), pgx.QueryExecModeExec, cited)
		if err != nil {
			return err
		}
		gone = all - int(kept.RowsAffected())
		return tx.run(ctx, fmt.Sprintf(`DROP TABLE %s; INSERT INTO rankings SELECT * FROM kept_rankings`, name))
	})
	if err != nil {
		return 0, err
	}
	return gone, nil
}

func (tx *writeTx) isPartition(ctx context.Context, name string) (attached bool, err error) {
	err = tx.tx.QueryRow(ctx, findPartition, name).Scan(&attached)
	if isNoRows(err) {
		return false, nil
	}
	return attached, err
}

// pruneRankings deletes rankings that were made before t row by row.
func (s *Store) pruneRankings(ctx context.Context, t time.Time) (int, error) {
	t = lectern.Timestamp(t)
	return s.prune(ctx, func(ctx context.Context, q *sqlcgen.Queries) (int64, error) {
		return q.DeleteRankingsBefore(ctx, t, pruneBatch)
	})
}
