package indextest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

// testProperty writes and asks at random, and compares with looking at every
// point.
func testProperty(t *testing.T, factory Factory) {
	rapid.Check(t, func(rt *rapid.T) {
		x := factory(t, dims())
		ref := reference{}
		steps := rapid.IntRange(1, 12).Draw(rt, "steps")
		for range steps {
			step(t, rt, x, ref)
		}
		queries := rapid.SliceOfN(drawQuery(), 1, 6).Draw(rt, "queries")
		lists, err := x.Search(t.Context(), queries)
		if err != nil {
			rt.Fatalf("Search: %v", err)
		}
		for i, q := range queries {
			if d := diffHits(lists[i], ref.search(q)); d != "" {
				rt.Fatalf("query %d: hits differ (-want +got):\n%s", i, d)
			}
		}
		compareRest(t, rt, x, ref, queries[0].Filter)
	})
}

func step(t *testing.T, rt *rapid.T, x lectern.VectorIndex, ref reference) {
	if rapid.IntRange(0, 3).Draw(rt, "kind") == 0 {
		ids := rapid.SliceOfN(drawID(), 0, 4).Draw(rt, "delete")
		ref.delete(ids...)
		if err := x.Delete(t.Context(), ids); err != nil {
			rt.Fatalf("Delete: %v", err)
		}
		return
	}
	points := rapid.SliceOfN(drawPoint(), 0, 12).Draw(rt, "upsert")
	ref.upsert(points...)
	if err := x.Upsert(t.Context(), points); err != nil {
		rt.Fatalf("Upsert: %v", err)
	}
}

func compareRest(t *testing.T, rt *rapid.T, x lectern.VectorIndex, ref reference, f lectern.Filter) {
	ids := rapid.SliceOfN(drawID(), 0, 10).Draw(rt, "ids")
	allowed, err := x.Allowed(t.Context(), f, ids)
	if err != nil {
		rt.Fatalf("Allowed: %v", err)
	}
	if d := cmp.Diff(ref.allowed(f, ids), allowed); d != "" {
		rt.Fatalf("Allowed differs (-want +got):\n%s", d)
	}
	vectors, err := x.Vectors(t.Context(), lectern.VectorContent, ids)
	if err != nil {
		rt.Fatalf("Vectors: %v", err)
	}
	if d := cmp.Diff(ref.vectors(lectern.VectorContent, ids), vectors); d != "" {
		rt.Fatalf("Vectors differ (-want +got):\n%s", d)
	}
	stats, err := x.Stats(t.Context())
	if err != nil {
		rt.Fatalf("Stats: %v", err)
	}
	points, counts := ref.stats()
	if stats.Points != points {
		rt.Fatalf("Stats: %d points, want %d", stats.Points, points)
	}
	if d := diffCounts(stats.Vectors, counts); d != "" {
		rt.Fatalf("Stats.Vectors differ (-want +got):\n%s", d)
	}
}

func drawID() *rapid.Generator[string] {
	return rapid.Map(rapid.IntRange(0, 30), name)
}

// drawUnit makes exact unit vectors: one, four or all sixteen numbers alike.
func drawUnit(n int) *rapid.Generator[[]float32] {
	return rapid.Custom(func(rt *rapid.T) []float32 {
		count := 1
		for count*4 <= n && rapid.Bool().Draw(rt, "more") {
			count *= 4
		}
		at := rapid.Permutation(seq(n)).Draw(rt, "at")[:count]
		v := unit(n, at...)
		for _, i := range at {
			if rapid.Bool().Draw(rt, "minus") {
				v[i] = -v[i]
			}
		}
		return v
	})
}

