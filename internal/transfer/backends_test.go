package transfer_test

import (
	"path/filepath"
	"testing"

	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/store/sqlite"
	"github.com/lectern-dev/lectern/store/storetest"
)

// Between two SQLite files is store/sqlite's to test.
func TestCopyBetweenBackends(t *testing.T) {
	server := pgtest.Start(t)
	inFile := func(t *testing.T) storetest.Copyable { return openSQLite(t) }
	inServer := func(t *testing.T) storetest.Copyable { return openPostgres(t, server) }
	t.Run("sqlite to postgres", func(t *testing.T) { storetest.RunCopy(t, inFile, inServer) })
	t.Run("postgres to sqlite", func(t *testing.T) { storetest.RunCopy(t, inServer, inFile) })
	t.Run("postgres to postgres", func(t *testing.T) { storetest.RunCopy(t, inServer, inServer) })
}

func openSQLite(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func openPostgres(t *testing.T, server *pgtest.Server) *postgres.Store {
	t.Helper()
	o := postgres.Options{Config: postgres.DefaultConfig()}
	o.DSN = server.DSN(t)
	s, err := postgres.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
