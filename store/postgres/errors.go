package postgres

import (
	"context"
	"errors"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lectern-dev/lectern"
)

// The SQLSTATE codes that mean something here.
const (
	stateNotText          = "22021" // a NUL character, or no UTF-8
	stateForeignKey       = "23503"
	stateReadOnly         = "25006" // a standby, for as long as a failover takes
	stateNoTable          = "42P01"
	stateStatementTaken   = "42P05"
	stateStatementUnknown = "26000"
	stateIdleTransaction  = "25P03"
	stateSerialisation    = "40001"
	stateDeadlock         = "40P01"
	stateTooManyConns     = "53300"
	stateLockNotAvailable = "55P03"
	stateCancelled        = "57014" // our statement_timeout
	stateAdminShutdown    = "57P01"
	stateCrashShutdown    = "57P02"
	stateProtocol         = "08P01" // what a pooler says of start-up parameters that it does not know
	stateCannotConnect    = "57P03"
	stateIdleSession      = "57P05"
	classConnection       = "08"
	classResources        = "53"
)

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// sqlState returns the server's code for err, "" where it is not the server's.
func sqlState(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// isConflict reports whether err is two transactions in each other's way: one
// of them has to try again. A row that was there when it was looked up and is
// gone when it is pointed at (a learner that was erased) is such a case too.
func isConflict(err error) bool {
	if errors.Is(err, errRaced) {
		return true
	}
	switch sqlState(err) {
	case stateSerialisation, stateDeadlock, stateForeignKey:
		return true
	}
	return errors.Is(err, errRaced)
}

// fail turns what pgx returns into what callers of the store may see.
func fail(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*lectern.Error](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return lectern.Errorf(lectern.CodeDeadline, "the store did not answer in time: %w", err)
	}
	switch code := sqlState(err); {
	case code == stateCancelled:
		return lectern.Errorf(lectern.CodeDeadline, "the store took too long: %w", err)
	case code == stateStatementTaken || code == stateStatementUnknown:
		return unavailable("a pooler in transaction mode loses prepared statements: set postgres.prepared_statements to false", err)
	case code == stateNotText:
		return lectern.Errorf(lectern.CodeInvalid, "a text holds what cannot be stored: %w", err)
	case errors.Is(err, errRaced) || isAway(code, err):
		return unavailable("the store is not available", err)
	}
	return err
}

// isAway reports whether err means that the server, or the way to it, is not
// there at the moment.
func isAway(code string, err error) bool {
	switch code {
	case stateAdminShutdown, stateCrashShutdown, stateCannotConnect, stateIdleSession,
		stateIdleTransaction, stateTooManyConns, stateReadOnly, stateLockNotAvailable,
		stateSerialisation, stateDeadlock:
		return true
	case "":
		_, dial := errors.AsType[*pgconn.ConnectError](err)
		_, network := errors.AsType[net.Error](err)
		return dial || network || errors.Is(err, errLost) || errors.Is(err, errRaced) || pgconn.SafeToRetry(err)
	}
	return code[:2] == classConnection || code[:2] == classResources
}

// openFailed says why there is no connection.
func openFailed(err error) error {
	if sqlState(err) == stateProtocol {
		e := lectern.Invalid("dsn leads to a pooler, which takes no settings for a session", lectern.NewFieldError(
			"postgres.direct_dsn", "", "is empty", "the address of the server itself, where dsn is a pooler's"))
		e.Err = err
		return e
	}
	return unavailable("PostgreSQL is not available", err)
}

// errLost marks an error that came with the loss of the connection.
var errLost = errors.New("connection lost")

// unavailable says what could not be done. The cause stays out of the message,
// because it names hosts and users.
func unavailable(what string, err error) error {
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e
	}
	return &lectern.Error{Code: lectern.CodeUnavailable, Message: what, Err: err}
}
