package rerank_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// rich draws candidates with everything that list making looks at.
func rich(t *rapid.T) []rerank.Candidate {
	in := candidates(t)
	for i := range in {
		c := &in[i]
		c.Course.Title = rapid.SampledFrom([]string{"", "Go", "Law", "Law 2"}).Draw(t, "title")
		c.Course.Provider = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "of")
		c.Course.Categories, c.Course.Skills = []string{c.Course.Category}, []string{rapid.SampledFrom([]string{"x", "y"}).Draw(t, "skill")}
		c.Interested = rapid.IntRange(0, 3).Draw(t, "serves")
		if angle := rapid.IntRange(0, 16).Draw(t, "angle"); angle < 16 {
			pointing(math.Cos(float64(angle)*math.Pi/8), math.Sin(float64(angle)*math.Pi/8))(c)
		}
		if rapid.IntRange(0, 9).Draw(t, "needs one") == 0 {
			c.Missing = []string{in[rapid.IntRange(0, len(in)-1).Draw(t, "which")].Course.ID}
		}
		switch rapid.IntRange(0, 9).Draw(t, "part") {
		case 0:
			c.TwinOf = "done"
		case 1:
			c.FollowsID, c.Complement = "done", rerank.Known(1)
		case 2:
			c.Away = rerank.Matched(rapid.Float64Range(-1, 1).Draw(t, "away"))
		}
	}
	return in
}

// anyRules draws rules about the courses of rich.
func anyRules(t *rapid.T) []rerank.Rule {
	out := make([]rerank.Rule, rapid.IntRange(0, 6).Draw(t, "rules"))
	for i := range out {
		r := rerank.Rule{ID: fmt.Sprint("r", i), Action: rapid.SampledFrom(rerank.RuleActions()).Draw(t, "action")}
		switch rapid.IntRange(0, 3).Draw(t, "by") {
		case 0:
			r.Courses = rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 30), func(n int) string { return fmt.Sprintf("c%03d", n) }), 1, 3).Draw(t, "courses")
		case 1:
			r.Providers = []string{rapid.SampledFrom([]string{"A", "b"}).Draw(t, "provider")}
		case 2:
			r.Categories = []string{rapid.SampledFrom([]string{"X", "y"}).Draw(t, "category")}
		default:
			r.Skills = []string{"X"}
		}
		switch r.Action {
		case rerank.RulePin:
			r.Position = rapid.IntRange(0, 12).Draw(t, "position")
			if r.Courses == nil {
				r.Count = rapid.IntRange(0, 3).Draw(t, "count")
			}
		case rerank.RuleBoost, rerank.RuleBury:
			r.Strength = rapid.Float64Range(0, 1).Draw(t, "strength")
		}
		out[i] = r
	}
	return out
}

// anyLists draws settings of list making.
func anyLists(t *rapid.T) rerank.ListConfig {
	part := func(name string) float64 { return rapid.SampledFrom([]float64{0, 0.1, 0.5}).Draw(t, name) }
	d := part("diversity")
	return rerank.ListConfig{
		Diversity: rerank.PerSurface{Home: d, Search: d, Similar: d, Next: d, Trending: d}, DiversePlaces: rapid.IntRange(0, 30).Draw(t, "diverse"),
		DuplicatesFrom: rapid.SampledFrom([]float64{0.9, 0.98, 2}).Draw(t, "duplicates"),
		MaxProviderRun: rapid.IntRange(0, 2).Draw(t, "run"), MaxCategoryRun: rapid.IntRange(0, 2).Draw(t, "category run"), MaxVarietyLoss: part("loss"),
		MaxPerProvider: rapid.IntRange(0, 4).Draw(t, "limit"), LimitedPlaces: rapid.IntRange(0, 30).Draw(t, "limited"),
		Calibration:      rerank.MixConfig{Interests: part("interests"), Categories: part("categories"), Providers: part("providers"), Levels: part("levels")},
		CalibratedPlaces: rapid.IntRange(0, 30).Draw(t, "calibrated"), DismissedFrom: 0.3,
	}
}

func anyRequest(t *rapid.T) rerank.Request {
	return rerank.Request{
		Surface: rapid.SampledFrom(lectern.Surfaces()).Draw(t, "surface"), At: now, RatingMean: 4.2,
		Depth: rapid.SampledFrom([]int{0, 5, 20}).Draw(t, "depth"), Shares: []float64{0.5, 0.3, 0.2},
		Mix: &rerank.Mix{
			Categories: map[string]float64{"x": 0.6, "z": 0.4}, Providers: map[string]float64{"a": 0.5, "b": 0.3, "d": 0.2},
			Levels: map[lectern.Level]float64{"beginner": 1},
		},
		Preferences: map[lectern.Preference]lectern.Leaning{lectern.PreferDifferent: rapid.SampledFrom([]lectern.Leaning{"", "less", "more"}).Draw(t, "different")},
	}
}

