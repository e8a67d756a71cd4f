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

// frozen are the sums of the natural questions and their judgements. Whoever
// mends a judgement changes its sum here, and says so: see testdata/README.md.
var frozen = map[string]string{
	"questions.tsv":   "10a565f440fa4cab",
	"questions.qrels": "96a0470462f24826",
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

func questions(t *testing.T) (eval.QuerySet, eval.Qrels) {
	t.Helper()
	q, err := os.Open(filepath.Join("testdata", "questions.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	r, err := os.Open(filepath.Join("testdata", "questions.qrels"))
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
	set, qrels := questions(t)
	if len(set.Queries) != 60 || len(qrels) != 60 {
		t.Errorf("%d questions, %d of them judged; want 60", len(set.Queries), len(qrels))
	}
	if diff := cmp.Diff([]lectern.CourseField{lectern.FieldSkills}, set.LeaveOut); diff != "" {
		t.Errorf("left out of the text: %s", diff)
	}
	for _, q := range set.Queries {
		best := 0
		for _, grade := range qrels[q.ID] {
			best = max(best, grade)
		}
		if best != 2 {
			t.Errorf("nothing answers %q", q.Text)
		}
	}
}

// TestQuestionsJudgeTheCatalogue finds every judged course in the real data.
func TestQuestionsJudgeTheCatalogue(t *testing.T) {
	known := make(map[string]bool)
	for _, c := range courseraCourses(t) {
		known[c.ID] = true
	}
	_, qrels := questions(t)
	for q, rel := range qrels {
		for id := range rel {
			if !known[id] {
				t.Errorf("%s judges %q, which is no course", q, id)
			}
		}
	}
}
