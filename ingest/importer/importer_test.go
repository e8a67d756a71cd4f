package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/ingesttest"
	"github.com/lectern-dev/lectern/ingest/mapping"
)

// bench is one import under test.
type bench struct {
	t     *testing.T
	dir   string
	store *ingesttest.Memory
	out   bytes.Buffer
	err   bytes.Buffer
}

func newBench(t *testing.T) *bench { return &bench{t: t, dir: t.TempDir(), store: ingesttest.New()} }

func (b *bench) file(name, content string) string {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return path
}

func (b *bench) mapping(kind ingest.Kind, yaml string) *mapping.Mapping {
	b.t.Helper()
	m, err := mapping.Parse("m.yaml", []byte(yaml), kind)
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

func (b *bench) rejectsPath() string { return filepath.Join(b.dir, "rejects.jsonl") }

func (b *bench) run(opts Options) (Summary, error) {
	b.out.Reset()
	b.err.Reset()
	opts.Out, opts.Err, opts.RejectsPath = &b.out, &b.err, b.rejectsPath()
	return Run(context.Background(), opts, b.store.Service())
}

// rejects prints each reject as row@line field: reason.
func (b *bench) rejects() []string {
	b.t.Helper()
	data, err := os.ReadFile(b.rejectsPath())
	if err != nil {
		return nil
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		var r Reject
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			b.t.Fatalf("%q: %v", line, err)
		}
		if r.Raw == "" || r.File == "" || r.Kind == "" || r.Run == "" {
			b.t.Errorf("reject without row, file, kind or run: %s", line)
		}
		s := fmt.Sprintf("%d@%d %s: %s", r.Row, r.Line, r.Field, r.Reason)
		for _, m := range r.More {
			s += "; " + m.Field + ": " + m.Reason
		}
		out = append(out, s)
	}
	return out
}

func (b *bench) committed() []string {
	return regexp.MustCompile(`(?m)^committed \d+$`).FindAllString(b.out.String(), -1)
}

func TestRun(t *testing.T) {
	b := newBench(t)
	path := b.file("kurse.csv", "\xEF\xBB\xBFKennung;Titel;Themen;Dauer\n"+
		"a;Alpha;x, y;3,5 Std.\n"+
		"b;\"Be\nta\";;\n"+
		";ohne Kennung;;\n"+
		"c;Gamma;;lang\n"+
		"d;zu;wenig\n"+
		"e;\xff;;\n"+
		"f;;z;1 Std.\n")
	m := b.mapping(ingest.Courses, `
delimiter: ";"
fields:
  id: Kennung
  title: Titel
  skills: {column: Themen, split: ","}
  workload_hours: {column: Dauer, trim_suffix: "Std.", decimal: ","}
`)
	opts := Options{Kind: ingest.Courses, Files: []string{path}, Mapping: m, BatchRows: 2}
	sum, err := b.run(opts)
	if err != nil {
		t.Fatal(err)
	}
	hours := 3.5
	if diff := cmp.Diff(map[string]lectern.Course{
		"a": {ID: "a", Title: "Alpha", Skills: []string{"x", "y"}, WorkloadHours: &hours},
		"b": {ID: "b", Title: "Be\nta"},
	}, b.store.Catalogue); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"committed 2", "committed 4", "committed 6", "committed 7"}, b.committed()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"3@5 id: is required",
		`4@6 workload_hours: "lang" is not a number (from column Dauer)`,
		"5@7 : the row has 3 columns, the headings have 4",
		"6@8 Titel: is not valid UTF-8",
		"7@9 title: is required for a new course", // by the store
	}, b.rejects()); diff != "" {
		t.Error(diff)
	}
	if sum.Read != 7 || sum.Created != 2 || sum.Rejected != 5 || len(sum.Reasons) != 5 {
		t.Errorf("%+v", sum)
	}
	for _, want := range []string{"1 × workload_hours: … is not a number", "1 × Titel: is not valid UTF-8", "the row has N columns, the headings have N"} {
		if !strings.Contains(b.out.String(), want) {
			t.Errorf("no %q in the summary:\n%s", want, b.out.String())
		}
	}

	sum, err = b.run(opts) // twice changes nothing
	if err != nil || sum.Unchanged != 2 || sum.Created+sum.Updated != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
	if n := len(b.rejects()); n != 10 {
		t.Errorf("%d rejects after two runs, want 10: runs append", n)
	}
	if _, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}, Mapping: m, Strict: true}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("strict: %v", err)
	}
}

