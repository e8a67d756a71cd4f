package eval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
)

func fixed(name string, ids ...string) eval.SearchRanker {
	return eval.SearchRanker{Name: name, Search: func(context.Context, string, int) ([]string, error) { return ids, nil }}
}

func TestSearch(t *testing.T) {
	queries := []eval.Query{{"1", "one"}, {"2", "two"}, {"3", "unjudged"}, {"4", "nothing relevant"}}
	qrels := eval.Qrels{"1": {"a": 1}, "2": {"b": 1}, "4": {"a": 0}}
	r, err := eval.Search(t.Context(), []eval.SearchRanker{fixed("good", "a", "b"), fixed("empty")}, queries, qrels)
	if err != nil {
		t.Fatal(err)
	}
	if r.Queries != 2 || r.Skipped != 2 {
		t.Errorf("%d judged, %d skipped; want 2 and 2", r.Queries, r.Skipped)
	}
	good := r.Rankers[0]
	// Query 1 finds a at rank 1, query 2 finds b at rank 2.
	if want := (1 + 1/math.Log2(3)) / 2; math.Abs(good.NDCG-want) > 1e-12 || good.Recall != 1 || good.MRR != 0.75 {
		t.Errorf("good: %+v", good)
	}
	if e := r.Rankers[1]; e.NDCG != 0 || e.Recall != 0 || e.MRR != 0 {
		t.Errorf("empty: %+v", e)
	}
	var b bytes.Buffer
	if err := r.WriteTable(&b); err != nil || !strings.Contains(b.String(), "good") || !strings.Contains(b.String(), "0.7500") {
		t.Errorf("table: %v\n%s", err, b.String())
	}
}

func TestReportJSON(t *testing.T) {
	r := eval.Report{Rankers: []eval.RankerScore{{Name: "hybrid", NDCG: 0.5, Recall: 0.25, MRR: 1, MS: 1.5}}, Queries: 3}
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"rankers":[{"name":"hybrid","ndcg@10":0.5,"recall@50":0.25,"mrr@10":1,"ms":1.5}]}`+"\n", b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Reset()
	if err := (eval.Report{}).WriteJSON(&b); err != nil || !json.Valid(b.Bytes()) || !strings.Contains(b.String(), "[]") {
		t.Errorf("empty report: %v %s", err, b.String())
	}
}

func TestSearchErrors(t *testing.T) {
	broken := errors.New("broken")
	bad := eval.SearchRanker{Name: "bad", Search: func(context.Context, string, int) ([]string, error) { return nil, broken }}
	if _, err := eval.Search(t.Context(), []eval.SearchRanker{bad}, []eval.Query{{"1", "x"}}, eval.Qrels{"1": {"a": 1}}); !errors.Is(err, broken) || !strings.Contains(err.Error(), "bad") {
		t.Errorf("error = %v", err)
	}
	if _, err := eval.Search(t.Context(), nil, []eval.Query{{"1", "x"}}, eval.Qrels{"2": {"a": 1}}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("error = %v", err)
	}
}

func TestPairedBootstrap(t *testing.T) {
	a, b := make([]float64, 400), make([]float64, 400)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range a {
		b[i] = rng.Float64()
		a[i] = b[i] + 0.1 + 0.2*(rng.Float64()-0.5) // better by 0.1, spread 0.058
	}
	got := eval.PairedBootstrap(a, b, 2000, rng)
	// Standard error 0.2/√12/√400 = 0.0029, so the interval is about ±0.0057.
	if math.Abs(got.Mean-0.1) > 0.01 || got.Low >= got.Mean || got.High <= got.Mean || math.Abs(got.High-got.Low-0.0113) > 0.003 {
		t.Errorf("interval %+v", got)
	}
	if got := eval.PairedBootstrap(nil, nil, 10, rng); got != (eval.Interval{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestSkillQueries(t *testing.T) {
	set, qrels := eval.SkillQueries([]lectern.Course{
		{ID: "a", Skills: []string{"Machine  Learning", "machine learning", "Art"}},
		{ID: "b", Skills: []string{"machine learning", "Solo"}},
		{ID: "c", Skills: []string{"ART", ""}},
		{ID: "d"},
	})
	wantSet := eval.QuerySet{LeaveOut: []lectern.CourseField{"skills"}, Queries: []eval.Query{{"skill-0001", "art"}, {"skill-0002", "machine learning"}}}
	if diff := cmp.Diff(wantSet, set); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
	wantRels := eval.Qrels{"skill-0001": {"a": 1, "c": 1}, "skill-0002": {"a": 1, "b": 1}}
	if diff := cmp.Diff(wantRels, qrels); diff != "" {
		t.Errorf("qrels (-want +got):\n%s", diff)
	}
	var q, r bytes.Buffer
	if err := errors.Join(eval.WriteQueries(&q, set), eval.WriteQrels(&r, qrels)); err != nil {
		t.Fatal(err)
	}
	gotSet, err := eval.ReadQueries(&q)
	gotRels, err2 := eval.ReadQrels(&r)
	if err != nil || err2 != nil || !cmp.Equal(gotSet, wantSet) || !cmp.Equal(gotRels, wantRels) {
		t.Errorf("files do not read back: %v %v\n%+v\n%+v", err, err2, gotSet, gotRels)
	}
}

func TestVariants(t *testing.T) {
	set := eval.QuerySet{Queries: []eval.Query{{"1", "machine learning"}, {"2", "r"}, {"3", "机器学习"}}}
	// 16 letters: 9.6, rounded to 10; 1 letter stays; 4 letters: 2.4, rounded to 2.
	want := []eval.Query{{"1", "machine le"}, {"2", "r"}, {"3", "机器"}}
	if diff := cmp.Diff(want, eval.Prefixes(set).Queries); diff != "" {
		t.Errorf("prefixes (-want +got):\n%s", diff)
	}
	a, b := eval.Typos(set, 5), eval.Typos(set, 5)
	if !cmp.Equal(a, b) {
		t.Error("the same seed makes other typos")
	}
	for i, q := range a.Queries {
		if d := utf8.RuneCountInString(q.Text) - utf8.RuneCountInString(set.Queries[i].Text); d < -1 || d > 1 || !utf8.ValidString(q.Text) {
			t.Errorf("%q became %q", set.Queries[i].Text, q.Text)
		}
	}
}
