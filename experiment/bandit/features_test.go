package bandit_test

import (
	stdcmp "cmp"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/rerank"
)

// The terms that features are made of are those of the reranker.
func TestFeaturesKnowEveryTerm(t *testing.T) {
	names := bandit.F1().Names
	for _, term := range rerank.TermNames() {
		if !slices.Contains(names, term) {
			t.Errorf("no column for term %s: name a new feature set that has one", term)
		}
	}
	if len(names) != bandit.Dim || slices.Contains(names, "") {
		t.Errorf("columns: %q", names)
	}
	sorted := slices.Sorted(slices.Values(names))
	if len(slices.Compact(sorted)) != bandit.Dim {
		t.Errorf("a column has the name of another: %q", names)
	}
}

// named shows the columns of a row that are not 0.
func named(row []float64) map[string]float64 {
	out := make(map[string]float64)
	for i, v := range row {
		if v != 0 {
			out[bandit.F1().Names[i]] = v
		}
	}
	return out
}

func TestFeaturesOfARow(t *testing.T) {
	terms := []lectern.TermWeight{{Name: "quality"}, {Name: "of_a_later_build"}, {Name: "popularity"}, {Name: "novelty"}, {Name: "collaborative"}, {Name: "similarity"}}
	item := lectern.ExploreItem{Score: 0.4, Values: []float64{0.9, 1, 0.25, 1, 0.5, 0}, Age: 30, Evidence: 1}
	few := math.Log(2) / math.Log(1001)
	base := map[string]float64{
		"bias": 1, "quality": 0.4, "popularity": -0.25, "novelty": 0.5, "similarity": -0.5, "score": 0.4,
		"youth": 0.5, "evidence": few, "unproven": 0.5 * (1 - few),
	}
	with := func(more map[string]float64) map[string]float64 {
		out := make(map[string]float64)
		for k, v := range base {
			out[k] = v
		}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	for _, c := range []struct {
		name string
		req  lectern.ExploreRequest
		item lectern.ExploreItem
		want map[string]float64
	}{
		{"active", lectern.ExploreRequest{Segment: lectern.SegmentActive, Surface: lectern.SurfaceHome}, item, base},
		{"new", lectern.ExploreRequest{Segment: lectern.SegmentNew, Surface: lectern.SurfaceHome}, item, with(map[string]float64{"new:popularity": -0.25, "new:novelty": 0.5})},
		{"visitor", lectern.ExploreRequest{Segment: lectern.SegmentVisitor}, item, with(map[string]float64{"visitor:popularity": -0.25, "visitor:novelty": 0.5})},
		{"similar", lectern.ExploreRequest{Surface: lectern.SurfaceSimilar}, item, with(map[string]float64{"about:similarity": -0.5})},
		{"because", lectern.ExploreRequest{Surface: lectern.SurfaceHome, Row: lectern.RowBecause}, item, with(map[string]float64{"about:similarity": -0.5})},
		{"search", lectern.ExploreRequest{Surface: lectern.SurfaceSearch}, item, with(map[string]float64{"search:score": 0.4 - 0.5})},
		{"nothing known", lectern.ExploreRequest{}, lectern.ExploreItem{Age: -1}, map[string]float64{"bias": 1, "age_unknown": 1}},
		{"no numbers", lectern.ExploreRequest{}, lectern.ExploreItem{Values: []float64{math.NaN(), 0, math.Inf(1)}, Score: math.NaN(), Age: math.NaN(), Evidence: math.NaN()},
			map[string]float64{"bias": 1, "age_unknown": 1, "score": 0.5, "popularity": 0.5}},
		{"very well known", lectern.ExploreRequest{}, lectern.ExploreItem{Age: math.Inf(1), Evidence: math.Inf(1)}, map[string]float64{"bias": 1, "evidence": 1}},
	} {
		c.req.Terms, c.req.Items = terms, []lectern.ExploreItem{{}, c.item}
		if d := cmp.Diff(c.want, named(bandit.RequestRows(nil, &c.req, []int{1})), close9); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// What a list was explored by is what its record gives, to the last bit, also after
// it was stored.
func TestRowsOfARecordAreThoseOfTheRequest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req := lectern.ExploreRequest{
			Surface: rapid.SampledFrom(lectern.Surfaces()).Draw(t, "surface"),
			Row:     rapid.SampledFrom(append(lectern.Rows(), "")).Draw(t, "row"),
			Segment: rapid.SampledFrom(lectern.Segments()).Draw(t, "segment"),
		}
		for _, name := range rapid.Permutation(rerank.TermNames()).Draw(t, "terms")[:rapid.IntRange(0, 20).Draw(t, "count")] {
			req.Terms = append(req.Terms, lectern.TermWeight{Name: name})
		}
		n := rapid.IntRange(1, 12).Draw(t, "items")
		for range n {
			values := make([]float64, len(req.Terms))
			for i := range values {
				values[i] = rapid.Float64Range(0, 1).Draw(t, "value")
			}
			req.Items = append(req.Items, lectern.ExploreItem{
				Values: values, Score: rapid.Float64Range(0, 1).Draw(t, "score"),
				Age: rapid.Float64Range(-1, 4000).Draw(t, "age"), Evidence: rapid.Float64Range(0, 1e5).Draw(t, "evidence"),
			})
		}
		// The list in its new order, with a slate that finds the old one.
		order := make([]int, n) // order[i] is the place in the slate of what is shown at i
		for i := range order {
			order[i] = i
		}
		order = rapid.Permutation(order).Draw(t, "order")
		r := lectern.Ranking{Surface: req.Surface, Row: req.Row, Weights: req.Terms, Exploration: &lectern.Exploration{
			Segment: req.Segment, Slate: make([]int, n), Age: make([]float64, n), Evidence: make([]float64, n),
		}}
		for i, place := range order {
			item := req.Items[place]
			r.Items = append(r.Items, lectern.RankedItem{Score: item.Score, Terms: item.Values})
			r.Exploration.Slate[place] = i
			r.Exploration.Age[place], r.Exploration.Evidence[place] = item.Age, item.Evidence
		}
		body, err := json.Marshal(&r)
		if err != nil {
			t.Fatal(err)
		}
		var stored lectern.Ranking
		if err := json.Unmarshal(body, &stored); err != nil {
			t.Fatal(err)
		}
		places := make([]int, n)
		for i := range places {
			places[i] = i
		}
		want := bandit.RequestRows(nil, &req, places)
		if got := bandit.Rows(nil, &stored); !slices.Equal(got, want) {
			t.Fatalf("rows of the record %v, of the request %v", got, want)
		}
		some := order[:rapid.IntRange(0, n).Draw(t, "some")]
		if got := bandit.PoolRows(want[:0:0], &stored, some); !slices.Equal(got, bandit.RequestRows(nil, &req, some)) {
			t.Error("rows of a pool differ")
		}
		// What is learnt from differs in the place alone.
		col := slices.Index(bandit.F1().Names, "place")
		for i, place := range order {
			row, ok := bandit.Seen(nil, &stored, i)
			if !ok {
				t.Fatalf("item %d is not of the slate", i)
			}
			if at := 1/math.Log2(2+float64(i)) - 1/math.Log2(5); row[col] != at {
				t.Errorf("item %d has place %v, want %v", i, row[col], at)
			}
			row[col] = 0
			if !slices.Equal(row, want[place*bandit.Dim:(place+1)*bandit.Dim]) {
				t.Errorf("item %d is learnt from another row", i)
			}
		}
		if _, ok := bandit.Seen(nil, &stored, n); ok {
			t.Error("an item that there is not was seen")
		}
	})
}

