package indextest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// full is a point with a vector of each kind and every field of a payload.
func full(i int) lectern.Point {
	p := point(name(i), axis(i%dim))
	p.Dense[lectern.VectorCF] = unit(4, i%4)
	p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(float32(i%8), 1)}
	p.Payload = lectern.Payload{
		Status: lectern.StatusOpen, Level: lectern.LevelBeginner, Provider: "acme", Hours: hours(9),
		Languages: []string{"en"}, Categories: []string{"arts"}, Regions: []string{"de"}, Organisations: []string{"o1"},
		EnrolFrom: at(10), EnrolUntil: at(20),
	}
	return p
}

// testUpsertSettled replaces points that have lain in the index for long. Each
// third loses something else: the content vector and the words, the collaborative
// factor, or all vectors; and every one all that its payload may lack.
func testUpsertSettled(t *testing.T, x lectern.VectorIndex, settle func(*testing.T, lectern.VectorIndex)) {
	const points, changed = 600, 300
	var before []lectern.Point
	for i := range points {
		before = append(before, full(i))
	}
	mustUpsert(t, x, before...)
	settle(t, x)

	var after []lectern.Point
	for i := range changed {
		p := point(name(i), nil)
		switch i % 3 {
		case 0:
			p.Dense = map[string][]float32{lectern.VectorCF: unit(4, -1)}
		case 1:
			p.Dense = map[string][]float32{lectern.VectorContent: unit(dim, -3)}
			p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(70, 1)}
		}
		after = append(after, p)
	}
	added := point("new", unit(dim, -3)) // never there before
	mustUpsert(t, x, append(after, added)...)

	// 300 points as they were; of the others 100 with factors, 100 with the rest.
	wantStats(t, x, points+1, map[string]int{
		lectern.VectorContent: 401, lectern.VectorCF: 400, lectern.VectorLexical: 400,
	})
	wantSettledVectors(t, x, changed)
	wantSettledPayload(t, x, changed)

	mustUpsert(t, x, before...) // and back to what they were
	mustDelete(t, x, "new")
	wantStats(t, x, points, map[string]int{lectern.VectorContent: points, lectern.VectorCF: points, lectern.VectorLexical: points})
}

func wantSettledVectors(t *testing.T, x lectern.VectorIndex, changed int) {
	t.Helper()
	var ids []string
	var content, factors [][]float32
	for i := range changed {
		ids = append(ids, name(i))
		content, factors = append(content, nil), append(factors, nil)
		switch i % 3 {
		case 0:
			factors[i] = unit(4, -1)
		case 1:
			content[i] = unit(dim, -3)
		}
	}
	for name, want := range map[string][][]float32{lectern.VectorContent: content, lectern.VectorCF: factors} {
		got, err := x.Vectors(t.Context(), name, ids)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s vectors differ (-want +got):\n%s", name, d)
		}
	}
	for word, want := range map[float32]int{1: 0, 70: changed / 3} {
		q := words(changed, word, 1)
		q.Filter.OnlyIDs = ids
		if got := len(search(t, x, q)); got != want {
			t.Errorf("word %v is in %d of the changed points, want %d", word, got, want)
		}
	}
}

// wantSettledPayload asks each filter that a changed point met by what it lost,
// or did not meet by what has gone.
func wantSettledPayload(t *testing.T, x lectern.VectorIndex, changed int) {
	t.Helper()
	ids := []string{name(0), name(1), name(2), name(changed)}
	anywhere := &lectern.Eligibility{At: *at(1)} // of no region or organisation, before enrolment
	for what, tt := range map[string]struct {
		filter lectern.Filter
		lost   bool // the changed points no longer pass, and the unchanged one does
	}{
		"level":         {lectern.Filter{Levels: []lectern.Level{lectern.LevelBeginner}}, true},
		"provider":      {lectern.Filter{Providers: []string{"acme"}}, true},
		"hours":         {lectern.Filter{MaxHours: hours(10)}, true},
		"languages":     {lectern.Filter{Languages: []string{"en"}}, true},
		"categories":    {lectern.Filter{Categories: []string{"arts"}}, true},
		"no more limit": {lectern.Filter{Eligible: anywhere}, false},
	} {
		got, err := x.Allowed(t.Context(), tt.filter, ids)
		if err != nil {
			t.Fatal(err)
		}
		if want := []bool{!tt.lost, !tt.lost, !tt.lost, tt.lost}; !cmp.Equal(want, got) {
			t.Errorf("%s: %v pass %v, want %v", what, ids, got, want)
		}
	}
}
