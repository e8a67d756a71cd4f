package eval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
)

// shelf is a catalogue of a few courses in two languages.
func shelf() []lectern.Course {
	return []lectern.Course{
		{ID: "k8s", Title: "Introduction to Kubernetes", Description: "An introduction to clusters", Language: "en", Skills: []string{"Cloud"}},
		{ID: "sql", Title: "Introduction to SQL", Description: "Ask a database", Language: "en-GB", Skills: []string{"Databases", "Cloud"}},
		{ID: "sql2", Title: "introduction to  SQL", Language: "en"},
		{ID: "es", Title: "Introducción a la programación (Programming)", Language: "es", Skills: []string{"Databases"}},
		{ID: "zh", Title: "计算机 (Computing)", Language: "zh-Hans"},
		{ID: "untitled", Language: "en"},
	}
}

func texts(set eval.QuerySet) []string {
	out := make([]string, len(set.Queries))
	for i, q := range set.Queries {
		out[i] = q.Text
	}
	return out
}

func TestClasses(t *testing.T) {
	sets, err := eval.Classes(shelf(), eval.GeneratedClasses(), eval.ClassOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[eval.Class][]string)
	for _, s := range sets {
		got[s.Class] = texts(s.QuerySet)
		for _, q := range s.Queries {
			if len(s.Qrels[q.ID]) == 0 {
				t.Errorf("%s: %q has no judgement", s.Class, q.Text)
			}
		}
		// All classes of a report search the same text; only skills were judged by a field.
		if fromSkills := strings.HasPrefix(string(s.Class), "skill"); fromSkills != slices.Contains(s.QuerySet.LeaveOut, lectern.FieldSkills) {
			t.Errorf("%s leaves out %v", s.Class, s.QuerySet.LeaveOut)
		}
	}
	if typo := got[eval.ClassTitleTypo]; len(typo) != 4 || slices.Equal(typo, got[eval.ClassTitle]) {
		t.Errorf("typos: %q", typo)
	}
	if typo := got[eval.ClassSkillTypo]; len(typo) != 2 || slices.Equal(typo, got[eval.ClassSkill]) {
		t.Errorf("typos: %q", typo)
	}
	delete(got, eval.ClassTitleTypo)
	delete(got, eval.ClassSkillTypo)
	want := map[eval.Class][]string{
		eval.ClassTitle:  {"Introducción a la programación (Programming)", "Introduction to Kubernetes", "Introduction to SQL", "计算机 (Computing)"},
		eval.ClassTitle3: {"int", "kub", "sql", "com"}, // introduccion and computing are in one course each and are the longest of those
		eval.ClassTitle5: {"intro", "kuber", "sql", "compu"},
		eval.ClassTitle8: {"introduc", "kubernet", "sql", "computin"},
		// 44, 26, 19 and 15 letters, of which 26, 16, 11 and 9; a space at the end is cut.
		eval.ClassTitle60:  {"Introducción a la programa", "Introduction to", "Introductio", "计算机 (Comp"},
		eval.ClassSkill:    {"cloud", "databases"},
		eval.ClassSkill3:   {"clo", "dat"},
		eval.ClassSkill5:   {"cloud", "datab"},
		eval.ClassSkill8:   {"cloud", "database"},
		eval.ClassSkill60:  {"clo", "datab"},
		eval.ClassLanguage: {"Introduccion a la programacion", "计算机"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]lectern.CourseField{lectern.FieldSkills}, eval.LeaveOut(sets)); diff != "" {
		t.Errorf("leave out: %s", diff)
	}
	if _, err := eval.Classes(shelf(), []eval.Class{eval.ClassQuestion}, eval.ClassOptions{}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("questions cannot be made, error = %v", err)
	}
	if sets, err := eval.Classes(shelf()[4:], []eval.Class{eval.ClassSkill, eval.ClassSkill3}, eval.ClassOptions{}); err != nil || sets != nil {
		t.Errorf("no skills: %v %v", sets, err)
	}
}

func TestTitleQueriesSample(t *testing.T) {
	set, qrels := eval.TitleQueries(shelf(), 0, 1)
	i := slices.IndexFunc(set.Queries, func(q eval.Query) bool { return q.Text == "Introduction to SQL" })
	if diff := cmp.Diff(eval.Relevant{"sql": 1, "sql2": 1}, qrels[set.Queries[i].ID]); diff != "" {
		t.Errorf("both courses of one title: %s", diff)
	}
	a, _ := eval.TitleQueries(shelf(), 2, 7)
	b, _ := eval.TitleQueries(shelf(), 2, 7)
	if len(a.Queries) != 2 || !cmp.Equal(a, b) {
		t.Errorf("samples %v and %v", a, b)
	}
	c := a
	for seed := uint64(8); cmp.Equal(a, c) && seed < 40; seed++ {
		c, _ = eval.TitleQueries(shelf(), 2, seed)
	}
	if cmp.Equal(a, c) {
		t.Error("every seed samples the same titles")
	}
}

