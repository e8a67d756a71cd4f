package recs

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
)

var update = flag.Bool("update", false, "write the golden reports anew")

// fixed is a model that scores items by what it is told.
type fixed struct {
	name  string
	items int
	score func(h cf.History, item int32) float32
}

var _ cf.Model = fixed{}

func (f fixed) Name() string                        { return f.name }
func (f fixed) Fit(context.Context, *cf.Data) error { return nil }
func (f fixed) Items() int                          { return f.items }
func (f fixed) Save(io.Writer) error                { return nil }
func (f fixed) Load(io.Reader) error                { return nil }
func (f fixed) Predict(h cf.History, candidates []int32, into []float32) {
	for i := range into {
		item := int32(i)
		if candidates != nil {
			item = candidates[i]
		}
		into[i] = f.score(h, item)
	}
}

func popular(d *cf.Data) fixed {
	_, takers := information(d)
	return fixed{"popularity", len(d.Items), func(_ cf.History, item int32) float32 { return float32(takers[item]) }}
}

// following scores the item after the learner's last one.
func following(d *cf.Data) fixed {
	return fixed{"following", len(d.Items), func(h cf.History, item int32) float32 {
		if len(h) > 0 && item == (h[len(h)-1].Item+1)%int32(len(d.Items)) {
			return 1
		}
		return 0
	}}
}

func flat(d *cf.Data) fixed {
	return fixed{"flat", len(d.Items), func(cf.History, int32) float32 { return 0 }}
}

// fixture is a small platform where each learner takes courses in a ring.
func fixture() string {
	var b strings.Builder
	b.WriteString("user,item\n")
	for u := range 30 {
		for i := range 4 + u%5 {
			b.WriteString("u" + string(rune('a'+u%26)) + string(rune('0'+u/26)) + ",c" + string(rune('a'+(u*3+i)%12)) + "\n")
		}
	}
	return b.String()
}

func report(t *testing.T, s *Set, o Options, models ...fixed) *Report {
	t.Helper()
	var fitted []Fitted
	for _, m := range models {
		fitted = append(fitted, Fitted{Name: m.name, Model: m, Floor: m.name == "popularity", Params: cf.Params{"lambda": 2}, Validation: map[string]float64{"ndcg@3": .5}})
	}
	r, err := Evaluate(t.Context(), s, fitted, o)
	if err != nil {
		t.Fatal(err)
	}
	r.Metric = "ndcg@3"
	for i := range r.Models {
		r.Models[i].ListMicros = 0 // the only figures that differ from run to run
	}
	return r
}

func TestGoldenReport(t *testing.T) {
	s := hold(t, fixture(), "fraction:0.25", OrderTime)
	courses := &Courses{Categories: map[string][]string{}}
	people := map[string]Person{}
	for i, id := range s.Train.Items {
		courses.Categories[id] = [][]string{{"Art"}, {"Law"}, {"Art", "Law"}}[i%3]
	}
	for i, id := range s.Train.Learners {
		people[id] = Person{Region: []string{"FI", "KE"}[i%2], Age: 20 + i}
	}
	r := report(t, s, Options{K: 3, Selected: "following", Floor: "popularity", Seed: 1, Resamples: 200, Courses: courses, Learners: people, Year: 2024},
		popular(s.Train), following(s.Train))
	golden(t, r, "report")
}

func TestGoldenSampled(t *testing.T) {
	negatives, err := ReadNegatives(strings.NewReader("user,negatives\na,4 5\nb,1 5 4\n"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Given(mustRead(t, "user,item\na,1\na,2\nb,2\nb,3\nc,4\nc,5\n"), mustRead(t, "user,item\na,3\nb,4\n"), negatives, OrderAuto)
	if err != nil {
		t.Fatal(err)
	}
	r := report(t, s, Options{K: 3, Selected: "popularity", Floor: "popularity", Seed: 1, Resamples: 50}, popular(s.Train))
	golden(t, r, "sampled")
	var table, page bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(table.String(), "SAMPLED"); n < 2 {
		t.Errorf("the table says SAMPLED %d times", n)
	}
	if n := strings.Count(page.String(), "SAMPLED"); n < 5 {
		t.Errorf("the page says SAMPLED %d times", n)
	}
}

func golden(t *testing.T, r *Report, name string) {
	t.Helper()
	for _, out := range []struct {
		ext   string
		write func(io.Writer) error
	}{{".json", r.WriteJSON}, {".txt", r.WriteTable}} {
		var got bytes.Buffer
		if err := out.write(&got); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+out.ext)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-update writes it anew): %s", path, diff)
		}
	}
}

