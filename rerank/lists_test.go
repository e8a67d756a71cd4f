package rerank_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// plain scores by similarity alone, (1 + cosine)/2, and leaves lists as scores make
// them, but for what change switches on.
func plain(t testing.TB, change func(*rerank.Config)) *rerank.Linear {
	t.Helper()
	cfg := rerank.DefaultConfig()
	one := rerank.TermWeights{Similarity: 1}
	cfg.Weights = rerank.Weights{Home: one, Search: one, Similar: one, Next: one, Trending: one}
	cfg.Lists = rerank.ListConfig{
		DuplicatesFrom: 2, DiversePlaces: 20, CalibratedPlaces: 20, LimitedPlaces: 20, DismissedFrom: 1, MaxVarietyLoss: 1,
	}
	if change != nil {
		change(&cfg)
	}
	l, err := rerank.NewLinear(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// scoring makes a candidate whose score under plain is given.
func scoring(id string, score float64, change func(*rerank.Candidate)) rerank.Candidate {
	return named(id, 2*score-1, change)
}

// ids lists what is in a list, in order.
func ids(ranked rerank.Ranked, in []rerank.Candidate) string {
	return strings.Join(order(ranked.Items, in), " ")
}

func pointing(x, y float64) func(*rerank.Candidate) {
	return func(c *rerank.Candidate) {
		length := math.Hypot(x, y)
		c.Vector = []float32{float32(x / length), float32(y / length)}
	}
}

func TestLikenessCosts(t *testing.T) {
	in := []rerank.Candidate{
		scoring("a", 0.90, pointing(1, 0)), scoring("b", 0.88, pointing(1, 0)),
		scoring("c", 0.70, pointing(3, 4)), scoring("d", 0.60, pointing(0, 1)), scoring("unknown", 0.55, nil),
	}
	more := map[lectern.Preference]lectern.Leaning{lectern.PreferDifferent: lectern.LeanMore}
	less := map[lectern.Preference]lectern.Leaning{lectern.PreferDifferent: lectern.LeanLess}
	for _, tt := range []struct {
		name    string
		lambda  float64
		places  int
		prefers map[lectern.Preference]lectern.Leaning
		want    string
	}{
		{"off", 0, 20, nil, "a b c d unknown"},
		// Second place: b .9·.88 − .1·1 = .692, c .9·.70 − .1·.6 = .57, d .9·.60 = .54.
		// Fourth: d .9·.60 − .1·.8 = .46, unknown .9·.55 = .495.
		{"a little", 0.1, 20, nil, "a b c unknown d"},
		// Second: b .7·.88 − .3·1 = .316, c .7·.70 − .3·.6 = .31, d .7·.60 = .42,
		// unknown .7·.55 = .385. Third: b .316, c .49 − .3·.8 = .25, unknown .385.
		{"much", 0.3, 20, nil, "a d unknown b c"},
		{"two places only", 0.3, 2, nil, "a d b c unknown"},
		// λ = 3 × .1 = .3, and .25 × .3 = .075: b .925·.88 − .075 = .739, c .6025.
		{"by those who want it", 0.1, 20, more, "a d unknown b c"},
		// Fourth: d .925·.60 − .06 = .495, unknown .925·.55 = .509.
		{"not by those who do not", 0.3, 20, less, "a b c unknown d"},
		// 3 × .4 = 1.2 would leave nothing of the score: .9 it is. d costs nothing, and
		// neither does unknown; then c .1·.70 − .9·.8 = −.65 and b .1·.88 − .9 = −.812.
		{"never at any price", 0.4, 20, more, "a d unknown c b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := plain(t, func(c *rerank.Config) { c.Lists.Diversity.Similar, c.Lists.DiversePlaces = tt.lambda, tt.places })
			ranked := l.Rerank(rerank.Request{Surface: lectern.SurfaceSimilar, At: now, Preferences: tt.prefers}, in)
			if got := ids(ranked, in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			for _, item := range ranked.Items {
				if want := (1 + in[item.Index].Similarity.Value) / 2; math.Abs(item.Score-want) > 1e-6 {
					t.Errorf("%s has score %v, want %v as before", in[item.Index].Course.ID, item.Score, want)
				}
			}
			if got := ids(l.Rerank(rerank.Request{Surface: lectern.SurfaceNext, At: now}, in), in); got != "a b c d unknown" {
				t.Errorf("another surface: %s", got)
			}
		})
	}
}

func TestProfileSharesThePlaces(t *testing.T) {
	of := func(category, provider string, level lectern.Level) func(*rerank.Candidate) {
		return func(c *rerank.Candidate) {
			c.Course.Category, c.Course.Provider, c.Course.Level = category, provider, level
		}
	}
	in := []rerank.Candidate{
		scoring("x1", 0.95, of("x", "p", "beginner")), scoring("x2", 0.94, of("x", "p", "beginner")), scoring("x3", 0.93, of("x", "q", "")),
		scoring("y1", 0.80, of("y", "q", "advanced")), scoring("y2", 0.79, of("y", "q", "advanced")), scoring("other", 0.20, of("z", "r", "mixed")),
	}
	halves := &rerank.Mix{
		Categories: map[string]float64{"x": 0.5, "y": 0.5}, Providers: map[string]float64{"p": 0.5, "q": 0.5},
		Levels: map[lectern.Level]float64{"beginner": 0.5, "advanced": 0.5},
	}
	for _, tt := range []struct {
		name   string
		weight rerank.MixConfig
		mix    *rerank.Mix
		places int
		want   string
	}{
		{"off", rerank.MixConfig{}, halves, 10, "x1 x2 x3 y1 y2 other"},
		{"nothing known", rerank.MixConfig{Categories: 0.1}, nil, 10, "x1 x2 x3 y1 y2 other"},
		// Place 1: x and y cost the same. Place 2 of x: q = (.995, .005), KL =
		// .5·ln(.5/.995) + .5·ln(.5/.005) = 1.959, .94 − 1.959/9 = .722; of y: q =
		// (.5, .5), KL 0, .80. Place 3: either KL = .5·ln(.5/.665) + .5·ln(.5/.335) =
		// .058, x2 .934 against y2 .784. Place 4 of x: q = (.7475, .2525), KL = .141,
		// x3 .93 − .016 = .914; of y: .79.
		{"categories", rerank.MixConfig{Categories: 0.1}, halves, 10, "x1 y1 x2 x3 y2 other"},
		{"one place", rerank.MixConfig{Categories: 0.1}, halves, 1, "x1 x2 x3 y1 y2 other"},
		// Place 2 of p: .94 − .218 = .722; of q: x3 .93. Place 3: either .058, x2.
		{"providers", rerank.MixConfig{Providers: 0.1}, halves, 10, "x1 x3 x2 y1 y2 other"},
		// x3 has no level, and costs the mean of both: at place 2 ½·1.959/9 = .109, .821;
		// y1 .80 and x2 .722. Then the shares are (1.5, .5): at place 3 of a beginner q =
		// (.83, .17), KL = .286, x2 .94 − .032 = .908; y1 .80.
		{"levels", rerank.MixConfig{Levels: 0.1}, halves, 10, "x1 x3 x2 y1 y2 other"},
		// The levels alone would have x3 second; its category costs .218 more: .603.
		{"two kinds at once", rerank.MixConfig{Categories: 0.1, Levels: 0.1}, halves, 10, "x1 y1 x2 x3 y2 other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := plain(t, func(c *rerank.Config) { c.Lists.Calibration, c.Lists.CalibratedPlaces = tt.weight, tt.places })
			if got := ids(l.Rerank(rerank.Request{Surface: lectern.SurfaceHome, At: now, Mix: tt.mix}, in), in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if got := ids(l.Rerank(rerank.Request{Surface: lectern.SurfaceNext, At: now, Mix: tt.mix}, in), in); got != "x1 x2 x3 y1 y2 other" {
				t.Errorf("another surface: %s", got)
			}
		})
	}
}

func TestAtMostOfOneProvider(t *testing.T) {
	by := func(names string) []rerank.Candidate {
		var out []rerank.Candidate
		for i, name := range names {
			out = append(out, scoring(string(name)+string(rune('1'+i)), 0.9-0.01*float64(i), func(c *rerank.Candidate) {
				c.Course.Provider = strings.Trim(string(name), "-")
			}))
		}
		return out
	}
	for _, tt := range []struct {
		name, in     string
		most, places int
		change       func(in []rerank.Candidate, c *rerank.Config)
		want         string
	}{
		{"no limit", "aaaab", 0, 5, nil, "a1 a2 a3 a4 b5"},
		{"two in four places", "aaaabc", 2, 4, nil, "a1 a2 b5 c6 a3 a4"},
		{"no places", "aaaabc", 2, 0, nil, "a1 a2 a3 a4 b5 c6"},
		{"the best of what is left", "aaab", 1, 4, nil, "a1 b4 a2 a3"},
		{"unknown providers have no limit", "---a", 1, 4, nil, "-1 -2 -3 a4"},
		{"a pin counts before it is placed", "aab", 1, 3, func(_ []rerank.Candidate, c *rerank.Config) {
			c.Rules = []rerank.Rule{{ID: "r", Action: rerank.RulePin, Courses: []string{"a2"}, Position: 1}}
		}, "b3 a2 a1"},
		{"pins may be too many", "aab", 1, 3, func(_ []rerank.Candidate, c *rerank.Config) {
			c.Rules = []rerank.Rule{{ID: "r", Action: rerank.RulePin, Courses: []string{"a1", "a2"}}}
		}, "a1 a2 b3"},
		{"before what is only order", "aabb", 1, 2, func(in []rerank.Candidate, c *rerank.Config) {
			in[2].Missing = []string{"a2"} // which the limit keeps below
			in[3].Missing = []string{"a2"}
		}, "a1 b3 a2 b4"},
		{"before what was turned down", "aab", 1, 2, func(in []rerank.Candidate, c *rerank.Config) {
			c.Lists.DismissedFrom = 0.3
			in[2].Similarity, in[2].Away = rerank.Matched(0.1), rerank.Matched(0.9)
		}, "a1 b3 a2"},
		{"with runs", "aaabbc", 2, 4, func(_ []rerank.Candidate, c *rerank.Config) { c.Lists.MaxProviderRun = 1 }, "a1 b4 a2 b5 a3 c6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := by(tt.in)
			l := plain(t, func(c *rerank.Config) {
				c.Lists.MaxPerProvider, c.Lists.LimitedPlaces = tt.most, tt.places
				if tt.change != nil {
					tt.change(in, c)
				}
			})
			if got := ids(l.Rerank(rerank.Request{Surface: lectern.SurfaceHome, At: now}, in), in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	l, in := plain(t, func(c *rerank.Config) { c.Lists.MaxPerProvider = 1 }), by("aab")
	for _, s := range lectern.Surfaces() {
		if got := ids(l.Rerank(rerank.Request{Surface: s, At: now, Depth: 2}, in), in); got != "a1 b3" {
			t.Errorf("%s: got %s", s, got)
		}
	}
	if got := ids(l.Rerank(rerank.Request{Surface: lectern.SurfaceHome, Row: lectern.RowContinue, At: now}, in), in); got != "a1 a2 b3" {
		t.Errorf("what is under way: got %s", got)
	}
}

func TestDuplicatesAreLeftOut(t *testing.T) {
	course := func(id string, score float64, change func(c *rerank.Candidate)) rerank.Candidate {
		return scoring(id, score, func(c *rerank.Candidate) {
			c.Course.Title, c.Course.Provider = "Statistics", "p "+id
			if change != nil {
				change(c)
			}
		})
	}
	at := func(degrees float64, more func(f *rerank.Facts)) func(*rerank.Candidate) {
		return func(c *rerank.Candidate) {
			pointing(math.Cos(degrees*math.Pi/180), math.Sin(degrees*math.Pi/180))(c)
			if more != nil {
				more(c.Course)
			}
		}
	}
	title := func(s string) func(f *rerank.Facts) { return func(f *rerank.Facts) { f.Title = s } }
	level := func(l lectern.Level) func(f *rerank.Facts) { return func(f *rerank.Facts) { f.Level = l } }
	language := func(tag string) func(f *rerank.Facts) {
		return func(f *rerank.Facts) { f.Languages = lectern.LanguageKeys(tag) }
	}
	copyOf := func(s, provider string) func(*rerank.Candidate) {
		return func(c *rerank.Candidate) { c.Course.Title, c.Course.Provider = s, provider }
	}
	for _, tt := range []struct {
		name     string
		a, b     func(*rerank.Candidate) // scores .9 and .8
		want     string                  // list, duplicates of its first course in brackets
		searched string
	}{
		// cos 10° = .985, cos 12° = .978.
		{"near enough", at(0, nil), at(10, nil), "a[b]", "a b"},
		{"not near enough", at(0, nil), at(12, nil), "a b", "a b"},
		{"no vectors", nil, nil, "a b", "a b"},
		{"levels", at(0, level("beginner")), at(0, level("advanced")), "a b", "a b"},
		{"the same level", at(0, level("mixed")), at(0, level("mixed")), "a[b]", "a b"},
		{"an unknown level", at(0, level("beginner")), at(0, nil), "a[b]", "a b"},
		{"languages", at(0, language("en")), at(0, language("es")), "a b", "a b"},
		{"a narrower language", at(0, language("en")), at(0, language("en-GB")), "a[b]", "a b"},
		{"parts of a series", at(0, title("Algorithms I")), at(0, title("Algorithms II")), "a b", "a b"},
		{"numbered parts", at(0, title("Chemistry")), at(0, title("Chemistry: Part 2")), "a b", "a b"},
		{"the year of an edition", at(0, title("Marketing 2024")), at(0, title("Marketing 2026")), "a[b]", "a b"},
		{"languages of one letter", at(0, title("Programming in C")), at(0, title("Programming in R")), "a b", "a b"},
		{"one needs the other", at(0, nil), at(0, func(f *rerank.Facts) { f.Needs = []string{"a"} }), "a b", "a b"},
		{"one misses the other", func(c *rerank.Candidate) { at(0, nil)(c); c.Missing = []string{"b"} }, at(0, nil), "b a", "a b"},
		{"a copy", copyOf("Intro to Law", "u"), copyOf("intro  to LAW ", "u"), "a[b]", "a[b]"},
		{"a copy elsewhere", copyOf("Intro to Law", "u"), copyOf("Intro to Law", "v"), "a b", "a b"},
		{"a copy in Polish", func(c *rerank.Candidate) { copyOf("Łąka", "u")(c); language("pl")(c.Course) },
			func(c *rerank.Candidate) { copyOf("ŁĄKA", "u")(c); language("pl")(c.Course) }, "a[b]", "a[b]"},
		{"an edition in another language", func(c *rerank.Candidate) { copyOf("Excel", "u")(c); language("pl")(c.Course) },
			func(c *rerank.Candidate) { copyOf("Excel", "u")(c); language("fr")(c.Course) }, "a b", "a b"},
		{"unknown providers", copyOf("Intro to Law", ""), copyOf("Intro to Law", ""), "a b", "a b"},
		{"no titles", copyOf("", "u"), copyOf("", "u"), "a b", "a b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := []rerank.Candidate{course("b", 0.8, tt.b), course("a", 0.9, tt.a)}
			l := plain(t, func(c *rerank.Config) { c.Lists.DuplicatesFrom = 0.98 })
			show := func(surface lectern.Surface) string {
				var out []string
				for _, item := range l.Rerank(rerank.Request{Surface: surface, At: now}, in).Items {
					word := in[item.Index].Course.ID
					for _, i := range item.Duplicates {
						word += "[" + in[i].Course.ID + "]"
					}
					out = append(out, word)
				}
				return strings.Join(out, " ")
			}
			if got := show(lectern.SurfaceHome); got != tt.want {
				t.Errorf("home: got %s, want %s", got, tt.want)
			}
			if got := show(lectern.SurfaceSearch); got != tt.searched {
				t.Errorf("search: got %s, want %s", got, tt.searched)
			}
			off := plain(t, nil)
			if got := off.Rerank(rerank.Request{Surface: lectern.SurfaceNext, At: now}, in).Items; len(got) != 2 {
				t.Errorf("switched off: %d items", len(got))
			}
		})
	}
}

// TestManyDuplicates: those below what is compared at first are found when their place
// comes, and a pinned course stands for better ones.
func TestManyDuplicates(t *testing.T) {
	var in []rerank.Candidate
	for i := range 300 {
		in = append(in, scoring(string(rune('a'+i%26))+string(rune('a'+i/26)), 0.9-0.001*float64(i), pointing(1, float64(i%3))))
	}
	// The directions are 0°, 45° and 63°: three courses, and 297 duplicates.
	l := plain(t, func(c *rerank.Config) {
		c.Lists.DuplicatesFrom = 0.98
		c.Rules = []rerank.Rule{{ID: "r", Action: rerank.RulePin, Courses: []string{"bb"}, Position: 0}}
	})
	ranked := l.Rerank(rerank.Request{Surface: lectern.SurfaceSimilar, At: now, Depth: 10}, in)
	if got := ids(ranked, in); got != "bb ba ca" { // bb is the 28th, at 0°
		t.Errorf("got %s", got)
	}
	var all []int
	for i, item := range ranked.Items {
		all = append(append(all, item.Index), item.Duplicates...)
		for _, other := range item.Duplicates {
			if in[other].Vector[0] != in[item.Index].Vector[0] {
				t.Errorf("%d is no duplicate of %d", other, item.Index)
			}
		}
		if item.Pinned == "" && len(item.Duplicates) > 0 && item.Index > slices.Min(item.Duplicates) {
			t.Errorf("place %d is not the best of its kind", i)
		}
	}
	slices.Sort(all)
	if len(ranked.Items) != 3 || len(all) != 300 || len(slices.Compact(all)) != 300 {
		t.Errorf("%d items that stand for %d", len(ranked.Items), len(all))
	}
	if diff := cmp.Diff("r", ranked.Items[0].Pinned); diff != "" {
		t.Error(diff)
	}
}

// TestWaitingWithTheRest: courses wait for what is pinned and for what stands for a
// duplicate, and a successor does not go before a twin where its provider has enough.
func TestWaitingWithTheRest(t *testing.T) {
	missing := func(id string) func(*rerank.Candidate) {
		return func(c *rerank.Candidate) { c.Missing = []string{id} }
	}
	twin := func(c *rerank.Candidate) { c.TwinOf = "done" }
	successor := func(c *rerank.Candidate) {
		c.FollowsID, c.Complement, c.Course.Provider = "done", rerank.Known(1), "p"
	}
	for _, tt := range []struct {
		name   string
		in     []rerank.Candidate
		change func(*rerank.Config)
		want   string
	}{
		{"for a pinned course", []rerank.Candidate{scoring("a", 0.9, missing("c")), scoring("b", 0.8, nil), scoring("c", 0.7, nil), scoring("d", 0.6, nil)},
			func(c *rerank.Config) {
				c.Rules = []rerank.Rule{{ID: "r", Action: rerank.RulePin, Courses: []string{"c"}, Position: 2}}
			}, "b d c a"},
		{"for what stands for it", []rerank.Candidate{
			scoring("a", 0.9, missing("c")), scoring("b", 0.5, pointing(1, 0)), scoring("c", 0.4, pointing(1, 0)), scoring("d", 0.3, nil),
		}, func(c *rerank.Config) { c.Lists.DuplicatesFrom = 0.98 }, "b a d"},
		{"no successor beyond the limit", []rerank.Candidate{
			scoring("a", 0.9, func(c *rerank.Candidate) { c.Course.Provider = "p" }), scoring("t", 0.8, twin), scoring("s", 0.7, successor),
		}, func(c *rerank.Config) { c.Lists.MaxPerProvider = 1 }, "a t s"},
		{"a successor within it", []rerank.Candidate{
			scoring("a", 0.9, func(c *rerank.Candidate) { c.Course.Provider = "p" }), scoring("t", 0.8, twin), scoring("s", 0.7, successor),
		}, func(c *rerank.Config) { c.Lists.MaxPerProvider = 2 }, "a s t"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := ids(plain(t, tt.change).Rerank(rerank.Request{Surface: lectern.SurfaceHome, At: now}, tt.in), tt.in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestLimitedAgain: a list in another order keeps to the limit as far as it can.
func TestLimitedAgain(t *testing.T) {
	for _, tt := range []struct {
		name, in string // providers; a pinned one in capitals
		places   int
		want     string
	}{
		{"kept already", "abc", 3, "abc"},
		{"put off", "aabca", 3, "abcaa"},
		{"beyond the places", "aabca", 1, "aabca"},
		{"nothing else is left", "aaab", 4, "abaa"},
		{"unknown ones", "--a-a", 4, "--a-a"},
		{"pins count first, and stay", "abAc", 4, "bcAa"},
		{"two pins", "bAAb", 4, "bAAb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var in []rerank.Candidate
			var items []rerank.Scored
			for i, p := range tt.in {
				in = append(in, rerank.Candidate{Course: &rerank.Facts{ID: string(p), Provider: strings.ToLower(strings.Trim(string(p), "-"))}})
				items = append(items, rerank.Scored{Index: i})
				if p >= 'A' && p <= 'Z' {
					items[i].Pinned = "r"
				}
			}
			l := plain(t, func(c *rerank.Config) { c.Lists.MaxPerProvider, c.Lists.LimitedPlaces = 1, tt.places })
			got := order(l.Limited(items, in), in)
			if strings.Join(got, "") != tt.want {
				t.Errorf("got %s, want %s", strings.Join(got, ""), tt.want)
			}
		})
	}
}
