package recs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
)

func hold(t *testing.T, text, split string, o Order) *Set {
	t.Helper()
	s, err := ParseSplit(split)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Hold(mustRead(t, text), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// asked is a case in ids.
type asked struct{ History, Truth, Unknown string }

func cases(s *Set) map[string]asked {
	name := func(items []int32) string {
		var out []string
		for _, i := range items {
			out = append(out, s.Train.Items[i])
		}
		return strings.Join(out, " ")
	}
	out := make(map[string]asked)
	for _, c := range s.Cases {
		out[c.Learner] = asked{name(itemsOf(c.History)), name(c.Truth), strings.Join(c.Unknown, " ")}
	}
	return out
}

func itemsOf(h cf.History) []int32 {
	var out []int32
	for _, i := range h {
		out = append(out, i.Item)
	}
	return out
}

func TestParseSplit(t *testing.T) {
	for _, good := range []string{"last", "fraction:0.2", "time:.8", "time:2024-05-01", "time:2024-05-01T10:00:00Z", "time:1700000000"} {
		if _, err := ParseSplit(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "last:2", "fraction", "fraction:0", "fraction:1", "time:", "time:soon", "random:0.2", "fraction:2024-05-01"} {
		if _, err := ParseSplit(bad); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestHoldLast(t *testing.T) {
	s := hold(t, "user,item\na,1\nb,1\na,2\na,1\na,3\nb,4\nc,2\n", "last", OrderAuto)
	want := map[string]asked{
		"a": {"1 2", "", "3"}, // nobody else took 3
		"b": {"1", "", "4"},
	}
	if diff := cmp.Diff(want, cases(s)); diff != "" {
		t.Error(diff)
	}
	if s.Data.Learners != 3 || s.Data.Skipped != 1 || s.Data.Repeats != 1 || s.Data.UnknownCourses != 2 {
		t.Errorf("%+v", s.Data)
	}
}

// TestHoldFraction: of n courses, n − round(0.8 n) are held back, one at least.
func TestHoldFraction(t *testing.T) {
	ids := strings.Fields("a b c d e f g h i j k l m n o")
	want := map[int]int{2: 1, 5: 1, 6: 1, 7: 1, 8: 2, 10: 2, 12: 2, 13: 3, 15: 3}
	for n, held := range want {
		var b strings.Builder
		b.WriteString("user,item\n")
		for _, id := range ids {
			b.WriteString("all," + id + "\n")
		}
		for _, id := range ids[:n] {
			b.WriteString("one," + id + "\n")
		}
		s := hold(t, b.String(), "fraction:0.2", OrderTime)
		for _, c := range s.Cases {
			if c.Learner == "one" && (c.Relevant() != held || len(c.History) != n-held) {
				t.Errorf("of %d courses %d are held back, want %d", n, c.Relevant(), held)
			}
		}
	}
}

func TestHoldTime(t *testing.T) {
	const text = "user,item,time\na,2,20\na,1,10\nb,1,30\nb,2,31\nc,1,5\nc,2,6\na,3,40\nc,3,7\nb,9,33\nd,1,50\n"
	s := hold(t, text, "time:1970-01-01T00:00:30Z", OrderAuto)
	want := map[string]asked{
		"a": {"1 2", "3", ""}, // by time, not as in the file
		"b": {"", "1 2", "9"}, // new after the cut
		"d": {"", "1", ""},
	}
	if diff := cmp.Diff(want, cases(s), cmp.Transformer("sorted", func(s string) string {
		f := strings.Fields(s)
		return strings.Join(f, " ")
	})); diff != "" {
		t.Error(diff)
	}
	if s.Data.ColdLearners != 2 || s.Data.Learners != 2 || s.Data.UnknownCourses != 1 {
		t.Errorf("%+v", s.Data)
	}
	if s := hold(t, text, "time:0.5", OrderAuto); s.Data.Events != 5 {
		t.Errorf("%d events before the middle, want 5", s.Data.Events)
	}
}

// TestHoldEvents: what is held back begins with the course that was taken last; what
// came after it teaches nothing. A click before enrolling does not hide the course.
func TestHoldEvents(t *testing.T) {
	line := func(kind, learner, course, at string) string {
		return `{"type":"` + kind + `","learner_id":"` + learner + `","course_id":"` + course + `","occurred_at":"2024-01-` + at + `T00:00:00Z"}` + "\n"
	}
	text := line("enrol", "b", "x", "01") + line("enrol", "b", "y", "02") + line("enrol", "b", "z", "03") +
		line("enrol", "a", "x", "01") + line("click", "a", "y", "02") + line("dismiss", "a", "z", "03") + line("enrol", "a", "y", "04") + line("click", "a", "late", "05")
	s := hold(t, text, "last", OrderAuto)
	if diff := cmp.Diff(asked{"x y", "y", ""}, cases(s)["a"]); diff != "" {
		t.Error(diff)
	}
	for _, c := range s.Cases {
		if c.Learner == "a" && len(c.Exclude) != 2 {
			t.Errorf("excluded %v: x was taken, z dismissed", c.Exclude)
		}
	}
	for _, id := range s.Train.Items {
		if id == "late" {
			t.Error("a click after the cut was learnt from")
		}
	}
}

func TestHoldNeedsOrder(t *testing.T) {
	for split, text := range map[string]string{"time:0.8": "user,item\na,1\na,2\n", "last": "user,item\na,1\n"} {
		s, _ := ParseSplit(split)
		if _, err := Hold(mustRead(t, text), s, OrderAuto); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", split, err)
		}
	}
	if _, err := Hold(mustRead(t, "user,item\na,1\na,2\n"), Split{Kind: SplitLast}, OrderNone); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Error("the last of a set was held back:", err)
	}
}

func TestGiven(t *testing.T) {
	train := mustRead(t, "user,item\na,1\na,2\nb,2\nb,3\nd,1\n")
	test := mustRead(t, "user,item\na,3\na,9\na,1\nc,2\nb,2\n")
	s, err := Given(train, test, nil, OrderAuto)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]asked{"a": {"1 2", "3", "9"}, "c": {"", "2", ""}}
	if diff := cmp.Diff(want, cases(s)); diff != "" {
		t.Error(diff)
	}
	d := s.Data
	if d.Again != 2 || d.Skipped != 2 || d.ColdLearners != 1 || d.UnknownCourses != 1 || d.Held != 3 || s.Protocol.Sampled {
		t.Errorf("%+v", d)
	}
	if len(train.Items) != 3 {
		t.Error("the training log was changed")
	}
}

func TestNegatives(t *testing.T) {
	train := mustRead(t, "user,item\na,1\na,2\nb,2\nb,3\nc,4\nc,5\n")
	test := mustRead(t, "user,item\na,3\nb,4\nc,1\n")
	negatives, err := ReadNegatives(strings.NewReader("user,item,negatives\na,3,4 5 4 77\nb,4,4 1 5\n"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Given(train, test, negatives, OrderAuto)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range s.Cases {
		var ids []string
		for _, i := range c.Candidates {
			ids = append(ids, s.Train.Items[i])
		}
		got[c.Learner] = strings.Join(ids, " ")
	}
	if diff := cmp.Diff(map[string]string{"a": "3 4 5", "b": "4 1 5"}, got); diff != "" {
		t.Error(diff)
	}
	d := s.Data
	if !s.Protocol.Sampled || d.SelfNegatives != 1 || d.UnknownNegatives != 1 || d.WithoutNegatives != 1 || d.Held != 2 || d.Cases != 2 {
		t.Errorf("%+v", d)
	}
	for _, text := range []string{"", "user,item\na,3\n", "user,item,negatives\n"} {
		if _, err := ReadNegatives(strings.NewReader(text)); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}
