package recs

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func mustRead(t *testing.T, s string) *Log {
	t.Helper()
	l, err := Read(strings.NewReader(s), DefaultStrengths())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRead(t *testing.T) {
	l := mustRead(t, "\ufeffUser,item,rating,timestamp\r\nanna,go-1,5,978300174\r\n bo ,go-1,3,2020-01-02\n\"x,y\",\"a \"\"b\"\"\",1,1609459200000\nanna,go-1,4,978300175\n")
	if diff := cmp.Diff([]string{"anna", "bo", "x,y"}, l.Learners); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"go-1", `a "b"`}, l.Items); diff != "" {
		t.Error(diff)
	}
	want := []Row{
		{0, 0, 1, true, true, 978300174}, {1, 0, 1, true, true, 1577923200}, {2, 1, 1, true, true, 1609459200}, {0, 0, 1, true, true, 978300175},
	}
	if diff := cmp.Diff(want, l.Rows); diff != "" {
		t.Error(diff)
	}
	if !l.Timed || l.Repeats != 1 || l.Problems.Count != 0 {
		t.Errorf("timed %v, repeats %d, problems %v", l.Timed, l.Repeats, l.Problems)
	}
}

func TestReadCompressed(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte("user,item\na,1\na,2\n"))
	_ = z.Close()
	whole := b.Bytes()
	l, err := Read(bytes.NewReader(whole), nil)
	if err != nil || len(l.Rows) != 2 {
		t.Fatalf("%v, %v", l, err)
	}
	if _, err := Read(bytes.NewReader(whole[:len(whole)-6]), nil); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("a cut archive: %v", err)
	}
}

func TestReadTellsBadRows(t *testing.T) {
	l := mustRead(t, "user,item,timestamp\na,1,5\n,1,5\na,,5\na,1\na,2,yesterday\n"+strings.Repeat("x", 129)+",1,5\nb,\xff,5\nb,2,6\n")
	if len(l.Rows) != 2 || l.Problems.Count != 6 {
		t.Fatalf("%d rows, %d problems", len(l.Rows), l.Problems.Count)
	}
	want := []string{"user is empty", "item is empty", "2 columns where the header has 3", "neither a number of seconds nor a date", "longer than 128 bytes", "not text"}
	for i, p := range l.Problems.First {
		if p.Line != i+3 || !strings.Contains(p.Reason, want[i]) {
			t.Errorf("problem %d: line %d, %s; want line %d, %s", i, p.Line, p.Reason, i+3, want[i])
		}
	}
}

func TestReadRefuses(t *testing.T) {
	garbage := make([]byte, 4096)
	for i := range garbage {
		garbage[i] = byte(rand.IntN(256)) //nolint:gosec
	}
	garbage[0] = 'G'
	for name, c := range map[string]struct{ text, want string }{
		"nothing":        {"", "empty"},
		"no header":      {"1,2\n3,4\n", `must name the columns, "user" among them`},
		"other table":    {"user,price\n1,2\n", `"item" among them`},
		"header alone":   {"user,item\n", "no rows"},
		"bad rows alone": {"user,item\n,1\n,2\n", "no row can be read: 2 rows are wrong, the first on line 2"},
		"garbage":        {string(garbage), ""},
		"not gzip":       {"\x1f\x8bnonsense", "gzip"},
		"json of others": {`{"a":1}` + "\n", "no row can be read"},
	} {
		_, err := Read(strings.NewReader(c.text), DefaultStrengths())
		if lectern.ErrorCode(err) != lectern.CodeInvalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want one that says %q", name, err, c.want)
		}
	}
}

