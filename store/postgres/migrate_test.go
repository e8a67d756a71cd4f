package postgres_test

import (
	"context"
	"database/sql"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/migrations"
)

// TestSameNumbers needs no server: a number is the same step in both dialects.
func TestSameNumbers(t *testing.T) {
	names := func(dialect string) (out []string) {
		files, err := fs.Glob(migrations.FS, dialect+"/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			out = append(out, filepath.Base(f))
		}
		return out
	}
	postgres, sqlite := names("postgres"), names("sqlite")
	if diff := cmp.Diff(sqlite, postgres); diff != "" || len(sqlite) == 0 {
		t.Errorf("migrations differ (-sqlite +postgres):\n%s", diff)
	}
}

func TestMigrationsAndQueries(t *testing.T) {
	ctx := t.Context()
	db, err := sql.Open("pgx", pgtest.Start(t).DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	files, err := fs.Sub(migrations.FS, "postgres")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	up := func() {
		t.Helper()
		if _, err := p.Up(ctx); err != nil {
			t.Fatal(err)
		}
	}
	up()
	first := columns(ctx, t, db)
	if _, err := p.DownTo(ctx, 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range columns(ctx, t, db) {
		if !strings.HasPrefix(c, "goose_db_version.") {
			t.Errorf("%s is left after migrating down", c)
		}
	}
	up()
	if diff := cmp.Diff(first, columns(ctx, t, db)); diff != "" {
		t.Errorf("schema after down and up (-first +second):\n%s", diff)
	}

	queries := generatedQueries(t)
	for name, query := range queries {
		if err := prepares(ctx, db, query); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(queries) < 50 {
		t.Errorf("only %d queries were found", len(queries))
	}
}

func prepares(ctx context.Context, db *sql.DB, query string) error {
	stmt, err := db.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	return nil
}

// columns lists every column of the schema with its type.
func columns(ctx context.Context, t *testing.T, db *sql.DB) []string {
	t.Helper()
	rows, err := db.QueryContext(ctx, `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
		FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// generatedQueries reads the text of each query out of the generated code.
func generatedQueries(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("sqlcgen/*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, isValue := n.(*ast.ValueSpec)
			if !isValue || len(spec.Values) != 1 {
				return true
			}
			if lit, isLit := spec.Values[0].(*ast.BasicLit); isLit && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && strings.HasPrefix(text, "-- name: ") {
					out[spec.Names[0].Name] = text
				}
			}
			return true
		})
	}
	return out
}
