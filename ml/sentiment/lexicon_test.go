package sentiment

import (
	"os"
	"strings"
	"testing"
)

// tableRow is a sentence of testdata/table.tsv.
type tableRow struct{ kind, want, text string }

func readTable(t testing.TB) []tableRow {
	t.Helper()
	b, err := os.ReadFile("testdata/table.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var out []tableRow
	for line := range strings.SplitSeq(strings.TrimSpace(string(b)), "\n") {
		f := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || f[0] == "kind" {
			continue
		}
		if len(f) != 3 {
			t.Fatalf("table: %q has %d columns", line, len(f))
		}
		out = append(out, tableRow{f[0], f[1], f[2]})
	}
	return out
}

// said is what a score says of a sentence.
func said(p float64) string {
	switch {
	case p > 0.8:
		return "good"
	case p < 0.2:
		return "bad"
	}
	return "mixed"
}

// right reports whether a score is on the right side; a mixed sentence has to stay
// between clear good and clear bad.
func right(want string, p float64) bool {
	switch want {
	case "good":
		return p > 0.5
	case "bad":
		return p < 0.5
	}
	return said(p) == "mixed"
}

func TestTable(t *testing.T) {
	l := NewLexicon()
	n, wrong := 0, 0
	for _, r := range readTable(t) {
		p, ok := l.ScoreSentence(r.text, "")
		n++
		if !ok || !right(r.want, p) {
			wrong++
			t.Logf("%s: %.2f, want %s: %q", r.kind, p, r.want, r.text)
		}
	}
	t.Logf("%d of %d right", n-wrong, n)
}
