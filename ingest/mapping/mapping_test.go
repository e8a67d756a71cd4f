package mapping

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/source"
)

// mapRow maps one row of the given columns and prints it as JSON.
func mapRow(t *testing.T, yaml string, header, values []string) (string, []string) {
	t.Helper()
	m, err := Parse("m.yaml", []byte("fields:\n  id: id\n"+yaml), ingest.Courses)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Bind("f.csv.gz", append([]string{"id"}, header...))
	if err != nil {
		t.Fatal(err)
	}
	rec, problems, _ := b.Map(source.Row{Number: 7, Values: append([]string{"1"}, values...)}, false)
	text, err := rec.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, p := range problems {
		reasons = append(reasons, p.Field+": "+p.Reason)
	}
	return strings.TrimPrefix(strings.TrimPrefix(string(text), `{"id":"1"`), ","), reasons
}

func TestMap(t *testing.T) {
	tests := []struct {
		name, yaml     string
		header, values []string
		want           string // after the id
		problems       []string
	}{
		{"short form", "  title: t", []string{"t"}, []string{" A "}, `"title":"A"}`, nil},
		{"no value, no field", "  title: t", []string{"t"}, []string{"  "}, `}`, nil},
		{"empty words", "  title: {column: t, empty: [N/A, none]}", []string{"t"}, []string{"None"}, `}`, nil},
		{"empty words at the top", "  title: t\nempty: [nan]", []string{"t"}, []string{"NaN"}, `}`, nil},
		{"first of", "  title: {first_of: [a, b]}", []string{"a", "b"}, []string{"", "B"}, `"title":"B"}`, nil},
		{"all of, joined", "  description: {all_of: [a, b, c], join: ' - '}", []string{"a", "b", "c"}, []string{"A", "", "C"}, `"description":"A - C"}`, nil},
		{"all of, as list", "  categories: {all_of: [a, b, c]}", []string{"a", "b", "c"}, []string{"A", "", "C"}, `"categories":["A","C"]}`, nil},
		{"all of, split", "  skills: {all_of: [a, b], split: ';'}", []string{"a", "b"}, []string{"x; y", "z;"}, `"skills":["x","y","z"]}`, nil},
		{"one item", "  skills: a", []string{"a"}, []string{"x, y"}, `"skills":["x, y"]}`, nil},
		{"constant", "  language: {constant: en}", nil, nil, `"language":"en"}`, nil},
		{"constant list", "  categories: {constant: [a, b]}", nil, nil, `"categories":["a","b"]}`, nil},
		{"template", "  url: {template: 'https://x.test/{{{a}}}/{#row}/{#file}'}", []string{"a"}, []string{"q"}, `"url":"https://x.test/{q}/7/f"}`, nil},
		{"template with a hole", "  url: {template: 'https://x.test/{a}'}", []string{"a"}, []string{""}, `}`, nil},
		{"python list", "  skills: {column: s, split: python}", []string{"s"}, []string{`['a', "b's", 'c\'d', u'é', 3, None]`}, `"skills":["a","b's","c'd","é","3"]}`, nil},
		{"empty python list", "  skills: {column: s, split: python}", []string{"s"}, []string{`[]`}, `}`, nil},
		{"broken python list", "  skills: {column: s, split: python}", []string{"s"}, []string{`['a', b]`}, `}`, []string{`skills: is not a Python list: "b" is neither a quoted text nor a number (from column s)`}},
		{"json list", "  skills: {column: s, split: json}", []string{"s"}, []string{`["a","b\u00e9",1,null]`}, `"skills":["a","bé","1"]}`, nil},
		{"broken json list", "  skills: {column: s, split: json}", []string{"s"}, []string{`["a"`}, `}`, []string{"skills: is not a JSON list (from column s)"}},
		{"trimmed items", "  skills: {column: s, split: '|', trim_prefix: ['-', '*'], trim_suffix: '.'}", []string{"s"}, []string{"-\ta.|* b|."}, `"skills":["a","b"]}`, nil},
		{"extract", `  workload_hours: {column: s, extract: 'Approx\. (\d+) hours?'}`, []string{"s"}, []string{"100% online|Approx. 15 hours to complete"}, `"workload_hours":15}`, nil},
		{"extract, no match", `  workload_hours: {column: s, extract: '(\d+) hours?'}`, []string{"s"}, []string{"soon"}, `}`, nil},
		{"extract with scales", `  workload_hours: {column: s, extract: [{match: '(\d+) hours?'}, {match: '(\d+) min', scale: 0.0166666667}], round: 2}`, []string{"s"}, []string{"45 min"}, `"workload_hours":0.75}`, nil},
		{"weeks", `  workload_hours: {column: s, extract: '(\d+) weeks', scale: 5}`, []string{"s"}, []string{"6 weeks"}, `"workload_hours":30}`, nil},
		{"product", `  workload_hours: {column: s, extract: {match: '(\d+) Wochen à ([\d,]+) Std', multiply: true}, decimal: ','}`, []string{"s"}, []string{"3 Wochen à 4,5 Std."}, `"workload_hours":13.5}`, nil},
		{"product, scaled, or one number", `  workload_hours: {column: s, extract: [{match: '(\d+) weeks(?:, (\d+) min)?', multiply: true, scale: 0.5}, {match: '(\d+) weeks'}], scale: 2}`, []string{"s"}, []string{"6 weeks, 10 min"}, `"workload_hours":60}`, nil},
		{"product, a group that is not there", `  workload_hours: {column: s, extract: [{match: '(\d+) weeks(?:, (\d+) min)?', multiply: true}, {match: '(\d+) weeks', scale: 5}]}`, []string{"s"}, []string{"6 weeks"}, `"workload_hours":30}`, nil},
		{"product, not a number", `  workload_hours: {column: s, extract: {match: '(\d+) x (\w+)', multiply: true}}`, []string{"s"}, []string{"3 x vier"}, `}`, []string{`workload_hours: "vier" is not a number (from column s)`}},
		{"last part of an address", `  title: {column: s, extract: '/([^/]+)/?$'}`, []string{"s"}, []string{"https://x.test/learn/go-1/"}, `"title":"go-1"}`, nil},
		{"thousands", `  stated.enrolments: {column: s, extract: '([\d,]+) already'}`, []string{"s"}, []string{"16,728 already enrolled!"}, `"stated":{"enrolments":16728}}`, nil},
		{"decimal comma", "  stated.rating_mean: {column: s, decimal: ','}", []string{"s"}, []string{"4,7"}, `"stated":{"rating_mean":4.7}}`, nil},
		{"not a number", "  stated.rating_mean: s", []string{"s"}, []string{"good"}, `}`, []string{`stated.rating_mean: "good" is not a number (from column s)`}},
		{"values", "  level: {column: s, values: {Beginner Level: beginner, 'All  Levels': mixed}}", []string{"s"}, []string{"all levels"}, `"level":"mixed"}`, nil},
		{"values, otherwise", "  level: {column: s, values: {a: beginner}, otherwise: ''}", []string{"s"}, []string{"b"}, `}`, nil},
		{"values, unknown goes on", "  level: {column: s, values: {a: beginner}}", []string{"s"}, []string{"b"}, `"level":"b"}`, nil},
		{"default", "  level: {column: s, values: {a: beginner, x: null}, default: mixed}", []string{"s"}, []string{"x"}, `"level":"mixed"}`, nil},
		{"dates", "  published_at: {column: s, time: [DD.MM.YYYY, 'MMM D, YYYY']}", []string{"s"}, []string{"Jan 5, 2026"}, `"published_at":"2026-01-05T00:00:00Z"}`, nil},
		{"zone", "  published_at: {column: s, time: 'YYYY-MM-DD hh:mm', zone: Europe/Berlin}", []string{"s"}, []string{"2026-07-01 12:00"}, `"published_at":"2026-07-01T12:00:00+02:00"}`, nil},
		{"unix", "  published_at: {column: s, time: unix}", []string{"s"}, []string{"86400"}, `"published_at":"1970-01-02T00:00:00Z"}`, nil},
		{"bad date", "  published_at: {column: s, time: DD.MM.YYYY}", []string{"s"}, []string{"2026"}, `}`, []string{`published_at: "2026" is not a time of the given form (from column s)`}},
		{"row time", "  published_at: {row_time: {start: '2026-01-01T00:00:00Z', step: 1m}}", nil, nil, `"published_at":"2026-01-01T00:07:00Z"}`, nil},
		{"html", "  description: {column: s, html: strip}", []string{"s"}, []string{"<p>A &amp; B</p><script>x</script><ul><li>c</li><li>d</li></ul>"}, `"description":"A & B\nc\nd"}`, nil},
		{"repair macintosh", "  title: {column: s, repair: macintosh}", []string{"s"}, []string{"don‚Äôt caf√© – ok"}, `"title":"don’t café – ok"}`, nil},
		{"repair windows-1252", "  title: t\nrepair: windows-1252", []string{"t"}, []string{"donâ€™t cafÃ© naïve"}, `"title":"don’t café naïve"}`, nil},
		{"extra", "  extra.a: s\n  extra.b: {column: s, split: ','}\n  extra.c: {constant: 3, round: 0}", []string{"s"}, []string{"x,y"}, `"extra":{"a":"x,y","b":["x","y"],"c":3}}`, nil},
		{"extra whole", "  extra: s", []string{"s"}, []string{`{"k":1}`}, `"extra":{"k":1}}`, nil},
		{"extra, no object", "  extra: s", []string{"s"}, []string{`[1]`}, `}`, []string{"extra: is not a JSON object (from column s)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := mapRow(t, tt.yaml, tt.header, tt.values)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if diff := cmp.Diff(tt.problems, problems); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMapJSONRow(t *testing.T) {
	m, err := Parse("m.yaml", []byte("fields: {id: key, title: name.en, skills: tags, workload_hours: h, categories: {column: c, split: ' > '}}"), ingest.Courses)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Bind("f.jsonl", nil)
	if err != nil {
		t.Fatal(err)
	}
	rec, problems, origins := b.Map(source.Row{Raw: `{"key":17,"name":{"en":"T"},"tags":["a","b"],"h":1.5,"c":"x > y"}`}, true)
	text, _ := json.Marshal(rec)
	if want := `{"id":"17","title":"T","categories":["x","y"],"skills":["a","b"],"workload_hours":1.5}`; string(text) != want || problems != nil {
		t.Errorf("%s %v", text, problems)
	}
	if diff := cmp.Diff(Origin{"title", "column name.en"}, origins[1]); diff != "" {
		t.Error(diff)
	}
	if _, problems, _ := b.Map(source.Row{Raw: `{`}, false); len(problems) != 1 {
		t.Errorf("%v", problems)
	}
}

func TestBadMappings(t *testing.T) {
	tests := []struct {
		name, yaml string
		want       []string
	}{
		{"empty", "", []string{"fields: is required"}},
		{"not YAML", "fields: [", []string{"is not YAML", "line 1"}},
		{"not a mapping", "- a", []string{"must be a mapping"}},
		{"unknown keys and fields", "feilds: {}\nfields:\n  id: a\n  titel: b\n  skills: {colum: c}", []string{
			`feilds: line 1: is not a known key; did you mean "fields"?`, `fields.titel: line 4: is not a field of courses; did you mean "title"?`,
			`fields.skills.colum: line 5: is not a known key; did you mean "column"?`, "fields.skills: line 5: needs exactly one of column",
		}},
		{"another kind", "kind: reviews\nfields: {id: a}", []string{`is "reviews", but courses are being imported`}},
		{"no id", "fields: {title: a}", []string{"fields.id: line 1: is required: every row of courses needs it"}},
		{"twice", "fields:\n  id: a\n  id: b", []string{"fields.id: line 3: is given twice, first on line 2"}},
		{"two sources", "fields: {id: {column: a, constant: b}}", []string{"needs exactly one of"}},
		{"expression", "fields: {id: {column: a, extract: '('}}", []string{"is not a regular expression (RE2): missing closing )"}},
		{"groups", "fields: {id: {column: a, extract: 'a+'}}", []string{"must have one capture group, has 0"}},
		{"two groups", "fields: {id: {column: a, extract: '(a)(b)'}}", []string{"must have one capture group, has 2", "multiply: true"}},
		{"product of one group", "fields: {id: a, workload_hours: {column: b, extract: {match: '(a)', multiply: true}}}", []string{"needs at least two, has 1"}},
		{"product of a text", "fields: {id: a, title: {column: b, extract: {match: '(a)(b)', multiply: true}}}", []string{"multiply is for numbers, but title is a text"}},
		{"expression without match", "fields: {id: {column: a, extract: {scale: 2}}}", []string{"needs match"}},
		{"split of a scalar", "fields: {id: a, title: {column: b, split: '|'}}", []string{"makes a list, but title is a text"}},
		{"scale of a text", "fields: {id: a, title: {column: b, scale: 2}}", []string{"scale and round are for numbers"}},
		{"time of a text", "fields: {id: a, title: {column: b, time: unix}}", []string{"are for times"}},
		{"pattern", "fields: {id: a, published_at: {column: b, time: YYYY/MM/DD q}}", []string{`has "q", which is none of`}},
		{"pattern without a year", "fields: {id: a, published_at: {column: b, time: DD.MM.}}", []string{"needs at least YYYY, MM and DD"}},
		{"template", "fields: {id: {template: 'x{a'}}", []string{"has a brace without its partner"}},
		{"otherwise alone", "fields: {id: a, level: {column: b, otherwise: mixed}}", []string{"needs values"}},
		{"join alone", "fields: {id: a, title: {column: b, join: x}}", []string{"needs all_of"}},
		{"delimiter", "delimiter: ';;'\nfields: {id: a}", []string{"must be one ASCII character"}},
		{"encoding", "encoding: utf8\nfields: {id: a}", []string{`did you mean "utf-8"?`}},
		{"source of courses", "source: x\nfields: {id: a}", []string{"has no meaning for courses"}},
		{"extra twice", "fields: {id: a, extra: b, extra.x: c}", []string{"both whole and member by member"}},
		{"null", "fields: {id: }", []string{"must be a text"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("m.yaml", []byte(tt.yaml), ingest.Courses)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v\nwants %q", err, want)
				}
			}
		})
	}
}

func TestBindErrors(t *testing.T) {
	m, err := Parse("m.yaml", []byte("fields:\n  id: course\n  title: Name\n  url: {template: '{nope}{#line}'}\n  provider: twice"), ingest.Courses)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Bind("f.csv", []string{"course_id", "name", "twice", "twice"})
	for _, want := range []string{
		"whose headings are course_id, name, twice, twice", `line 2: column "course" is not among the headings; did you mean "course_id"?`,
		`line 3: column "Name" is not among the headings; did you mean "name"?`, `line 4: column "nope"`, `column "#line" is neither {#row} nor {#file}`,
		`column "twice" stands more than once`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v\nwants %q", err, want)
		}
	}
}