// TestTyposAreOneEdit checks that what Typos makes is one Damerau edit away.
func TestTyposAreOneEdit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a-zé]{2,8}[ 机学a-f]{2,8}`).Draw(t, "query")
		seed := rapid.Uint64().Draw(t, "seed")
		got := eval.Typos(eval.QuerySet{Queries: []eval.Query{{"1", s}}}, seed).Queries[0].Text
		letters := 0
		for _, r := range s {
			if r != ' ' {
				letters++
			}
		}
		if letters < 4 {
			if got != s {
				t.Fatalf("%q is short and became %q", s, got)
			}
			return
		}
		if d := damerau([]rune(s), []rune(got)); d != 1 {
			t.Fatalf("%q became %q, %d edits away", s, got, d)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
	})
}

// damerau is the optimal string alignment distance.
func damerau(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestSearchClasses(t *testing.T) {
	sets := []eval.ClassSet{
		{Class: eval.ClassTitle, QuerySet: eval.QuerySet{Queries: []eval.Query{{"1", "one"}, {"2", "unjudged"}}}, Qrels: eval.Qrels{"1": {"a": 1}}},
		{Class: eval.ClassQuestion, QuerySet: eval.QuerySet{Queries: []eval.Query{{"1", "other"}}}, Qrels: eval.Qrels{"1": {"b": 2}}},
	}
	r, err := eval.SearchClasses(t.Context(), []eval.SearchRanker{fixed("good", "a", "b")}, sets)
	if err != nil {
		t.Fatal(err)
	}
	var table, asJSON bytes.Buffer
	if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "question") {
		t.Errorf("table: %v\n%s", err, table.String())
	}
	if err := r.WriteJSON(&asJSON); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Classes []struct {
			Class   string
			Queries int
			Rankers []map[string]any
		}
	}
	if err := json.Unmarshal(asJSON.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Classes) != 2 || got.Classes[0].Queries != 1 || got.Classes[0].Rankers[0]["mrr@10"] != 1.0 || got.Classes[1].Rankers[0]["mrr@10"] != 0.5 {
		t.Errorf("%s", asJSON.String())
	}
	sets[1].Qrels = nil
	if _, err := eval.SearchClasses(t.Context(), nil, sets); lectern.ErrorCode(err) != lectern.CodeInvalid || !strings.Contains(err.Error(), "question") {
		t.Errorf("error = %v", err)
	}
}

func TestWriteGains(t *testing.T) {
	sets := []eval.ClassSet{{
		Class: eval.ClassTitle, QuerySet: eval.QuerySet{Queries: []eval.Query{{"1", "one"}, {"2", "two"}}},
		Qrels: eval.Qrels{"1": {"a": 1}, "2": {"a": 1}},
	}}
	r, err := eval.SearchClasses(t.Context(), []eval.SearchRanker{fixed("base", "b", "a"), fixed("good", "a"), fixed("none")}, sets)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteGains(&b, 1); err != nil {
		t.Fatal(err)
	}
	// Every query gains 1 − 1/log2(3) = 0.3691, 1 − 1/2 and nothing, so the intervals have no width.
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	want := []string{"title", "good", "base", "+0.3691", "[+0.3691,", "+0.3691]", "+0.5000", "[+0.5000,", "+0.5000]", "+0.0000", "[+0.0000,", "+0.0000]"}
	if len(lines) != 3 || !slices.Equal(strings.Fields(lines[1]), want) {
		t.Errorf("%s", b.String())
	}
	if err := (eval.ClassReport{Classes: []eval.ClassScore{{}}}).WriteGains(&b, 1); err != nil {
		t.Error(err)
	}
}

func TestWriteRun(t *testing.T) {
	var kept []eval.Answer
	r := fixed("my ranker", "a", "b").Record(func(query string, courses []string) {
		kept = append(kept, eval.Answer{Ranker: "my ranker", QueryID: query, Courses: courses})
	})
	if _, err := r.Search(context.Background(), "q1", 2); err != nil {
		t.Fatal(err)
	}
	kept = append(kept, eval.Answer{Ranker: "x", QueryID: "q2", Courses: []string{"with space"}})
	var b bytes.Buffer
	if err := eval.WriteRun(&b, kept); err != nil {
		t.Fatal(err)
	}
	want := "q1 Q0 a 1 1.000000 my-ranker\nq1 Q0 b 2 0.500000 my-ranker\nq2\tQ0\twith space\t1\t1.000000\tx\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
