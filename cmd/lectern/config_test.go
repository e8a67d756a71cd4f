package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

var update = flag.Bool("update", false, "rewrite the generated docs and golden files")

func TestDefaultConfigIsValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
}

// The sample file is what `lectern config --default` prints, and loads.
func TestSampleConfigFile(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "lectern.yaml")
	want, err := marshalConfig(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	want = "# Every configuration key with its default, as `lectern config --default` prints them.\n" + want
	compareOrUpdate(t, path, want)
	got, err := LoadConfig(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(DefaultConfig(), got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the sample differs from the defaults (-default +sample):\n%s", diff)
	}
}

func TestConfigLayers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.yaml")
	write(t, path, "server:\n  address: 127.0.0.1:1\napi:\n  max_page: 50\nlearner:\n  half_life: 48h\nexperiments.holdout: 0.05\n")
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	if err := configFlags(flags); err != nil {
		t.Fatal(err)
	}
	if err := flags.Parse([]string{"--api.allowed_origins", "https://a.example,https://b.example", "--api.max_page=20"}); err != nil {
		t.Fatal(err)
	}
	environ := []string{"LECTERN_SERVER__ADDRESS=127.0.0.1:2", "LECTERN_API__MAX_PAGE=30", "LECTERN_TEST_DATA=x", "HOME=/"}
	c, err := LoadConfig(path, environ, flags)
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.Address != "127.0.0.1:2" { // environment over file
		t.Errorf("address = %q", c.Server.Address)
	}
	if c.API.MaxPage != 20 { // flag over environment
		t.Errorf("max_page = %d", c.API.MaxPage)
	}
	if c.Learner.HalfLife != 48*time.Hour { // file over default
		t.Errorf("half_life = %v", c.Learner.HalfLife)
	}
	if c.Experiments.Holdout != 0.05 { // a key in one word
		t.Errorf("holdout = %v", c.Experiments.Holdout)
	}
	if diff := cmp.Diff([]string{"https://a.example", "https://b.example"}, c.API.AllowedOrigins); diff != "" {
		t.Errorf("allowed_origins: %s", diff)
	}
}

func TestConfigRefusals(t *testing.T) {
	tests := []struct {
		name, file string
		environ    []string
		wants      []string
	}{
		{"unknown key in file", "server:\n  adress: x\n", nil, []string{"server.adress", `did you mean "server.address"?`}},
		{"unknown key in one word", "server.adress: x\n", nil, []string{"server.adress", `did you mean "server.address"?`}},
		{"bad value of a key in one word", "explore.floor: 7\n", nil, []string{"explore.floor"}},
		{"unknown key in environment", "", []string{"LECTERN_SERVR__ADDRESS=x"}, []string{"LECTERN_SERVR__ADDRESS", `"LECTERN_SERVER__ADDRESS"`}},
		{"one underscore too few", "", []string{"LECTERN_STORE_POSTGRES_DSN=x"}, []string{"  LECTERN_STORE_POSTGRES_DSN:", `"LECTERN_STORE__POSTGRES__DSN"`}},
		{"wrong type", "api:\n  max_page: many\n", nil, []string{"wrong type", "max_page"}},
		{"wrong type in environment", "", []string{"LECTERN_EMBED__OPENAI__DIMENSIONS=abc"}, []string{"embed.openai.dimensions", `"abc"`, "allowed: a whole number"}},
		{"every wrong type", "index:\n  qdrant:\n    tls: yes please\nserver:\n  shutdown_timeout: long\n", nil,
			[]string{"index.qdrant.tls", `"yes please"`, "allowed: true, false", "server.shutdown_timeout", `"long"`, "a duration such as"}},
		{"every bad value is named", "api:\n  max_page: 0\nlog:\n  level: loud\n", nil, []string{"api.max_page", "log.level"}},
		{"a part's own bad value", "learner:\n  half_life: 1s\n", nil, []string{"learner.half_life"}},
		{"a list of the wrong type in the environment", "", []string{"LECTERN_EXPLORE__PLACES__HOME=4,x"}, []string{"explore.places.home", `"4,x"`, "allowed: a list"}},
		{"a reward's unknown field", "explore:\n  rewards:\n    - {name: click, event: click, value: 1, within_day: 1}\n", nil,
			[]string{"explore.rewards[0].within_day", `did you mean "within_days"?`}},
		{"a reward's bad values", "explore:\n  rewards:\n    - {name: Click, event: buy, value: 0, at_least: 2}\n    - {event: click, value: 1, within_days: 1}\n", nil,
			[]string{"explore.rewards[0].name", "explore.rewards[0].event", "explore.rewards[0].value", "explore.rewards[0].within_days", "explore.rewards[0].at_least", "explore.rewards[1].name"}},
		{"rewards that are none", "explore:\n  rewards: [click]\n", nil, []string{"explore.rewards", "allowed: a list"}},
		{"not YAML", "server: [", nil, []string{"cannot read the configuration file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lectern.yaml")
			write(t, path, tt.file)
			_, err := LoadConfig(path, tt.environ, nil)
			if err == nil {
				t.Fatal("accepted")
			}
			var shown strings.Builder
			printError(&shown, err)
			for _, want := range tt.wants {
				if !strings.Contains(shown.String(), want) {
					t.Errorf("error does not say %q:\n%s", want, shown.String())
				}
			}
		})
	}
	if _, err := LoadConfig("no-such-file.yaml", nil, nil); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("missing file: %v", err)
	}
}

