package explore_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

func TestDocumentRound(t *testing.T) {
	cfg := explore.DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	body, err := explore.Document(cfg)
	if err != nil {
		t.Fatal(err)
	}
	back, err := explore.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(cfg, back); d != "" {
		t.Errorf("the defaults, written and read (-want +got):\n%s", d)
	}
	none, err := explore.Parse([]byte("{}"))
	if d := cmp.Diff(cfg, none); d != "" || err != nil {
		t.Errorf("nothing said, %v (-want +got):\n%s", err, d)
	}
	// The order of places says nothing.
	other, err := explore.Parse([]byte(`{"places": {"home": [8, 4]}}`))
	if err != nil {
		t.Fatal(err)
	}
	again, err := explore.Document(other)
	if err != nil || string(again) != string(body) {
		t.Errorf("%v: %s", err, again)
	}
	if a, b := explore.FileName(cfg), explore.FileName(other); a != b || !strings.HasPrefix(a, "e0-") {
		t.Errorf("names %q and %q", a, b)
	}
	other.Share = 0.5
	if explore.FileName(other) == explore.FileName(cfg) {
		t.Error("other settings have the same name")
	}
	cfg.Places, cfg.Rewards = explore.Places{}, nil
	if body, err := explore.Document(cfg); err != nil || strings.Contains(string(body), "null") {
		t.Errorf("%v: %s", err, body)
	}
}

// faults reads a document and lists what is wrong as "path: what is allowed".
func faults(t *testing.T, body string) (lectern.Code, map[string]string) {
	t.Helper()
	_, err := explore.Parse([]byte(body))
	out := make(map[string]string)
	if e, ok := err.(*lectern.Error); ok { //nolint:errorlint // Parse makes it
		for _, f := range e.Fields {
			out[f.Field] = f.Reason + ": " + f.Allowed
		}
	}
	return lectern.ErrorCode(err), out
}

func TestFaultsAreNamedAtOnce(t *testing.T) {
	for _, c := range []struct {
		body string
		code lectern.Code
		want map[string]string // path → part of what is said
	}{
		{`{"places": {"home": [1, 4]}}`, lectern.CodeInvalid, map[string]string{"places.home[0]": "the first place never explores"}},
		{`{"places": {"home": [4, 51, 4], "trending": [0]}}`, lectern.CodeInvalid, map[string]string{
			"places.home[1]": "2 to 50", "places.home[2]": "places.home[0] has it", "places.trending[0]": "2 to 50",
		}},
		{`{"places": {"search": [2,3,4,5,6,7,8,9,10,11,12]}}`, lectern.CodeInvalid, map[string]string{"places.search": "at most 10 values"}},
		{`{"places": {"home": [2.5]}}`, lectern.CodeInvalid, map[string]string{"places.home[0]": "a whole number"}},
		{`{"floor": 0}`, lectern.CodeInvalid, map[string]string{"floor": "over 0, at most 1"}},
		{`{"floor": 0.3, "new_courses": {"share": 0.8}}`, lectern.CodeInvalid, map[string]string{"new_courses.share": "at most 0.7"}},
		{`{"policy": "thomson", "pool": 1, "caps": {"per_provider": 1.5}}`, lectern.CodeInvalid, map[string]string{
			"policy": "thompson, linucb", "pool": "2 to 100", "caps.per_provider": "0 to 1",
		}},
		{`{"guardrails": {"confidence": 1, "report_rate": -1}, "learning": {"ridge": 0, "noise": 0}}`, lectern.CodeInvalid, map[string]string{
			"guardrails.confidence": "0.5 to 0.9999", "guardrails.report_rate": "0 to 1000; 0 is no limit", "learning.ridge": "over 0", "learning.noise": "over 0",
		}},
		{`{"polcy": "none"}`, lectern.CodeUnknownField, map[string]string{"polcy": `policy`}},
		{`{"polcy": "none", "floor": 2}`, lectern.CodeInvalid, map[string]string{"polcy": "policy", "floor": "over 0"}},
		{`{"enabled": "no", "caps": null}`, lectern.CodeInvalid, map[string]string{"enabled": "true or false", "caps": "an object"}},
		{`{"share": 1, "share": 0}`, lectern.CodeInvalid, map[string]string{"share": "more than once"}},
		{`{"rewards": [{"event": "click", "value": 1, "within_days": 1}]}`, lectern.CodeInvalid, map[string]string{"rewards[0].name": "is required"}},
		{`{"rewards": [{"name": "a", "event": "clik", "value": 0, "within_days": 0}, {"name": "a", "event": "view", "value": 2, "within_days": 1, "at_least": 6}]}`,
			lectern.CodeInvalid, map[string]string{
				"rewards[0].event": "click, save, enrol", "rewards[0].value": "other than 0", "rewards[0].within_days": "over 0",
				"rewards[1].name": "rewards[0] has it", "rewards[1].event": "click", "rewards[1].value": "-1 to 1", "rewards[1].at_least": "0 to 5",
			}},
		{`{"rewards": [{"name": "Rated!", "event": "rate", "value": 1, "within_days": 1, "at_least": 0.5}, {"name": "b", "event": "progress", "value": 1, "within_days": 1, "at_least": 2}, {"name": "c", "event": "click", "value": 1, "within_days": 1, "at_least": 1}]}`,
			lectern.CodeInvalid, map[string]string{
				"rewards[0].name": "lower-case", "rewards[0].at_least": "1 to 5 stars", "rewards[1].at_least": "a share", "rewards[2].at_least": "only progress and ratings",
			}},
	} {
		code, got := faults(t, c.body)
		if code != c.code || len(got) != len(c.want) {
			t.Errorf("%s: %s, %q", c.body, code, got)
		}
		for path, part := range c.want {
			if !strings.Contains(got[path], part) {
				t.Errorf("%s: of %s it says %q, want %q", c.body, path, got[path], part)
			}
		}
	}
}