func TestPatchAndReplace(t *testing.T) {
	b := newBench(t)
	b.store.Catalogue["a"] = lectern.Course{ID: "a", Title: "Old", Provider: "P", Level: lectern.LevelBeginner}
	path := b.file("a.csv", "id,title,level\na,New,\n")
	if _, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lectern.Course{ID: "a", Title: "New", Provider: "P", Level: lectern.LevelBeginner}, b.store.Catalogue["a"]); diff != "" {
		t.Error(diff) // the empty level leaves the stored one
	}
	if _, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}, Replace: true}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lectern.Course{ID: "a", Title: "New"}, b.store.Catalogue["a"]); diff != "" {
		t.Error(diff)
	}
}

func TestCanonicalJSONL(t *testing.T) {
	b := newBench(t)
	courses := b.file("c.jsonl", `{"id":"c","title":"C","availability":{"status":"open"}}`+"\n")
	events := b.file("e.jsonl", `{"id":"1","type":"click","learner_id":"l","course_id":"c","occurred_at":"2026-01-01T00:00:00Z"}
{"id":"1","type":"click","learner_id":"l","course_id":"c","occurred_at":"2026-01-01T00:00:00Z"}
{"id":"2","type":"click","learner_id":"l","course_id":"x","occurred_at":"2026-01-01T00:00:00Z"}
{"id":"3","type":"click","learner_id":"l","course_id":"x","occurred_at":"2026-01-01T00:00:00Z"}
{"id":"4","type":"clack","learner_id":"l","course_id":"c","occured_at":"2026-01-01T00:00:00Z"}
`)
	if _, err := b.run(Options{Kind: ingest.Courses, Files: []string{courses}}); err != nil {
		t.Fatal(err)
	}
	sum, err := b.run(Options{Kind: ingest.Events, Files: []string{events}})
	if err != nil || sum.Created != 1 || sum.Duplicate != 1 || sum.Parked != 2 || sum.MissingCourses != 1 || sum.Rejected != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	if diff := cmp.Diff([]string{`5@5 type: is not a known value; did you mean "click"?; occured_at: is not a known field; did you mean "occurred_at"?; occurred_at: is required`}, b.rejects()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(b.out.String(), "parked 2: in effect as soon as 1 course not yet known come in") {
		t.Error(b.out.String())
	}
}

// TestRatingsOverFiles: equal rows are counted over all files of a run, and the
// same run again changes nothing.
func TestRatingsOverFiles(t *testing.T) {
	b := newBench(t)
	one := b.file("1.csv", "day,stars,course_id\n2026-01-01,5,c\n2026-01-01,5,c\n2026-01-01,4,c\n")
	two := b.file("2.csv", "course_id,stars,day\nc,5.0,2026-01-01\n")
	opts := Options{Kind: ingest.Ratings, Files: []string{one, two}, BatchRows: 1}
	sum, err := b.run(opts)
	if err != nil || sum.Parked != 4 || len(b.store.Ratings) != 4 {
		t.Errorf("%+v, %v", sum, err)
	}
	if sum, err = b.run(opts); err != nil || sum.Unchanged != 4 || len(b.store.Ratings) != 4 {
		t.Errorf("again: %+v, %v", sum, err)
	}
}

func TestTruncatedGzip(t *testing.T) {
	b := newBench(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte("id,title\n"))
	for i := range 2000 {
		fmt.Fprintf(w, "c%d,\"Title %d\nof %x\"\n", i, i, i*2654435761)
	}
	w.Close()
	path := b.file("a.csv.gz", packed.String()[:packed.Len()*2/3])
	sum, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}})
	if err != nil || sum.Created < 1000 || sum.Created == 2000 || sum.Rejected != 0 || len(sum.Broken) != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	if want := fmt.Sprintf("after row %d: the gzip data ends early; is the file truncated?", sum.Created); !strings.Contains(b.err.String(), want) || !strings.Contains(b.out.String(), want) {
		t.Errorf("no %q in\n%s%s", want, b.out.String(), b.err.String())
	}
	if _, err = b.run(Options{Kind: ingest.Courses, Files: []string{path}, Strict: true}); err == nil {
		t.Error("strict: no error for a file that breaks off")
	}
}

