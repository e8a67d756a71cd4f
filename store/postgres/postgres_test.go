package postgres_test

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
)

// patience bounds waits: what takes longer is not slow but broken.
const patience = 2 * time.Minute

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// open opens a migrated store on its own database.
func open(tb testing.TB, dsn string) *postgres.Store {
	tb.Helper()
	s := openUnmigrated(tb, dsn)
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func openUnmigrated(tb testing.TB, dsn string) *postgres.Store {
	tb.Helper()
	opts := postgres.Options{Config: postgres.DefaultConfig()}
	opts.DSN = dsn
	s, err := postgres.Open(tb.Context(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestMigrateTogether(t *testing.T) {
	dsn := pgtest.Start(t).DSN(t)
	var g errgroup.Group
	for range 4 {
		s := openUnmigrated(t, dsn)
		g.Go(func() error { return s.Migrate(t.Context()) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	s := openUnmigrated(t, dsn)
	states, err := s.MigrationStatus(t.Context())
	if err != nil || len(states) == 0 {
		t.Fatal(states, err)
	}
	for _, st := range states {
		if !st.Applied {
			t.Errorf("%s is not applied", st.Name)
		}
	}
	if err := s.MigrateDown(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestConfigValidate(t *testing.T) {
	c := postgres.DefaultConfig()
	c.DSN = "postgres://lectern:secret@db/lectern"
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*postgres.Config){
		"no dsn":          func(c *postgres.Config) { c.DSN = "" },
		"odd dsn":         func(c *postgres.Config) { c.DSN = "postgres://a b:secret@:x" },
		"odd direct dsn":  func(c *postgres.Config) { c.DirectDSN = "host=a port=secret" },
		"one connection":  func(c *postgres.Config) { c.MaxConns = 1 },
		"no time":         func(c *postgres.Config) { c.ConnectTimeout = 0 },
		"negative time":   func(c *postgres.Config) { c.StatementTimeout = -1 },
		"no idle timeout": func(c *postgres.Config) { c.IdleTimeout = 0 },
		"no age":          func(c *postgres.Config) { c.MaxConnAge = 0 },
	} {
		bad := c
		change(&bad)
		if err := bad.Validate(); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