func TestReadEvents(t *testing.T) {
	l := mustRead(t, `{"id":"1","type":"click","anonymous_id":"v","course_id":"a","occurred_at":"2024-01-01T00:00:00Z"}
{"id":"2","type":"enrol","learner_id":"anna","anonymous_id":"v","course_id":"b","occurred_at":"2024-01-02T00:00:00Z"}
{"id":"2","type":"enrol","learner_id":"anna","anonymous_id":"v","course_id":"b","occurred_at":"2024-01-02T00:00:00Z"}
{"id":"3","type":"search","learner_id":"anna","query":"x","occurred_at":"2024-01-02T00:00:00Z"}
{"id":"4","type":"dismiss","learner_id":"anna","course_id":"c","occurred_at":"2024-01-03T00:00:00Z"}
{"id":"5","type":"rate","value":1,"learner_id":"anna","course_id":"b","occurred_at":"2024-01-04T00:00:00Z"}
{"id":"6","type":"dance","learner_id":"anna","course_id":"b","occurred_at":"2024-01-04T00:00:00Z"}
not json
{"id":"7","type":"enrol","learner_id":"anna","course_id":"d"}
`)
	if len(l.Rows) != 4 || l.Problems.Count != 3 {
		t.Fatalf("%d rows, problems %v", len(l.Rows), l.Problems)
	}
	anna := l.learnerOf["anna"]
	for i, r := range l.Rows {
		if r.Learner != anna {
			t.Errorf("row %d is learner %d: the visitor is anna", i, r.Learner)
		}
	}
	known := []int32{0, 1, 2}
	h, taken := historyOf(l.Rows, known)
	if len(h) != 1 || h[0].Item != l.itemOf["a"] {
		t.Errorf("history %v: b was rated one star, c dismissed", h)
	}
	if diff := cmp.Diff([]int32{l.itemOf["b"], l.itemOf["c"]}, taken); diff != "" {
		t.Error(diff)
	}
}

func TestOrder(t *testing.T) {
	var sorted, shuffled strings.Builder
	sorted.WriteString("user,item\n")
	shuffled.WriteString("user,item\n")
	rng := rand.New(rand.NewPCG(1, 1))
	for u := range 20 {
		for i, item := range rng.Perm(9)[:5] {
			shuffled.WriteString(string(rune('a'+u)) + "," + string(rune('1'+item)) + "\n")
			sorted.WriteString(string(rune('a'+u)) + "," + []string{"2", "9", "10", "33", "100"}[i] + "\n") // as numbers, not as text
		}
	}
	for _, c := range []struct {
		name, text string
		order      Order
		want       bool
		why        string
	}{
		{"shuffled", shuffled.String(), OrderAuto, true, "as in the file"},
		{"sorted", sorted.String(), OrderAuto, false, "sorted by item"},
		{"sorted, but said to be in order", sorted.String(), OrderTime, true, "as asked"},
		{"shuffled, but said to be a set", shuffled.String(), OrderNone, false, "as asked"},
		{"two learners say nothing", "user,item\na,1\na,2\na,3\nb,1\nb,2\nb,3\n", OrderAuto, true, "as in the file"},
		{"times", "user,item,time\na,1,1\na,2,2\n", OrderAuto, true, "by time"},
	} {
		got, why := mustRead(t, c.text).ordered(c.order)
		if got != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%s: %v, %s", c.name, got, why)
		}
	}
}

func TestReadCourses(t *testing.T) {
	c, err := ReadCourses(strings.NewReader("course_idx2,discipline,course_length\n0,Law|Art,63\n1,Art,50\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"0": {"Law", "Art"}, "1": {"Art"}}, c.Categories); diff != "" {
		t.Error(diff)
	}
	c, err = ReadCourses(strings.NewReader(`{"id":"a","categories":["Law"],"skills":["Contracts"]}` + "\n"))
	if err != nil || c.Skills["a"][0] != "Contracts" {
		t.Errorf("%v, %v", c, err)
	}
	for _, text := range []string{"", "a,b\n1,2\n", "id,price\n1,2\n"} {
		if _, err := ReadCourses(strings.NewReader(text)); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestReadLearners(t *testing.T) {
	people, err := ReadLearners(strings.NewReader(`{"id":"a","region":"FI","birth_year":1990}
{"id":"b","age":17.9}
{"id":"c","birth_date":"1960-05-01"}
{"nobody":1}
`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for id, p := range people {
		got[id] = p.ageBand(2024) + p.Region
	}
	if diff := cmp.Diff(map[string]string{"a": "25–34FI", "b": "under 18", "c": "55 and over"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ReadLearners(strings.NewReader("id,age\n1,2\n")); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("user,item,timestamp\na,1,5\n\"a,2\n"))
	f.Add([]byte(`{"type":"enrol","learner_id":"a","course_id":"b","occurred_at":"2024-01-01T00:00:00Z"}`))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Read(bytes.NewReader(b), DefaultStrengths())
		if err != nil {
			return
		}
		for _, r := range l.Rows {
			if int(r.Learner) >= len(l.Learners) || int(r.Item) >= len(l.Items) {
				t.Fatalf("row %v is beyond the log", r)
			}
		}
		if s, err := Hold(l, Split{Kind: SplitLast}, OrderTime); err == nil && len(s.Cases) == 0 {
			t.Fatal("a set without cases")
		}
	})
}
