package indextest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// wantFiltered checks a filter in every way it can be asked.
func wantFiltered(t *testing.T, x lectern.VectorIndex, f lectern.Filter, want string) {
	t.Helper()
	dense, sparse := content(axis(0), 100), words(100, 1, 1)
	dense.Filter, sparse.Filter = f, f
	if got := found(t, x, dense); got != want {
		t.Errorf("dense search found %q, want %q", got, want)
	}
	if got := found(t, x, sparse); got != want {
		t.Errorf("sparse search found %q, want %q", got, want)
	}
	ids := []string{"a", "b", "c", "d", "e", "f", "g", "zz", "h", "i"}
	allowed, err := x.Allowed(t.Context(), f, ids)
	if err != nil {
		t.Fatalf("Allowed: %v", err)
	}
	got := ""
	for i, ok := range allowed {
		if ok {
			if got != "" {
				got += " "
			}
			got += ids[i]
		}
	}
	if got != want {
		t.Errorf("Allowed passes %q, want %q", got, want)
	}
}

// put stores points that all score alike, so that results come in order of id.
func put(t *testing.T, x lectern.VectorIndex, payloads map[string]lectern.Payload) {
	t.Helper()
	for id, p := range payloads {
		q := point(id, axis(0))
		q.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(1, 1)}
		if p.Status == "" {
			p.Status = lectern.StatusOpen
		}
		q.Payload = p
		mustUpsert(t, x, q)
	}
}

