// Package deptest pins who may import what, so that the picture of the
// architecture in docs/design.md stays true.
package deptest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/lectern-dev/lectern"

// thirdParty names, for each library that stands for a technology, the only
// folders that may import it.
var thirdParty = map[string][]string{
	"github.com/labstack/echo":          {"api"},
	"github.com/qdrant/go-client":       {"index/qdrant"},
	"github.com/sashabaranov/go-openai": {"embed/openai", "ml/sentiment/openai"}, // vectors, and how content reviews are
	"github.com/jackc/pgx":              {"store/postgres", "internal/pgtest"},
	"modernc.org/sqlite":                {"store/sqlite"},
	"github.com/pressly/goose":          {"store", "migrations"},
	"github.com/riverqueue/river":       {"jobs", "store"}, // the queue lives in the store's database
	"github.com/spf13/cobra":            {"cmd/lectern"},
	"github.com/knadh/koanf":            {"cmd/lectern"},
}

// ours names, for each package, what of ours it may import besides the root,
// text and internal. A folder inherits its parent's line.
var ours = map[string][]string{
	"":                {},
	"text":            {},
	"internal":        {},
	"migrations":      {},
	"store/storetest": {},
	"store/sqlite":    {"migrations", "store/sqlite", "store/storetest"},
	"store/postgres":  {"migrations", "store/postgres", "store/storetest"},
	"jobs":            {},
	"embed":           {"embed"},
	"index":           {"index"},
	"indexing":        {},
	"retrieve":        {"rerank", "learner"}, // the pipeline calls its last stages
	"rerank":          {},
	"skills":          {},
	"suggest":         {},
	"searchlog":       {},
	"synonyms":        {},
	"learner":         {},
	"neighbours":      {},
	"ingest":          {"ingest"},
	"demo":            {},
	"eval":            {"eval", "ml"}, // models are evaluated where they are made
	"eval/homes":      {"demo"},       // judged by the truth behind the demo platform
	"ml":              {"ml", "eval"},
	"training":        {"ml", "eval"},
	"settings":        {"settings", "rerank"},                                                                                                         // keeps its documents
	"feedback":        {"rerank", "settings"},                                                                                                         // reports become rules
	"preview":         {"rerank", "eval"},                                                                                                             // what a draft would change
	"tuning":          {"rerank", "eval"},                                                                                                             // weights from what was logged
	"opinion":         {"ml"},                                                                                                                         // what reviews say, kept up to date
	"experiment":      {"experiment", "rerank"},                                                                                                       // who is in what, what is tried, what came of it
	"analytics":       {"experiment/stats"},                                                                                                           // what people did, by day
	"simulate":        {"demo", "experiment/stats"},                                                                                                   // learners who react
	"api":             {"analytics", "experiment", "ingest", "learner", "training", "rerank", "settings", "feedback", "preview", "tuning", "opinion"}, // one decoder for files and requests; documents as they are
	"cmd":             {"*"},
}

func TestImports(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, file := range goFiles(t, root) {
		rel, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.ToSlash(filepath.Dir(rel))
		if dir == "." {
			dir = ""
		}
		isTest := strings.HasSuffix(file, "_test.go")
		for _, path := range importsOf(t, file) {
			checkThirdParty(t, rel, dir, path, isTest)
			checkOurs(t, rel, dir, path, isTest)
			if dir == "" && !isTest && strings.Contains(strings.SplitN(path, "/", 2)[0], ".") {
				t.Errorf("%s imports %s: the root package imports the standard library only", rel, path)
			}
		}
	}
}

func checkThirdParty(t *testing.T, rel, dir, path string, isTest bool) {
	t.Helper()
	for lib, allowed := range thirdParty {
		if path != lib && !strings.HasPrefix(path, lib+"/") {
			continue
		}
		if isTest && (within(dir, "cmd") || dir == "jobs") {
			continue // end-to-end tests look inside; the queue is tested on a database
		}
		if !slices.ContainsFunc(allowed, func(a string) bool { return within(dir, a) }) {
			t.Errorf("%s imports %s, which only %v may", rel, path, allowed)
		}
	}
}

// checkOurs lets tests reach further: an integration test may wire peers.
func checkOurs(t *testing.T, rel, dir, path string, isTest bool) {
	t.Helper()
	if isTest || !strings.HasPrefix(path, module+"/") {
		return
	}
	target := strings.TrimPrefix(path, module+"/")
	if within(target, "cmd") && !within(dir, "cmd") {
		t.Errorf("%s imports %s: nobody imports cmd", rel, target)
	}
	if within(target, "internal") || within(target, "text") {
		return
	}
	line, ok := lineFor(dir)
	if !ok {
		t.Errorf("%s: folder %q has no line in deptest's table; add one with what it may import", rel, dir)
		return
	}
	if slices.Contains(line, "*") {
		return
	}
	if !slices.ContainsFunc(line, func(a string) bool { return within(target, a) }) {
		t.Errorf("%s imports %s; %q may import the root, text, internal and %v", rel, target, dir, line)
	}
}

// lineFor returns the table line of the nearest folder at or above dir.
func lineFor(dir string) ([]string, bool) {
	for d := dir; ; {
		if line, ok := ours[d]; ok && (d != "" || dir == "") {
			return line, true
		}
		i := strings.LastIndexByte(d, '/')
		if i < 0 {
			return nil, false
		}
		d = d[:i]
	}
}

func within(dir, parent string) bool {
	return dir == parent || strings.HasPrefix(dir, parent+"/")
}

func goFiles(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "tools" || name == "testdata" || name == "node_modules" || name == "data" || name == "bin") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(name, ".go") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 5 {
		t.Fatalf("found only %d Go files below %s", len(files), root)
	}
	return files
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var out []string
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, path)
	}
	return out
}
