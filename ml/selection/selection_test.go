package selection_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/cf/cftest"
	"github.com/lectern-dev/lectern/ml/selection"
)

// specs returns those of these names.
func specs(tb testing.TB, names ...string) []cf.Spec {
	tb.Helper()
	var out []cf.Spec
	for _, n := range names {
		s, ok := cf.SpecByName(n)
		if !ok {
			tb.Fatalf("no model %q", n)
		}
		out = append(out, s)
	}
	return out
}

func fit(tb testing.TB, d *cf.Data, o selection.Options) *selection.Result {
	tb.Helper()
	if o.Metric == "" {
		o.Metric = "ndcg@10"
	}
	r, err := selection.Fit(context.Background(), d, o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func find(tb testing.TB, r *selection.Result, name string) selection.Fitted {
	tb.Helper()
	for _, m := range r.Models {
		if m.Name == name {
			return m
		}
	}
	tb.Fatalf("there is no %s among the fitted", name)
	return selection.Fitted{}
}

// twoKinds makes learners whose next course two signs tell: half of what is left
// open by the course that they took last, half by the topic of all the others.
func twoKinds(seed uint64, learners int) *cf.Data {
	const topics, each = 6, 15
	r := rand.New(rand.NewPCG(seed, 1))
	d := &cf.Data{Ordered: true}
	for i := range topics * each {
		d.Items = append(d.Items, strconv.Itoa(i))
	}
	for u := range learners {
		var h cf.History
		seen := map[int32]bool{}
		add := func(i int32) {
			for seen[i] {
				i = (i + 1) % (topics * each)
			}
			seen[i] = true
			h = append(h, cf.Interaction{Item: i, Weight: 1})
		}
		topic := r.IntN(topics)
		for range 8 {
			switch last := len(h) - 1; {
			case u%2 == 0 && last >= 0 && r.IntN(4) > 0:
				add((h[last].Item*7 + 3) % (topics * each)) // what follows on the last one
			default:
				add(int32(topic*each + r.IntN(each)))
			}
		}
		d.Histories = append(d.Histories, h)
	}
	return d
}

func TestBlendBeatsItsParts(t *testing.T) {
	// Neither a model of sets nor one that sees the last course alone knows both kinds.
	all := specs(t, "random", "popularity", "ease", "slist")
	all[3].Defaults = cf.Params{"input_decay": 0, "target_decay": 0}
	full := all[3].New
	all[3].New = func(p cf.Params) (cf.Model, error) { return full(p) }
	d := twoKinds(3, 1500)
	r := fit(t, d, selection.Options{Specs: all, Seed: 1})
	blend := find(t, r, "blend").Validation["ndcg@10"]
	for _, part := range []string{"ease", "slist"} {
		if own := find(t, r, part).Validation["ndcg@10"]; blend < own*1.02 {
			t.Errorf("blend has nDCG@10 %.4f, its part %s %.4f", blend, part, own)
		}
	}
	if r.Selected != "blend" {
		t.Errorf("selected %s", r.Selected)
	}
	weights := find(t, r, "blend").Params
	if !(weights["ease"] > 0.05 && weights["slist"] > 0.05) {
		t.Errorf("the blend has the weights %v", weights)
	}
}

func TestFitGivesEveryModel(t *testing.T) {
	d := cftest.Tastes(1, 300, true)
	r := fit(t, d, selection.Options{Specs: specs(t, "cosine", "random", "ease", "popularity"), Seed: 1})
	var names []string
	for _, m := range r.Models {
		names = append(names, m.Name)
		if m.Model == nil || m.Model.Items() != len(d.Items) {
			t.Errorf("%s was not fitted on the whole", m.Name)
		}
		for _, metric := range []string{"recall@10", "hit_rate@10", "ndcg@10", "precision@10"} {
			if v, ok := m.Validation[metric]; !ok || v < 0 || v > 1 {
				t.Errorf("%s has %s %g", m.Name, metric, v)
			}
		}
	}
	if diff := cmp.Diff([]string{"random", "popularity", "cosine", "ease", "blend"}, names); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
	if r.Cut == "" {
		t.Error("nothing says how the cut was made")
	}
}

func TestNothingBelowAFloorIsSelected(t *testing.T) {
	// Courses taken by chance, some more often than others: there is nothing to learn
	// but popularity.
	r := rand.New(rand.NewPCG(4, 4))
	d := &cf.Data{Ordered: true}
	for i := range 40 {
		d.Items = append(d.Items, strconv.Itoa(i))
	}
	for range 400 {
		var h cf.History
		for seen := map[int32]bool{}; len(h) < 4; {
			if i := int32(40 * r.Float64() * r.Float64() * r.Float64()); !seen[i] {
				seen[i] = true
				h = append(h, cf.Interaction{Item: i, Weight: 1})
			}
		}
		d.Histories = append(d.Histories, h)
	}
	worse := specs(t, "random")[0] // a model that is no floor and no good
	worse.Name, worse.Floor = "chance", false
	got := fit(t, d, selection.Options{Specs: append(specs(t, "random", "popularity"), worse), Seed: 1})
	if got.Selected != "popularity" {
		t.Errorf("selected %s: %v", got.Selected, got.Models)
	}
}

func TestFitTooSmallToJudge(t *testing.T) {
	d := &cf.Data{Items: []string{"a", "b"}, Ordered: true, Histories: []cf.History{{{Item: 0, Weight: 1}}, {{Item: 1, Weight: 1}}}}
	r := fit(t, d, selection.Options{Specs: specs(t, "random", "popularity", "cosine"), Seed: 1})
	if r.Selected != "popularity" {
		t.Errorf("selected %s though nothing could be judged", r.Selected)
	}
	if find(t, r, "cosine").Model == nil {
		t.Error("a model that could not be judged was not fitted")
	}
}

func TestFitIsDeterministic(t *testing.T) {
	d := cftest.Tastes(2, 300, true)
	saved := func(seed uint64) ([]byte, string, []map[string]float64) {
		r := fit(t, d, selection.Options{Specs: specs(t, "popularity", "ease", "slist", "cosine"), Seed: seed})
		var b bytes.Buffer
		var values []map[string]float64
		for _, m := range r.Models {
			if err := m.Model.Save(&b); err != nil {
				t.Fatal(err)
			}
			values = append(values, m.Validation)
		}
		return b.Bytes(), r.Selected, values
	}
	b1, s1, v1 := saved(7)
	b2, s2, v2 := saved(7)
	if !bytes.Equal(b1, b2) || s1 != s2 {
		t.Error("the same seed gives other models")
	}
	if diff := cmp.Diff(v1, v2); diff != "" {
		t.Errorf("the same seed gives other figures:\n%s", diff)
	}
}

func TestTuneFindsBetterSettings(t *testing.T) {
	d := twoKinds(5, 600)
	bad := specs(t, "popularity", "ease")
	bad[1].Defaults = cf.Params{"lambda": 1e5, "dropout": 0.9, "decay": 1, "length_power": 0}
	bad[1].Name = "ease " // not shaped by the data
	before := find(t, fit(t, d, selection.Options{Specs: bad, Seed: 1}), "ease ")
	after := find(t, fit(t, d, selection.Options{Specs: bad, Seed: 1, Tune: 10 * time.Minute}), "ease ")
	if after.Validation["ndcg@10"] < 1.02*before.Validation["ndcg@10"] {
		t.Errorf("tuned, ease has nDCG@10 %.4f, was %.4f", after.Validation["ndcg@10"], before.Validation["ndcg@10"])
	}
	if cmp.Equal(after.Params, before.Params) {
		t.Errorf("settings stayed %v", after.Params)
	}
}

func TestFitRefuses(t *testing.T) {
	good := cftest.Tastes(1, 50, true)
	for name, c := range map[string]struct {
		d *cf.Data
		o selection.Options
	}{
		"no data":        {nil, selection.Options{Specs: specs(t, "popularity"), Metric: "ndcg@10"}},
		"no events":      {&cf.Data{Items: []string{"a"}}, selection.Options{Specs: specs(t, "popularity"), Metric: "ndcg@10"}},
		"no models":      {good, selection.Options{Metric: "ndcg@10"}},
		"no metric":      {good, selection.Options{Specs: specs(t, "popularity")}},
		"unknown metric": {good, selection.Options{Specs: specs(t, "popularity"), Metric: "joy@10"}},
		"no cut-off":     {good, selection.Options{Specs: specs(t, "popularity"), Metric: "ndcg@0"}},
	} {
		if _, err := selection.Fit(context.Background(), c.d, c.o); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: Fit returned %v, want %s", name, err, lectern.CodeInvalid)
		}
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := selection.Fit(over, good, selection.Options{Specs: specs(t, "popularity", "ease"), Metric: "ndcg@10"}); err == nil {
		t.Error("Fit goes on after its context is over")
	}
}

func TestBrokenTailsAreLeftOut(t *testing.T) {
	d := twoKinds(6, 1200)
	if tail := selection.CheckTail(d); tail.Broken() {
		t.Fatalf("sound histories are taken for broken: %s", tail)
	}
	broken := *d
	broken.Histories = make([]cf.History, len(d.Histories))
	n := int32(len(d.Items))
	for i := range 20 {
		broken.Items = append(broken.Items[:n:n], append(broken.Items[n:], "x"+strconv.Itoa(i))...)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for u, h := range d.Histories {
		broken.Histories[u] = append(h[:len(h)-1:len(h)-1], cf.Interaction{Item: n + int32(r.IntN(20)), Weight: 1})
	}
	tail := selection.CheckTail(&broken)
	if !tail.Broken() {
		t.Fatalf("broken histories are taken for sound: %s", tail)
	}
	var said []string
	got := fit(t, &broken, selection.Options{Specs: specs(t, "popularity", "ease"), Seed: 1,
		Report: func(format string, args ...any) { said = append(said, format) }})
	if v := find(t, got, "ease").Validation["ndcg@10"]; v < 0.3 {
		t.Errorf("judged on broken ends: ease has nDCG@10 %.4f", v)
	}
	if !strings.Contains(got.Cut, "broken") || len(said) == 0 {
		t.Errorf("nobody is told: %q", got.Cut)
	}
	for u, h := range selection.DropTail(d).Histories {
		if diff := cmp.Diff(d.Histories[u][:len(d.Histories[u])-1], h); diff != "" {
			t.Fatalf("history %d without its end (-want +got):\n%s", u, diff)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	d := twoKinds(1, 2000)
	for b.Loop() {
		fit(b, d, selection.Options{Specs: specs(b, "popularity", "ease", "slist", "session"), Seed: 1})
	}
}
