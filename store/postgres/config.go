package postgres

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
)

// Config says where the server is and how it is spoken to.
type Config struct {
	DSN                string        `koanf:"dsn"`                 // postgres:// address, or key=value pairs; a pooler's, where there is one
	DirectDSN          string        `koanf:"direct_dsn"`          // the server itself, where dsn leads to a pooler in transaction mode; used to migrate and to listen; empty for dsn
	MaxConns           int           `koanf:"max_conns"`           // connections of this process
	ConnectTimeout     time.Duration `koanf:"connect_timeout"`     // for one connection to come about
	StatementTimeout   time.Duration `koanf:"statement_timeout"`   // after which the server gives a statement up; 0 for never
	IdleTimeout        time.Duration `koanf:"idle_timeout"`        // after which an unused connection is closed
	MaxConnAge         time.Duration `koanf:"max_conn_age"`        // after which a connection is replaced, so that load spreads after a failover
	PreparedStatements bool          `koanf:"prepared_statements"` // off where a pooler in transaction mode cannot keep them
}

// DefaultConfig returns the settings that Lectern ships with, without a server.
func DefaultConfig() Config {
	return Config{
		MaxConns:           16,
		ConnectTimeout:     5 * time.Second,
		StatementTimeout:   time.Minute,
		IdleTimeout:        5 * time.Minute,
		MaxConnAge:         time.Hour,
		PreparedStatements: true,
	}
}

// Validate returns a CodeInvalid error that names every key with a value that is
// not acceptable. No error shows a DSN, which may hold a password.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, reason, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("store.postgres."+key, value, reason, allowed))
		}
	}
	const address = "postgres://user@host:5432/database, or host=… user=… dbname=…"
	check(c.DSN != "", "dsn", "", "is empty", address)
	for key, dsn := range map[string]string{"dsn": c.DSN, "direct_dsn": c.DirectDSN} {
		_, err := pgx.ParseConfig(dsn)
		check(dsn == "" || err == nil, key, "", "cannot be read as an address", address)
	}
	const outOfRange = "is out of range"
	check(c.MaxConns >= 2 && c.MaxConns <= 10_000, "max_conns", c.MaxConns, outOfRange, "2 to 10000")
	check(c.ConnectTimeout > 0, "connect_timeout", c.ConnectTimeout, outOfRange, "above 0")
	check(c.StatementTimeout >= 0, "statement_timeout", c.StatementTimeout, outOfRange, "at least 0")
	check(c.IdleTimeout > 0, "idle_timeout", c.IdleTimeout, outOfRange, "above 0")
	check(c.MaxConnAge > 0, "max_conn_age", c.MaxConnAge, outOfRange, "above 0")
	if len(bad) > 0 {
		return lectern.Invalid("the PostgreSQL settings are not usable", bad...)
	}
	return nil
}

// Describe names the database for people, without the password.
func Describe(c Config) string {
	cfg, err := pgx.ParseConfig(c.DSN)
	if err != nil {
		return "PostgreSQL"
	}
	return fmt.Sprintf("PostgreSQL database %q at %s", cfg.Database, net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
}

// direct returns the address of the server itself.
func (c Config) direct() string {
	if c.DirectDSN != "" {
		return c.DirectDSN
	}
	return c.DSN
}

// pooled reports whether the connections of the pool lead to a pooler, so that
// two transactions of one connection may run in two sessions.
func (c Config) pooled() bool { return c.direct() != c.DSN }
