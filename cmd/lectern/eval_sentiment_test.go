package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval/opinions"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

func TestEvalSentiment(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("course_id,learner_id,stars,date,text\n")
	for i := range 300 {
		stars, text := 5, "An excellent course with clear lectures."
		if i%4 == 0 {
			stars, text = 1, "A boring waste of time."
		}
		fmt.Fprintf(&b, "c%d,l%d,%d,2025-%02d-%02d,%s\n", i%2, i, stars, 1+i/28, 1+i%28, text)
	}
	table := filepath.Join(dir, "table.tsv")
	for file, content := range map[string]string{filepath.Join(dir, "reviews.csv"): b.String(), table: "x\tgood\tGreat.\nx\tbad\tNot good.\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := mustRun(t, "eval", "sentiment", "--data", dir, "--table", table, "--json")
	var got []opinions.Report
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || len(got[0].Splits) == 0 || got[0].Splits[0].Learnt.AUC != 1 || len(got[0].Tables) != 2 || got[0].Tables[0].Right != 2 {
		t.Errorf("%s", out)
	}
	if out := mustRun(t, "eval", "sentiment", "--data", dir); !strings.Contains(out, "gain") || !strings.Contains(out, "75 negative") {
		t.Errorf("%s", out)
	}
}

// TestEvalSentimentOfOwnFiles: reviews of another course are measured by what --data
// teaches, and labelled aspects one by one.
func TestEvalSentimentOfOwnFiles(t *testing.T) {
	dir := t.TempDir()
	var data, other strings.Builder
	data.WriteString("course_id,learner_id,stars,date,text\n")
	other.WriteString("\ufefftext,stars,date,course_id,language\n")
	for i := range 300 {
		stars, text := 5, "An excellent course with clear lectures."
		if i%4 == 0 {
			stars, text = 1, "A boring waste of time."
		}
		fmt.Fprintf(&data, "c%d,l%d,%d,2025-%02d-%02d,%s\n", i%2, i, stars, 1+i/28, 1+i%28, text)
		if i < 100 {
			fmt.Fprintf(&other, "%s,%d,2025-01-31T10:00:00Z,d,en\n", text, stars)
		}
	}
	files := map[string]string{
		"reviews.csv": data.String(), "other.csv": other.String(),
		"aspects.csv": "text,aspect,polarity\nThe lectures are clear.,teaching,positive\nThe quizzes are far too hard.,assignments;pace,negative\nNice.,none,\n",
		"bad.csv":     "text,aspect\nNice.,weather\n",
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	out := mustRun(t, "eval", "sentiment", "--attacks=false", "--data", file("reviews.csv"), "--reviews", file("other.csv"), "--aspects", file("aspects.csv"), "--json")
	var got []opinions.Report
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || len(got[1].Splits) != 1 || got[1].Splits[0].Train[0] != 75 || got[1].Splits[0].Test[0] != 25 || got[1].Splits[0].Learnt.F1[0] != 1 ||
		got[1].Lexicon.AUC != 1 || len(got[0].Labelled) != 2 || len(got[1].Labelled) != 0 {
		t.Fatalf("%s", out)
	}
	l := got[0].Labelled[0]
	if l.Texts != 3 || l.Exact != 3 || l.Micro.F1 != 1 || l.Polarity != [2]int{2, 2} {
		t.Errorf("%+v", l)
	}
	if out := mustRun(t, "eval", "sentiment", "--aspects", file("aspects.csv")); !strings.Contains(out, "3 exactly right") {
		t.Errorf("%s", out)
	}
	if code, _, stderr := runCommand(t, "eval", "sentiment", "--aspects", file("bad.csv")); code == 0 || !strings.Contains(stderr, "weather") {
		t.Errorf("an unknown aspect: %d, %s", code, stderr)
	}
}

// TestDemoReviewsAreHonest: nobody attacks the demo platform, so next to none of its
// reviews may be held, and with its own learners known no more.
func TestDemoReviewsAreHonest(t *testing.T) {
	reviews, _ := demoReviews()
	if h := opinions.Honest(reviews, sentiment.DefaultBombingConfig()); h.Of != len(reviews) || h.Share() > 0.005 {
		t.Errorf("%d of %d are held: %v", h.Held, h.Of, h.ByRule)
	} else {
		t.Logf("%d of %d are held: %v", h.Held, h.Of, h.ByRule)
	}
}

func TestReviewsScore(t *testing.T) {
	in := strings.NewReader("Great lectures, but the quizzes are terrible.\n\nВсё понятно, хороший курс, спасибо.\n")
	var out strings.Builder
	lexicon := sentiment.NewLexicon()
	if err := scoreLines(in, &out, lexicon, sentiment.SeedAspects(lexicon), ""); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%s", out.String())
	}
	var first, second scoredReview
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(lines[1]), &second); err != nil {
		t.Fatal(err)
	}
	byAspect := map[lectern.Aspect]float64{}
	for _, a := range first.Aspects {
		byAspect[a.Aspect] = a.Score
	}
	if first.Score == nil || first.Language != "en" || byAspect[lectern.AspectTeaching] < 0.7 || byAspect[lectern.AspectAssignments] > 0.3 || len(byAspect) != 2 {
		t.Errorf("%s", lines[0])
	}
	if second.Score != nil || second.Positive != nil || second.Language != "ru" || !strings.Contains(lines[1], `"aspects":[]`) {
		t.Errorf("%s", lines[1])
	}
	if err := scoreLines(strings.NewReader(strings.Repeat("x", longestReviewLine+1)), &out, lexicon, sentiment.SeedAspects(lexicon), ""); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("an endless line: %v", err)
	}
}