// TestReportJSON: what programs read stands where they look for it.
func TestReportJSON(t *testing.T) {
	s := hold(t, fixture(), "last", OrderTime)
	r := report(t, s, Options{K: 10, Selected: "following", Floor: "popularity", Seed: 1}, popular(s.Train), following(s.Train))
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Selected string
		Models   []map[string]any
		Faults   []any
		Protocol Protocol
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Selected != "following" || len(got.Models) != 2 || got.Models[1]["name"] != "following" || got.Faults == nil {
		t.Errorf("%+v", got)
	}
	for _, key := range []string{"recall@10", "precision@10", "hit_rate@10", "ndcg@10", "map@10", "mrr@10", "coverage@10", "gini@10", "novelty@10", "diversity@10"} {
		if _, ok := got.Models[0][key].(float64); !ok {
			t.Errorf("no %s in %v", key, got.Models[0])
		}
	}
	if v := got.Models[1]["hit_rate@10"].(float64); v != 1 {
		t.Errorf("a model that knows the next course finds %v", v)
	}
}

// TestTiesHelpNobody: a model that knows nothing must do as chance does, wherever
// the positive stands among the candidates or in the catalogue.
func TestTiesHelpNobody(t *testing.T) {
	s := &Set{Train: &cf.Data{Items: make([]string, 50)}}
	for i := range 4000 {
		c := Case{Group: int32(i), Truth: []int32{0}}
		if i%2 == 0 {
			for n := range int32(50) {
				c.Candidates = append(c.Candidates, n)
			}
		}
		s.Cases = append(s.Cases, c)
	}
	r := report(t, s, Options{K: 10, Seed: 1}, flat(s.Train))
	if got := r.Models[0].Values[HitRate]; math.Abs(got-.2) > .03 {
		t.Errorf("hit rate %v of 10 in 50, want about .2", got)
	}
}

func TestListsLeaveOutWhatWasTaken(t *testing.T) {
	s := hold(t, fixture(), "last", OrderTime)
	l, err := ask(t.Context(), s, popular(s.Train), Options{K: 10, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range s.Cases {
		list := listOf(l.items, i, 10)
		if want := min(10, len(s.Train.Items)-len(c.Exclude)); len(list) != want {
			t.Errorf("case %d: %d courses, want %d", i, len(list), want)
		}
		for _, item := range list {
			if contains(c.Exclude, item) {
				t.Errorf("case %d: course %d was taken", i, item)
			}
		}
	}
}

func TestScoresThatAreNoNumbers(t *testing.T) {
	s := hold(t, fixture(), "last", OrderTime)
	bad := flat(s.Train)
	bad.score = func(_ cf.History, item int32) float32 {
		return []float32{float32(math.NaN()), float32(math.Inf(1)), 1}[item%3]
	}
	r := report(t, s, Options{K: 4, Seed: 1}, bad)
	var b bytes.Buffer
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	if r.Models[0].BadScores == 0 || !strings.Contains(b.String(), "no finite number") {
		t.Error("nobody was told")
	}
}

func TestEvaluateRefusesAModelOfOtherData(t *testing.T) {
	s := hold(t, fixture(), "last", OrderTime)
	m := flat(s.Train)
	m.items++
	if _, err := Evaluate(t.Context(), s, []Fitted{{Name: "x", Model: m}}, Options{K: 3}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Evaluate(ctx, s, []Fitted{{Name: "x", Model: flat(s.Train)}}, Options{K: 3, Resamples: 10}); err == nil {
		t.Error("given up, yet a report")
	}
}

// TestPageStandsAlone: nothing of the page comes from elsewhere.
func TestPageStandsAlone(t *testing.T) {
	s := hold(t, fixture(), "fraction:0.25", OrderTime)
	evil := following(s.Train)
	evil.name = `<script>alert("x")</script>`
	r := report(t, s, Options{K: 3, Selected: evil.name, Floor: "popularity", Seed: 1, Resamples: 50}, popular(s.Train), evil)
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, bad := range []string{"<script", "http:", "https:", "src=", "href=", "NaN", "@import"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := strings.Count(page, "<svg"); n != 5 {
		t.Errorf("%d plots, want 5", n)
	}
}

// BenchmarkLists makes and judges lists of 3,000 courses, as for a platform of that
// size; a model's own time is not in it.
func BenchmarkLists(b *testing.B) {
	const learners, items = 2000, 3000
	rng := rand.New(rand.NewPCG(1, 1))
	s := &Set{Train: &cf.Data{Items: make([]string, items)}}
	for i := range learners {
		c := Case{Group: int32(i), Truth: []int32{int32(rng.IntN(items))}}
		for range 12 {
			item := int32(rng.IntN(items))
			c.Exclude, c.History = append(c.Exclude, item), append(c.History, cf.Interaction{Item: item, Weight: 1})
		}
		s.Cases, s.Train.Histories = append(s.Cases, c), append(s.Train.Histories, c.History)
	}
	scores := make([]float32, items)
	for i := range scores {
		scores[i] = rng.Float32()
	}
	m := fixed{"drawn", items, func(_ cf.History, item int32) float32 { return scores[item] }}
	for b.Loop() {
		if _, err := Evaluate(b.Context(), s, []Fitted{{Name: "drawn", Model: m}}, Options{K: 10, Seed: 1}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/learners, "µs/list")
}
