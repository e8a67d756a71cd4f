package qdrant

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index"
)

// tolerance is how far scores may be apart before their order counts.
const tolerance = 1e-4

// TestSameOrder asks the in-process index and this one the same 2,000 random
// queries with filters, and compares wherever scores differ.
func TestSameOrder(t *testing.T) {
	const points, queries, perCall = 1500, 2000, 5
	servers(t, func(t *testing.T, address string) {
		all := connect(t, testConfig(address))
		sweep(t, all)
		there, err := all.Create(t.Context(), lectern.IndexSpec{
			Version: 1, Dense: map[string]int{lectern.VectorContent: 64, lectern.VectorReviews: 32}, Sparse: []string{lectern.VectorLexical},
		})
		if err != nil {
			t.Fatal(err)
		}
		here := index.New(index.Options{})
		r := rand.New(rand.NewPCG(1, 2))
		catalogue := make([]lectern.Point, points)
		for i := range catalogue {
			catalogue[i] = randomPoint(r, i)
		}
		upsert(t, here, catalogue...)
		upsert(t, there, catalogue...)
		hits := 0
		for range queries / perCall {
			var asked []lectern.VectorQuery
			for range perCall {
				asked = append(asked, randomQuery(r, points))
			}
			want, err := here.Search(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			got, err := there.Search(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			for n := range asked {
				hits += len(want[n])
				if d := sameOrder(want[n], got[n]); d != "" {
					t.Fatalf("%+v: %s", asked[n], d)
				}
			}
		}
		if hits < queries*10 {
			t.Errorf("%d hits in %d queries: nothing was compared", hits, queries)
		}
	})
}

// sameOrder says where two lists differ by more than near-ties may: scores place
// by place, and ids wherever a score stands apart from its neighbours.
func sameOrder(want, got []lectern.Hit) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d hits here, %d in Qdrant", len(want), len(got))
	}
	far := func(a, b lectern.Hit) bool { return math.Abs(float64(a.Score-b.Score)) > tolerance }
	for i := range want {
		if far(want[i], got[i]) {
			return fmt.Sprintf("place %d: %v here, %v in Qdrant", i, want[i], got[i])
		}
		apart := (i == 0 || far(want[i-1], want[i])) && i+1 < len(want) && far(want[i], want[i+1])
		if apart && want[i].ID != got[i].ID {
			return fmt.Sprintf("place %d: %v here, %v in Qdrant", i, want[i], got[i])
		}
	}
	return ""
}

func TestSameOrderNotices(t *testing.T) {
	list := func(score float32, ids ...string) (out []lectern.Hit) {
		for i, id := range ids {
			out = append(out, lectern.Hit{ID: id, Score: score - float32(i)/100})
		}
		return out
	}
	for name, tt := range map[string]struct {
		want, got []lectern.Hit
		same      bool
	}{
		"alike":         {list(1, "a", "b", "c"), list(1, "a", "b", "c"), true},
		"swapped":       {list(1, "a", "b", "c"), list(1, "b", "a", "c"), false},
		"other score":   {list(1, "a", "b"), list(1.01, "a", "b"), false},
		"shorter":       {list(1, "a", "b"), list(1, "a"), false},
		"tie at an end": {list(1, "a", "b"), list(1, "a", "c"), true}, // the next may be as good
	} {
		if d := sameOrder(tt.want, tt.got); (d == "") != tt.same {
			t.Errorf("%s: %q", name, d)
		}
	}
}

func randomUnit(r *rand.Rand, n int) []float32 {
	v, sum := make([]float32, n), 0.0
	for i := range v {
		x := r.NormFloat64()
		v[i], sum = float32(x), sum+x*x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

func randomWords(r *rand.Rand, n int) *lectern.SparseVector {
	var s lectern.SparseVector
	term := uint32(0)
	for range n {
		term += 1 + uint32(r.ExpFloat64()*20)
		s.Indices = append(s.Indices, term*7919%1000+term*1000)
		s.Values = append(s.Values, float32(0.1+r.ExpFloat64()))
	}
	return &s
}

var (
	manyLevels     = []lectern.Level{"", lectern.LevelBeginner, lectern.LevelIntermediate, lectern.LevelAdvanced, lectern.LevelMixed}
	manyCategories = []string{"Arts", "Data Science", "law", "health", "physics"}
	manyLanguages  = []string{"", "en", "pt-BR", "pt", "zh-Hant-TW"}
	manyRegions    = []string{"de", "fr", "us"}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func sometimes(r *rand.Rand, from []string) []string {
	if r.IntN(3) > 0 {
		return nil
	}
	return []string{pick(r, from), pick(r, from)}
}

func someDay(r *rand.Rand) *time.Time {
	if r.IntN(3) > 0 {
		return nil
	}
	at := time.Date(2024, 1, 1+r.IntN(300), 0, 0, 0, r.IntN(1e9), time.UTC)
	return &at
}

func randomPoint(r *rand.Rand, i int) lectern.Point {
	p := lectern.Point{
		ID:     fmt.Sprintf("course-%d", i),
		Dense:  map[string][]float32{lectern.VectorContent: randomUnit(r, 64)},
		Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: *randomWords(r, 1+r.IntN(60))},
		Payload: lectern.Payload{
			Level: pick(r, manyLevels), Languages: lectern.LanguageKeys(pick(r, manyLanguages)),
			Categories: sometimes(r, manyCategories), Provider: pick(r, manyCategories), Status: lectern.StatusOpen,
			EnrolFrom: someDay(r), EnrolUntil: someDay(r), Regions: sometimes(r, manyRegions), Organisations: sometimes(r, manyRegions),
		},
	}
	if r.IntN(2) == 0 {
		p.Dense[lectern.VectorReviews] = randomUnit(r, 32)
	}
	if r.IntN(4) > 0 {
		p.Payload.Hours = pointer(r.ExpFloat64() * 30)
	}
	if r.IntN(9) == 0 {
		p.Payload.Status = lectern.StatusUnlisted
	}
	return p
}

func randomQuery(r *rand.Rand, points int) lectern.VectorQuery {
	q := lectern.VectorQuery{K: 1 + r.IntN(60)}
	switch r.IntN(3) {
	case 0:
		q.Vector, q.Dense = lectern.VectorContent, randomUnit(r, 64)
	case 1:
		q.Vector, q.Dense = lectern.VectorReviews, randomUnit(r, 32)
	default:
		q.Vector, q.Sparse = lectern.VectorLexical, randomWords(r, 1+r.IntN(8))
	}
	f := &q.Filter
	f.Categories, f.Providers = sometimes(r, manyCategories), sometimes(r, manyCategories)
	if r.IntN(4) == 0 {
		f.Levels = []lectern.Level{pick(r, manyLevels), lectern.LevelMixed}
		f.Languages = []string{pick(r, manyLanguages[1:])}
	}
	if r.IntN(4) == 0 {
		f.MaxHours = pointer(r.ExpFloat64() * 40)
	}
	if r.IntN(2) == 0 {
		f.Eligible = &lectern.Eligibility{At: time.Date(2024, 1, 1+r.IntN(300), 0, 0, 0, 0, time.UTC),
			Region: pick(r, append(manyRegions, "")), Organisations: sometimes(r, manyRegions)}
	}
	for range r.IntN(3) * 20 {
		f.ExcludeIDs = append(f.ExcludeIDs, fmt.Sprintf("course-%d", r.IntN(points)))
	}
	if r.IntN(8) == 0 {
		for range 400 {
			f.OnlyIDs = append(f.OnlyIDs, fmt.Sprintf("course-%d", r.IntN(points)))
		}
	}
	return q
}
