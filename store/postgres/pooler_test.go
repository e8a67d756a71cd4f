package postgres_test

import (
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
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
		return s
	}
	migrated := server.DSN(t)
	if err := open(t, migrated).Close(); err != nil { // not through the pooler, which stays connected
		t.Fatal(err)
	}
	t.Run("information", func(t *testing.T) {
		info, err := openPooled(t, server.DSN(t)).Info(t.Context())
		if err != nil || !info.Pooler || info.Misdirected {
			t.Errorf("%+v, %v", info, err)
		}
	})
	t.Run("wrong settings", func(t *testing.T) { testPoolerSettings(t, server.DSN(t), through) })
	storetest.Run(t, func(t *testing.T) storetest.Store { return openPooled(t, server.Copy(t, migrated)) })
}

// testPoolerSettings gets told what is wrong with settings that suit no pooler.
func testPoolerSettings(t *testing.T, dsn string, through func(string) string) {
	opts := postgres.Options{Config: postgres.DefaultConfig()}
	opts.DSN = through(dsn)
	_, err := postgres.Open(t.Context(), opts)
	if lectern.ErrorCode(err) != lectern.CodeInvalid || !strings.Contains(err.Error(), "postgres.direct_dsn") {
		t.Errorf("a pooler without direct_dsn: %v", err)
	}
	opts.DirectDSN = dsn
	s, err := postgres.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	for range 4 { // more than there are sessions
		g.Go(func() error {
			for range 20 {
				if _, err := s.Courses(t.Context(), []string{"a"}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = g.Wait()
	if err == nil {
		t.Skip("this pooler keeps prepared statements")
	}
	if lectern.ErrorCode(err) != lectern.CodeUnavailable || !strings.Contains(err.Error(), "postgres.prepared_statements") {
		t.Errorf("a pooler that keeps no prepared statements: %v", err)
	}
}
