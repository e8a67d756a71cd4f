package main

import (
	"os"
	"path/filepath"
	"strings"
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

// TestTemplateUnit: a server among several on one machine is run as one alone is,
// but for its port and its folder.
func TestTemplateUnit(t *testing.T) {
	lines := func(name string) []string {
		b, err := os.ReadFile(filepath.Join("..", "..", "deploy", "systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(b), "[Unit]")
		return strings.Split(body, "\n")
	}
	one, many := lines("lectern.service"), lines("lectern@.service")
	for i, line := range many {
		switch {
		case i >= len(one) || (line != one[i] && !strings.Contains(line, "%i")):
			t.Errorf("line %d: %q", i, line)
		case strings.HasPrefix(line, "Environment="):
			c, err := LoadConfig("", strings.Fields(strings.ReplaceAll(strings.TrimPrefix(line, "Environment="), "%i", "8081")), nil)
			if err != nil || c.Server.Address != "127.0.0.1:8081" || c.Data != "/var/lib/lectern-8081" {
				t.Errorf("%s: %v, %s, %s", line, err, c.Server.Address, c.Data)
			}
		}
	}
	if len(one) != len(many) {
		t.Errorf("%d lines, and %d", len(one), len(many))
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
