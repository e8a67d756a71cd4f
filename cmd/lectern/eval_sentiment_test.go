package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern/eval/opinions"
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