func TestDryRun(t *testing.T) {
	b := newBench(t)
	path := b.file("a.csv", "key,name,x\n1,A & B,\n2,B,q\n,C,\n")
	m := b.mapping(ingest.Courses, "fields: {id: {template: 'k-{key}'}, title: name, provider: {first_of: [x, name]}, language: {constant: en}}")
	sum, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}, Mapping: m, DryRun: true})
	if err != nil || b.store.Writes != 0 || sum.Valid != 2 || sum.Rejected != 1 {
		t.Errorf("%+v, %v, %d writes", sum, err, b.store.Writes)
	}
	for _, want := range []string{
		"row 1 (line 2 of a.csv)", `"id": "k-1"`, `"title": "A & B"`, "provider <- column name", "row 2", "provider <- column x", "language <- a constant",
		"dry run, nothing written: 2 rows would be imported, 1 rejected\n    1 × id: ",
	} {
		if !strings.Contains(b.out.String(), want) {
			t.Errorf("no %q in\n%s", want, b.out.String())
		}
	}
	if b.committed() != nil || b.rejects() != nil {
		t.Error("a dry run acknowledges nothing and keeps no rejects")
	}
}

// A dry run rejects what the import then rejects, also where that depends on what
// is stored and on the rows before.
func TestDryRunAgreesWithImport(t *testing.T) {
	b := newBench(t)
	if _, err := b.run(Options{Kind: ingest.Courses, Files: []string{b.file("known.csv", "id,title\nknown,K\n")}}); err != nil {
		t.Fatal(err)
	}
	path := b.file("a.csv", "id,title,level\na,,mixed\nknown,,mixed\nb,B,\nb,,mixed\nc,,mixed\nc,C,hard\na,A,\na,,advanced\n")
	for _, rows := range []int{1, 2, 100} {
		dry, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}, DryRun: true, BatchRows: rows})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.out.String(), "5 rows would be imported, 3 rejected") || !strings.Contains(b.out.String(), "2 × title: is required for a new course") {
			t.Errorf("summary:\n%s", b.out.String())
		}
		other := newBench(t)
		other.store.Catalogue["known"] = b.store.Catalogue["known"]
		wet, err := other.run(Options{Kind: ingest.Courses, Files: []string{path}, BatchRows: rows})
		if err != nil {
			t.Fatal(err)
		}
		if dry.Valid != wet.Accepted() || dry.Rejected != wet.Rejected {
			t.Errorf("%d rows a batch: the dry run says %d and %d, the import %d and %d", rows, dry.Valid, dry.Rejected, wet.Accepted(), wet.Rejected)
		}
		if d := cmp.Diff(wet.Reasons, dry.Reasons); d != "" {
			t.Error(d)
		}
	}
}