// TestRewardsInConfig sets what events are worth in the file and in the environment: a
// list in place of the one before, as a whole.
func TestRewardsInConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.yaml")
	write(t, path, "explore:\n  rewards:\n    - {name: half_way, event: progress, value: 0.5, within_days: 14, at_least: 0.5}\n    - name: dropped\n      event: drop\n      value: -0.5\n      within_days: 30\n")
	want := []explore.Reward{
		{Name: "half_way", Event: lectern.EventProgress, Value: 0.5, WithinDays: 14, AtLeast: 0.5},
		{Name: "dropped", Event: lectern.EventDrop, Value: -0.5, WithinDays: 30},
	}
	read := func(want []explore.Reward, path string, environ ...string) Config {
		t.Helper()
		c, err := LoadConfig(path, environ, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, c.Explore.Rewards, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("rewards: -want +got\n%s", diff)
		}
		return c
	}
	c := read(want, path)
	text, err := marshalConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, text) // as `lectern config` prints it
	read(want, path)
	read(want[1:], path, `LECTERN_EXPLORE__REWARDS=[{"name": "dropped", "event": "drop", "value": -0.5, "within_days": 30}]`)
	read(nil, path, "LECTERN_EXPLORE__REWARDS=[]")
	read(explore.DefaultConfig().Rewards, "")
	if c := read(explore.DefaultConfig().Rewards, "", "LECTERN_EXPLORE__PLACES__SEARCH=8,4"); !slices.Equal(c.Explore.Places.Search, []int{8, 4}) {
		t.Errorf("places %v", c.Explore.Places.Search)
	}
}

// TestConfigDocs keeps docs/config.md a table of every key, made from the
// comments beside the fields.
func TestConfigDocs(t *testing.T) {
	packages := map[string]string{
		"main": ".", "api": "../../api", "indexing": "../../indexing", "learner": "../../learner", "retrieve": "../../retrieve", "rerank": "../../rerank", "versioned": "../../settings/versioned", "learn": "../../experiment/learn", "experiment": "../../experiment", "analytics": "../../analytics", "explore": "../../experiment/explore", "ope": "../../experiment/ope", "preview": "../../preview", "tuning": "../../tuning", "skills": "../../skills", "suggest": "../../suggest", "searchlog": "../../searchlog", "noise": "../../ml/noise", "training": "../../training", "neighbours": "../../neighbours",
		"postgres": "../../store/postgres", "qdrant": "../../index/qdrant", "openai": "../../embed/openai",
	}
	comments := map[string]map[string]string{} // package.Type → field → comment
	for name, dir := range packages {
		collectComments(t, name, dir, comments)
	}
	for name, dir := range map[string]string{"opinion": "../../opinion", "sentiment": "../../ml/sentiment", "openai": "../../ml/sentiment/openai"} {
		collectComments(t, name, dir, comments)
	}
	var b strings.Builder
	b.WriteString(configDocsHead)
	section := ""
	walkConfig(reflect.ValueOf(DefaultConfig()), "", comments, func(key string, value any, comment string) {
		if comment == "" {
			t.Errorf("%s has no comment beside its field", key)
		}
		top, _, nested := strings.Cut(key, ".")
		if !nested {
			top = "general"
		}
		if top != section {
			section = top
			fmt.Fprintf(&b, "\n## %s\n\n| key | default | what it sets |\n|---|---|---|\n", top)
		}
		fmt.Fprintf(&b, "| `%s` | `%v` | %s |\n", key, value, strings.ReplaceAll(comment, "|", `\|`))
	})
	compareOrUpdate(t, filepath.Join("..", "..", "docs", "config.md"), b.String())
}

const configDocsHead = `# Configuration

Settings come in layers, each over the one before: defaults, a YAML file
(` + "`--config FILE` or `LECTERN_CONFIG`" + `), environment variables, flags. Every key below
is also a variable (` + "`server.address` is `LECTERN_SERVER__ADDRESS`" + `) and a flag
(` + "`--server.address`" + `). Unknown keys and values out of bounds are errors that name
the key, the value and what is allowed. ` + "`lectern config`" + ` prints what would be used;
[lectern.yaml](lectern.yaml) holds every default.

This page is made from the comments in the code (` + "`go test ./cmd/lectern -run TestConfigDocs -update`" + `).
`

func walkConfig(v reflect.Value, prefix string, comments map[string]map[string]string, visit func(string, any, string)) {
	typ := v.Type()
	for i := range typ.NumField() {
		field := typ.Field(i)
		if field.Tag.Get("koanf") == "-" {
			continue
		}
		key := prefix + field.Tag.Get("koanf")
		if field.Type.Kind() == reflect.Struct {
			walkConfig(v.Field(i), key+".", comments, visit)
			continue
		}
		comment := comments[typ.String()][field.Name]
		if field.Type.Kind() == reflect.Map {
			iter := v.Field(i).MapRange()
			for iter.Next() {
				visit(fmt.Sprintf("%s.%v", key, iter.Key()), iter.Value(), comment)
			}
			continue
		}
		visit(key, v.Field(i).Interface(), comment)
	}
}

func collectComments(t *testing.T, pkg, dir string, into map[string]map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			structure, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			fields := map[string]string{}
			for _, f := range structure.Fields.List {
				text := f.Comment.Text()
				if text == "" {
					text = f.Doc.Text()
				}
				for _, name := range f.Names {
					fields[name.Name] = strings.Join(strings.Fields(text), " ")
				}
			}
			into[pkg+"."+spec.Name.Name] = fields
			return true
		})
	}
}

func compareOrUpdate(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		write(t, path, want)
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("%s is out of date, run the test with -update (-file +wanted):\n%s", path, diff)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