func configured(t *rapid.T, lists rerank.ListConfig, rules []rerank.Rule) *rerank.Linear {
	cfg := rerank.DefaultConfig()
	cfg.Lists, cfg.Rules = lists, rules
	l, err := rerank.NewLinear(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestListsAreSound: whatever is switched on, a list holds every candidate once, as an
// item or as what was left out for one, but for what rules hide; pins have their places;
// no provider has too many of the first places where that can be avoided; scores are
// what their terms and rules sum to; and the order of the candidates does not matter.
func TestListsAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists, rules, in, req := anyLists(t), anyRules(t), rich(t), anyRequest(t)
		l := configured(t, lists, rules)
		ranked := l.Rerank(req, in)
		whole := req
		whole.Depth = 0
		holdsAll(t, l, whole, in)
		checkPins(t, req, ranked, rules, in)
		checkLimit(t, lists, req, ranked, in)
		for _, item := range ranked.Items {
			sum := 0.0
			for _, term := range rerank.Explain(ranked.Terms, item.Values, item.Adjusted) {
				if sum += term.Contribution; term.Value < 0 || term.Value > 1+1e-9 {
					t.Fatalf("%s = %v", term.Name, term.Value)
				}
			}
			if math.Abs(sum-item.Score) > 1e-6 || item.Score < 0 || item.Score > 1 {
				t.Fatalf("score %v, terms sum to %v", item.Score, sum)
			}
		}
		mixed := rapid.Permutation(in).Draw(t, "mixed")
		if diff := cmp.Diff(order(ranked.Items, in), order(l.Rerank(req, mixed).Items, mixed)); diff != "" {
			t.Fatalf("order of candidates matters:\n%s", diff)
		}
	})
}

func holdsAll(t *rapid.T, l *rerank.Linear, req rerank.Request, in []rerank.Candidate) {
	var all []int
	for _, item := range l.Rerank(req, in).Items {
		all = append(append(all, item.Index), item.Duplicates...)
	}
	var want []int
	for i := range in {
		if l.HiddenBy(req, in[i].Course) == "" {
			want = append(want, i)
		}
	}
	slices.Sort(all)
	if !slices.Equal(all, want) {
		t.Fatalf("the list stands for %v, want %v", all, want)
	}
}

func checkPins(t *rapid.T, req rerank.Request, ranked rerank.Ranked, rules []rerank.Rule, in []rerank.Candidate) {
	pins := 0
	for place, item := range ranked.Items {
		if item.Pinned == "" {
			continue
		}
		pins++
		i := slices.IndexFunc(rules, func(r rerank.Rule) bool { return r.ID == item.Pinned })
		r := rules[i]
		if r.Action != rerank.RulePin || r.Courses != nil && !slices.Contains(r.Courses, in[item.Index].Course.ID) {
			t.Fatalf("rule %s does not pin %s", r.ID, in[item.Index].Course.ID)
		}
		most := 0 // places that pins may take from this one
		for _, other := range rules {
			if other.Action == rerank.RulePin {
				most += max(len(other.Courses), other.Count, 1)
			}
		}
		alone := most == max(len(r.Courses), r.Count, 1)
		switch short := place == len(ranked.Items)-1 || ranked.Items[place+1].Pinned != ""; {
		case place < r.Position && !short, place >= r.Position+most:
			t.Fatalf("rule %s pins to %d, and the course stands at %d", r.ID, r.Position, place)
		case alone && len(r.Courses) < 2 && r.Count < 2 && place != min(r.Position, len(ranked.Items)-1):
			t.Fatalf("rule %s pins to %d alone, and the course stands at %d of %d", r.ID, r.Position, place, len(ranked.Items))
		}
	}
	if req.Depth > 0 && len(ranked.Items) > req.Depth {
		t.Fatalf("%d items", len(ranked.Items))
	}
}

func checkLimit(t *rapid.T, lists rerank.ListConfig, req rerank.Request, ranked rerank.Ranked, in []rerank.Candidate) {
	if lists.MaxPerProvider == 0 {
		return
	}
	counts, over := map[string]int{}, ""
	listed := map[int]bool{}
	for i, item := range ranked.Items {
		listed[item.Index] = true
		for _, d := range item.Duplicates {
			listed[d] = true
		}
		if p := in[item.Index].Course.Provider; i < lists.LimitedPlaces && p != "" {
			if counts[p]++; counts[p] > lists.MaxPerProvider && item.Pinned == "" {
				over = p
			}
		}
	}
	if over == "" {
		return
	}
	// Was there another one that could have stood there? It would be lower, or left out.
	for i, item := range ranked.Items {
		if p := in[item.Index].Course.Provider; i >= lists.LimitedPlaces && item.Pinned == "" && (p == "" || counts[p] < lists.MaxPerProvider) {
			t.Fatalf("%d of %s within %d places, and %s stands below", counts[over], over, lists.LimitedPlaces, in[item.Index].Course.ID)
		}
	}
}

