package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
)

const (
	listenGather = 20 * time.Millisecond // hints that come together are one
	listenCheck  = 15 * time.Second      // of silence, before the connection is tried
	listenPause  = 10 * time.Second      // at most, between two tries to connect
)

// Listen calls onChange soon after the change feed has grown, until ctx ends. It
// has a connection of its own to the server itself, and comes back when that is
// lost. What it tells is a hint and no more: nothing is heard while there is no
// connection (onChange is called once there is one again), so whoever follows
// the feed polls it too. Errors: CodeInvalid when the address cannot be read.
func (s *Store) Listen(ctx context.Context, onChange func()) error {
	return s.listen(ctx, listener{channel: feedChannel, name: "lectern feed", what: "the change feed is"}, onChange)
}

// listener is who hears one channel.
type listener struct {
	channel string
	name    string // of its connection
	what    string // subject of the warning
}

func (s *Store) listen(ctx context.Context, l listener, onChange func()) error {
	cfg, err := pgx.ParseConfig(s.opts.direct())
	if err != nil {
		return lectern.Invalid("the direct address of PostgreSQL cannot be read")
	}
	cfg.ConnectTimeout = s.opts.ConnectTimeout
	cfg.RuntimeParams["application_name"] = l.name
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 100 * time.Millisecond
	pause.MaxInterval = listenPause
	for {
		err := s.listenOnce(ctx, cfg, l.channel, func() {
			pause.Reset()
			onChange()
		})
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, l.what+" only polled: no connection to listen on", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause.NextBackOff()):
		}
	}
}

// listenOnce listens until the connection is lost or ctx ends.
func (s *Store) listenOnce(ctx context.Context, cfg *pgx.ConnConfig, channel string, onChange func()) error {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWait)
		defer cancel()
		_ = conn.Close(end)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	onChange() // for all that was not heard
	for {
		heard, err := waitForHint(ctx, conn, listenCheck)
		if err != nil {
			return err
		}
		if !heard {
			if err := s.tryConn(ctx, conn); err != nil {
				return err
			}
			continue
		}
		for until := time.Now().Add(listenGather); heard; {
			if heard, err = waitForHint(ctx, conn, time.Until(until)); err != nil {
				return err
			}
		}
		onChange()
	}
}

// waitForHint waits for one notification and reports whether it came in time.
func waitForHint(ctx context.Context, conn *pgx.Conn, patience time.Duration) (bool, error) {
	if patience <= 0 {
		return false, nil
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := conn.WaitForNotification(wait)
	if err != nil && ctx.Err() == nil && !conn.IsClosed() && errors.Is(err, context.DeadlineExceeded) {
		return false, nil
	}
	return err == nil, err
}

// tryConn finds out whether the other end is still there.
func (s *Store) tryConn(ctx context.Context, conn *pgx.Conn) error {
	wait, cancel := context.WithTimeout(ctx, s.opts.ConnectTimeout)
	defer cancel()
	if err := conn.Ping(wait); err != nil {
		return fmt.Errorf("silent connection: %w", err)
	}
	return nil
}