// Headings that were cut in the wrong places say what to write.
func TestDelimiterHint(t *testing.T) {
	m, err := Parse("m.yaml", []byte("delimiter: ','\nfields: {id: Kennung, title: Titel}"), ingest.Courses)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		header []string
		want   string
	}{
		{[]string{"Kennung;Titel"}, `delimiter: ";"`},
		{[]string{"Kennung;Titel", " lang;x"}, `delimiter: ";"`},
		{[]string{"Kennung\tTitel"}, `delimiter: "\t"`},
		{[]string{"Kennung|Titel"}, `delimiter: "|"`},
		{[]string{"Kennung,Titel"}, `delimiter: ","`},
		{[]string{"Kennung", "Preis|EUR"}, ""},
	} {
		_, err := m.Bind("f.csv", tt.header)
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.want == "" && strings.Contains(err.Error(), "delimiter") {
			t.Errorf("%q: error %v, want %q", tt.header, err, tt.want)
		}
	}
	if _, err := ForHeader("f.csv", ingest.Courses, []string{"id;title"}); err == nil || !strings.Contains(err.Error(), `delimiter: ";"`) {
		t.Errorf("without a mapping: %v", err)
	}
}

func TestForHeader(t *testing.T) {
	m, err := ForHeader("f.csv", ingest.Courses, []string{"title", "id", "skills", "availability.status"})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := m.Bind("f.csv", []string{"title", "id", "skills", "availability.status"})
	for skills, want := range map[string]string{"a|b": `["a","b"]`, `["a","b|c"]`: `["a","b|c"]`} {
		rec, _, _ := b.Map(source.Row{Values: []string{"T", "1", skills, "open"}}, false)
		text, _ := json.Marshal(rec)
		if want := `{"id":"1","title":"T","skills":` + want + `,"availability":{"status":"open"}}`; string(text) != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
	_, err = ForHeader("f.csv", ingest.Courses, []string{"titel", "name"})
	for _, want := range []string{"--map", `titel: is a heading but not a field; did you mean "title"?`, "id: is required"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v wants %q", err, want)
		}
	}
}