// TestNothingSwitchedOn: with every part of list making off, the order is that of scores.
func TestNothingSwitchedOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, req := rich(t), anyRequest(t)
		for i := range in {
			in[i].Missing, in[i].TwinOf, in[i].Away = nil, "", rerank.Match{}
		}
		l := configured(t, rerank.ListConfig{DuplicatesFrom: 2, DiversePlaces: 20, CalibratedPlaces: 20, LimitedPlaces: 20, DismissedFrom: 1}, nil)
		items := l.Rerank(req, in).Items
		for i := 1; i < len(items); i++ {
			a, b := items[i-1], items[i]
			if a.Score < b.Score || a.Score == b.Score && in[a.Index].Course.ID > in[b.Index].Course.ID {
				t.Fatalf("place %d is out of order", i)
			}
		}
	})
}

// TestGreedyChoice holds every place against all others that were left, by the formulas as
// they are published: what stands there has the highest score − λ/(1 − λ) × the highest
// cosine to what is above − Σ weight/(1 − weight) × KL.
func TestGreedyChoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, req := rich(t), anyRequest(t)
		req.Surface, req.Depth, req.Preferences = lectern.SurfaceHome, 0, nil
		for i := range in {
			in[i].Missing, in[i].TwinOf, in[i].Away = nil, "", rerank.Match{}
		}
		lists := anyLists(t)
		lists.DuplicatesFrom, lists.MaxPerProvider, lists.MaxProviderRun, lists.MaxCategoryRun = 2, 0, 0, 0
		items := configured(t, lists, nil).Rerank(req, in).Items
		for place := range items {
			best, here := math.Inf(-1), 0.0
			for i := place; i < len(items); i++ {
				gain := gainOf(lists, req, in, items, place, i)
				best = max(best, gain)
				if i == place {
					here = gain
				}
			}
			if here < best-1e-9 {
				t.Fatalf("place %d has a gain of %v, and %v was to be had", place, here, best)
			}
		}
	})
}

func gainOf(lists rerank.ListConfig, req rerank.Request, in []rerank.Candidate, items []rerank.Scored, place, i int) float64 {
	c := &in[items[i].Index]
	gain := items[i].Score
	if place < lists.DiversePlaces {
		likest := 0.0
		for _, above := range items[:place] {
			if v := in[above.Index].Vector; v != nil && c.Vector != nil {
				likest = max(likest, float64(v[0]*c.Vector[0]+v[1]*c.Vector[1]))
			}
		}
		gain -= lists.Diversity.Home / (1 - lists.Diversity.Home) * likest
	}
	if place >= lists.CalibratedPlaces {
		return gain
	}
	interests := map[string]float64{}
	for k, share := range req.Shares {
		interests[fmt.Sprint(k+1)] = share
	}
	levels := map[string]float64{}
	for level, share := range req.Mix.Levels {
		levels[string(level)] = share
	}
	for _, kind := range []struct {
		weight float64
		want   map[string]float64
		of     func(c *rerank.Candidate) string
	}{
		{lists.Calibration.Interests, interests, func(c *rerank.Candidate) string { return fmt.Sprint(c.Interested) }},
		{lists.Calibration.Categories, req.Mix.Categories, func(c *rerank.Candidate) string { return c.Course.Category }},
		{lists.Calibration.Providers, req.Mix.Providers, func(c *rerank.Candidate) string { return c.Course.Provider }},
		{lists.Calibration.Levels, levels, func(c *rerank.Candidate) string { return string(c.Course.Level) }},
	} {
		have := map[string]float64{}
		for _, above := range items[:place] {
			key := kind.of(&in[above.Index])
			if key != "" {
				have[key]++
				continue
			}
			for k, p := range kind.want {
				have[k] += p
			}
		}
		with := func(key string) float64 { // KL(want ‖ shares with one more of key)
			sum := 0.0
			for _, k := range slices.Sorted(maps.Keys(kind.want)) {
				n := have[k]
				if k == key {
					n++
				}
				p := kind.want[k]
				sum += p * math.Log(p/(0.99*n/float64(place+1)+0.01*p))
			}
			return sum
		}
		cost := 0.0
		if key := kind.of(c); key != "" {
			cost = with(key)
		} else {
			for k, p := range kind.want {
				cost += p * with(k)
			}
		}
		gain -= kind.weight / (1 - kind.weight) * cost
	}
	return gain
}
