package postgres_test

import (
	"testing"

	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/store/storetest"
)

// TestPooler runs the suite through a pooler in transaction mode that keeps no
// prepared statements and lends two sessions out to all.
func TestPooler(t *testing.T) {
	server := pgtest.Start(t)
	through := server.StartPooler(t)
	openPooled := func(t *testing.T, dsn string) *postgres.Store {
		t.Helper()
		opts := postgres.Options{Config: postgres.DefaultConfig()}
		opts.DSN, opts.DirectDSN, opts.PreparedStatements = through(dsn), dsn, false
		s, err := postgres.Open(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Run("information", func(t *testing.T) {
		info, err := openPooled(t, server.DSN(t)).Info(t.Context())
		if err != nil || !info.Pooler || info.Misdirected {
			t.Errorf("%+v, %v", info, err)
		}
	})
	storetest.Run(t, func(t *testing.T) storetest.Store { return openPooled(t, server.DSN(t)) })
}
