package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

const (
	maxGroupWrites   = 512                   // writes that share one commit
	maxGroupTime     = 20 * time.Millisecond // after which a group takes no more writes
	writerBusyMillis = 5                     // how long one try for the write lock may wait
	writeQueue       = 1024
	// A writer that never pauses would keep other processes from the write lock,
	// since SQLite's lock has no queue: it leaves a twentieth of its time free.
	breatheAfter = 4 * time.Millisecond
	breatheShare = 20
)

// writeTx is what a write function works with. It must not be kept.
type writeTx struct {
	tx    *sql.Tx // for the job queue's client
	stmts *statements
	q     *sqlcgen.Queries
	now   time.Time
}

// writeFunc is one write. All it does is undone when it returns an error.
type writeFunc func(ctx context.Context, tx *writeTx) error

// The states of a queued write.
const (
	writeQueued int32 = iota
	writeTaken
	writeAbandoned
)

type pendingWrite struct {
	ctx   context.Context
	run   writeFunc
	state atomic.Int32
	err   error
	done  chan struct{}
}

// writer owns the one connection that writes. It takes queued writes, runs them
// in one transaction, each undone on its own if it fails, commits once, and only
// then acknowledges all of them.
type writer struct {
	conn        *sql.Conn
	stmts       *statements
	clock       lectern.Clock
	log         *slog.Logger
	lockTimeout time.Duration

	queue   chan *pendingWrite
	stopped chan struct{}

	mu     sync.RWMutex // held for reading while sending to queue
	closed bool
}

func startWriter(ctx context.Context, db *sql.DB, opts Options) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{
		conn:        conn,
		stmts:       newStatements(conn),
		clock:       opts.Clock,
		log:         opts.Logger,
		lockTimeout: opts.LockTimeout,
		queue:       make(chan *pendingWrite, writeQueue),
		stopped:     make(chan struct{}),
	}
	go w.loop()
	return w, nil
}

// stop lets the queued writes finish and releases the connection.
func (w *writer) stop() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
	return errors.Join(w.stmts.Close(), w.conn.Close())
}

// write queues fn and waits until it is durable. A context that ends while fn
// is still queued takes it back; once it runs, its outcome is awaited.
func (s *Store) write(ctx context.Context, fn writeFunc) error {
	return s.writer.do(ctx, fn)
}

func (w *writer) do(ctx context.Context, fn writeFunc) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := &pendingWrite{ctx: ctx, run: fn, done: make(chan struct{})}
	if err := w.enqueue(ctx, p); err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
	}
	if p.state.CompareAndSwap(writeQueued, writeAbandoned) {
		return ctx.Err()
	}
	<-p.done
	return p.err
}

func (w *writer) enqueue(ctx context.Context, p *pendingWrite) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return lectern.Errorf(lectern.CodeUnavailable, "the store is closed")
	}
	select {
	case w.queue <- p:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) loop() {
	defer close(w.stopped)
	for p := range w.queue {
		if !p.state.CompareAndSwap(writeQueued, writeTaken) {
			continue
		}
		held := w.group(p)
		if held > breatheAfter {
			time.Sleep(held / breatheShare)
		}
	}
}

// group runs first and whatever else is queued in one transaction, and returns
// how long it held the write lock.
func (w *writer) group(first *pendingWrite) time.Duration {
	tx, err := w.begin()
	if err != nil {
		finish([]*pendingWrite{first}, err)
		return 0
	}
	start := time.Now()
	wtx := &writeTx{tx: tx, stmts: w.stmts, q: sqlcgen.New(w.stmts), now: lectern.Timestamp(w.clock())}
	// The first write needs no savepoint, which would keep a copy of every page
	// it changes: while it is alone, undoing it is undoing the transaction.
	if first.err = w.runFirst(wtx, first); first.err != nil {
		if err := tx.Rollback(); err != nil {
			first.err = errors.Join(first.err, err)
		}
		close(first.done)
		return time.Since(start)
	}
	ran := []*pendingWrite{first}
	for p := w.next(len(ran), start); p != nil; p = w.next(len(ran), start) {
		undone, err := w.runOne(wtx, p)
		p.err = err
		ran = append(ran, p)
		if !undone {
			// The savepoint could not be undone: nothing of this group may stay.
			finish(ran, errors.Join(err, tx.Rollback()))
			return time.Since(start)
		}
	}
	err = tx.Commit()
	if err != nil {
		// A commit that fails (a full disk) may leave the transaction open.
		_, _ = w.stmts.ExecContext(context.Background(), "ROLLBACK")
	}
	finish(ran, err)
	return time.Since(start)
}

// runFirst runs the first write of a group.
func (w *writer) runFirst(tx *writeTx, p *pendingWrite) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	return w.protect(context.WithoutCancel(p.ctx), tx, p.run)
}

// next takes another queued write for a group that has run n, or nil.
func (w *writer) next(n int, start time.Time) *pendingWrite {
	if n >= maxGroupWrites || time.Since(start) > maxGroupTime {
		return nil
	}
	for {
		select {
		case p, ok := <-w.queue:
			if !ok {
				return nil
			}
			if p.state.CompareAndSwap(writeQueued, writeTaken) {
				return p
			}
		default:
			return nil
		}
	}
}

// finish acknowledges writes; err, when set, is the outcome of all of them.
func finish(writes []*pendingWrite, err error) {
	for _, p := range writes {
		if err != nil {
			p.err = fmt.Errorf("commit: %w", err)
		}
		close(p.done)
	}
}

// runOne runs a further write of a group in a savepoint. clean is false when a failed write could not
// be undone on its own.
func (w *writer) runOne(tx *writeTx, p *pendingWrite) (clean bool, err error) {
	if err := p.ctx.Err(); err != nil {
		return true, err
	}
	// Statements run to their end whatever becomes of the caller: an interrupted
	// one would roll back the whole group.
	ctx := context.WithoutCancel(p.ctx)
	if _, err := w.stmts.ExecContext(ctx, "SAVEPOINT one_write"); err != nil {
		return false, err
	}
	err = w.protect(ctx, tx, p.run)
	if err != nil {
		if _, undo := w.stmts.ExecContext(ctx, "ROLLBACK TO one_write"); undo != nil {
			return false, errors.Join(err, undo)
		}
	}
	if _, release := w.stmts.ExecContext(ctx, "RELEASE one_write"); release != nil {
		return false, errors.Join(err, release)
	}
	return true, err
}

// protect runs fn and turns a panic into an error, so that one bad write does
// not take the writer, and with it everyone else's writes, down.
func (w *writer) protect(ctx context.Context, tx *writeTx, fn writeFunc) (err error) {
	defer func() {
		if r := recover(); r != nil {
			w.log.ErrorContext(ctx, "write panicked", "panic", r, "stack", string(debug.Stack()))
			err = lectern.Errorf(lectern.CodeInternal, "write failed: %v", r)
		}
	}()
	return fn(ctx, tx)
}

// begin starts a transaction, waiting for other processes' writes in small
// steps: SQLite's own busy handler sleeps ever longer, and so hardly ever meets
// the short gaps that a busy neighbour leaves.
func (w *writer) begin() (*sql.Tx, error) {
	start := time.Now()
	for {
		tx, err := w.conn.BeginTx(context.Background(), nil)
		if err == nil || !isBusy(err) {
			return tx, err
		}
		if time.Since(start) > w.lockTimeout {
			return nil, lectern.Errorf(lectern.CodeUnavailable, "another process keeps the database locked: %w", err)
		}
		time.Sleep(time.Millisecond)
	}
}

func isBusy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}