// TestShippedMappingsParse also keeps every YAML of the documentation readable.
func TestShippedMappingsParse(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "import", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		kind := ingest.Courses
		for _, k := range ingest.Kinds() {
			if strings.Contains(string(data), "kind: "+string(k)) {
				kind = k
			}
		}
		if _, err := Load(path, kind); err != nil {
			t.Error(err)
		}
	}
}

func TestParseNumber(t *testing.T) {
	tests := []struct {
		in      string
		decimal byte
		want    float64
		ok      bool
	}{
		{"15", 0, 15, true}, {"-1.5", 0, -1.5, true}, {"+2", 0, 2, true}, {"1,234,567.5", 0, 1234567.5, true}, {"128.0", 0, 128, true},
		{"1.234,5", ',', 1234.5, true}, {"1 234", 0, 1234, true}, {"1\u00a0234,5", ',', 1234.5, true}, {"1'000", 0, 1000, true}, {"1e3", 0, 1000, true}, {"1.5e2", 0, 150, true},
		{"1,5", 0, 0, false}, {"12,34,567", 0, 0, false}, {"1234,567", 0, 0, false}, {"", 0, 0, false}, {"-", 0, 0, false}, {"1.2.3", 0, 0, false},
		{"NaN", 0, 0, false}, {"inf", 0, 0, false}, {"0x10", 0, 0, false}, {"1_000", 0, 0, false}, {"5 stars", 0, 0, false}, {",5", 0, 0, false}, {"1.0x1p4", 0, 0, false},
	}
	for _, tt := range tests {
		got, ok := parseNumber(tt.in, tt.decimal)
		if ok != tt.ok || (ok && got != tt.want) {
			t.Errorf("parseNumber(%q, %q) = %v, %v", tt.in, tt.decimal, got, ok)
		}
	}
}

