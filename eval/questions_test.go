package eval_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
)

// frozen are the sums of the judged queries over the real catalogue. Whoever
// mends a judgement changes its sum here, and says so: see testdata/README.md.
var frozen = map[string]string{
	"questions.tsv":   "10a565f440fa4cab",
	"questions.qrels": "96a0470462f24826",
	"languages.tsv":   "87e9eab4eae60795",
	"languages.qrels": "1972b47460994952",
}

// TestQuestionsAreFrozen keeps the yardstick of the skill graph from being bent.
func TestQuestionsAreFrozen(t *testing.T) {
	for name, want := range frozen {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("%s has changed: its sum is %s, frozen was %s", name, got, want)
		}
	}
}

func judged(t *testing.T, name string) (eval.QuerySet, eval.Qrels) {
	t.Helper()
	q, err := os.Open(filepath.Join("testdata", name+".tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	r, err := os.Open(filepath.Join("testdata", name+".qrels"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	set, err := eval.ReadQueries(q)
	if err != nil {
		t.Fatal(err)
	}
	qrels, err := eval.ReadQrels(r)
	if err != nil {
		t.Fatal(err)
	}
	return set, qrels
}

func TestQuestions(t *testing.T) {
	for name, want := range map[string]int{"questions": 60, "languages": 33} {
		set, qrels := judged(t, name)
		if len(set.Queries) != want || len(qrels) != want {
			t.Errorf("%s: %d queries, %d of them judged; want %d", name, len(set.Queries), len(qrels), want)
		}
		if diff := cmp.Diff([]lectern.CourseField{lectern.FieldSkills}, set.LeaveOut); diff != "" {
			t.Errorf("%s: left out of the text: %s", name, diff)
		}
		for _, q := range set.Queries {
			best := 0
			for _, grade := range qrels[q.ID] {
				best = max(best, grade)
			}
			if best != 2 {
				t.Errorf("%s: nothing answers %q", name, q.Text)
			}
		}
	}
}

// TestQuestionsJudgeTheCatalogue finds every judged course in the real data.
func TestQuestionsJudgeTheCatalogue(t *testing.T) {
	known := make(map[string]bool)
	for _, c := range courseraCourses(t) {
		known[c.ID] = true
	}
	for _, name := range []string{"questions", "languages"} {
		_, qrels := judged(t, name)
		for q, rel := range qrels {
			for id := range rel {
				if !known[id] {
					t.Errorf("%s: %s judges %q, which is no course", name, q, id)
				}
			}
		}
	}
}