func TestPatchAndDiff(t *testing.T) {
	body, err := explore.Document(explore.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := explore.MergeDocument(body, []byte(`{"enabled": false, "places": {"home": [3]}, "caps": null}`))
	if err != nil {
		t.Fatal(err)
	}
	want := explore.DefaultConfig()
	want.Enabled, want.Places.Home = false, []int{3}
	if d := cmp.Diff(want, cfg); d != "" {
		t.Errorf("patched (-want +got):\n%s", d)
	}
	after, err := explore.Document(cfg)
	if err != nil {
		t.Fatal(err)
	}
	diff, err := explore.DiffDocuments(body, after)
	if err != nil || fmt.Sprintf("%s", diff) != "[{enabled true false} {places.home [4,8] [3]}]" {
		t.Errorf("%v: %s", err, diff)
	}
	if _, err := explore.MergeDocument(body, []byte(`{"cap": null}`)); lectern.ErrorCode(err) != lectern.CodeUnknownField {
		t.Errorf("a patch that takes away what never was: %v", err)
	}
}

// The schema accepts what Parse does, and has a sentence for every field.
func TestSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(explore.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	const at = "urn:lectern:schema:explore"
	if err := c.AddResource(at, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(at)
	if err != nil {
		t.Fatal(err)
	}
	accepts := func(body []byte) bool {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v) == nil
	}
	body, err := explore.Document(explore.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	if !accepts(body) || !accepts([]byte("{}")) {
		t.Error("the schema refuses the defaults")
	}
	for _, bad := range []string{
		`{"places": {"home": [1]}}`, `{"places": {"home": [4, 4]}}`, `{"floor": 0}`, `{"policy": "thomson"}`, `{"polcy": 1}`, `{"pool": 2.5}`,
		`{"rewards": [{"name": "a"}]}`,
	} {
		if accepts([]byte(bad)) {
			t.Errorf("the schema takes %s", bad)
		}
		if _, err := explore.Parse([]byte(bad)); err == nil {
			t.Errorf("Parse takes %s", bad)
		}
	}
	var silent []string
	var walk func(s *jsonschema.Schema, path string)
	walk = func(s *jsonschema.Schema, path string) {
		if s.Description == "" {
			silent = append(silent, path)
		}
		for name, inner := range s.Properties {
			walk(inner, path+"."+name)
		}
		if s.Items2020 != nil {
			walk(s.Items2020, path+"[]")
		}
	}
	walk(schema, "")
	if slices.Sort(silent); len(silent) > 0 {
		t.Errorf("the schema says nothing of %v", silent)
	}
}

// TestDoubts warns of settings that do nothing.
func TestDoubts(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*explore.Config)
		want   int
	}{
		"as shipped":     {func(*explore.Config) {}, 0},
		"no rewards":     {func(c *explore.Config) { c.Rewards = nil }, 1},
		"nowhere":        {func(c *explore.Config) { c.Places = explore.Places{} }, 1},
		"neither":        {func(c *explore.Config) { c.Places, c.Rewards = explore.Places{}, nil }, 2},
		"off, and empty": {func(c *explore.Config) { c.Enabled, c.Places, c.Rewards = false, explore.Places{}, nil }, 0},
	} {
		c := explore.DefaultConfig()
		tt.change(&c)
		if got := c.Doubts(); len(got) != tt.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