func testFilters(t *testing.T, x lectern.VectorIndex) {
	put(t, x, map[string]lectern.Payload{
		"a": {Level: lectern.LevelBeginner, Hours: hours(10), Languages: lectern.LanguageKeys("en"),
			Categories: []string{"computer science", "data science"}, Provider: "nova academy", Skills: []string{"sql", "machine learning"}},
		"b": {Level: lectern.LevelAdvanced, Hours: hours(40), Languages: lectern.LanguageKeys("pt-BR"),
			Categories: []string{"arts"}, Provider: "école du soir"},
		"c": {Level: lectern.LevelMixed, Hours: hours(0), Languages: lectern.LanguageKeys("pt"),
			Categories: []string{"data science"}, Provider: "nova academy", Skills: []string{"sql"}},
		"d": {},
		"e": {Level: lectern.LevelBeginner, Hours: hours(10.5), Languages: lectern.LanguageKeys("zh-Hant-TW"), Provider: "طريق"},
	})
	level := func(l ...lectern.Level) lectern.Filter { return lectern.Filter{Levels: l} }
	tests := []struct {
		name string
		f    lectern.Filter
		want string
	}{
		{"none", lectern.Filter{}, "a b c d e"},
		{"empty lists are no filter", lectern.Filter{Levels: []lectern.Level{}, Categories: []string{}, ExcludeIDs: []string{}}, "a b c d e"},
		{"level", level(lectern.LevelBeginner), "a e"},
		{"either level", level(lectern.LevelAdvanced, lectern.LevelMixed), "b c"},
		{"level nobody has", level(lectern.LevelIntermediate), ""},
		{"max hours is inclusive", lectern.Filter{MaxHours: hours(10)}, "a c"},
		{"max hours of 0", lectern.Filter{MaxHours: hours(0)}, "c"},
		{"min hours is inclusive", lectern.Filter{MinHours: hours(10.5)}, "b e"},
		{"min hours of 0 is of known hours", lectern.Filter{MinHours: hours(0)}, "a b c e"},
		{"hours from to", lectern.Filter{MinHours: hours(10), MaxHours: hours(10.5)}, "a e"},
		{"hours of an empty range", lectern.Filter{MinHours: hours(30), MaxHours: hours(20)}, ""},
		{"skill, case and spaces", lectern.Filter{Skills: []string{" Machine  LEARNING"}}, "a"},
		{"either skill", lectern.Filter{Skills: []string{"SQL", "nothing"}}, "a c"},
		{"skill is whole", lectern.Filter{Skills: []string{"machine"}}, ""},
		{"a skill that is a category", lectern.Filter{Skills: []string{"arts"}}, ""},
		{"rating is not the index's", lectern.Filter{MinRating: hours(5)}, "a b c d e"},
		{"language", lectern.Filter{Languages: []string{"en"}}, "a"},
		{"long language matches plain", lectern.Filter{Languages: []string{"en-GB"}}, "a"},
		{"short language matches longer", lectern.Filter{Languages: []string{"PT"}}, "b c"},
		{"long language matches itself and plain", lectern.Filter{Languages: []string{"pt-br"}}, "b c"},
		{"long language does not match another region", lectern.Filter{Languages: []string{"pt-pt"}}, "c"},
		{"longer language matches the script", lectern.Filter{Languages: []string{"zh-hant-tw-x-a"}}, "e"},
		{"another script", lectern.Filter{Languages: []string{"zh-hans"}}, ""},
		{"blank language", lectern.Filter{Languages: []string{" "}}, ""},
		{"middle of a long tag", lectern.Filter{Languages: []string{"zh-hant"}}, "e"},
		{"underscore in a tag", lectern.Filter{Languages: []string{"zh_Hant"}}, "e"},
		{"no prefix of letters", lectern.Filter{Languages: []string{"p"}}, ""},
		{"category, case and spaces", lectern.Filter{Categories: []string{"  Data  SCIENCE "}}, "a c"},
		{"either category", lectern.Filter{Categories: []string{"Arts", "computer science"}}, "a b"},
		{"category is whole", lectern.Filter{Categories: []string{"data"}}, ""},
		{"a value of another field", lectern.Filter{Categories: []string{"nova academy"}}, ""},
		{"an empty value matches nothing", lectern.Filter{Providers: []string{""}}, ""},
		{"provider", lectern.Filter{Providers: []string{"Nova Academy"}}, "a c"},
		{"provider with accent", lectern.Filter{Providers: []string{"École du Soir"}}, "b"},
		{"provider in Arabic", lectern.Filter{Providers: []string{"طريق"}}, "e"},
		{"exclude", lectern.Filter{ExcludeIDs: []string{"a", "nobody", "d"}}, "b c e"},
		{"only", lectern.Filter{OnlyIDs: []string{"d", "nobody", "b"}}, "b d"},
		{"only none", lectern.Filter{OnlyIDs: []string{}}, ""},
		{"only and exclude", lectern.Filter{OnlyIDs: []string{"a", "b"}, ExcludeIDs: []string{"b", "c"}}, "a"},
		{"only and level", lectern.Filter{OnlyIDs: []string{"a", "b"}, Levels: []lectern.Level{lectern.LevelAdvanced}}, "b"},
		{"all at once", lectern.Filter{Levels: []lectern.Level{lectern.LevelBeginner, lectern.LevelMixed}, MaxHours: hours(10),
			Languages: []string{"en", "pt"}, Categories: []string{"data science"}, Providers: []string{"nova academy"},
			ExcludeIDs: []string{"a"}}, "c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantFiltered(t, x, tt.f, tt.want) })
	}
}

// testFilterDuplicates checks long id lists and repeated values.
func testFilterDuplicates(t *testing.T, x lectern.VectorIndex) {
	put(t, x, map[string]lectern.Payload{
		"a": {Categories: []string{"arts", "arts"}},
		"b": {Categories: []string{"law"}},
		"c": {},
	})
	wantFiltered(t, x, lectern.Filter{Categories: []string{"arts", "Arts", "law"}}, "a b")
	many := []string{"a", "a", "b", "b"}
	for i := range 500 {
		many = append(many, name(i))
	}
	wantFiltered(t, x, lectern.Filter{OnlyIDs: many}, "a b")
	wantFiltered(t, x, lectern.Filter{ExcludeIDs: many}, "c")
	wantFiltered(t, x, lectern.Filter{OnlyIDs: many, ExcludeIDs: []string{"b"}}, "a")
}

func testEligibility(t *testing.T, x lectern.VectorIndex) {
	put(t, x, map[string]lectern.Payload{
		"a": {},
		"b": {Status: lectern.StatusUnlisted},
		"c": {Status: lectern.StatusRetired},
		"d": {EnrolFrom: at(10)},
		"e": {EnrolUntil: at(20)},
		"f": {EnrolFrom: at(10), EnrolUntil: at(20), Level: lectern.LevelBeginner},
		"g": {Regions: []string{"de", "fr"}},
		"h": {Organisations: []string{"acme", "globex"}},
		"i": {Regions: []string{"de"}, Organisations: []string{"acme"}, EnrolFrom: at(10)},
	})
	who := func(day int, region string, organisations ...string) *lectern.Eligibility {
		return &lectern.Eligibility{At: *at(day), Region: region, Organisations: organisations}
	}
	just := func(e *lectern.Eligibility, d time.Duration) *lectern.Eligibility {
		e.At = e.At.Add(d)
		return e
	}
	tests := []struct {
		name string
		e    *lectern.Eligibility
		want string
	}{
		{"nobody asks", nil, "a b c d e f g h i"},
		{"before the window", who(5, ""), "a e"},
		{"inside the window", who(15, ""), "a d e f"},
		{"after the window", who(25, ""), "a d"},
		{"the first moment", who(10, ""), "a d e f"},
		{"just before the first moment", just(who(10, ""), -time.Microsecond), "a e"},
		{"the end is outside", who(20, ""), "a d"},
		{"just before the end", just(who(20, ""), -time.Microsecond), "a d e f"},
		{"another zone", &lectern.Eligibility{At: at(10).In(time.FixedZone("", -7*3600))}, "a d e f"},
		{"region", who(15, "FR"), "a d e f g"},
		{"another region", who(15, "us"), "a d e f"},
		{"organisation", who(15, "", "Globex", "other"), "a d e f h"},
		{"region and organisation", who(15, "de", "acme"), "a d e f g h i"},
		{"region without organisation", who(15, "de"), "a d e f g"},
		{"empty organisation", who(15, "", ""), "a d e f"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantFiltered(t, x, lectern.Filter{Eligible: tt.e}, tt.want) })
	}
	t.Run("with other filters", func(t *testing.T) {
		wantFiltered(t, x, lectern.Filter{Eligible: who(15, "de"), Levels: []lectern.Level{lectern.LevelBeginner}}, "f")
		wantFiltered(t, x, lectern.Filter{Eligible: who(15, "de"), OnlyIDs: []string{"b", "g", "h"}}, "g")
		wantFiltered(t, x, lectern.Filter{Eligible: who(15, "de"), ExcludeIDs: []string{"a", "d"}}, "e f g")
	})
	t.Run("status of a replaced point", func(t *testing.T) {
		p := point("a", axis(0))
		p.Payload.Status = lectern.StatusRetired
		mustUpsert(t, x, p)
		got, err := x.Allowed(t.Context(), lectern.Filter{Eligible: who(15, "")}, []string{"a"})
		if err != nil || !cmp.Equal(got, []bool{false}) {
			t.Errorf("Allowed = %v, %v", got, err)
		}
	})
}
