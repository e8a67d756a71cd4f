package eval_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
)

func TestReadQueries(t *testing.T) {
	tests := []struct {
		name, in string
		want     eval.QuerySet
		err      string
	}{
		{"tabs", "1\tmachine learning\n2\tart\n", eval.QuerySet{Queries: []eval.Query{{"1", "machine learning"}, {"2", "art"}}}, ""},
		{"spaces, CRLF, BOM and empty lines", "\ufeff1   machine learning\r\n\r\n 2 x\r\n",
			eval.QuerySet{Queries: []eval.Query{{"1", "machine learning"}}}, `line 3: " 2 x"`},
		{"fields to leave out", "# leave-out: skills, categories\n# made by hand\nq\t#c\n",
			eval.QuerySet{Queries: []eval.Query{{"q", "#c"}}, LeaveOut: []lectern.CourseField{"skills", "categories"}}, ""},
		{"a field that is none", "# leave-out: tags\n", eval.QuerySet{}, `line 1: leave-out names "tags"`},
		{"no text", "1\t\n", eval.QuerySet{}, "line 1"},
		{"twice", "1\ta\n1\tb\n", eval.QuerySet{Queries: []eval.Query{{"1", "a"}}}, "line 2: query \"1\" was already on line 1"},
		{"not UTF-8", "1\ta\n2\t\xff\n", eval.QuerySet{Queries: []eval.Query{{"1", "a"}}}, "line 2: not valid UTF-8"},
		{"a line without end", "1\t" + strings.Repeat("x", 2<<20), eval.QuerySet{}, "line 1: longer"},
		{"empty", "", eval.QuerySet{}, "no query"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := eval.ReadQueries(strings.NewReader(tt.in))
			checkErr(t, err, tt.err)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadQrels(t *testing.T) {
	tests := []struct {
		name, in string
		want     eval.Qrels
		err      string
	}{
		{"spaces and tabs", "1 0 a 1\n1\t0\tb  2\n2   0 a\t0\r\n", eval.Qrels{"1": {"a": 1, "b": 2}, "2": {"a": 0}}, ""},
		{"ids with spaces between tabs", "1\t0\tmy course\t1\n", eval.Qrels{"1": {"my course": 1}}, ""},
		{"the same twice", "1 0 a 1\n1 0 a 1\n", eval.Qrels{"1": {"a": 1}}, ""},
		{"contradiction", "1 0 a 1\n1 0 a 0\n", eval.Qrels{"1": {"a": 1}}, `line 2: course "a" is judged twice`},
		{"three columns", "1 0 a 1\n1 a 1\n", eval.Qrels{"1": {"a": 1}}, "line 2"},
		{"no number", "1 0 a yes\n", eval.Qrels{}, `line 1: relevance "yes"`},
		{"empty", "\n\n", eval.Qrels{}, "no judgement"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := eval.ReadQrels(strings.NewReader(tt.in))
			checkErr(t, err, tt.err)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func checkErr(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error: %v", err)
	case want != "" && (lectern.ErrorCode(err) != lectern.CodeInvalid || !strings.Contains(err.Error(), want)):
		t.Errorf("error = %v, want one with %q", err, want)
	}
}

func FuzzReadQueries(f *testing.F) {
	f.Add("# leave-out: skills\n1\ta b\n")
	f.Add("1 a\n2\t\n")
	f.Fuzz(func(t *testing.T, in string) {
		set, err := eval.ReadQueries(strings.NewReader(in))
		if err != nil {
			return
		}
		for _, q := range set.Queries {
			if strings.HasPrefix(q.ID, "#") {
				return // would read back as a comment
			}
		}
		var b bytes.Buffer
		if err := eval.WriteQueries(&b, set); err != nil {
			t.Fatal(err)
		}
		again, err := eval.ReadQueries(&b)
		if err != nil {
			t.Fatalf("what was written does not read: %v\n%q", err, b.String())
		}
		if len(again.Queries) != len(set.Queries) || !cmp.Equal(again.LeaveOut, set.LeaveOut, cmpopts.EquateEmpty()) {
			t.Fatalf("%+v became %+v", set, again)
		}
	})
}

func FuzzReadQrels(f *testing.F) {
	f.Add("1 0 a 1\n")
	f.Add("1\t0\ta b\t-1\n")
	f.Fuzz(func(t *testing.T, in string) {
		qrels, err := eval.ReadQrels(strings.NewReader(in))
		if err != nil {
			return
		}
		for q, rel := range qrels {
			if q == "" || len(rel) == 0 {
				t.Fatalf("empty entry in %v", qrels)
			}
		}
	})
}