// TestRepairProperty: what was never garbled comes out as it was,
// and what was garbled comes back.
func TestRepairProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		good := rapid.StringMatching(`[ a-zé–’“”一-三а-я]{0,20}`).Draw(rt, "text")
		if got := repairText("macintosh", garble(good)); got != good {
			rt.Fatalf("%q garbled came back as %q", good, got)
		}
	})
	for _, s := range []string{"naïve café", "(ISC)²", "Université de Genève", "Русский", "中文", ""} {
		if got := repairText("macintosh", s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

// FuzzPythonList: no input panics, and a list that is printed is read back.
func FuzzPythonList(f *testing.F) {
	for _, s := range []string{`['a', "b's"]`, `('x',)`, `[]`, `[1, None, True]`, `['\u00e9\x41\n']`, `['`, `[',']`, `{'a'}`, `['a' 'b']`, `['\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		items, err := parsePythonList(s)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, item := range items {
			b.WriteString("'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(item) + "',")
		}
		again, err := parsePythonList("[" + b.String() + "]")
		if err != nil {
			t.Fatalf("%q printed as %q: %v", items, b.String(), err)
		}
		if diff := cmp.Diff(items, again); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzParse: no mapping panics.
func FuzzParse(f *testing.F) {
	f.Add([]byte("fields: {id: a, title: {column: b, extract: '(x)'}}"))
	f.Add([]byte("fields:\n  id: &a x\n  title: *a\n"))
	f.Add([]byte("fields: {id: {template: '{a}{{'}, level: {column: c, values: {x: ~}}}"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		m, err := Parse("m.yaml", data, ingest.Courses)
		if err != nil {
			return
		}
		if b, err := m.Bind("f.csv", m.Columns()); err == nil {
			values := make([]string, len(m.Columns()))
			for i := range values {
				values[i] = "1"
			}
			b.Map(source.Row{Number: 1, Values: values}, true)
		}
	})
}

func BenchmarkMapRating(b *testing.B) {
	m, err := Parse("m.yaml", []byte("source: s\nfields: {course_id: c, day: d, stars: s}"), ingest.Ratings)
	if err != nil {
		b.Fatal(err)
	}
	bound, err := m.Bind("f.csv", []string{"d", "s", "c"})
	if err != nil {
		b.Fatal(err)
	}
	row := source.Row{Values: []string{"2020-02-12", "4", "google-cbrs-cpi-training"}}
	var d ingest.Decoder
	b.ReportAllocs()
	for b.Loop() {
		rec, _, _ := bound.Map(row, false)
		if _, err := d.RatingRecord(rec); err != nil {
			b.Fatal(err)
		}
	}
}
