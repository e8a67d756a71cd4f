package main

import (
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestDeployedConfiguration loads the settings that deployments come with, as the
// binary does at start.
func TestDeployedConfiguration(t *testing.T) {
	const secretDSN = "postgres://lectern:s@postgres-rw:5432/lectern?sslmode=require"
	deploy := filepath.Join("..", "..", "deploy")
	for _, tt := range []struct {
		name, file string
		environ    []string
		driver     string // of the embedder
	}{
		{"compose", "compose/lectern.yaml", []string{"LECTERN_CONFIG=x", "LECTERN_EMBED__DRIVER=local", "LECTERN_EMBED__OPENAI__API_KEY=", "LECTERN_INDEX__QDRANT__API_KEY=k"}, driverLocal},
		{"compose with embeddings", "compose/lectern.yaml", []string{"LECTERN_EMBED__DRIVER=openai", "LECTERN_EMBED__OPENAI__API_KEY="}, driverOpenAI},
		{"kubernetes", "kubernetes/lectern.yaml", []string{"LECTERN_STORE__POSTGRES__DSN=" + secretDSN, "LECTERN_INDEX__QDRANT__API_KEY=k"}, driverLocal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := LoadConfig(filepath.Join(deploy, filepath.FromSlash(tt.file)), tt.environ, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.Store.Driver != driverPostgres || c.Index.Driver != driverQdrant || c.Embed.Driver != tt.driver {
				t.Errorf("drivers: %s, %s, %s", c.Store.Driver, c.Index.Driver, c.Embed.Driver)
			}
			if c.Log.Format != "json" || c.Server.Address != ":8080" {
				t.Errorf("log %s, address %s", c.Log.Format, c.Server.Address)
			}
		})
	}
}

// TestComposePassword: the compose file keeps the password out of the address.
func TestComposePassword(t *testing.T) {
	c, err := LoadConfig(filepath.Join("..", "..", "deploy", "compose", "lectern.yaml"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	const password = "p@ss/w'ord %"
	t.Setenv("PGPASSWORD", password)
	parsed, err := pgx.ParseConfig(c.Store.Postgres.DSN)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Password != password || parsed.Host != "postgres" || parsed.User != "lectern" || parsed.Database != "lectern" {
		t.Errorf("it connects as %s with %q to %s on %s", parsed.User, parsed.Password, parsed.Database, parsed.Host)
	}
}
