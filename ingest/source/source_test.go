package source

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readAll prints each row as number@line and values, or its error.
func readAll(t testing.TB, path string, opts Options) (header, rows []string, end error) {
	t.Helper()
	f, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		row, err := f.Next()
		if bad, ok := errors.AsType[*RowError](err); ok {
			rows = append(rows, fmt.Sprintf("%d@%d !%s", row.Number, row.Line, bad))
			continue
		}
		if errors.Is(err, io.EOF) {
			return f.Header(), rows, nil
		}
		if err != nil {
			return f.Header(), rows, err
		}
		if f.Format == JSONL {
			row.Values = []string{row.Raw}
		}
		rows = append(rows, fmt.Sprintf("%d@%d %q", row.Number, row.Line, row.Values))
	}
}

func TestNext(t *testing.T) {
	tests := []struct {
		name, file, in string
		opts           Options
		want           []string
	}{
		{"plain", "a.csv", "id,t\n1,a\n2,b", Options{}, []string{`1@2 ["1" "a"]`, `2@3 ["2" "b"]`}},
		{"byte order mark", "a.csv", "\xEF\xBB\xBFid,t\r\n1,a\r\n", Options{}, []string{`1@2 ["1" "a"]`}},
		{"blank lines", "a.csv", "id,t\n\n1,a\n\r\n\n2,b\n\n", Options{}, []string{`1@3 ["1" "a"]`, `2@6 ["2" "b"]`}},
		{"quotes and newlines", "a.csv", "id,t\n1,\"a, \"\"b\"\"\r\nc\n\nd\"\n2,\"\"\n", Options{}, []string{`1@2 ["1" "a, \"b\"\nc\n\nd"]`, `2@6 ["2" ""]`}},
		{"last field empty", "a.csv", "id,t\n1,\n\"2\",\n", Options{}, []string{`1@2 ["1" ""]`, `2@3 ["2" ""]`}},
		{"wrong column counts", "a.csv", "id,t\n1\n2,b,c\n3,c\n", Options{}, []string{
			"1@2 !the row has 1 columns, the headings have 2", "2@3 !the row has 3 columns, the headings have 2", `3@4 ["3" "c"]`,
		}},
		{"bare quote", "a.csv", "id,t\n1,a\"b\n2,\"x\"y\n3,c\n", Options{}, []string{
			"1@2 !t: has a quote inside a field that does not begin with one",
			"2@3 !t: goes on after its closing quote, or holds a quote that is not doubled", `3@4 ["3" "c"]`,
		}},
		{"open quote costs one row", "a.csv", "id,t\n1,\"a\n2,b\n3,\"c\"\n4,d\n", Options{}, []string{
			"1@2 !t: goes on after its closing quote, or holds a quote that is not doubled", `2@3 ["2" "b"]`, `3@4 ["3" "c"]`, `4@5 ["4" "d"]`,
		}},
		{"quote open to the end", "a.csv", "id,t\n1,\"a\n2,b\n3,c", Options{}, []string{
			"1@2 !t: opens a quote that is never closed", `2@3 ["2" "b"]`, `3@4 ["3" "c"]`,
		}},
		{"invalid UTF-8", "a.csv", "id,t\n1,\xff\n2,b\n", Options{}, []string{"1@2 !t: is not valid UTF-8", `2@3 ["2" "b"]`}},
		{"semicolons", "a.csv", "id;t\n1;a,b\n", Options{Delimiter: ';'}, []string{`1@2 ["1" "a,b"]`}},
		{"semicolons told", "a.csv", "\n\"i,d\";t\n1;a,b\n", Options{}, []string{`1@3 ["1" "a,b"]`}},
		{"tabs told", "a.csv", "id\tt\r\n1\ta,b;c\r\n", Options{}, []string{`1@2 ["1" "a,b;c"]`}},
		{"bars told", "a.csv", "id|t\n1|a,b\n", Options{}, []string{`1@2 ["1" "a,b"]`}},
		{"semicolons and bars: not told", "a.csv", "id;t|u\na;b\n", Options{}, []string{`1@2 ["a;b"]`}},
		{"semicolons and commas: commas", "a.csv", "id;x,t\n1,a;b\n", Options{}, []string{`1@2 ["1" "a;b"]`}},
		{"commas said, semicolons there", "a.csv", "id;t\n1;a\n", Options{Delimiter: ','}, []string{`1@2 ["1;a"]`}},
		{"tabs by name, whatever is there", "a.tsv", "id;t\n1;a\n", Options{}, []string{`1@2 ["1;a"]`}},
		{"tabs by name", "a.tsv", "id\tt\n1\ta,b\n", Options{}, []string{`1@2 ["1" "a,b"]`}},
		{"windows-1252", "a.csv", "id,t\n1,caf\xe9\n", Options{Encoding: "windows-1252"}, []string{`1@2 ["1" "café"]`}},
		{"utf-16 by its mark", "a.csv", "\xff\xfei\x00,\x00t\x00\n\x001\x00,\x00\xe9\x00\n\x00", Options{}, []string{`1@2 ["1" "é"]`}},
		{"json lines", "a.jsonl", "\xEF\xBB\xBF{\"id\":1}\n\n {\"id\":2} \r\n", Options{}, []string{`1@1 ["{\"id\":1}"]`, `2@3 ["{\"id\":2}"]`}},
		{"json told by its first byte", "a", "{\"id\":1}\n", Options{}, []string{`1@1 ["{\"id\":1}"]`}},
		{"headings only", "a.csv", "id,t\n", Options{}, nil},
	}
	for _, tt := range tests {
		for _, gz := range []bool{false, true} {
			name, data := tt.file, []byte(tt.in)
			if gz {
				name, data = "renamed-"+name, zipped(t, data) // told by its first bytes
			}
			t.Run(fmt.Sprintf("%s/gzip=%v", tt.name, gz), func(t *testing.T) {
				_, got, err := readAll(t, write(t, name, data), tt.opts)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestHeaderIsTrimmed(t *testing.T) {
	header, _, err := readAll(t, write(t, "a.csv", []byte("\xEF\xBB\xBF id ,\"t, u\"\n1,2\n")), Options{})
	if diff := cmp.Diff([]string{"id", "t, u"}, header); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestOversizeRow(t *testing.T) {
	in := "id,t\n1," + strings.Repeat("x", MaxRowBytes) + "\n2,b\n3,\"" + strings.Repeat("long\n", MaxRowBytes/4) + "\"\n"
	_, rows, err := readAll(t, write(t, "a.csv", []byte(in)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{fmt.Sprintf("1@2 !the row is longer than %d bytes", MaxRowBytes), `2@3 ["2" "b"]`,
		"3@4 !t: opens a quote that is not closed within the longest row allowed"}
	if diff := cmp.Diff(want, rows[:3]); diff != "" {
		t.Error(diff)
	}
}

// TestTruncatedGzip cuts a packed file at many places: what comes out is a
// prefix of the rows, every one whole, and then an error that says so.
func TestTruncatedGzip(t *testing.T) {
	var b strings.Builder
	b.WriteString("id,t\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "%d,\"row %d\nwith, a second line %x\"\n", i, i, i*2654435761)
	}
	whole := zipped(t, []byte(b.String()))
	_, want, err := readAll(t, write(t, "a.csv.gz", whole), Options{})
	if err != nil || len(want) != 3000 {
		t.Fatal(len(want), err)
	}
	for cut := len(whole) / 3; cut < len(whole); cut += 997 {
		_, got, err := readAll(t, write(t, "a.csv.gz", whole[:cut]), Options{})
		if err == nil || !strings.Contains(err.Error(), "truncated") || !strings.Contains(err.Error(), fmt.Sprintf("after row %d:", len(got))) {
			t.Fatalf("cut at %d: error %v", cut, err)
		}
		if diff := cmp.Diff(want[:len(got)], got); diff != "" {
			t.Fatalf("cut at %d: %s", cut, diff)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	tests := []struct {
		name, file string
		data       []byte
		opts       Options
		want       string
	}{
		{"empty", "a.csv", nil, Options{}, "is empty"},
		{"zip", "a.csv", []byte("PK\x03\x04rest"), Options{}, "zip archive or a spreadsheet"},
		{"json list", "a.json", []byte(" [{}]"), Options{}, "one object a line"},
		{"encoding", "a.csv", []byte("id\n"), Options{Encoding: "windows-1253"}, `did you mean "windows-125`},
		{"open quote in the headings", "a.csv", []byte("id,\"t\n1,2\n"), Options{}, "cannot read the headings"},
		{"binary", "a.csv", []byte("\x00\x01\n"), Options{}, "is no text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(write(t, tt.file, tt.data), tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.csv"), Options{}); err == nil {
		t.Error("no error for a file that is not there")
	}
}

func TestFlatten(t *testing.T) {
	got, err := Flatten(`{"a":"x","b":{"c":1.50,"d":null},"e":["p",2],"f":true}`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "x", "b.c": "1.50", "b.d": "", "e": `["p",2]`, "f": "true"}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "[]", "null", "{} {}", "{", "{\"a\":\"\xff\"}"} {
		if _, err := Flatten(bad); err == nil {
			t.Errorf("Flatten(%q): no error", bad)
		}
	}
}

// FuzzCSV holds the reader against encoding/csv on well-formed input, and
// against losing its place on any other.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a,b\n\"x\ny\",\"\"\"\"\n", "a\n\"", "a,b\r\n\"1\r\n2\",3\r\n", "a,b\n1,\"x\n2,3\n4,\"y\"\n", "\"a\"b,c\n", "a;b\n1;\"2,3\"\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 || bytes.HasPrefix(data, []byte("\x1f\x8b")) || bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) || bytes.HasPrefix(data, []byte("PK")) {
			t.Skip()
		}
		file, err := Open(write(t, "a.csv", data), Options{})
		if err != nil {
			return
		}
		defer file.Close()
		var rows [][]string
		clean := true
		for n := 1; ; n++ {
			row, err := file.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if row.Number != n || row.Line < n {
				t.Fatalf("row %d says number %d, line %d", n, row.Number, row.Line)
			}
			if err != nil {
				clean = false
				continue
			}
			rows = append(rows, row.Values)
		}
		std := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))))
		delimiter, _ := file.Delimiter()
		std.Comma = rune(delimiter)
		want, err := std.ReadAll()
		if err != nil || !clean || bytes.Contains(data, []byte("\r")) {
			return // encoding/csv stops at the first error, and reads \r its own way
		}
		if diff := cmp.Diff(want[1:], rows); diff != "" && len(want)+len(rows) > 1 {
			t.Error(diff)
		}
	})
}

func BenchmarkCSV(b *testing.B) {
	var in bytes.Buffer
	in.WriteString("date,rating,course_id\n")
	for i := range 100_000 {
		fmt.Fprintf(&in, "2020-02-12,%d,course-%d\n", i%5+1, i%600)
	}
	path := write(b, "a.csv", in.Bytes())
	b.SetBytes(int64(in.Len()))
	for b.Loop() {
		f, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := f.Next(); err != nil {
				break
			}
		}
		f.Close()
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "rows/s")
}