func seq(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// drawSparse makes vectors whose weights are eighths, so that sums are exact, and
// above zero, as those of words are: indexes differ on points whose sum is zero.
func drawSparse() *rapid.Generator[lectern.SparseVector] {
	return rapid.Custom(func(rt *rapid.T) lectern.SparseVector {
		var s lectern.SparseVector
		for t := range uint32(8) {
			if rapid.Bool().Draw(rt, "term") {
				s.Indices = append(s.Indices, t*1000)
				s.Values = append(s.Values, float32(rapid.IntRange(1, 24).Draw(rt, "weight"))/8)
			}
		}
		return s
	})
}

var (
	someLevels     = []lectern.Level{"", lectern.LevelBeginner, lectern.LevelAdvanced}
	someLanguages  = []string{"", "en", "en-GB", "en-US", "pt-BR"}
	someCategories = []string{"arts", "data science", "law"}
	someProviders  = []string{"", "nova", "öst"}
	someSkills     = []string{"sql", "arts", "r"}
	someRegions    = []string{"de", "fr"}
	someOrgs       = []string{"acme", "globex"}
)

func some(rt *rapid.T, from []string, label string) []string {
	if rapid.IntRange(0, 2).Draw(rt, label+"?") > 0 {
		return nil
	}
	return rapid.SliceOfN(rapid.SampledFrom(from), 1, 2).Draw(rt, label)
}

func drawDay(rt *rapid.T, label string) *time.Time {
	if rapid.IntRange(0, 3).Draw(rt, label+"?") > 0 {
		return nil
	}
	return at(rapid.IntRange(1, 9).Draw(rt, label))
}

func drawPoint() *rapid.Generator[lectern.Point] {
	return rapid.Custom(func(rt *rapid.T) lectern.Point {
		p := lectern.Point{ID: drawID().Draw(rt, "id"), Dense: map[string][]float32{}, Sparse: map[string]lectern.SparseVector{}}
		if rapid.IntRange(0, 5).Draw(rt, "content?") > 0 {
			p.Dense[lectern.VectorContent] = drawUnit(dim).Draw(rt, "content")
		}
		if rapid.Bool().Draw(rt, "cf?") {
			p.Dense[lectern.VectorCF] = drawUnit(4).Draw(rt, "cf")
		}
		if rapid.Bool().Draw(rt, "lexical?") {
			p.Sparse[lectern.VectorLexical] = drawSparse().Draw(rt, "lexical")
		}
		p.Payload = lectern.Payload{
			Level:         rapid.SampledFrom(someLevels).Draw(rt, "level"),
			Languages:     lectern.LanguageKeys(rapid.SampledFrom(someLanguages).Draw(rt, "language")),
			Categories:    some(rt, someCategories, "categories"),
			Provider:      rapid.SampledFrom(someProviders).Draw(rt, "provider"),
			Skills:        some(rt, someSkills, "skills"),
			Status:        rapid.SampledFrom([]lectern.Status{lectern.StatusOpen, lectern.StatusOpen, lectern.StatusUnlisted}).Draw(rt, "status"),
			EnrolFrom:     drawDay(rt, "from"),
			EnrolUntil:    drawDay(rt, "until"),
			Regions:       some(rt, someRegions, "regions"),
			Organisations: some(rt, someOrgs, "organisations"),
		}
		if rapid.Bool().Draw(rt, "hours?") {
			p.Payload.Hours = hours(float64(rapid.IntRange(0, 4).Draw(rt, "hours")))
		}
		return p
	})
}

func drawFilter() *rapid.Generator[lectern.Filter] {
	return rapid.Custom(func(rt *rapid.T) lectern.Filter {
		var f lectern.Filter
		if rapid.IntRange(0, 3).Draw(rt, "levels?") == 0 {
			f.Levels = rapid.SliceOfN(rapid.SampledFrom(someLevels), 1, 2).Draw(rt, "levels")
		}
		if rapid.IntRange(0, 3).Draw(rt, "hours?") == 0 {
			f.MaxHours = hours(float64(rapid.IntRange(-1, 4).Draw(rt, "hours")))
		}
		if rapid.IntRange(0, 3).Draw(rt, "least?") == 0 {
			f.MinHours = hours(float64(rapid.IntRange(-1, 4).Draw(rt, "least")))
		}
		f.Skills = some(rt, []string{"SQL", "arts", "nonsense"}, "skills")
		f.Languages = some(rt, []string{"EN", "pt", "en-gb"}, "languages")
		f.Categories = some(rt, []string{"Arts", "data  science", "nonsense"}, "categories")
		f.Providers = some(rt, []string{"NOVA", "öst"}, "providers")
		f.ExcludeIDs = rapid.SliceOfN(drawID(), 0, 3).Draw(rt, "exclude")
		if rapid.IntRange(0, 4).Draw(rt, "only?") == 0 {
			f.OnlyIDs = rapid.SliceOfN(drawID(), 0, 12).Draw(rt, "only")
		}
		if rapid.Bool().Draw(rt, "eligible?") {
			f.Eligible = &lectern.Eligibility{
				At:            *at(rapid.IntRange(1, 9).Draw(rt, "at")),
				Region:        rapid.SampledFrom([]string{"", "DE", "us"}).Draw(rt, "region"),
				Organisations: some(rt, []string{"Acme", "other"}, "organisations"),
			}
		}
		return f
	})
}

func drawQuery() *rapid.Generator[lectern.VectorQuery] {
	// Few filters among many queries, so that some share theirs.
	filter := rapid.OneOf(rapid.Just(lectern.Filter{}), drawFilter())
	return rapid.Custom(func(rt *rapid.T) lectern.VectorQuery {
		q := lectern.VectorQuery{Filter: filter.Draw(rt, "filter"), K: rapid.IntRange(0, 40).Draw(rt, "k")}
		switch rapid.IntRange(0, 2).Draw(rt, "vector") {
		case 0:
			q.Vector, q.Dense = lectern.VectorContent, drawUnit(dim).Draw(rt, "content")
		case 1:
			q.Vector, q.Dense = lectern.VectorCF, drawUnit(4).Draw(rt, "cf")
		default:
			s := drawSparse().Draw(rt, "sparse")
			q.Vector, q.Sparse = lectern.VectorLexical, &s
		}
		return q
	})
}
