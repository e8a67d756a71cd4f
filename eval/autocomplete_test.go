package eval_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
)

// scripted answers what a table says to each prefix.
func scripted(name string, answers map[string][]eval.Suggestion) eval.Completer {
	return eval.Completer{Name: name, Complete: func(_ context.Context, typed string, k int) ([]eval.Suggestion, error) {
		got := answers[typed]
		return got[:min(k, len(got))], nil
	}}
}

func course(id string) eval.Suggestion { return eval.Suggestion{CourseID: id} }

func words(text string) eval.Suggestion { return eval.Suggestion{Text: text} }

func TestAutocomplete(t *testing.T) {
	queries := []eval.Query{{"1", "guitar"}, {"2", "sql"}, {"3", "unjudged"}}
	qrels := eval.Qrels{"1": {"g": 1, "no": 0}, "2": {"s": 1}}
	six := []eval.Suggestion{course("1"), course("2"), course("3"), course("4"), course("5"), course("g")}
	c := scripted("it", map[string][]eval.Suggestion{
		"gu":     six,                                // sixth: counts for MRR, not for the first five
		"gui":    {words("guinea"), words("GUITAR")}, // the query itself, completed
		"guit":   {course("no"), course("g")},
		"guita":  {course("g")},
		"guitar": {words("guitar"), course("g")}, // typed out: no completion any more
		"sql":    {course("s")},
	})
	r, err := eval.Autocomplete(t.Context(), []eval.Completer{c}, queries, qrels, eval.TypeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := r.Completers[0]
	if got.Keystrokes != 9 || r.Queries != 2 {
		t.Errorf("%d keystrokes, %d queries", got.Keystrokes, r.Queries)
	}
	got.P50, got.P99, got.Keystrokes = 0, 0, 0
	want := eval.CompleterScore{
		Name:  "it",
		MRR:   []float64{0, (1.0/6 + 0) / 2, (0.5 + 1) / 2, 0.5, 1, 0.5},
		Typed: []int{2, 2, 2, 1, 1, 1},
		// guitar is there after 3 and 5 letters, and after all 6 for want of 8; sql after its 3.
		Success3: 1, Success5: 1, Success8: 1,
		Saved: (1 - 3.0/6 + 0) / 2,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var b bytes.Buffer
	if err := errors.Join(r.WriteTable(&b), r.WriteJSON(&b)); err != nil || !strings.Contains(b.String(), `"letters_saved":0.25`) || !strings.Contains(b.String(), "–") {
		t.Errorf("%v\n%s", err, b.String())
	}
	// With at most two letters typed nothing is ever right.
	r, err = eval.Autocomplete(t.Context(), []eval.Completer{c}, queries, qrels, eval.TypeOptions{Letters: 2})
	if err != nil || r.Completers[0].Saved != 0 || r.Completers[0].Success8 != 0 || len(r.Completers[0].MRR) != 2 {
		t.Errorf("%v %+v", err, r.Completers)
	}
}

func TestAutocompleteErrors(t *testing.T) {
	broken := errors.New("broken")
	bad := eval.Completer{Name: "bad", Complete: func(context.Context, string, int) ([]eval.Suggestion, error) { return nil, broken }}
	queries, qrels := []eval.Query{{"1", "机器"}}, eval.Qrels{"1": {"a": 1}}
	if _, err := eval.Autocomplete(t.Context(), []eval.Completer{bad}, queries, qrels, eval.TypeOptions{}); !errors.Is(err, broken) || !strings.Contains(err.Error(), `"机"`) {
		t.Errorf("error = %v", err)
	}
	if _, err := eval.Within(t.Context(), bad, queries, qrels, 5); !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
	if _, err := eval.Autocomplete(t.Context(), nil, queries, nil, eval.TypeOptions{}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("error = %v", err)
	}
	if _, err := eval.Within(t.Context(), bad, queries, nil, 5); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("error = %v", err)
	}
}

func TestWithin(t *testing.T) {
	c := scripted("it", map[string][]eval.Suggestion{"kub": {course("x"), course("k")}, "sql": {course("x"), course("y"), course("s")}})
	queries := []eval.Query{{"1", "kub"}, {"2", "sql"}, {"3", "unjudged"}}
	got, err := eval.Within(t.Context(), c, queries, eval.Qrels{"1": {"k": 1}, "2": {"s": 1}}, 2)
	if err != nil || got != 0.5 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSearchCompleter(t *testing.T) {
	c := eval.SearchCompleter(fixed("search", "a", "b"))
	if got, err := c.Complete(t.Context(), "x", 2); err != nil || !cmp.Equal(got, []eval.Suggestion{course("a"), course("b")}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.Complete(t.Context(), "  ", 2); err != nil || got != nil {
		t.Errorf("of spaces: %v, %v", got, err)
	}
}
