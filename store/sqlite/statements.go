package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// preparer is what prepares a statement: a pool or a single connection.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// statements runs queries through prepared statements, each prepared on first
// use. Its size is bounded by the number of queries in the program: lists are
// passed as one JSON argument, never as a varying number of placeholders.
type statements struct {
	on preparer

	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

var _ sqlcgen.DBTX = (*statements)(nil)

func newStatements(on preparer) *statements {
	return &statements{on: on, byText: make(map[string]*sql.Stmt)}
}

// PrepareContext returns the statement for query. It stays owned by s.
func (s *statements) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.RLock()
	stmt := s.byText[query]
	s.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt := s.byText[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.on.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept, and closed in Close
	if err != nil {
		return nil, err
	}
	s.byText[query] = stmt
	return stmt, nil
}

// ExecContext implements sqlcgen.DBTX.
func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept, and closed in Close
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// QueryContext implements sqlcgen.DBTX.
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept, and closed in Close
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRowContext implements sqlcgen.DBTX.
func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := s.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept, and closed in Close
	if err != nil {
		// Only database/sql can make a Row that carries an error.
		return s.on.QueryRowContext(ctx, query, args...)
	}
	return stmt.QueryRowContext(ctx, args...)
}

// Close closes every statement.
func (s *statements) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, stmt := range s.byText {
		err = errors.Join(err, stmt.Close())
	}
	clear(s.byText)
	return err
}