func TestUnlearntKeepsTheListsOrder(t *testing.T) {
	set := bandit.F1()
	m := model(t, bandit.NewPosterior(set, 1, 0), 0.5)
	rapid.Check(t, func(t *rapid.T) {
		req := lectern.ExploreRequest{Terms: []lectern.TermWeight{{Name: "quality"}, {Name: "novelty"}}, Segment: lectern.SegmentNew}
		scores := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 10).Draw(t, "scores")
		slices.SortFunc(scores, func(a, b float64) int { return stdcmp.Compare(b, a) })
		places := make([]int, len(scores))
		for i, s := range scores {
			places[i] = i
			req.Items = append(req.Items, lectern.ExploreItem{Score: s, Values: []float64{rapid.Float64Range(0, 1).Draw(t, "q"), 0.3}, Age: -1})
		}
		policy, err := bandit.New(bandit.EpsilonGreedy, bandit.Params{})
		if err != nil {
			t.Fatal(err)
		}
		var s bandit.Scores
		policy.Prepare(&s, m, bandit.RequestRows(nil, &req, places))
		for rest := places; len(rest) > 0; rest = rest[1:] {
			if best := bandit.Best(s.Draw(nil), rest); best != 0 {
				t.Errorf("of scores %v, %d goes before %d", scores, rest[best], rest[0])
			}
		}
	})
}