func TestErrorsBeforeAnythingIsWritten(t *testing.T) {
	b := newBench(t)
	good := b.file("good.csv", "id,title\na,A\n")
	tests := []struct {
		name string
		opts Options
		want string
	}{
		{"no file", Options{Kind: ingest.Courses}, "no file to import"},
		{"a file that is not there", Options{Kind: ingest.Courses, Files: []string{good, filepath.Join(b.dir, "none.csv")}}, ": cannot open " + filepath.Join(b.dir, "none.csv") + ": no such file"},
		{"other headings", Options{Kind: ingest.Courses, Files: []string{good, b.file("other.csv", "key,name\n")}}, "needs a mapping"},
		{"mapping that does not fit", Options{Kind: ingest.Courses, Files: []string{good}, Mapping: b.mapping(ingest.Courses, "fields: {id: key}")}, "whose headings are id, title"},
		{"mapping that fits no JSON row", Options{Kind: ingest.Courses, Files: []string{b.file("a.jsonl", `{"id":"a"}`)}, Mapping: b.mapping(ingest.Courses, "fields: {id: key}")}, "have none of the columns key; they have id"},
		{"empty", Options{Kind: ingest.Courses, Files: []string{b.file("empty.csv", "")}}, "is empty"},
		{"kind", Options{Kind: "course", Files: []string{b.file("b.jsonl", `{}`)}}, `did you mean "courses"?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b.run(tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) || b.store.Writes != 0 {
				t.Errorf("error %v, %d writes", err, b.store.Writes)
			}
		})
	}
}

// A file with repeated ids comes to the same when it is imported again, and says so.
func TestRepeatedIDs(t *testing.T) {
	b := newBench(t)
	path := b.file("a.csv", "id,title\na,A1\nb,B\na,A2\nc,C\nd,D1\nd,D2\nd,D1\n")
	sum, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}})
	if err != nil || sum.Created != 4 || sum.Updated != 3 || b.store.Catalogue["a"].Title != "A2" || b.store.Catalogue["d"].Title != "D1" {
		t.Errorf("%+v, %v, %v", sum, err, b.store.Catalogue)
	}
	if sum, err = b.run(Options{Kind: ingest.Courses, Files: []string{path}}); err != nil || sum.Unchanged != 7 {
		t.Errorf("again: %+v, %v", sum, err)
	}
}

// A delimiter that nobody stated is told by the headings, and that is said.
func TestDelimiterIsTold(t *testing.T) {
	b := newBench(t)
	path := b.file("kurse.csv", "id;title\na;A, B\n")
	sum, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}})
	if err != nil || sum.Created != 1 || b.store.Catalogue["a"].Title != "A, B" {
		t.Errorf("%+v, %v, %v", sum, err, b.store.Catalogue)
	}
	if want := "note: " + path + `: the columns are taken to be separated by ";"`; !strings.Contains(b.err.String(), want) {
		t.Errorf("no %q in %q", want, b.err.String())
	}
	m := b.mapping(ingest.Courses, "delimiter: ';'\nfields: {id: id, title: title}")
	if _, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}, Mapping: m}); err != nil || b.err.Len() > 0 {
		t.Errorf("%v, %q: what the mapping says is no news", err, b.err.String())
	}
}

func TestNothingImported(t *testing.T) {
	b := newBench(t)
	sum, err := b.run(Options{Kind: ingest.Courses, Files: []string{b.file("a.csv", "id,level\na,hard\nb,easy\n")}})
	if err == nil || !strings.Contains(err.Error(), "nothing could be imported") || sum.Rejected != 2 {
		t.Errorf("%+v, %v", sum, err)
	}
	if sum, err = b.run(Options{Kind: ingest.Courses, Files: []string{b.file("b.csv", "id,level\n")}}); err != nil || sum.Read != 0 {
		t.Errorf("a file with headings only: %+v, %v", sum, err)
	}
}

func TestStoreFailure(t *testing.T) {
	b := newBench(t)
	broken := errors.New("disk full")
	b.store.Fail = func(int) error {
		if b.store.Writes == 2 {
			return broken
		}
		return nil
	}
	var rows strings.Builder
	rows.WriteString("id,title\n")
	for i := range 1000 {
		fmt.Fprintf(&rows, "c%d,T\n", i)
	}
	sum, err := b.run(Options{Kind: ingest.Courses, Files: []string{b.file("a.csv", rows.String())}, BatchRows: 10})
	if !errors.Is(err, broken) || sum.Created != 20 || len(b.store.Catalogue) != 20 {
		t.Errorf("%+v, %v", sum, err)
	}
	if diff := cmp.Diff([]string{"committed 10", "committed 20"}, b.committed()); diff != "" {
		t.Error(diff)
	}
}

func TestCancel(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	b.store.Fail = func(int) error { cancel(); return nil }
	var rows strings.Builder
	rows.WriteString("id,title\n")
	for i := range 100 {
		fmt.Fprintf(&rows, "c%d,T\n", i)
	}
	_, err := Run(ctx, Options{Kind: ingest.Courses, Files: []string{b.file("a.csv", rows.String())}, BatchRows: 1}, b.store.Service())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestUnfinishedRejectLine: a run that was killed while it wrote a reject does
// not spoil the next run's first.
func TestUnfinishedRejectLine(t *testing.T) {
	b := newBench(t)
	b.file("rejects.jsonl", `{"run":"2026`)
	if _, err := b.run(Options{Kind: ingest.Courses, Files: []string{b.file("a.csv", "id,title,level\na,A,hard\nb,B,\n")}}); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(b.rejectsPath())
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != 2 || !json.Valid([]byte(lines[1])) {
		t.Errorf("%q", lines)
	}
}

func TestProgressBar(t *testing.T) {
	b := newBench(t)
	if _, err := b.run(Options{Kind: ingest.Courses, Files: []string{b.file("a.csv", "id,title\na,A\n")}, Progress: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.err.String(), "rows/s") || strings.Contains(b.out.String(), "\r") {
		t.Errorf("stderr %q, stdout %q", b.err.String(), b.out.String())
	}
	if IsTerminal(&b.err) {
		t.Error("a buffer is no terminal")
	}
}
